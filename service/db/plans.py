"""The outline between its document and its rows: read as one CoursePlan, written back by id."""

from __future__ import annotations

import uuid

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.db.listing import WITHOUT_DOCUMENTS
from service.db.outcomes import rest_of
from service.db.tables import Course, CourseState, Lesson, LessonState, Module, Run, RunKind, RunState
from service.domain.course import CoursePlan, GlossaryEntry, LessonPlan, ModulePlan
from service.errors import Conflict

BUSY = "The course is being worked on. Stop that first, then change the outline."


def read_plan(session: Session, course_id: uuid.UUID) -> CoursePlan:
    """The course's outline; ids are the rows' UUIDs. An unplanned course gives a plan without modules."""
    course = session.get_one(Course, course_id)
    modules = session.scalars(select(Module).where(Module.course_id == course_id).order_by(Module.position)).all()
    plans = select(Lesson.module_id, Lesson.plan).where(Lesson.course_id == course_id).order_by(Lesson.position)
    lessons: dict[uuid.UUID, list[LessonPlan]] = {}
    for module_id, lesson in session.execute(plans):
        lessons.setdefault(module_id, []).append(lesson)
    return CoursePlan(
        title=course.title,
        summary=course.summary,
        language=course.brief.language,
        modules=tuple(
            ModulePlan(id=str(row.id), title=row.title, lessons=tuple(lessons.get(row.id, ()))) for row in modules
        ),
        glossary=tuple(GlossaryEntry.model_validate(entry) for entry in course.glossary),
    )


def write_plan(session: Session, course: Course, plan: CoursePlan) -> CoursePlan:
    """Make the rows equal to the plan: known ids are updated, new ones created, missing ones deleted.

    A lesson whose plan changed counts as planned again, so that the next generation makes it anew.
    An id that is no UUID is an author's own; it becomes one that is the same for the same course and id, so that
    a repeated step writes the same rows. When only completed lessons are left, nothing is left to generate and the
    course is ready. Returns the plan as it now stands, with the rows' ids.

    Raises:
        Conflict: lessons of the course are being made; their rows must not change under the workers.
    """
    _refuse_while_generating(session, course.id)
    plan = rekeyed(plan, course.id)
    course.title, course.summary = plan.title, plan.summary
    course.glossary = [entry.model_dump(mode="json") for entry in plan.glossary]
    modules = {row.id: row for row in session.scalars(select(Module).where(Module.course_id == course.id))}
    rows = select(Lesson).where(Lesson.course_id == course.id).options(*WITHOUT_DOCUMENTS)
    lessons = {row.id: row for row in session.scalars(rows)}
    position = 0
    for index, module in enumerate(plan.modules, start=1):
        _put_module(session, course, module, index, modules)
        session.flush()
        for lesson in module.lessons:
            position += 1
            _put_lesson(session, course, uuid.UUID(module.id), lesson, position, lessons)
    session.flush()
    kept = {uuid.UUID(lesson.id) for lesson in plan.lessons}
    session.execute(delete(Lesson).where(Lesson.course_id == course.id, Lesson.id.not_in(kept)))
    kept = {uuid.UUID(module.id) for module in plan.modules}
    session.execute(delete(Module).where(Module.course_id == course.id, Module.id.not_in(kept)))
    session.expire_all()
    if course.state == CourseState.PLANNED and rest_of(session, course.id) == CourseState.READY:
        course.state = CourseState.READY
        session.flush()
    return plan


def _refuse_while_generating(session: Session, course_id: uuid.UUID) -> None:
    """A course shows no sign of it while single lessons are made anew or filmed again, so the runs are asked."""
    live = (Run.state.in_((RunState.ACCEPTED, RunState.RUNNING)), Run.kind.in_((RunKind.GENERATE, RunKind.REVISE)))
    if session.scalar(select(Run.id).where(Run.course_id == course_id, *live).limit(1)):
        raise Conflict(BUSY)


def _put_module(
    session: Session, course: Course, module: ModulePlan, position: int, rows: dict[uuid.UUID, Module]
) -> None:
    row = rows.get(uuid.UUID(module.id))
    if row is None:
        session.add(Module(id=uuid.UUID(module.id), course_id=course.id, position=position, title=module.title))
    else:
        row.position, row.title = position, module.title


def _put_lesson(
    session: Session,
    course: Course,
    module_id: uuid.UUID,
    lesson: LessonPlan,
    position: int,
    rows: dict[uuid.UUID, Lesson],
) -> None:
    row = rows.get(uuid.UUID(lesson.id))
    if row is None:
        row = Lesson(id=uuid.UUID(lesson.id), course_id=course.id, module_id=module_id, position=position)
        row.title, row.plan = lesson.title, lesson
        session.add(row)
        return
    row.module_id, row.position = module_id, position
    if row.plan != lesson:
        row.title, row.plan = lesson.title, lesson
        row.state = LessonState.PLANNED


def rekeyed(plan: CoursePlan, course_id: uuid.UUID) -> CoursePlan:
    """The plan with every id a UUID: those that are none are derived from the course and the id."""

    def new(kind: str, old: str) -> str:
        try:
            return str(uuid.UUID(old))
        except ValueError:
            return str(uuid.uuid5(course_id, f"{kind}:{old}"))

    modules = tuple(
        module.model_copy(
            update={
                "id": new("module", module.id),
                "lessons": tuple(
                    lesson.model_copy(
                        update={
                            "id": new("lesson", lesson.id),
                            "prerequisites": tuple(new("lesson", before) for before in lesson.prerequisites),
                        }
                    )
                    for lesson in module.lessons
                ),
            }
        )
        for module in plan.modules
    )
    return plan.model_copy(update={"modules": modules})
