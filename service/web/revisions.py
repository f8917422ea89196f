"""Deciding about a change: the difference on one page, accept or reject, the history and the way back."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from service.db import jobs
from service.db.tables import Course, Lesson, Revision, RevisionState
from service.errors import BadInput, Conflict, NotFound
from service.pipeline import revisions
from service.pipeline.wishes import ask
from service.web.changes import picture
from service.web.deps import CourseInPath, Database, Person, ServicesDep
from service.web.editing import note_editor
from service.web.revision_view import live_of, shown
from service.web.site import render, site_of

router = APIRouter()
CHANGE = "/courses/{course_id:uuid}/changes/{revision_id:uuid}"


def _revision(revision_id: uuid.UUID, course: CourseInPath, database: Database) -> Revision:
    revision = database.get(Revision, revision_id)
    if revision is None or revision.course_id != course.id:
        raise NotFound("There is no such change in this course.")
    return revision


RevisionInPath = Annotated[Revision, Depends(_revision)]


@router.get(CHANGE)
def revision_page(request: Request, course: CourseInPath, revision: RevisionInPath, database: Database) -> Response:
    """The change as far as it is: how it is being made, what it would change, or how it was decided."""
    note_editor(database, course.id)
    return _page(request, database, course, revision)


@router.post(CHANGE + "/accept")
def accept(
    request: Request, course: CourseInPath, revision: RevisionInPath, database: Database, person: Person
) -> Response:
    """Make it the lesson."""
    try:
        with database.begin_nested():
            revisions.accept(database, course, revision, person, settings=site_of(request).settings)
    except BadInput as error:
        return _page(request, database, course, revision, problem=error)
    if revision.state == RevisionState.OUTDATED:
        return _page(request, database, course, revision, status=409)
    return RedirectResponse(_address(revision), 303)


@router.post(CHANGE + "/reject")
def reject(
    request: Request, course: CourseInPath, revision: RevisionInPath, database: Database, person: Person
) -> Response:
    """Leave the lesson as it is."""
    try:
        revisions.reject(database, revision, person)
    except BadInput as error:
        return _page(request, database, course, revision, problem=error)
    return RedirectResponse(_address(revision), 303)


@router.post(CHANGE + "/again")
def ask_again(
    request: Request, course: CourseInPath, revision: RevisionInPath, database: Database, person: Person
) -> Response:
    """Ask for the same of the lesson as it stands now."""
    lesson = database.get_one(Lesson, revision.lesson_id)
    try:
        with database.begin_nested():
            settings = site_of(request).settings
            new = ask(database, course, lesson, revision.change, person, settings=settings)
    except BadInput as error:
        return _page(request, database, course, revision, problem=error)
    return RedirectResponse(_address(new), 303)


@router.post(CHANGE + "/restore")
def restore(
    request: Request,
    course: CourseInPath,
    revision: RevisionInPath,
    database: Database,
    person: Person,
    version: Annotated[Literal["before", "after"], Form()] = "after",
    anyway: Annotated[bool, Form()] = False,
) -> Response:
    """Make the lesson what it was after this change, or before it. What rests on an earlier version of a source is
    asked about first, and restored `anyway`."""
    settings, first = site_of(request).settings, version == "before"
    try:
        with database.begin_nested():
            made = revisions.restore(database, course, revision, person, first=first, anyway=anyway, settings=settings)
    except BadInput as error:
        to_confirm = isinstance(error, Conflict) and error.current
        return _page(request, database, course, revision, problem=error, restores=version if to_confirm else "")
    return RedirectResponse(_address(made), 303)


@router.post(CHANGE + "/stop")
def stop(revision: RevisionInPath, database: Database) -> Response:
    """Stop what is being done for it: its making, or the filming after it was accepted."""
    live = live_of(database, revision)
    if live is not None:
        jobs.request_cancel(database, live.run.id)
    return RedirectResponse(_address(revision), 303)


@router.post(CHANGE + "/resume")
def resume(revision: RevisionInPath, database: Database) -> Response:
    """Let paused work go on."""
    live = live_of(database, revision)
    if live is not None:
        jobs.resume(database, live.run.id)
    return RedirectResponse(_address(revision), 303)


@router.get(CHANGE + "/{side}/{scene_id}")
def picture_of_side(
    revision: RevisionInPath, services: ServicesDep, side: Literal["before", "after"], scene_id: str
) -> Response:
    """A slide as it was, or as it would be."""
    documents = revision.before if side == "before" else revision.after
    if documents is None or documents.storyboard is None:
        raise NotFound("There is no such slide.")
    return picture(services, documents.storyboard, scene_id)


def _address(revision: Revision) -> str:
    return f"/courses/{revision.course_id}/changes/{revision.id}"


def _page(
    request: Request,
    database: Session,
    course: Course,
    revision: Revision,
    *,
    status: int = 200,
    problem: BadInput | None = None,
    restores: str = "",
) -> Response:
    """`restores` is the version that may be restored in spite of the problem."""
    database.refresh(revision)
    return render(
        request,
        "revision.html",
        problem.status if problem else status,
        course=course,
        one=shown(database, [revision])[0],
        problem=str(problem) if problem else "",
        restores=restores,
    )
