"""Asking for a change: of a block, a scene, a lesson or a unit; and what was asked so far."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.tables import Course, Lesson, Module
from service.domain.diff import text_of
from service.domain.quote import total
from service.domain.revision import Change, Part
from service.domain.storyboard import Scene, Storyboard
from service.errors import BadInput, NotFound
from service.pipeline.authoring import settings_for
from service.pipeline.quote import paid_model, revision_quote
from service.pipeline.revisions import history, standing
from service.pipeline.wishes import ask, ask_module, priced_part
from service.ports import Services
from service.web.deps import CourseInPath, Database, LessonInPath, Person, ServicesDep
from service.web.editing import note_editor
from service.web.revision_view import open_revisions, shown
from service.web.site import render, site_of
from service.web.sums import price_range

router = APIRouter()
LESSON = "/courses/{course_id:uuid}/lessons/{lesson_id:uuid}"
UNIT = "/courses/{course_id:uuid}/units/{module_id:uuid}"
QUICK = ("Shorter", "Longer", "Add an example")
LONGEST_WISH = 400
THUMBNAIL = 480


@dataclass(frozen=True)
class PartOf:
    """Which part of a lesson the address names."""

    part: Part
    id: str


def _of(part: Part = "lesson", id: Annotated[str, Query(max_length=200)] = "") -> PartOf:
    return PartOf(part, id)


def _given(wish: Annotated[str, Form(max_length=4000)] = "", quick: Annotated[str, Form(max_length=40)] = "") -> str:
    """The wish in one's own words, or the button that was pressed instead."""
    return " ".join((quick or wish).split())


Of = Annotated[PartOf, Depends(_of)]
Given = Annotated[str, Depends(_given)]


@dataclass(frozen=True)
class Subject:
    """What the form is about, in words and with a picture if it has one; where it is posted, and the way back."""

    title: str
    address: str
    back: str
    text: str = ""
    picture: str = ""


@router.get("/courses/{course_id:uuid}/changes")
def changes_page(request: Request, course: CourseInPath, database: Database) -> Response:
    """Everything that is being changed in the course or waits for a decision."""
    note_editor(database, course.id)
    revisions = shown(database, open_revisions(database, course.id))
    live = next((one.live for one in revisions if one.live is not None), None)
    return render(request, "changes.html", course=course, revisions=revisions, live=live)


@router.get(LESSON + "/changes")
def lesson_changes_page(request: Request, course: CourseInPath, lesson: LessonInPath, database: Database) -> Response:
    """What can be changed in a lesson, what waits for a decision, and its history."""
    note_editor(database, course.id)
    return render(
        request,
        "lesson-changes.html",
        course=course,
        lesson=lesson,
        revisions=shown(database, open_revisions(database, course.id, lesson.id)),
        past=shown(database, history(database, lesson)),
    )


@router.get(LESSON + "/change")
def change_form(request: Request, course: CourseInPath, lesson: LessonInPath, database: Database, of: Of) -> Response:
    """Ask for a change of one part of a lesson."""
    return _form(request, course, _subject(database, course, lesson, of), [lesson], of.part)


@router.post(LESSON + "/change")
def ask_for_change(
    request: Request,
    course: CourseInPath,
    lesson: LessonInPath,
    database: Database,
    person: Person,
    of: Of,
    given: Given,
) -> Response:
    """Queue the change, and show how it is made."""
    subject = _subject(database, course, lesson, of)
    try:
        change = Change(part=of.part, id=of.id, wish=_checked(given))
        with database.begin_nested():  # what is refused must not have begun
            revision = ask(database, course, lesson, change, person, settings=site_of(request).settings)
    except BadInput as error:
        return _form(request, course, subject, [lesson], of.part, wish=given, problem=error)
    return RedirectResponse(f"/courses/{course.id}/changes/{revision.id}", 303)


@router.get(UNIT + "/change")
def unit_form(request: Request, course: CourseInPath, module_id: uuid.UUID, database: Database) -> Response:
    """Ask for a change of every lesson of a unit."""
    subject, lessons = _unit(database, course, module_id)
    return _form(request, course, subject, lessons, "lesson")


@router.post(UNIT + "/change")
def ask_for_unit(
    request: Request, course: CourseInPath, module_id: uuid.UUID, database: Database, person: Person, given: Given
) -> Response:
    """Queue the change of each of its lessons."""
    subject, lessons = _unit(database, course, module_id)
    try:
        with database.begin_nested():
            ask_module(database, course, module_id, _checked(given), person, settings=site_of(request).settings)
    except BadInput as error:
        return _form(request, course, subject, lessons, "lesson", wish=given, problem=error)
    return RedirectResponse(f"/courses/{course.id}/changes", 303)


@router.get(LESSON + "/scenes/{scene_id}")
def scene_picture(lesson: LessonInPath, services: ServicesDep, scene_id: str) -> Response:
    """The scene's slide as the video shows it now."""
    if lesson.storyboard is None:
        raise NotFound("This lesson has no scenes yet.")
    return picture(services, lesson.storyboard, scene_id)


def picture(services: Services, storyboard: Storyboard, scene_id: str) -> Response:
    """A slide's thumbnail; its address names the version, so browsers may keep it."""
    body = services.stills.draw(storyboard, scene_id, THUMBNAIL)
    return Response(body, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400, immutable"})


def _checked(given: str) -> str:
    if len(given) > LONGEST_WISH:
        raise BadInput(f"That is {len(given)} characters. Say it in {LONGEST_WISH} at most.")
    return given


def _subject(database: Session, course: Course, lesson: Lesson, of: PartOf) -> Subject:
    documents = standing(database, lesson)
    home = f"/courses/{course.id}/lessons/{lesson.id}"
    address = f"{home}/change?{urlencode({'part': of.part, 'id': of.id})}"
    name = f"lesson {lesson.position}, {lesson.title}"
    if of.part == "block":
        block = next((one for one in documents.text.blocks if one.id == of.id), None)
        if block is None:
            raise NotFound("This lesson has no such part any more. Reload its page and choose again.")
        return Subject(f"A part of {name}", address, home, text=text_of(block))
    if of.part == "scene":
        scene = next((one for one in _scenes(lesson) if one.id == of.id), None)
        if scene is None:
            raise NotFound("The video has no such scene any more. Reload the page and choose again.")
        said = " ".join(cue.text for cue in scene.cues)
        shown_at = f"{home}/scenes/{scene.id}?v={lesson.version}"
        return Subject(f"A scene of {name}", address, f"{home}/changes", text=said, picture=shown_at)
    return Subject(f"The whole of {name}", address, home)


def _scenes(lesson: Lesson) -> Sequence[Scene]:
    return lesson.storyboard.scenes if lesson.storyboard else ()


def _unit(database: Session, course: Course, module_id: uuid.UUID) -> tuple[Subject, Sequence[Lesson]]:
    module = database.get(Module, module_id)
    lessons = database.scalars(select(Lesson).where(Lesson.module_id == module_id).order_by(Lesson.position)).all()
    if module is None or module.course_id != course.id or not lessons:
        raise NotFound("There is no such unit in this course, or it has no lesson.")
    address = f"/courses/{course.id}/units/{module.id}/change"
    text = "\n".join(f"{lesson.position}. {lesson.title}" for lesson in lessons)
    return Subject(f"Every lesson of {module.title}", address, f"/courses/{course.id}/outline", text=text), lessons


def _form(
    request: Request,
    course: Course,
    subject: Subject,
    lessons: Sequence[Lesson],
    part: Part,
    *,
    wish: str = "",
    problem: BadInput | None = None,
) -> Response:
    settings = settings_for(site_of(request).settings, course)
    quotes = [revision_quote(settings, lesson.plan, priced_part(part)) for lesson in lessons]
    price = total(quote.micro_dollars for quote in quotes)
    return render(
        request,
        "change.html",
        problem.status if problem else 200,
        course=course,
        subject=subject,
        wish=wish,
        problem=str(problem) if problem else "",
        quick=QUICK,
        price=price_range(price) if price.high else "",
        with_model=bool(paid_model(settings)),
        longest=LONGEST_WISH,
    )
