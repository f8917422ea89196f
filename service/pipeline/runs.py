"""How work begins: each function writes rows in the caller's transaction and leaves the doing to the workers.

A run is one request of a person. Asking twice for the same thing gives the same run, so a double click, a repeated
request and a restart cost nothing.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.db import jobs, money
from service.db.queries import lessons_of, sources_of
from service.db.tables import (
    Course,
    CourseState,
    Job,
    JobState,
    Lesson,
    LessonState,
    Revision,
    RevisionState,
    Run,
    RunKind,
    RunState,
    Source,
    SourceState,
    User,
)
from service.domain.quote import Quote
from service.errors import BadInput, Conflict
from service.pipeline.authoring import knows_topics, settings_for
from service.pipeline.quote import drafting_quote, generation_quote
from service.ports import StorageService
from service.settings import Settings
from service.traces import current_trace_parent

WRITE_UNITS, FILM_UNITS = 4, 10
INGEST_PRIORITY, PLAN_PRIORITY, LESSON_PRIORITY, EMBED_PRIORITY = 10, 20, 100, 5000
NO_SOURCE = "There is nothing to teach from yet. Add a document with text, or set LLM to a model that knows the topic."
LIVE = (RunState.ACCEPTED, RunState.RUNNING)


def add_source(
    session: Session, storage: StorageService, course: Course, name: str, path: Path, *, replaces: Source | None = None
) -> Source:
    """Take a document into the course: store the upload, create its row, and queue its reading.

    One that `replaces` another takes its position, and its place when it can be used.

    Raises:
        BadInput: the file cannot be opened, or is the very file that it is to replace.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise BadInput(f"{name} cannot be opened: {error.strerror}. Check the path and its permissions.") from error
    upload_key = f"uploads/{digest}"
    if replaces is not None and replaces.upload_key == upload_key:
        raise BadInput(f"{name} is the file that the course has already. Choose the newer version.")
    storage.put(upload_key, path, "application/octet-stream")
    last = session.scalar(select(func.max(Source.position)).where(Source.course_id == course.id)) or 0
    source = Source(
        id=uuid.uuid4(),
        course_id=course.id,
        position=last + 1 if replaces is None else replaces.position,
        name=name,
        upload_key=upload_key,
        upload_bytes=size,
        replaces=None if replaces is None else replaces.id,
    )
    session.add(source)
    session.flush()
    run = open_run(session, course, course.owner_id, RunKind.INGEST, f"ingest:{source.id}")
    jobs.enqueue(session, run, kind="ingest", lane="author", subject_id=source.id, units=1, priority=INGEST_PRIORITY)
    return source


def start_plan(
    session: Session,
    course: Course,
    user: User,
    *,
    settings: Settings | None = None,
    cap: int | None = None,
    hold: bool = True,
) -> Run:
    """Queue the drafting of the outline from the course's sources; when nobody added any, from its title with a model.

    What it may cost with these settings is held in the budgets, at most `cap` micro-dollars, where it stops; without
    settings, or without `hold`, nothing is held.

    Raises:
        BadInput: the course has no source that could be read, and no title that a model could write about.
        OverBudget: what it may cost has no room in a budget.
        Conflict: the course is published or being generated, or what was stopped has not ended yet.
    """
    if course.state == CourseState.PUBLISHED:
        raise Conflict("People learn from this course. Take it out of the catalogue before its outline is replaced.")
    if course.state == CourseState.GENERATING:
        raise Conflict("The course is being generated. Stop that first, then draft a new outline.")
    given = sources_of(session, course.id)
    usable = [source for source in given if source.state != SourceState.REFUSED]
    if not usable:
        _refuse_without_topic(course, given, settings)
    running = live_run(session, course.id, RunKind.PLAN)
    if running is not None:
        return running
    _refuse_while_stopping(session, course.id)
    _refuse_while_replacing(session, course.id)
    key = f"plan:{course.id}:{course.version}:{uuid.uuid4().hex[:8]}"
    with session.begin_nested():  # as below: what is refused must not have begun
        run = open_run(session, course, user.id, RunKind.PLAN, key)
        course.state = CourseState.PLANNING
        jobs.enqueue(session, run, kind="plan", lane="author", subject_id=course.id, units=2, priority=PLAN_PRIORITY)
        if settings is not None and hold:
            quote = drafting_quote(settings_for(settings, course), characters_to_read(usable))
            hold_quoted(session, run, quote, settings, cap)
        return run


def _refuse_without_topic(course: Course, given: Sequence[Source], settings: Settings | None) -> None:
    """A document that could not be read is no leave to invent: only who gave none gets a course without a source."""
    if given:
        raise BadInput("None of the documents could be read. Add one with text.")
    if settings is None or not knows_topics(settings, course):
        raise BadInput(NO_SOURCE)
    if not course.brief.title:
        raise BadInput("There is no document and no title. Add a document, or name the topic in the title.")


def start_generate(
    session: Session,
    course: Course,
    user: User,
    *,
    film: bool = True,
    settings: Settings | None = None,
    cap: int | None = None,
) -> Run:
    """Queue the writing and, unless `film` is off, the filming of every lesson that is not completed.

    What it may cost with these settings is held in the budgets, at most `cap` micro-dollars, where it stops; without
    settings nothing is held.

    Raises:
        BadInput: there is no outline, or every lesson is completed.
        OverBudget: what it may cost has no room in a budget.
        Conflict: the outline is being drafted, a lesson of it is being changed, or what was stopped has not ended yet.
    """
    if course.state == CourseState.PLANNING:
        raise Conflict("The outline is being drafted. Review it when it is there, then generate.")
    running = live_run(session, course.id, RunKind.GENERATE)
    if running is not None:
        return running
    _refuse_while_stopping(session, course.id)
    _refuse_while_replacing(session, course.id)
    lessons = _to_generate(session, course)
    if not lessons:
        raise BadInput("Every lesson is completed, or the outline is empty. Change the outline, then generate.")
    with session.begin_nested():  # a caller that shows why it costs too much commits; then nothing must have begun
        run = _generate(session, course, user, lessons, film=film)
        if settings is not None:
            quote = generation_quote(settings_for(settings, course), [row.plan for row in lessons], film=film)
            hold_quoted(session, run, quote, settings, cap)
        return run


def hold_quoted(session: Session, run: Run, quote: Quote, settings: Settings, cap: int | None = None) -> None:
    """Note what the run was quoted at and where it stops, and hold what it may cost at the worst. Call it last.

    Raises:
        OverBudget: a budget has less left.
    """
    run.quote, run.cap_micro_dollars = quote, cap
    run.estimated_micro_dollars = quote.micro_dollars.high
    money.reserve(session, run, money.worst_case(run), settings.caps)


def go_on(session: Session, run: Run, settings: Settings, cap: int | None = None) -> None:
    """Let a paused run go on, with a higher cap when one is given.

    Raises:
        BadInput: so much is spent already.
        OverBudget: a budget has less left than the higher cap asks for.
    """
    with session.begin_nested():
        if jobs.resume(session, run.id) and cap is not None:
            money.raise_cap(session, run, cap, settings.caps)


def characters_to_read(sources: Sequence[Source]) -> int:
    """The characters of these sources; of one that is not read yet as many as the upload has bytes, at the most."""
    return sum(source.upload_bytes if source.body is None else len(source.body) for source in sources)


def _generate(session: Session, course: Course, user: User, lessons: Sequence[Lesson], *, film: bool) -> Run:
    run = open_run(session, course, user.id, RunKind.GENERATE, f"generate:{course.id}:{uuid.uuid4().hex[:8]}")
    if course.state != CourseState.PUBLISHED:  # learners keep what is published while single lessons are made anew
        course.state = CourseState.GENERATING
    for lesson in lessons:
        _queue(session, run, lesson, film=film)
    return run


def _queue(session: Session, run: Run, lesson: Lesson, *, film: bool) -> None:
    """Write the lesson and film it; one that is written is only filmed, so that what people changed in it stays."""
    written = film and lesson.storyboard is not None and _lacks_only_its_film(session, lesson)
    lesson.state, lesson.error = LessonState.WRITTEN if written else LessonState.QUEUED, ""
    enqueue = partial(jobs.enqueue, session, run, subject_id=lesson.id, priority=LESSON_PRIORITY + lesson.position)
    if not written:
        enqueue(kind="write", lane="author", units=WRITE_UNITS)
    if film:
        enqueue(kind="film", lane="render", units=FILM_UNITS, blocked=not written)


def _lacks_only_its_film(session: Session, lesson: Lesson) -> bool:
    if lesson.state != LessonState.FAILED:
        return lesson.state == LessonState.WRITTEN
    dead = select(Job.kind).where(Job.subject_id == lesson.id, Job.state == JobState.DEAD)
    return session.scalar(dead.order_by(Job.finished_at.desc()).limit(1)) == "film"


def _to_generate(session: Session, course: Course) -> list[Lesson]:
    """The lessons that are not completed, but for those that are just being filmed. Raises Conflict."""
    filmed = select(Job.subject_id).where(Job.kind == "film", Job.state.in_((JobState.QUEUED, JobState.RUNNING)))
    busy = set(session.scalars(filmed.join(Run, Run.id == Job.run_id).where(Run.course_id == course.id)))
    open_ = [one for one in lessons_of(session, course.id) if one.state != LessonState.COMPLETED]
    making = select(Revision.lesson_id).where(
        Revision.lesson_id.in_([one.id for one in open_]), Revision.state == RevisionState.MAKING
    )
    changed = session.scalar(making.limit(1))
    if changed is not None:
        title = next(one.title for one in open_ if one.id == changed)
        raise Conflict(f"A change of “{title}” is being made. Wait for it or stop it, then generate.")
    return [one for one in open_ if one.id not in busy]


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


def _refuse_while_replacing(session: Session, course_id: uuid.UUID) -> None:
    """What is made from a source while its place is taken would cite what is not in force any more."""
    coming = (Source.course_id == course_id, Source.replaces.is_not(None), Source.state != SourceState.REFUSED)
    name = session.scalar(select(Source.name).where(*coming).limit(1))
    if name is not None:
        raise Conflict(f"{name} is a newer version that is still being compared. Wait for it, or remove it first.")


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
