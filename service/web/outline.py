"""The outline before generation: shown as the course it will be, every edit saved at once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from fastapi import APIRouter, Form, Header, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from service.db.listing import completed_lessons, listed_sources
from service.db.plans import read_plan, write_plan
from service.db.tables import Course, CourseState
from service.domain.course import CoursePlan, LessonPlan
from service.domain.outline import AddLesson, AddModule, Edit, SetObjective, apply, difference, undo_of
from service.errors import BadInput, Conflict
from service.pipeline import runs
from service.pipeline.own_outline import unfounded
from service.web.brief import check_version, lock
from service.web.deps import CourseInPath, Database, Person
from service.web.editing import note_editor
from service.web.money import Offer, cap_of, generation_offer
from service.web.site import render, site_of

router = APIRouter()
THIN_LETTERS, LONG_MINUTES = 300, 12.0
BUSY = "The course is being worked on. Stop that first, then change the outline."


class Edits(BaseModel):
    """What the page sends: one or more edits, in order."""

    edits: list[Edit] = Field(min_length=1, max_length=50)


@router.get("/courses/{course_id:uuid}/outline")
def outline_page(request: Request, course: CourseInPath, database: Database) -> Response:
    """The outline, ready to be changed."""
    if course.state == CourseState.DRAFT:
        return RedirectResponse(f"/courses/{course.id}/brief", 303)
    if course.state in (CourseState.PLANNING, CourseState.GENERATING):
        return RedirectResponse(f"/courses/{course.id}/generating", 303)
    note_editor(database, course.id)
    return _page(request, database, course)


@router.patch("/courses/{course_id:uuid}/outline")
def edit_outline(
    request: Request,
    course: CourseInPath,
    database: Database,
    body: Edits,
    if_match: Annotated[str, Header()] = "",
) -> Response:
    """Save edits. Answers the new version, the outline drawn anew, and what brings back what was removed."""
    if course.state in (CourseState.PLANNING, CourseState.GENERATING):
        raise Conflict(BUSY)
    lock(database, course)
    plan = read_plan(database, course.id)
    check_version(course, if_match, lambda: difference(plan, body.edits))
    edits = [_own_id(edit, plan) for edit in body.edits]
    undo = [undo_of(plan, edit, f"new-{secrets.token_hex(8)}") for edit in edits] if _known(plan, edits) else []
    try:
        plan = apply(plan, edits)
    except ValueError as error:
        raise BadInput(str(error)) from error
    write_plan(database, course, plan)
    database.refresh(course)
    course.version += 1
    database.flush()
    view, offer = _view(database, course), _offer(request, database, course)
    return JSONResponse(
        {
            "version": course.version,
            "to_generate": bytes(render(request, "parts/to-generate.html", outline=view, offer=offer).body).decode(),
            "html": bytes(render(request, "parts/outline.html", outline=view).body).decode(),
            "undo": [edit.model_dump(mode="json") for edit in undo if edit is not None],
        },
        headers={"ETag": f'"{course.version}"'},
    )


@router.post("/courses/{course_id:uuid}/generate")
def generate(
    request: Request,
    course: CourseInPath,
    database: Database,
    person: Person,
    cap: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Start writing and filming, up to a cap when one is given; pressing twice starts once."""
    lock(database, course)
    try:
        runs.start_generate(database, course, person, settings=site_of(request).settings, cap=cap_of(cap))
    except BadInput as error:
        return _page(request, database, course, problem=str(error), status=error.status)
    return RedirectResponse(f"/courses/{course.id}/generating", 303)


def _page(request: Request, database: Session, course: Course, *, problem: str = "", status: int = 200) -> Response:
    offer = _offer(request, database, course)
    return render(request, "outline.html", status, outline=_view(database, course), problem=problem, offer=offer)


def _offer(request: Request, database: Session, course: Course) -> Offer | None:
    return generation_offer(site_of(request).settings, database, course)


@dataclass(frozen=True)
class View:
    """The outline as its page shows it; `done` holds the ids of lessons that are filmed already."""

    course: Course
    plan: CoursePlan
    done: frozenset[str]
    checks: list[tuple[str, str, str]]
    sourced: bool = True  # whether anybody added a document

    @cached_property
    def thin(self) -> frozenset[str]:
        """Lessons of which the sources say little."""
        return frozenset(lesson.id for lesson in self.plan.lessons if _thin(lesson))

    @cached_property
    def unfounded(self) -> frozenset[str]:
        """Lessons of somebody's own outline about which the sources said nothing."""
        return frozenset(lesson.id for lesson in unfounded(self.plan))

    @property
    def to_make(self) -> int:
        return len(self.plan.lessons) - len(self.done)


def _view(database: Session, course: Course) -> View:
    plan = read_plan(database, course.id)
    done = frozenset(map(str, completed_lessons(database, course.id)))
    if not listed_sources(database, course.id):
        unsourced = ("warn", "weak", "There is no source: every sentence will wait for your signature.")
        return View(course, plan, done, [*_checks(plan), unsourced], sourced=False)
    return View(course, plan, done, _checks(plan))


def _checks(plan: CoursePlan) -> list[tuple[str, str, str]]:
    """What a careful colleague would say about the outline: state, symbol, sentence."""
    lessons = plan.lessons
    aimed = sum(bool(lesson.objectives) for lesson in lessons)
    long = [lesson for lesson in lessons if lesson.minutes > LONG_MINUTES]
    bare = [lesson for lesson in lessons if _thin(lesson)]
    alone = unfounded(plan)
    empty = [module for module in plan.modules if not module.lessons]
    checks = [
        ("ok", "ok", "Every lesson has an objective")
        if aimed == len(lessons)
        else ("warn", "weak", f"{len(lessons) - aimed} of {len(lessons)} lessons have no objective"),
        ("ok", "ok", f"No lesson is longer than {LONG_MINUTES:.0f} minutes")
        if not long
        else ("warn", "weak", f"“{long[0].title}” takes about {long[0].minutes:.0f} minutes. Split it if you can."),
    ]
    if alone:
        more = f" and {len(alone) - 1} more" if len(alone) > 1 else ""
        said = f"Your sources say nothing about “{alone[0].title}”{more}. Add a source about it, or remove the lesson."
        checks.append(("bad", "bad", said))
    if bare:
        checks.append(("warn", "weak", f"“{bare[0].title}” has little in your sources. Merge it, or add a source."))
    if empty:
        checks.append(("warn", "weak", f"The unit “{empty[0].title}” has no lesson yet."))
    return checks


def _thin(lesson: LessonPlan) -> bool:
    """Whether the passages hold too little to teach from; a lesson added by hand finds its own when it is written."""
    return bool(lesson.passages) and sum(span.end - span.start for span in lesson.passages) < THIN_LETTERS


def _known(plan: CoursePlan, edits: list[Edit]) -> bool:
    """Whether every edit names entries of the plan as it stands, so that its undo can be told beforehand."""
    try:
        apply(plan, edits)
    except ValueError:
        return False
    return len(edits) == 1


def _own_id(edit: Edit, plan: CoursePlan) -> Edit:
    """The edit with ids of our making for what it adds: an id from outside could name another course's row."""
    if isinstance(edit, AddModule | AddLesson):
        fresh = f"new-{secrets.token_hex(8)}"
        if isinstance(edit, AddModule):
            lessons = tuple(
                lesson.model_copy(update={"id": f"{fresh}-{number}"}) for number, lesson in enumerate(edit.lessons)
            )
            return edit.model_copy(update={"id": fresh, "lessons": lessons})
        return edit.model_copy(update={"id": fresh})
    known = {objective.id for lesson in plan.lessons for objective in lesson.objectives}
    if isinstance(edit, SetObjective) and edit.id not in known:
        return edit.model_copy(update={"id": f"o-{secrets.token_hex(6)}"})
    return edit
