"""How work begins and ends beside other work: nothing is started, replaced or lost under what is under way."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy.orm import Session

from service.db import jobs
from service.db.plans import read_plan, write_plan
from service.db.tables import Course, CourseState, Lesson, LessonState, Module, Role, RunState, Source, User
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
    lesson_id = uuid.uuid4()
    plan = LessonPlan(id=str(lesson_id), title="Hitches")
    lesson = Lesson(id=lesson_id, course_id=course.id, module_id=module.id, position=1, title="Hitches", plan=plan)
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


def completed(session: Session, course: Course) -> Lesson:
    lesson = session.query(Lesson).filter_by(course_id=course.id).one()
    lesson.state = LessonState.COMPLETED
    return lesson


def test_an_outline_left_with_completed_lessons_only_is_a_ready_course(session: Session, course: Course) -> None:
    done = completed(session, course)
    plan = read_plan(session, course.id)
    failed = LessonPlan(id="failed", title="What no source tells")
    module = plan.modules[0].model_copy(update={"lessons": (done.plan, failed)})
    longer = write_plan(session, course, plan.model_copy(update={"modules": (module,)}))
    assert course.state == CourseState.PLANNED
    kept = longer.modules[0].model_copy(update={"lessons": longer.lessons[:1]})
    write_plan(session, course, longer.model_copy(update={"modules": (kept,)}))
    session.refresh(course)
    assert course.state == CourseState.READY


def test_the_outline_of_a_published_course_is_not_changed_while_lessons_are_made(
    session: Session, course: Course, owner: User
) -> None:
    course.state = CourseState.PUBLISHED
    runs.start_generate(session, course, owner)
    with pytest.raises(Conflict, match="being worked on"):
        write_plan(session, course, read_plan(session, course.id))


def test_a_published_course_is_not_replaced_by_a_new_draft(session: Session, course: Course, owner: User) -> None:
    course.state = CourseState.PUBLISHED
    with pytest.raises(Conflict, match="catalogue"):
        runs.start_plan(session, course, owner)


def test_a_new_draft_that_is_stopped_gives_the_old_outline_back(session: Session, course: Course, owner: User) -> None:
    source = Source(id=uuid.uuid4(), course_id=course.id, position=1, name="k.md", upload_key="k", upload_bytes=1)
    session.add(source)
    session.flush()
    runs.cancel(session, runs.start_plan(session, course, owner))
    session.expire_all()
    assert course.state == CourseState.PLANNED
