"""The brief: what the course is to be, saved as it is typed, beside the sources it will be made from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Form, Header, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from service.db.queries import sources_of
from service.db.tables import Course, CourseState, Source, SourceState
from service.domain.course import Brief
from service.domain.outline import Difference
from service.errors import BadInput, Conflict
from service.pipeline import runs
from service.pipeline.authoring import knows_topics
from service.web.courses import UNTITLED
from service.web.deps import CourseInPath, Database, Person
from service.web.editing import note_editor
from service.web.money import drafting_offer
from service.web.shelf import shelf_of
from service.web.site import render, site_of

router = APIRouter()

LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch"}
LEVELS = {"beginner": "Beginner", "intermediate": "Intermediate", "advanced": "Advanced"}
WORDS_PER_MINUTE = 110
NO_DOCUMENT = (
    "Add at least one document first: every sentence of the course comes from your sources. "
    "To write about a topic alone, have LLM set to a language model."
)
NAMES = {"title": "Title", "audience": "Who is it for?", "level": "Level", "minutes": "Length", "language": "Language"}


class BriefForm(BaseModel):
    """The form as it is posted: all texts, judged by the brief itself."""

    title: str = ""
    audience: str = ""
    level: str = "beginner"
    minutes: str = ""
    language: str = "en"


@router.get("/courses/{course_id:uuid}/brief")
def brief_page(request: Request, course: CourseInPath, database: Database) -> Response:
    """Sources and brief on one page."""
    note_editor(database, course.id)
    return brief_view(request, database, course)


@router.patch("/courses/{course_id:uuid}/brief")
def save_brief(
    course: CourseInPath,
    database: Database,
    changes: Annotated[dict[str, Any], Body()],
    if_match: Annotated[str, Header()] = "",
) -> Response:
    """Save some fields. A stale version is a 409 that shows, field by field, what stands there now."""
    unknown = changes.keys() - NAMES.keys()
    if unknown:
        raise BadInput(f"The brief has no field “{min(unknown)}”.")
    lock(database, course)
    check_version(course, if_match, lambda: _difference(course, changes))
    course.brief = changed_brief(course.brief, changes)
    course.title = course.brief.title or UNTITLED
    course.version += 1
    database.flush()
    return JSONResponse({"version": course.version}, headers={"ETag": f'"{course.version}"'})


@router.post("/courses/{course_id:uuid}/brief")
def draft_outline(
    request: Request,
    course: CourseInPath,
    database: Database,
    person: Person,
    form: Annotated[BriefForm, Form()],
) -> Response:
    """Save the whole form and draft the outline; the way of a browser with and without JavaScript."""
    lock(database, course)
    given = form.model_dump()
    try:
        course.brief = changed_brief(course.brief, given)
        course.title = course.brief.title or UNTITLED
        course.own_outline = None
        course.version += 1
        check_sources(sources_of(database, course.id), topics=knows_topics(site_of(request).settings, course))
        runs.start_plan(database, course, person, settings=site_of(request).settings)
    except BadInput as error:
        return brief_view(request, database, course, problem=str(error), status=error.status)
    return RedirectResponse(f"/courses/{course.id}/generating", 303)


def brief_view(
    request: Request, database: Session, course: Course, *, problem: str = "", status: int = 200
) -> Response:
    """The page, with the reason when something could not be done."""
    shelf = shelf_of(database, course)
    found = shelf.sources
    settings = site_of(request).settings
    topics = knows_topics(settings, course)
    return render(
        request,
        "brief.html",
        status,
        course=course,
        title="" if course.title == UNTITLED else course.title,
        problem=problem,
        shelf=shelf,
        levels=LEVELS,
        languages=LANGUAGES,
        limit=settings.upload_limit_bytes,
        holds=teaching_minutes(found),
        why_not=why_not_yet(found, topics=topics),
        topics=topics,
        drafting=drafting_offer(settings, database, course),
        planned=course.state not in (CourseState.DRAFT, CourseState.PLANNING),
    )


def lock(database: Session, course: Course) -> None:
    """Hold the course's row until the transaction ends, with what it says now."""
    database.refresh(course, with_for_update={"key_share": True})


def check_version(course: Course, if_match: str, differences: Any) -> None:
    """Let a change in only when its author saw the newest version.

    Raises:
        Conflict: `current` holds the version of now and what `differences()` finds.
    """
    if if_match.strip('W/"') == str(course.version):
        return
    found = [difference.model_dump() for difference in differences()]
    raise Conflict(
        "This was changed in another window or by somebody else. Compare, then choose.",
        {"version": course.version, "differences": found},
    )


def changed_brief(brief: Brief, changes: dict[str, Any]) -> Brief:
    """The brief with the changes.

    Raises:
        BadInput: a value does not fit; the message says which and what fits.
    """
    values = brief.model_dump() | changes
    if "minutes" in changes:
        values["minutes"] = _minutes(changes["minutes"])
    try:
        return Brief.model_validate(values)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        limits = {
            "title": "A title has at most 160 characters. Shorten it.",
            "audience": "This has at most 600 characters. Shorten it.",
            "minutes": "Enter between 1 and 3000 minutes, or leave it empty.",
        }
        raise BadInput(limits.get(field, f"Choose one of the offered values for “{NAMES[field]}”.")) from error


def _minutes(given: Any) -> int:
    text = str(given).strip()
    if text in ("", "0"):
        return 0
    if not re.fullmatch(r"\d{1,4}", text):
        raise BadInput("Enter the length in whole minutes, or leave it empty for as long as the sources carry.")
    return int(text)


def _difference(course: Course, changes: dict[str, Any]) -> list[Difference]:
    now = course.brief.model_dump()
    return [
        Difference(what=NAMES[name], yours=str(value), theirs=str(now[name] or ""))
        for name, value in changes.items()
        if str(value) != str(now[name])
    ]


def teaching_minutes(sources: Sequence[Source]) -> int:
    """About how many minutes of teaching the read sources hold."""
    return round(sum(source.words for source in sources if source.state == SourceState.READY) / WORDS_PER_MINUTE)


def why_not_yet(sources: Sequence[Source], *, topics: bool) -> str:
    """Why the outline cannot be drafted now; empty when it can. With `topics` a course needs no document, once it has
    a title, which the form is asked for when it is sent."""
    if topics and not sources:
        return ""
    if any(source.state in (SourceState.UPLOADED, SourceState.READING) for source in sources):
        return "Your files are being read. This takes seconds."
    if not any(source.state == SourceState.READY for source in sources):
        return NO_DOCUMENT
    return ""


def check_sources(sources: Sequence[Source], *, topics: bool) -> None:
    """Raises BadInput with the reason when there is nothing yet to draft an outline from."""
    reason = why_not_yet(sources, topics=topics)
    if reason:
        raise BadInput(reason)
