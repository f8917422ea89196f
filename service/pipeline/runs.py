"""How work begins: each function writes rows in the caller's transaction and leaves the doing to the workers.

A run is one request of a person. Asking twice for the same thing gives the same run, so a double click, a repeated
request and a restart cost nothing.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.db import jobs, money
from service.db.queries import lessons_of, sources_of
from service.db.tables import (
    Course,
    CourseState,
    Lesson,
    LessonState,
    Run,
    RunKind,
    RunState,
    Source,
    SourceState,
    User,
)
from service.errors import BadInput, Conflict
from service.pipeline.authoring import settings_for
from service.pipeline.quote import generation_micro_dollars
from service.ports import StorageService
from service.settings import Settings
from service.traces import current_trace_parent

WRITE_UNITS, FILM_UNITS = 4, 10
INGEST_PRIORITY, PLAN_PRIORITY, LESSON_PRIORITY, EMBED_PRIORITY = 10, 20, 100, 5000
LIVE = (RunState.ACCEPTED, RunState.RUNNING)


def add_source(session: Session, storage: StorageService, course: Course, name: str, path: Path) -> Source:
    """Take a document into the course: store the upload, create its row, and queue its reading.

    Raises:
        BadInput: the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise BadInput(f"{name} cannot be opened: {error.strerror}. Check the path and its permissions.") from error
    upload_key = f"uploads/{digest}"
    storage.put(upload_key, path, "application/octet-stream")
    position = (session.scalar(select(func.max(Source.position)).where(Source.course_id == course.id)) or 0) + 1
    source = Source(
        id=uuid.uuid4(), course_id=course.id, position=position, name=name, upload_key=upload_key, upload_bytes=size
    )
    session.add(source)
    session.flush()
    run = open_run(session, course, course.owner_id, RunKind.INGEST, f"ingest:{source.id}")
    jobs.enqueue(session, run, kind="ingest", lane="author", subject_id=source.id, units=1, priority=INGEST_PRIORITY)
    return source


def start_plan(session: Session, course: Course, user: User) -> Run:
    """Queue the drafting of the outline from the course's sources.

    Raises:
        BadInput: the course has no source that could be read.
        Conflict: the course is published or being generated, or what was stopped has not ended yet.
    """
    if course.state == CourseState.PUBLISHED:
        raise Conflict("People learn from this course. Take it out of the catalogue before its outline is replaced.")
    if course.state == CourseState.GENERATING:
        raise Conflict("The course is being generated. Stop that first, then draft a new outline.")
    usable = [source for source in sources_of(session, course.id) if source.state != SourceState.REFUSED]
    if not usable:
        raise BadInput("There is nothing to teach from yet. Add at least one document with text.")
    running = live_run(session, course.id, RunKind.PLAN)
    if running is not None:
        return running
    _refuse_while_stopping(session, course.id)
    run = open_run(session, course, user.id, RunKind.PLAN, f"plan:{course.id}:{course.version}:{uuid.uuid4().hex[:8]}")
    course.state = CourseState.PLANNING
    jobs.enqueue(session, run, kind="plan", lane="author", subject_id=course.id, units=2, priority=PLAN_PRIORITY)
    return run


def start_generate(
    session: Session, course: Course, user: User, *, film: bool = True, settings: Settings | None = None
) -> Run:
    """Queue the writing and, unless `film` is off, the filming of every lesson that is not completed.

    What it may cost with these settings is held in the budgets; without settings nothing is held.

    Raises:
        BadInput: there is no outline, or every lesson is completed.
        OverBudget: what it may cost has no room in a budget.
        Conflict: the outline is being drafted, or what was stopped has not ended yet.
    """
    if course.state == CourseState.PLANNING:
        raise Conflict("The outline is being drafted. Review it when it is there, then generate.")
    running = live_run(session, course.id, RunKind.GENERATE)
    if running is not None:
        return running
    _refuse_while_stopping(session, course.id)
    lessons = [lesson for lesson in lessons_of(session, course.id) if lesson.state != LessonState.COMPLETED]
    if not lessons:
        raise BadInput("Every lesson is completed, or the outline is empty. Change the outline, then generate.")
    with session.begin_nested():  # a caller that shows why it costs too much commits; then nothing must have begun
        return _generate(session, course, user, lessons, film=film, settings=settings)


def _generate(
    session: Session, course: Course, user: User, lessons: Sequence[Lesson], *, film: bool, settings: Settings | None
) -> Run:
    run = open_run(session, course, user.id, RunKind.GENERATE, f"generate:{course.id}:{uuid.uuid4().hex[:8]}")
    if course.state != CourseState.PUBLISHED:  # learners keep what is published while single lessons are made anew
        course.state = CourseState.GENERATING
    for lesson in lessons:
        lesson.state, lesson.error = LessonState.QUEUED, ""
        priority = LESSON_PRIORITY + lesson.position
        jobs.enqueue(
            session, run, kind="write", lane="author", subject_id=lesson.id, units=WRITE_UNITS, priority=priority
        )
        if film:
            jobs.enqueue(
                session,
                run,
                kind="film",
                lane="render",
                subject_id=lesson.id,
                units=FILM_UNITS,
                priority=priority,
                blocked=True,
            )
    if settings is not None:
        given = settings_for(settings, course)
        run.estimated_micro_dollars = generation_micro_dollars(given, [row.plan for row in lessons], film=film)
        money.reserve(session, run, run.estimated_micro_dollars, settings.caps)
    return run


def cancel(session: Session, run: Run) -> None:
    """Ask the run to stop; finished lessons stay as they are."""
    jobs.request_cancel(session, run.id)


def live_run(session: Session, course_id: uuid.UUID, kind: RunKind) -> Run | None:
    """The course's run of this kind that has not ended, if any."""
    return session.scalar(
        select(Run)
        .where(Run.course_id == course_id, Run.kind == kind, Run.state.in_(LIVE), Run.cancel_requested.is_(False))
        .order_by(Run.created_at.desc())
        .limit(1)
    )


def _refuse_while_stopping(session: Session, course_id: uuid.UUID) -> None:
    """A run puts course and lessons back when its stop has reached the last worker; a new one must not be under way."""
    stopping = select(Run.id).where(
        Run.course_id == course_id,
        Run.kind.in_((RunKind.PLAN, RunKind.GENERATE)),
        Run.state.in_(LIVE),
        Run.cancel_requested,
    )
    if session.scalar(stopping.limit(1)) is not None:
        raise Conflict("The work that was stopped is still ending. Wait a few seconds, then try again.")


def open_run(session: Session, course: Course, owner_id: uuid.UUID, kind: RunKind, idem_key: str) -> Run:
    """The run with this idempotency key, created when it is not there."""
    run = session.scalar(select(Run).where(Run.idem_key == idem_key))
    if run is None:
        run = Run(id=uuid.uuid4(), course_id=course.id, owner_id=owner_id, kind=kind, idem_key=idem_key)
        run.trace_parent = current_trace_parent()
        session.add(run)
        session.flush()
    return run
