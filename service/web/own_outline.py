"""Somebody's own outline: pasted or uploaded, kept word for word; and the present one as Markdown to take away."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from service.db.plans import read_plan
from service.db.queries import sources_of
from service.db.tables import Course
from service.domain.course_folder import slug
from service.domain.outline_text import LONGEST_TEXT, outline_markdown
from service.errors import BadInput
from service.pipeline import runs
from service.pipeline.authoring import knows_topics
from service.pipeline.own_outline import brought_outline
from service.web.brief import check_sources, lock
from service.web.courses import UNTITLED
from service.web.deps import CourseInPath, Database, Person
from service.web.editing import note_editor
from service.web.site import render, site_of

router = APIRouter()
MOST_BYTES = 4 * LONGEST_TEXT  # of UTF-8


@router.get("/courses/{course_id:uuid}/own-outline")
def own_outline_page(request: Request, course: CourseInPath, database: Database) -> Response:
    """A place to paste an outline; it holds the one that was given last, or the course's present one."""
    note_editor(database, course.id)
    plan = course.own_outline or read_plan(database, course.id)
    return _page(request, course, outline_markdown(plan) if plan.modules else "")


@router.post("/courses/{course_id:uuid}/own-outline")
def take_outline(
    request: Request,
    course: CourseInPath,
    database: Database,
    person: Person,
    text: Annotated[str, Form()] = "",
    file: UploadFile | None = None,
) -> Response:
    """Keep the outline and have its passages found. A file counts before the text; what was pasted is never lost."""
    lock(database, course)
    text = text.replace("\r\n", "\n")
    try:
        if file is not None and file.filename:
            text = _read(file)
        _begin(request, database, course, person, text)
    except BadInput as error:
        database.refresh(course)
        return _page(request, course, text, problem=str(error), status=error.status)
    return RedirectResponse(f"/courses/{course.id}/generating", 303)


@router.get("/courses/{course_id:uuid}/outline.md")
def outline_as_markdown(course: CourseInPath, database: Database) -> Response:
    """The course's outline as it stands, to keep, change elsewhere and bring back."""
    plan = read_plan(database, course.id)
    disposition = f'attachment; filename="{slug(plan.title)}-outline.md"'
    headers = {"Content-Disposition": disposition}
    return Response(outline_markdown(plan), media_type="text/markdown; charset=utf-8", headers=headers)


def _begin(request: Request, database: Session, course: Course, person: Person, text: str) -> None:
    settings = site_of(request).settings
    check_sources(sources_of(database, course.id), topics=knows_topics(settings, course))
    with database.begin_nested():  # a refusal leaves the course as it was, though its page is shown
        course.brief, course.own_outline = brought_outline(text, course.brief)
        course.title = course.brief.title or UNTITLED
        course.version += 1
        runs.start_plan(database, course, person, settings=settings)


def _read(file: UploadFile) -> str:
    body = file.file.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise BadInput(f"{file.filename} is longer than any outline. Check that it is the right file.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file.filename} is no text in UTF-8. Save the outline as Markdown or plain text.") from error


def _page(request: Request, course: Course, text: str, *, problem: str = "", status: int = 200) -> Response:
    return render(request, "own-outline.html", status, course=course, text=text, problem=problem)
