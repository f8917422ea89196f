"""Reads that more than one room needs. `visible_to` is the only tenant filter in the system."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Select, Text, and_, cast, false, func, or_, select, true
from sqlalchemy.orm import Session

from service.db.tables import (
    Chunk,
    Course,
    CourseState,
    Lesson,
    Media,
    Role,
    Run,
    Source,
    SourceState,
    User,
)
from service.domain.source import Block
from service.domain.source import Chunk as Passage
from service.domain.source import Source as SourceDocument
from service.errors import NotFound
from service.ports import IndexedChunk


def visible_to(user: User | None) -> ColumnElement[bool]:
    """Courses that this person may read: their own and the published; an administrator reads all."""
    published = Course.state == CourseState.PUBLISHED
    if user is None:
        return published
    if user.role == Role.ADMIN:
        return true()
    return or_(published, Course.owner_id == user.id)


def editable_by(user: User | None) -> ColumnElement[bool]:
    """Courses that this person may change: their own; an administrator changes all."""
    if user is None:
        return false()
    if user.role == Role.ADMIN:
        return true()
    return Course.owner_id == user.id


def course_for(session: Session, user: User | None, course_id: uuid.UUID, *, write: bool = False) -> Course:
    """The course, when this person may see it (or change it, with `write`).

    Raises:
        NotFound: there is no such course for them; foreign and missing look alike.
    """
    allowed = editable_by(user) if write else visible_to(user)
    course = session.scalar(select(Course).where(Course.id == course_id, allowed))
    if course is None:
        raise NotFound("There is no such course. It may have been removed, or it belongs to somebody else.")
    return course


def may_change(session: Session, user: User | None, course: Course) -> bool:
    """Whether this person may change the course."""
    return session.scalar(select(Course.id).where(Course.id == course.id, editable_by(user))) is not None


def lessons_of(session: Session, course_id: uuid.UUID) -> Sequence[Lesson]:
    """The course's lessons in teaching order."""
    return session.scalars(select(Lesson).where(Lesson.course_id == course_id).order_by(Lesson.position)).all()


def in_force() -> ColumnElement[bool]:
    """Sources that a course is made from: no newer version has taken their place, and they wait for none's place."""
    return and_(Source.superseded_by.is_(None), Source.replaces.is_(None))


def sources_of(session: Session, course_id: uuid.UUID) -> Sequence[Source]:
    """The course's sources that are in force, in the order they were added."""
    return session.scalars(_versions(course_id).where(in_force())).all()


def versions_of(session: Session, course_id: uuid.UUID) -> Sequence[Source]:
    """Every version of the course's sources: those in force, those before them, and those that are to come."""
    return session.scalars(_versions(course_id)).all()


def _versions(course_id: uuid.UUID) -> Select[tuple[Source]]:
    query = select(Source).where(Source.course_id == course_id)
    return query.order_by(Source.position, Source.created_at, Source.id)


def newest_media(session: Session, lesson_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Media]:
    """The film that counts for each of the lessons that have one."""
    query = (
        select(Media)
        .where(Media.lesson_id.in_(lesson_ids))
        .order_by(Media.lesson_id, Media.created_at.desc(), Media.id)
        .distinct(Media.lesson_id)
    )
    return {media.lesson_id: media for media in session.scalars(query)}


def latest_run(session: Session, course_id: uuid.UUID, kind: str | None = None) -> Run | None:
    """The course's newest run, of one kind when given."""
    query = select(Run).where(Run.course_id == course_id).order_by(Run.created_at.desc(), Run.id).limit(1)
    return session.scalar(query if kind is None else query.where(Run.kind == kind))


def source_document(row: Source) -> SourceDocument:
    """A read source as the authors see it.

    Raises:
        NotFound: the source is not read yet, or was refused.
    """
    if row.body is None or row.blocks is None:
        raise NotFound(f"{row.name} has not been read.")
    return SourceDocument(
        name=row.name,
        title=row.title,
        media_type=row.media_type,
        text=row.body,
        blocks=tuple(Block.model_validate(block) for block in row.blocks),
        pages=row.pages,
        notes=tuple(row.notes),
    )


def read_sources(session: Session, course_id: uuid.UUID) -> tuple[SourceDocument, ...]:
    """Every readable source of the course that is in force; the same text given twice counts once."""
    return _documents(sources_of(session, course_id))


def citable_sources(session: Session, course_id: uuid.UUID) -> tuple[SourceDocument, ...]:
    """Every source that a cite of the course may point into."""
    return (*read_sources(session, course_id), *earlier_sources(session, course_id))


def earlier_sources(session: Session, course_id: uuid.UUID) -> tuple[SourceDocument, ...]:
    """The versions that newer ones took the place of and that something still cites: they prove, nothing more."""
    query = _versions(course_id).where(Source.superseded_by.is_not(None))
    return _documents(session.scalars(query).all())


def _documents(rows: Sequence[Source]) -> tuple[SourceDocument, ...]:
    found: dict[str, SourceDocument] = {}
    for row in rows:
        if row.state == SourceState.READY and row.sha256 not in found:
            found[row.sha256 or ""] = source_document(row)
    return tuple(found.values())


def evidence_mark(session: Session, course_id: uuid.UUID) -> tuple[tuple[object, ...], ...]:
    """What a course's evidence was made from: as long as it is equal, sources, passages and vectors are the same.

    A source is named by the hash of its text, from which its passages follow; vectors come later and may be made anew
    by another embedder, so they are counted for each.
    """
    query = (
        select(
            Source.id,
            Source.sha256,
            Source.title,
            Source.position,
            Source.state,
            Chunk.embedder,
            func.count(Chunk.id),
            func.count(Chunk.vector),
        )
        .outerjoin(Chunk, Chunk.source_id == Source.id)
        .where(Source.course_id == course_id, in_force())
        .group_by(Source.id, Chunk.embedder)
        .order_by(Source.id, Chunk.embedder)
    )
    return tuple(tuple(row) for row in session.execute(query))


def indexed_chunks(session: Session, course_id: uuid.UUID) -> list[IndexedChunk]:
    """The passages of the course's sources in force, with their vectors, in source order."""
    # Vectors come as text: the driver takes an array apart character by character, JSON's reader does not.
    query = (
        select(Source.sha256, Chunk.start, Chunk.end, Chunk.heading, Chunk.body, cast(Chunk.vector, Text))
        .join(Source, Source.id == Chunk.source_id)
        .where(Chunk.course_id == course_id, in_force())
        .order_by(Source.position, Source.id, Chunk.position)
    )
    return [
        IndexedChunk(
            chunk=Passage(source=sha or "", start=start, end=end, heading=heading, text=body),
            vector=None if vector is None else json.loads(f"[{vector[1:-1]}]"),
        )
        for sha, start, end, heading, body, vector in session.execute(query)
    ]
