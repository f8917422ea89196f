"""Newer versions of a source: taken in beside the old one, in force once it is read and every cite is moved over.

The old one stays in force until then, and for good when the new one cannot be used. Afterwards it proves what still
cites it, and goes when nothing does.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.db import jobs
from service.db.queries import in_force, versions_of
from service.db.tables import (
    Course,
    CourseState,
    Lesson,
    Media,
    QuizItem,
    Revision,
    RevisionState,
    Run,
    RunKind,
    Source,
    SourceState,
)
from service.domain.source import Cite
from service.errors import Conflict, NotFound
from service.pipeline.runs import add_source, live_run, open_run
from service.ports import StorageService

REPAIR_PRIORITY = 30  # somebody waits for it: before every lesson
COMPARE_UNITS = 1
WORKING = (RunKind.PLAN, RunKind.GENERATE, RunKind.REPAIR)
# Revisions from which a lesson may still become what it was before.
KEPT = (RevisionState.MAKING, RevisionState.PROPOSED, RevisionState.ACCEPTED)


def add_version(
    session: Session, storage: StorageService, course: Course, source_id: uuid.UUID, name: str, path: Path
) -> Source:
    """Take in a newer version of a source: store the upload and queue its reading.

    Raises:
        NotFound: the course has no such source in force.
        BadInput: it is the same file, or cannot be opened.
        Conflict: the course is being worked on, or another version of the source is being read.
    """
    old = session.scalar(select(Source).where(Source.id == source_id, Source.course_id == course.id).with_for_update())
    if old is None or old.superseded_by is not None or old.replaces is not None or old.state != SourceState.READY:
        raise NotFound("There is no such source to replace any more. Reload the page and look again.")
    if course.state in (CourseState.PLANNING, CourseState.GENERATING) or any(
        live_run(session, course.id, kind) for kind in WORKING
    ):
        raise Conflict("The course is being worked on. Wait until that has ended, then replace the source.")
    for waiting in session.scalars(select(Source).where(Source.replaces == old.id)):
        if waiting.state != SourceState.REFUSED:
            raise Conflict(f"Another version of {old.name} is waiting. Wait for it, or remove it first.")
        session.delete(waiting)
    return add_source(session, storage, course, name, path, replaces=old)


def arrived(session: Session, new: Source) -> Run | None:
    """What happens when a newer version is read: the comparison is queued, or nothing is made of the old one yet and
    the new one takes its place at once.
    """
    lessons = session.scalars(select(Lesson.text.is_not(None)).where(Lesson.course_id == new.course_id)).all()
    if not lessons:
        take_force(session, new)
        return None
    course = session.get_one(Course, new.course_id)
    run = open_run(session, course, course.owner_id, RunKind.REPAIR, f"repair:{new.id}")
    units = COMPARE_UNITS + sum(lessons)
    jobs.enqueue(session, run, kind="repair", lane="author", subject_id=new.id, units=units, priority=REPAIR_PRIORITY)
    return run


def same_text(session: Session, new: Source, sha256: str) -> str:
    """Why a newer version is none: its words are those of the version that it was to replace; '' when they are not."""
    old = session.get(Source, new.replaces) if new.replaces else None
    if old is None or old.sha256 != sha256:
        return ""
    return f"{new.name} says word for word what {old.name} says already. Nothing was replaced."


def predecessors(session: Session, new: Source) -> list[Source]:
    """The version whose place it takes or took, and all those before."""
    replaced = new.replaces or new.id
    query = select(Source).where(or_(Source.superseded_by == replaced, Source.id == new.replaces), Source.id != new.id)
    return list(session.scalars(query.order_by(Source.created_at, Source.id)))


def take_force(session: Session, new: Source) -> None:
    """From now on the course is made from this version; every version before it points at it."""
    replaced = predecessors(session, new)
    _outdate_proposals(session, replaced)
    for old in replaced:
        old.superseded_by = new.id
    new.replaces = None
    session.flush()
    drop_uncited(session, new.course_id)


def _outdate_proposals(session: Session, replaced: Sequence[Source]) -> None:
    """What was proposed so that lessons follow a version that is not the newest any more has lost its reason."""
    runs = select(Run.id).where(Run.idem_key.in_([f"repair:{old.id}" for old in replaced]))
    proposed = update(Revision).where(Revision.run_id.in_(runs), Revision.state == RevisionState.PROPOSED)
    session.execute(proposed.values(state=RevisionState.OUTDATED, decided_at=func.now()))


def newer_versions(session: Session, course_id: uuid.UUID) -> dict[str, uuid.UUID]:
    """The hash of every text that is not in force any more, with the source that took its place."""
    columns = select(Source.sha256, Source.superseded_by).where(Source.course_id == course_id)
    replaced = session.execute(columns.where(Source.superseded_by.is_not(None), Source.sha256.is_not(None))).all()
    if not replaced:
        return {}
    valid = set(session.scalars(select(Source.sha256).where(Source.course_id == course_id, in_force())))
    return {sha256: newer for sha256, newer in replaced if sha256 not in valid}


def versions_cited(session: Session, course_id: uuid.UUID, cites: Iterable[Cite]) -> list[Source]:
    """The sources that are in force, and before them those earlier versions that one of these cites points into."""
    named = {cite.source for cite in cites}
    return [
        row
        for row in versions_of(session, course_id)
        if row.state == SourceState.READY and row.replaces is None and (not row.superseded_by or row.sha256 in named)
    ]


def _cited(session: Session, course_id: uuid.UUID, sha256: str) -> bool:
    """Whether anything of the course cites this text: its lessons and questions, or a version that one may get back."""
    lessons = select(Lesson.id).where(Lesson.course_id == course_id)
    history = (Revision.course_id == course_id, Revision.state.in_(KEPT))
    looked = (
        select(Lesson.id).where(
            Lesson.course_id == course_id, _held(sha256, Lesson.text, Lesson.storyboard, Lesson.plan)
        ),
        select(QuizItem.id).where(QuizItem.lesson_id.in_(lessons), _held(sha256, QuizItem.document)),
        select(Media.id).where(Media.lesson_id.in_(lessons), _held(sha256, Media.film)),
        select(Course.id).where(Course.id == course_id, _held(sha256, Course.glossary)),
        select(Revision.id).where(*history, _held(sha256, Revision.before, Revision.after)),
    )
    return any(session.scalar(query.limit(1)) is not None for query in looked)


def _held(sha256: str, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """A hash is 64 letters that stand nowhere by chance, so a document that holds it cites it."""
    return or_(*(cast(column, Text).contains(sha256) for column in columns))


def drop_uncited(session: Session, course_id: uuid.UUID) -> int:
    """Remove the versions that are not in force and that nothing cites; how many they were."""
    dropped = 0
    for row in versions_of(session, course_id):
        if row.superseded_by is not None and not _cited(session, course_id, row.sha256 or "-"):
            session.delete(row)
            dropped += 1
    session.flush()
    return dropped
