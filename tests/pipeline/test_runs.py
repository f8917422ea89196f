"""How work begins beside work that has not ended: nothing is started under a run that is still stopping."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy.orm import Session

from service.db import jobs
from service.db.tables import Course, CourseState, Lesson, LessonState, Module, Role, RunState, User
from service.domain.course import Brief, LessonPlan
from service.errors import Canceled, Conflict
from service.pipeline import runs


@pytest.fixture
def owner(session: Session) -> User:
    user = User(id=uuid.uuid4(), email="grace@example.org", name="Grace", password_hash="!", role=Role.INSTRUCTOR)
    session.add(user)
    session.flush()
    return user


@pytest.fixture
def course(session: Session, owner: User) -> Course:
    """An outline of one lesson."""
    course = Course(id=uuid.uuid4(), owner_id=owner.id, title="Knots", brief=Brief(), state=CourseState.PLANNED)
    session.add(course)
    session.flush()
    module = Module(id=uuid.uuid4(), course_id=course.id, position=1, title="First")
    session.add(module)
    session.flush()
    plan = LessonPlan(id="1", title="Hitches")
    lesson = Lesson(id=uuid.uuid4(), course_id=course.id, module_id=module.id, position=1, title="Hitches", plan=plan)
    session.add(lesson)
    session.flush()
    return course


def test_generating_waits_until_what_was_stopped_has_ended(session: Session, course: Course, owner: User) -> None:
    first = runs.start_generate(session, course, owner)
    held = jobs.claim(session, "author", "worker", 60.0)
    assert held is not None
    runs.cancel(session, first)
    with pytest.raises(Conflict, match="still ending"):
        runs.start_generate(session, course, owner)
    with pytest.raises(Canceled):
        jobs.guard(session, held, 60.0)
    jobs.fail(session, held, "stopped", retryable=False)
    session.expire_all()
    second = runs.start_generate(session, course, owner)
    assert (first.state, second.state) == (RunState.CANCELED, RunState.ACCEPTED)
    assert course.state == CourseState.GENERATING
    assert session.query(Lesson).filter_by(course_id=course.id).one().state == LessonState.QUEUED


def test_nothing_is_generated_from_an_outline_that_is_being_drafted(
    session: Session, course: Course, owner: User
) -> None:
    course.state = CourseState.PLANNING
    with pytest.raises(Conflict, match="being drafted"):
        runs.start_generate(session, course, owner)
