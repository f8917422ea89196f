"""What of a course rests on a version of a source that is not in force any more, with what it said and says.

Derived from the cites each time: after a comparison only what changed still cites the old version (see `repair`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.queries import source_document
from service.db.tables import Lesson, QuizItem, Source
from service.domain.drift import Drift
from service.domain.outdated import Outdated, Replaced, outdated
from service.domain.quiz import Quiz
from service.domain.revision import LessonDocuments
from service.domain.source import Cite
from service.domain.source import Source as Document
from service.pipeline.versions import newer_versions

PAIRS_KEPT = 4


@dataclass(frozen=True)
class Resting:
    """A part of a lesson that rests on an old version: what it cites of it, as it was and as it is, and its key."""

    lesson: Lesson
    part: Outdated
    changes: tuple[Replaced, ...]
    key: str


def outdated_parts(session: Session, course_id: uuid.UUID, lessons: Iterable[Lesson]) -> list[Resting]:
    """The parts of these lessons that cite what is not in force any more, in teaching order."""
    newer = newer_versions(session, course_id)
    if not newer:
        return []
    known: dict[tuple[str, uuid.UUID], _Pair] = {}
    found = []
    for lesson in lessons:
        for part in outdated(_documents(session, lesson), newer) if lesson.text else ():
            pairs = [_pair(session, course_id, cite, newer, known) for cite in part.stale]
            changes = tuple(_change(pair, cite) for pair, cite in zip(pairs, part.stale, strict=True))
            found.append(
                Resting(lesson, part, changes, part.key(" ".join(dict.fromkeys(pair.name[1] for pair in pairs))))
            )
    return found


def _innermost(changes: tuple[Replaced, ...]) -> tuple[Replaced, ...]:
    """The changes without those that only hold another: of a table and its rows, the rows."""

    def holds(one: Cite, other: Cite) -> bool:
        within = one.source == other.source and one.start <= other.start and other.end <= one.end
        return within and (one.start, one.end) != (other.start, other.end)

    return tuple(one for one in changes if not any(holds(one.old, other.old) for other in changes))


def _documents(session: Session, lesson: Lesson) -> LessonDocuments:
    rows = session.scalars(select(QuizItem).where(QuizItem.lesson_id == lesson.id).order_by(QuizItem.position))
    quiz = Quiz(lesson_id=str(lesson.id), items=tuple(row.document for row in rows))
    assert lesson.text is not None
    return LessonDocuments(text=lesson.text, storyboard=lesson.storyboard, quiz=quiz)


class _Pair:
    """Two versions of one document; equal when their texts are."""

    def __init__(self, old: Document, new: Document) -> None:
        self.old, self.new = old, new
        self.name = (old.sha256, new.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pair) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


@lru_cache(maxsize=PAIRS_KEPT)
def _drift(pair: _Pair) -> Drift:
    return Drift(pair.old, pair.new)


def _pair(
    session: Session,
    course_id: uuid.UUID,
    cite: Cite,
    newer: dict[str, uuid.UUID],
    known: dict[tuple[str, uuid.UUID], _Pair],
) -> _Pair:
    place = (cite.source, newer[cite.source])
    if place not in known:
        query = select(Source).where(Source.course_id == course_id, Source.sha256 == cite.source).limit(1)
        old, new = session.scalars(query).one(), session.get_one(Source, newer[cite.source])
        known[place] = _Pair(source_document(old), source_document(new))
    return known[place]


def _change(pair: _Pair, cite: Cite) -> Replaced:
    fate = _drift(pair).of(cite.start, cite.end)
    if fate.state == "gone":
        return Replaced(cite, None)
    quote = pair.new.text[fate.start : fate.end]
    return Replaced(cite, Cite(source=pair.name[1], start=fate.start, end=fate.end, quote=quote))
