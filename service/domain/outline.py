"""Edits of an outline as pure functions, so that every change of an instructor is one small, checkable step.

An edit names what it changes by id. Two people may edit at once: `difference` says, for a stale edit, what its author
wanted and what stands there now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import Field, StringConstraints

from service.domain.course import Bloom, CoursePlan, LessonPlan, ModulePlan, Objective
from service.domain.source import Document

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=160)]
Wish = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Item = TypeVar("Item")
GONE = "removed"
MODULES, LESSONS, OBJECTIVES = 60, 300, 8


class RenameModule(Document):
    do: Literal["rename_module"] = "rename_module"
    id: str
    title: Title


class RenameLesson(Document):
    do: Literal["rename_lesson"] = "rename_lesson"
    id: str
    title: Title


class SetObjective(Document):
    """Rewrite one objective of a lesson, or add it when the lesson has no objective with this id."""

    do: Literal["set_objective"] = "set_objective"
    lesson: str
    id: str
    text: Wish
    bloom: Bloom = "understand"


class RemoveObjective(Document):
    do: Literal["remove_objective"] = "remove_objective"
    lesson: str
    id: str


class AddModule(Document):
    """Insert an empty module, or one that was removed, with its lessons."""

    do: Literal["add_module"] = "add_module"
    id: str
    title: Title
    index: int = Field(ge=0)
    lessons: tuple[LessonPlan, ...] = ()


class AddLesson(Document):
    """Insert a lesson; `lesson` carries the rest of one that was removed."""

    do: Literal["add_lesson"] = "add_lesson"
    id: str
    module: str
    title: Title
    index: int = Field(ge=0)
    lesson: LessonPlan | None = None


class MoveModule(Document):
    do: Literal["move_module"] = "move_module"
    id: str
    index: int = Field(ge=0)


class MoveLesson(Document):
    do: Literal["move_lesson"] = "move_lesson"
    id: str
    module: str
    index: int = Field(ge=0)


class RemoveModule(Document):
    do: Literal["remove_module"] = "remove_module"
    id: str


class RemoveLesson(Document):
    do: Literal["remove_lesson"] = "remove_lesson"
    id: str


Edit = Annotated[
    RenameModule
    | RenameLesson
    | SetObjective
    | RemoveObjective
    | AddModule
    | AddLesson
    | MoveModule
    | MoveLesson
    | RemoveModule
    | RemoveLesson,
    Field(discriminator="do"),
]


class Difference(Document):
    """One point where a stale edit and the outline of now disagree."""

    what: str
    yours: str
    theirs: str


def apply(plan: CoursePlan, edits: Sequence[Edit]) -> CoursePlan:
    """The outline after the edits, in order.

    Raises:
        ValueError: an edit names something that the outline does not hold, or the outline would grow without bound.
    """
    for edit in edits:
        plan = _one(plan, edit)
    if len(plan.modules) > MODULES or len(plan.lessons) > LESSONS:
        raise ValueError(f"An outline holds at most {MODULES} units and {LESSONS} lessons. Split the course in two.")
    return plan


def undo_of(plan: CoursePlan, edit: Edit, new_id: str) -> Edit | None:
    """What brings back the thing that `edit` removes from `plan`; None for edits that remove nothing."""
    if isinstance(edit, RemoveLesson):
        module = _module_with(plan, edit.id)
        lesson = plan.lesson(edit.id)
        index = [one.id for one in module.lessons].index(edit.id)
        return AddLesson(id=new_id, module=module.id, title=lesson.title, index=index, lesson=lesson)
    if isinstance(edit, RemoveModule):
        index = _index(plan, edit.id)
        module = plan.modules[index]
        lessons = tuple(
            lesson.model_copy(update={"id": f"{new_id}-{number}", "prerequisites": ()})
            for number, lesson in enumerate(module.lessons)
        )
        return AddModule(id=new_id, title=module.title, index=index, lessons=lessons)
    return None


def difference(plan: CoursePlan, edits: Sequence[Edit]) -> list[Difference]:
    """What each stale edit wanted, beside what the outline holds now."""
    return [_difference(plan, edit) for edit in edits]


def _difference(plan: CoursePlan, edit: Edit) -> Difference:
    match edit:
        case RenameModule() | RenameLesson():
            kind = "Unit title" if isinstance(edit, RenameModule) else "Lesson title"
            return Difference(what=kind, yours=edit.title, theirs=_title(plan, edit.id))
        case SetObjective():
            return Difference(what="Objective", yours=edit.text, theirs=_objective(plan, edit.lesson, edit.id))
        case RemoveObjective():
            return Difference(what="Objective", yours=GONE, theirs=_objective(plan, edit.lesson, edit.id))
        case AddModule() | AddLesson():
            return Difference(what="Added", yours=edit.title, theirs="not there")
        case _:
            kind = "Place of a lesson" if isinstance(edit, MoveLesson | RemoveLesson) else "Place of a unit"
            return Difference(what=kind, yours=_wish(plan, edit), theirs=_place(plan, edit.id))


def _title(plan: CoursePlan, entry_id: str) -> str:
    modules = {module.id: module.title for module in plan.modules}
    lessons = {lesson.id: lesson.title for lesson in plan.lessons}
    return (modules | lessons).get(entry_id, GONE)


def _objective(plan: CoursePlan, lesson_id: str, objective_id: str) -> str:
    found = (
        one.text
        for lesson in plan.lessons
        if lesson.id == lesson_id
        for one in lesson.objectives
        if one.id == objective_id
    )
    return next(found, GONE)


def _wish(plan: CoursePlan, edit: MoveLesson | RemoveLesson | MoveModule | RemoveModule) -> str:
    if isinstance(edit, RemoveLesson | RemoveModule):
        return GONE
    if isinstance(edit, MoveModule):
        return f"unit {edit.index + 1}"
    return f"{_title(plan, edit.module)}, position {edit.index + 1}"


def _place(plan: CoursePlan, entry_id: str) -> str:
    for number, module in enumerate(plan.modules, start=1):
        if module.id == entry_id:
            return f"unit {number}"
        for position, lesson in enumerate(module.lessons, start=1):
            if lesson.id == entry_id:
                return f"{module.title}, position {position}"
    return GONE


def _one(plan: CoursePlan, edit: Edit) -> CoursePlan:
    if isinstance(edit, RenameModule | AddModule | MoveModule | RemoveModule):
        return _on_modules(plan, edit)
    return _on_lessons(plan, edit)


def _on_modules(plan: CoursePlan, edit: RenameModule | AddModule | MoveModule | RemoveModule) -> CoursePlan:
    match edit:
        case RenameModule():
            return _with_module(plan, edit.id, lambda module: module.model_copy(update={"title": edit.title}))
        case AddModule():
            module = ModulePlan(id=edit.id, title=edit.title, lessons=edit.lessons)
            return _with_modules(plan, _inserted(plan.modules, edit.index, module))
        case MoveModule():
            module = plan.modules[_index(plan, edit.id)]
            rest = tuple(one for one in plan.modules if one.id != edit.id)
            return _with_modules(plan, _inserted(rest, edit.index, module))
        case RemoveModule():
            return _without_module(plan, edit.id)


def _on_lessons(
    plan: CoursePlan, edit: RenameLesson | SetObjective | RemoveObjective | AddLesson | MoveLesson | RemoveLesson
) -> CoursePlan:
    match edit:
        case RenameLesson():
            return _with_lesson(plan, edit.id, lambda lesson: lesson.model_copy(update={"title": edit.title}))
        case SetObjective() | RemoveObjective():
            return _with_lesson(plan, edit.lesson, lambda lesson: _with_objective(lesson, edit))
        case AddLesson():
            return _put(plan, edit.module, edit.index, _new_lesson(edit))
        case MoveLesson():
            lesson = _lesson(plan, edit.id)
            return _put(_without(plan, edit.id, forget=False), edit.module, edit.index, lesson)
        case RemoveLesson():
            _lesson(plan, edit.id)
            return _without(plan, edit.id, forget=True)


def _new_lesson(edit: AddLesson) -> LessonPlan:
    if edit.lesson is None:
        return LessonPlan(id=edit.id, title=edit.title)
    return edit.lesson.model_copy(update={"id": edit.id, "title": edit.title, "prerequisites": ()})


def _with_objective(lesson: LessonPlan, edit: SetObjective | RemoveObjective) -> LessonPlan:
    if isinstance(edit, RemoveObjective):
        kept = tuple(one for one in lesson.objectives if one.id != edit.id)
        return lesson.model_copy(update={"objectives": kept})
    changed = tuple(
        one.model_copy(update={"text": edit.text}) if one.id == edit.id else one for one in lesson.objectives
    )
    if all(one.id != edit.id for one in changed):
        changed = (*changed, Objective(id=edit.id, text=edit.text, bloom=edit.bloom))
    if len(changed) > OBJECTIVES:
        raise ValueError(f"A lesson has at most {OBJECTIVES} objectives. Split it into two lessons.")
    return lesson.model_copy(update={"objectives": changed})


def _without_module(plan: CoursePlan, module_id: str) -> CoursePlan:
    gone = {lesson.id for lesson in plan.modules[_index(plan, module_id)].lessons}
    plan = _with_modules(plan, tuple(module for module in plan.modules if module.id != module_id))
    return _forgetting(plan, gone)


def _without(plan: CoursePlan, lesson_id: str, *, forget: bool) -> CoursePlan:
    modules = tuple(
        module.model_copy(update={"lessons": tuple(one for one in module.lessons if one.id != lesson_id)})
        for module in plan.modules
    )
    plan = _with_modules(plan, modules)
    return _forgetting(plan, {lesson_id}) if forget else plan


def _forgetting(plan: CoursePlan, gone: set[str]) -> CoursePlan:
    """The outline without references to lessons that are gone."""

    def cleaned(lesson: LessonPlan) -> LessonPlan:
        kept = tuple(before for before in lesson.prerequisites if before not in gone)
        return lesson if kept == lesson.prerequisites else lesson.model_copy(update={"prerequisites": kept})

    modules = tuple(
        module.model_copy(update={"lessons": tuple(cleaned(lesson) for lesson in module.lessons)})
        for module in plan.modules
    )
    return _with_modules(plan, modules)


def _put(plan: CoursePlan, module_id: str, index: int, lesson: LessonPlan) -> CoursePlan:
    return _with_module(
        plan,
        module_id,
        lambda module: module.model_copy(update={"lessons": _inserted(module.lessons, index, lesson)}),
    )


def _inserted(items: tuple[Item, ...], index: int, item: Item) -> tuple[Item, ...]:
    return (*items[:index], item, *items[index:])


def _with_modules(plan: CoursePlan, modules: tuple[ModulePlan, ...]) -> CoursePlan:
    return plan.model_copy(update={"modules": modules})


def _with_module(plan: CoursePlan, module_id: str, change: Callable[[ModulePlan], ModulePlan]) -> CoursePlan:
    index = _index(plan, module_id)
    modules = tuple(change(module) if at == index else module for at, module in enumerate(plan.modules))
    return _with_modules(plan, modules)


def _with_lesson(plan: CoursePlan, lesson_id: str, change: Callable[[LessonPlan], LessonPlan]) -> CoursePlan:
    _lesson(plan, lesson_id)
    module = _module_with(plan, lesson_id)
    lessons = tuple(change(lesson) if lesson.id == lesson_id else lesson for lesson in module.lessons)
    return _with_module(plan, module.id, lambda one: one.model_copy(update={"lessons": lessons}))


def _index(plan: CoursePlan, module_id: str) -> int:
    for index, module in enumerate(plan.modules):
        if module.id == module_id:
            return index
    raise ValueError("That unit is no longer in the outline. Reload the page.")


def _lesson(plan: CoursePlan, lesson_id: str) -> LessonPlan:
    try:
        return plan.lesson(lesson_id)
    except KeyError:
        raise ValueError("That lesson is no longer in the outline. Reload the page.") from None


def _module_with(plan: CoursePlan, lesson_id: str) -> ModulePlan:
    _lesson(plan, lesson_id)
    return plan.module_of(lesson_id)
