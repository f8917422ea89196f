"""The figures of many courses in a handful of queries, for cards and course pages."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.db.listing import film_seconds, planned_minutes
from service.db.tables import (
    Course,
    Enrolment,
    Lesson,
    LessonProgress,
    LessonState,
    Module,
    Revision,
    RevisionState,
    Run,
    RunKind,
    Source,
    SourceState,
    User,
)


@dataclass
class Overview:
    """One course in figures. `minutes` counts filmed lessons by their film and the others by their plan."""

    lessons: int = 0
    completed: int = 0
    failed: int = 0
    refused: int = 0
    finished: int = 0
    proposed: int = 0
    minutes: float = 0.0
    percent: int = 0
    learners: int = 0
    modules: dict[uuid.UUID, str] = field(default_factory=dict)
    seconds: dict[uuid.UUID, float] = field(default_factory=dict)

    @property
    def part(self) -> float:
        """The share of the lessons that the learner has finished, 0 to 1."""
        return self.finished / self.lessons if self.lessons else 0.0


def overviews(database: Session, courses: Sequence[Course], person: User | None) -> dict[uuid.UUID, Overview]:
    """An overview of each course; `finished` speaks of this person."""
    found = {course.id: Overview() for course in courses}
    if not found:
        return found
    _count_lessons(database, found)
    _count_rest(database, found)
    if person is not None:
        finished = (
            select(Enrolment.course_id, func.count())
            .join(LessonProgress, LessonProgress.enrolment_id == Enrolment.id)
            .where(Enrolment.course_id.in_(found), Enrolment.user_id == person.id)
            .where(LessonProgress.completed_at.is_not(None))
            .group_by(Enrolment.course_id)
        )
        for course_id, number in database.execute(finished):
            found[course_id].finished = number
    return found


def _count_lessons(database: Session, found: dict[uuid.UUID, Overview]) -> None:
    rows = database.execute(
        select(Lesson.id, Lesson.course_id, Lesson.state, planned_minutes()).where(Lesson.course_id.in_(found))
    )
    films = film_seconds(database, found)
    for lesson_id, course_id, state, planned in rows:
        view, seconds = found[course_id], films.get(lesson_id, planned * 60)
        view.lessons += 1
        view.completed += state == LessonState.COMPLETED
        view.failed += state == LessonState.FAILED
        view.minutes += seconds / 60
        view.seconds[lesson_id] = seconds


def _count_rest(database: Session, found: dict[uuid.UUID, Overview]) -> None:
    for module in database.scalars(select(Module).where(Module.course_id.in_(found))):
        found[module.course_id].modules[module.id] = module.title
    refused = select(Source.course_id, func.count()).where(
        Source.course_id.in_(found), Source.state == SourceState.REFUSED
    )
    for course_id, number in database.execute(refused.group_by(Source.course_id)):
        found[course_id].refused = number
    learners = select(Enrolment.course_id, func.count()).where(Enrolment.course_id.in_(found))
    for course_id, number in database.execute(learners.group_by(Enrolment.course_id)):
        found[course_id].learners = number
    proposed = select(Revision.course_id, func.count()).where(
        Revision.course_id.in_(found), Revision.state == RevisionState.PROPOSED
    )
    for course_id, number in database.execute(proposed.group_by(Revision.course_id)):
        found[course_id].proposed = number
    whole = Run.kind.not_in((RunKind.REVISE, RunKind.REPAIR))  # the others are about a single lesson or source
    newest = select(Run).where(Run.course_id.in_(found), whole).order_by(Run.course_id, Run.created_at.desc())
    for run in database.scalars(newest.distinct(Run.course_id)):
        found[run.course_id].percent = run.percent
