"""The sources of a course as its pages list them: those in force, the newer versions that are coming, and how much of
the course still rests on what the newest ones say differently.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.listing import has_text, listed_sources, listed_versions
from service.db.queries import lessons_of
from service.db.tables import (
    Course,
    CourseState,
    Lesson,
    Revision,
    RevisionCause,
    RevisionState,
    Run,
    RunState,
    SignOff,
    Source,
    SourceState,
)
from service.domain.diff import Stretch, word_changes
from service.domain.outdated import Replaced
from service.pipeline.outdated import Resting, outdated_parts
from service.pipeline.versions import newer_versions

BEING_READ = (SourceState.UPLOADED, SourceState.READING)
NOT_COMPARED = "It could not be compared with the version you have. Remove it, and add it again."


@dataclass(frozen=True)
class Coming:
    """A newer version that is not in force: why it never will be, or else how far it is."""

    source: Source
    refused: str = ""

    @property
    def says(self) -> str:
        """Where it is, in words."""
        states = {SourceState.UPLOADED.value: "waits to be read", SourceState.READING.value: "is being read"}
        return states.get(self.source.state, "is being compared with the version you have")


@dataclass(frozen=True)
class Shelf:
    """`coming` is by the source whose place is to be taken; `resting` counts the places that a source's change left;
    `earlier` holds the versions before a source that something still cites; `taught`: lessons are made, or being made.
    """

    sources: Sequence[Source]
    coming: dict[uuid.UUID, Coming]
    resting: dict[uuid.UUID, int]
    earlier: dict[uuid.UUID, Sequence[Source]]
    taught: bool

    def stays(self, source: Source) -> bool:
        """Whether it cannot be removed: lessons were made from it, and their cites would point nowhere."""
        return self.taught and source.state == SourceState.READY

    @property
    def staying(self) -> int:
        """How many of the sources cannot be removed."""
        return sum(self.stays(source) for source in self.sources)

    @property
    def reading(self) -> bool:
        """Whether the page will look different soon by itself."""
        return any(source.state in BEING_READ for source in self.sources) or any(
            not one.refused for one in self.coming.values()
        )


def shelf_of(database: Session, course: Course) -> Shelf:
    """The sources as they stand now."""
    waiting = listed_versions(database, course.id, Source.replaces.is_not(None))
    coming = {row.replaces: Coming(row, _refused(database, row)) for row in waiting if row.replaces}
    newer = newer_versions(database, course.id)
    parts = outdated_parts(database, course.id, lessons_of(database, course.id)) if newer else []
    resting = Counter(newer[source] for part in parts for source in {cite.source for cite in part.part.stale})
    untouched = course.state in (CourseState.DRAFT, CourseState.PLANNED)
    taught = not untouched or has_text(database, course.id)
    return Shelf(listed_sources(database, course.id), coming, resting, _earlier(database, course), taught)


def _earlier(database: Session, course: Course) -> dict[uuid.UUID, Sequence[Source]]:
    """The versions that are not in force any more, the newest first, by the source that took their place."""
    found: dict[uuid.UUID, list[Source]] = {}
    for row in reversed(listed_versions(database, course.id)):
        if row.superseded_by is not None and row.sha256 is not None:
            found.setdefault(row.superseded_by, []).append(row)
    return {source: tuple(rows) for source, rows in found.items()}


def _refused(database: Session, row: Source) -> str:
    """Why the version will never be in force; '' as long as it may be."""
    if row.state == SourceState.REFUSED:
        return row.error or "This file could not be read. Add it in another format."
    if row.state != SourceState.READY:
        return ""
    state = database.scalar(select(Run.state).where(Run.idem_key == f"repair:{row.id}"))
    return NOT_COMPARED if state in (RunState.FAILED, RunState.CANCELED) else ""


def unsettled(database: Session, course: Course, lesson: Lesson) -> list[Resting]:
    """What of the lesson rests on an earlier version of a source and is signed by nobody."""
    signed = set(database.scalars(select(SignOff.claim_sha256).where(SignOff.lesson_id == lesson.id)))
    return [one for one in outdated_parts(database, course.id, [lesson]) if one.key not in signed]


def then_and_now(change: Replaced) -> tuple[Stretch, ...]:
    """What the source said and says as one text; a passage that is gone is crossed out whole."""
    return word_changes(change.old.quote, change.new.quote if change.new else "")


def proposals_of(database: Session, course: Course) -> dict[uuid.UUID, uuid.UUID]:
    """For each lesson the change that was proposed because a source changed, and that waits for a decision."""
    query = select(Revision.lesson_id, Revision.id).where(
        Revision.course_id == course.id,
        Revision.cause == RevisionCause.SOURCE,
        Revision.state == RevisionState.PROPOSED,
    )
    return {lesson: revision for lesson, revision in database.execute(query.order_by(Revision.created_at))}
