"""Where a learner is: enrolment, the second to resume at, and which lessons are finished."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.db.listing import ListedLesson
from service.db.tables import Course, Enrolment, Lesson, LessonProgress, User

WATCHED = 0.9


@dataclass
class Place:
    """A learner's place in a course: the lesson to go to and its second, and what is known of each lesson."""

    enrolled: bool = False
    lesson: ListedLesson | None = None
    seconds: float = 0.0
    progress: dict[uuid.UUID, LessonProgress] = field(default_factory=dict)

    def finished(self, lesson_id: uuid.UUID) -> bool:
        """Whether the learner has finished this lesson."""
        row = self.progress.get(lesson_id)
        return row is not None and row.completed_at is not None

    @property
    def begun(self) -> bool:
        return bool(self.progress)


def place_of(database: Session, course: Course, lessons: Sequence[ListedLesson], person: User | None) -> Place:
    """Where this person goes on: the lesson they saw last unless it is finished, else the first unfinished one."""
    place = Place()
    if person is not None:
        row = enrolment_of(database, course.id, person.id)
        place.enrolled = row is not None
        if row is not None:
            known = database.scalars(select(LessonProgress).where(LessonProgress.enrolment_id == row.id))
            place.progress = {one.lesson_id: one for one in known}
    open_ones = [lesson for lesson in lessons if not place.finished(lesson.id) and lesson.watchable]
    begun = [lesson for lesson in open_ones if lesson.id in place.progress]
    if begun:
        place.lesson = max(begun, key=lambda lesson: place.progress[lesson.id].updated_at)
        place.seconds = place.progress[place.lesson.id].seconds
    else:
        place.lesson = next(iter(open_ones or [lesson for lesson in lessons if lesson.watchable]), None)
    return place


def enrolment_of(database: Session, course_id: uuid.UUID, user_id: uuid.UUID) -> Enrolment | None:
    """The enrolment of a person in a course, if there is one."""
    return database.scalar(select(Enrolment).where(Enrolment.course_id == course_id, Enrolment.user_id == user_id))


def has_finished(database: Session, enrolment: Enrolment, lesson: Lesson) -> bool:
    """Whether the learner has finished this lesson."""
    row = database.get(LessonProgress, (enrolment.id, lesson.id), populate_existing=True)
    return row is not None and row.completed_at is not None


def enrol(database: Session, course: Course, person: User) -> Enrolment:
    """The person's enrolment; made when there is none. Enrolling twice is enrolling once."""
    statement = insert(Enrolment).values(course_id=course.id, user_id=person.id)
    database.execute(statement.on_conflict_do_nothing(index_elements=[Enrolment.course_id, Enrolment.user_id]))
    row = enrolment_of(database, course.id, person.id)
    assert row is not None
    return row


def keep_place(database: Session, enrolment: Enrolment, lesson: Lesson, at: float, length: float) -> None:
    """Keep the second where a learner is. Seen to 90 percent, the lesson is finished, and stays so."""
    at = max(0.0, min(at, length or at))
    done = datetime.now(UTC) if length and at >= WATCHED * length else None
    statement = insert(LessonProgress).values(
        enrolment_id=enrolment.id, lesson_id=lesson.id, seconds=at, furthest=at, completed_at=done
    )
    statement = statement.on_conflict_do_update(
        index_elements=[LessonProgress.enrolment_id, LessonProgress.lesson_id],
        set_={
            "seconds": at,
            "furthest": func.greatest(LessonProgress.furthest, at),
            "completed_at": func.coalesce(LessonProgress.completed_at, done),
            "updated_at": func.now(),
        },
    )
    database.execute(statement)
    _finish_course(database, enrolment)


def finish_lesson(database: Session, enrolment: Enrolment, lesson: Lesson) -> None:
    """The learner says that they are done with the lesson."""
    now = datetime.now(UTC)
    statement = insert(LessonProgress).values(
        enrolment_id=enrolment.id, lesson_id=lesson.id, seconds=0.0, furthest=0.0, completed_at=now
    )
    statement = statement.on_conflict_do_update(
        index_elements=[LessonProgress.enrolment_id, LessonProgress.lesson_id],
        set_={"completed_at": func.coalesce(LessonProgress.completed_at, now), "updated_at": func.now()},
    )
    database.execute(statement)
    _finish_course(database, enrolment)


def _finish_course(database: Session, enrolment: Enrolment) -> None:
    lessons = database.scalar(select(func.count()).where(Lesson.course_id == enrolment.course_id)) or 0
    finished = database.scalar(
        select(func.count()).where(
            LessonProgress.enrolment_id == enrolment.id, LessonProgress.completed_at.is_not(None)
        )
    )
    if lessons and finished == lessons and enrolment.completed_at is None:
        enrolment.completed_at = datetime.now(UTC)
