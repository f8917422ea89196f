"""Courses as their people meet them: the dashboard, the catalogue, a course's page, and its life cycle."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.listing import ListedLesson, listed_lessons, listed_sources
from service.db.queries import visible_to
from service.db.tables import (
    Course,
    CourseState,
    Enrolment,
    LessonState,
    RunKind,
    SourceState,
    User,
)
from service.domain.course import Brief
from service.errors import BadInput, Conflict
from service.pipeline.quality import blocking
from service.pipeline.runs import live_run
from service.web.cover import accent_for
from service.web.deps import Caller, CourseInPath, Database, Person
from service.web.learning import Place, enrol, place_of
from service.web.overview import Overview, overviews
from service.web.site import render

router = APIRouter()
UNTITLED = "Untitled course"
MOST_GOALS = 8


@dataclass(frozen=True)
class Need:
    """One thing on the dashboard that waits for its instructor."""

    course: Course
    kind: str
    symbol: str
    says: str
    verb: str
    address: str


def dashboard(request: Request, database: Session, person: User) -> Response:
    """What needs the person, what they teach, what they learn."""
    taught = database.scalars(
        select(Course).where(Course.owner_id == person.id).order_by(Course.updated_at.desc())
    ).all()
    learnt = database.scalars(
        select(Course)
        .join(Enrolment, Enrolment.course_id == Course.id)
        .where(Enrolment.user_id == person.id, Course.owner_id != person.id, visible_to(person))
        .order_by(Enrolment.created_at.desc())
    ).all()
    views = overviews(database, [*taught, *learnt], person)
    needs = [need for course in taught for need in _needs(course, views[course.id])][:3]
    return render(request, "dashboard.html", taught=taught, learnt=learnt, views=views, needs=needs)


@router.get("/catalogue")
def catalogue(request: Request, database: Database, caller: Caller, q: str = "") -> Response:
    """Published courses, for everybody."""
    query = select(Course).where(Course.state == CourseState.PUBLISHED, visible_to(caller.person))
    words = q.strip()[:100]
    if words:
        query = query.where(
            Course.title.icontains(words, autoescape=True) | Course.summary.icontains(words, autoescape=True)
        )
    found = database.scalars(query.order_by(Course.published_at.desc()).limit(100)).all()
    return render(
        request, "catalogue.html", courses=found, views=overviews(database, found, caller.person), words=words
    )


@router.get("/courses/new")
def new_course_page(request: Request) -> Response:
    """One button; the course itself is made by posting it, because reading a page changes nothing."""
    return render(request, "new-course.html")


@router.post("/courses/new")
def new_course(database: Database, person: Person) -> Response:
    """Make a draft at once, so that everything after this is saved as it is typed."""
    course = Course(id=uuid.uuid4(), owner_id=person.id, title=UNTITLED, brief=Brief())
    course.accent = accent_for(course.id)
    database.add(course)
    database.flush()
    return RedirectResponse(f"/courses/{course.id}/brief", 303)


@router.get("/courses/{course_id:uuid}")
def course_page(request: Request, course: CourseInPath, database: Database, caller: Caller) -> Response:
    """What a learner will be able to do, the lessons, and the way in at the right second."""
    lessons = listed_lessons(database, course.id)
    view = overviews(database, [course], caller.person)[course.id]
    place = place_of(database, course, lessons, caller.person)
    mine = caller.person is not None and caller.person.id == course.owner_id
    sources = [source for source in listed_sources(database, course.id) if source.state == SourceState.READY]
    return render(
        request,
        "course.html",
        course=course,
        view=view,
        place=place,
        units=units_of(view, lessons),
        goals=[lesson.goal for lesson in lessons if lesson.goal][:MOST_GOALS],
        sources=sources,
        teacher=database.get_one(User, course.owner_id).name,
        mine=mine,
        blocking=blocking(database, course) if mine and course.state == CourseState.READY else 0,
        next_step=_next_step(course),
    )


@router.post("/courses/{course_id:uuid}/enrol")
def start_course(course: CourseInPath, database: Database, person: Person) -> Response:
    """Enrol, and go to the lesson where the learner is."""
    enrol(database, course, person)
    lessons = listed_lessons(database, course.id)
    place: Place = place_of(database, course, lessons, person)
    if place.lesson is None:
        return RedirectResponse(f"/courses/{course.id}", 303)
    return RedirectResponse(f"/courses/{course.id}/lessons/{place.lesson.id}", 303)


@router.post("/courses/{course_id:uuid}/publish")
def publish(course: CourseInPath, database: Database) -> Response:
    """Show the course in the catalogue."""
    lessons = listed_lessons(database, course.id)
    if course.state == CourseState.PUBLISHED:
        return RedirectResponse(f"/courses/{course.id}", 303)
    if not lessons or any(lesson.state != LessonState.COMPLETED for lesson in lessons):
        raise Conflict(
            "Some lessons are not completed. Wait for those that are being filmed, generate the others, then publish."
        )
    if blocking(database, course):
        raise BadInput(
            "Some sentences are not supported by what they cite, or their source has changed. "
            "See “Quality”: mend them or sign them off."
        )
    course.state, course.published_at = CourseState.PUBLISHED, datetime.now(UTC)
    return RedirectResponse(f"/courses/{course.id}", 303)


@router.post("/courses/{course_id:uuid}/unpublish")
def unpublish(course: CourseInPath) -> Response:
    """Take the course out of the catalogue; enrolments and places are kept."""
    if course.state == CourseState.PUBLISHED:
        course.state, course.published_at = CourseState.READY, None
    return RedirectResponse(f"/courses/{course.id}", 303)


@router.post("/courses/{course_id:uuid}/remove")
def remove(course: CourseInPath, database: Database) -> Response:
    """Delete the course with everything that belongs to it."""
    # A published course stays published while lessons are made anew: its state alone does not tell.
    kinds = (RunKind.PLAN, RunKind.GENERATE, RunKind.REVISE, RunKind.REPAIR)
    working = any(live_run(database, course.id, kind) for kind in kinds)
    if working or course.state in (CourseState.PLANNING, CourseState.GENERATING):
        raise BadInput("This course is being worked on. Stop that first, then remove it.")
    database.delete(course)
    return RedirectResponse("/", 303)


def units_of(view: Overview, lessons: Sequence[ListedLesson]) -> list[tuple[str, list[ListedLesson]]]:
    """The lessons under the titles of their units, in teaching order."""
    units: list[tuple[str, list[ListedLesson]]] = []
    for lesson in lessons:
        title = view.modules.get(lesson.module_id, "")
        if not units or units[-1][0] != title:
            units.append((title, []))
        units[-1][1].append(lesson)
    return units


def _next_step(course: Course) -> tuple[str, str] | None:
    """For the course's instructor: the verb and the address of what must come before it can be published."""
    home = f"/courses/{course.id}"
    steps = {
        CourseState.DRAFT: ("Continue the brief", f"{home}/brief"),
        CourseState.PLANNING: ("See the progress", f"{home}/generating"),
        CourseState.PLANNED: ("Review the outline", f"{home}/outline"),
        CourseState.GENERATING: ("See the progress", f"{home}/generating"),
    }
    return steps.get(CourseState(course.state))


def _needs(course: Course, view: Overview) -> list[Need]:
    home = f"/courses/{course.id}"
    needs = []
    if view.failed and course.state not in (CourseState.PLANNING, CourseState.GENERATING):
        says = f"has {view.failed} lesson{'s' if view.failed > 1 else ''} that stopped."
        needs.append(Need(course, "bad", "bad", says, "See why", f"{home}/generating"))
    if view.refused and course.state == CourseState.DRAFT:
        needs.append(
            Need(course, "warn", "weak", "has a file that could not be read.", "See the file", f"{home}/brief")
        )
    if course.state == CourseState.PLANNED and not view.failed:
        needs.append(
            Need(course, "note", "edit", "has an outline that waits for your review.", "Review it", f"{home}/outline")
        )
    if view.proposed:
        says = f"has {view.proposed} change{'s that wait' if view.proposed > 1 else ' that waits'} for your decision."
        needs.append(Need(course, "note", "edit", says, "Look at it", f"{home}/changes"))
    return needs
