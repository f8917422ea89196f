"""Lessons and sources as lists show them: without their texts, because a list of two hundred must not read them all."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, defer

from service.db.queries import in_force
from service.db.tables import Lesson, LessonState, Media, Source
from service.domain.course import LessonPlan

# To touch one of them on a listed row is a fault in the code, and says so, instead of one more query for each row.
WITHOUT_TEXT = (defer(Source.body, raiseload=True), defer(Source.blocks, raiseload=True))
WITHOUT_DOCUMENTS = (defer(Lesson.text, raiseload=True), defer(Lesson.storyboard, raiseload=True))


@dataclass(frozen=True)
class ListedLesson:
    """A lesson in a list. `goal` is its first objective, or empty; `written` says that it has a text."""

    id: uuid.UUID
    module_id: uuid.UUID
    position: int
    title: str
    state: str
    error: str
    goal: str
    written: bool

    @property
    def watchable(self) -> bool:
        """Whether there is something to learn from yet: the text comes before the video."""
        return self.written or self.state == LessonState.COMPLETED


def listed_lessons(session: Session, course_id: uuid.UUID) -> list[ListedLesson]:
    """The course's lessons in teaching order."""
    goal = type_coerce(Lesson.plan, JSONB)["objectives"][0]["text"].as_string()
    query = select(
        Lesson.id,
        Lesson.module_id,
        Lesson.position,
        Lesson.title,
        Lesson.state,
        Lesson.error,
        func.coalesce(goal, ""),
        Lesson.text.is_not(None),
    )
    rows = session.execute(query.where(Lesson.course_id == course_id).order_by(Lesson.position))
    return [ListedLesson(*row) for row in rows]


def has_text(session: Session, course_id: uuid.UUID) -> bool:
    """Whether any lesson of the course is written."""
    return (
        session.scalar(select(Lesson.id).where(Lesson.course_id == course_id, Lesson.text.is_not(None)).limit(1))
        is not None
    )


def plans_to_make(session: Session, course_id: uuid.UUID) -> Sequence[LessonPlan]:
    """The plans of the lessons that are not completed, in teaching order."""
    open_ = (Lesson.course_id == course_id, Lesson.state != LessonState.COMPLETED)
    return session.scalars(select(Lesson.plan).where(*open_).order_by(Lesson.position)).all()


def completed_lessons(session: Session, course_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """The lessons that are written and filmed."""
    done = (Lesson.course_id == course_id, Lesson.state == LessonState.COMPLETED)
    return frozenset(session.scalars(select(Lesson.id).where(*done)))


def planned_minutes() -> ColumnElement[float]:
    """A lesson's length as its plan says it."""
    return func.coalesce(type_coerce(Lesson.plan, JSONB)["minutes"].as_float(), 0.0)


def film_seconds(session: Session, course_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, float]:
    """The length of the film that counts, for each lesson of the courses that has one."""
    query = (
        select(Media.lesson_id, type_coerce(Media.film, JSONB)["seconds"].as_float())
        .join(Lesson, Lesson.id == Media.lesson_id)
        .where(Lesson.course_id.in_(course_ids))
        .order_by(Media.lesson_id, Media.created_at.desc(), Media.id)
        .distinct(Media.lesson_id)
    )
    return {lesson_id: seconds for lesson_id, seconds in session.execute(query)}


def listed_sources(session: Session, course_id: uuid.UUID) -> Sequence[Source]:
    """The course's sources that are in force, in the order they were added, without their texts."""
    return listed_versions(session, course_id, in_force())


def listed_versions(session: Session, course_id: uuid.UUID, *which: ColumnElement[bool]) -> Sequence[Source]:
    """Every version of the course's sources, or `which`, in the order they were added, without their texts."""
    query = select(Source).where(Source.course_id == course_id, *which).options(*WITHOUT_TEXT)
    return session.scalars(query.order_by(Source.position, Source.created_at, Source.id)).all()
