"""The site is killed in the middle of a generation: nothing of it is left, and the next start goes on where it was."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from service.adapters.storage import open_storage
from service.db.engine import session_scope
from service.db.tables import Course, Job, JobState, LedgerEntry, Lesson, LessonState, Media, Role, Step, User
from service.domain.course import Brief
from service.pipeline.produce import advance, create_course
from service.settings import Settings
from tests.e2e.running_site import RunningSite, eventually

TEXT = Path(__file__).with_name("sourdough.md")


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A folder whose path is short and in no other process's command line."""
    return tmp_path / f"var-{uuid.uuid4().hex[:8]}"


def begin(engine: Engine, data_dir: Path) -> uuid.UUID:
    storage = open_storage(Settings(data_dir=data_dir, storage_url="file:"))
    with session_scope(engine) as session:
        owner = User(id=uuid.uuid4(), email="a@example.org", name="A", role=Role.INSTRUCTOR, password_hash="!")
        session.add(owner)
        session.flush()
        return create_course(session, storage, owner, Brief(title="Bread"), [TEXT]).id


def carried_to(engine: Engine, course_id: uuid.UUID, condition: object) -> bool:
    """Start what comes next, and say whether the condition (a statement that counts) holds by now."""
    with session_scope(engine) as session:
        advance(session, course_id)
        return bool(session.scalar(condition))  # type: ignore[call-overload]


def finished_steps(engine: Engine) -> dict[tuple[uuid.UUID, str], tuple[object, int]]:
    with session_scope(engine) as session:
        return {(step.job_id, step.name): (step.created_at, step.epoch) for step in session.scalars(select(Step))}


def test_a_killed_site_leaves_nothing_and_the_next_start_goes_on(data_dir: Path) -> None:
    site = RunningSite(data_dir, SPEECH="silent:", LEASE_SECONDS="5")
    with site.database() as engine:
        course_id = begin(engine, data_dir)
        filming = select(func.count()).select_from(Job).where(Job.kind == "film", Job.state == JobState.RUNNING)
        eventually(lambda: carried_to(engine, course_id, filming), 90, "a film is in the making")
        before = finished_steps(engine)
    assert before
    assert site.family()
    site.kill()
    eventually(lambda: not site.family(), 15, f"everything of the killed site has ended; left: {site.family()}")

    site = RunningSite(data_dir, SPEECH="silent:", LEASE_SECONDS="5")
    with site.database() as engine:
        ended = select(Course.state == "ready").where(Course.id == course_id)
        eventually(lambda: carried_to(engine, course_id, ended), 150, "the course is finished")
        after = finished_steps(engine)
        assert {key: after[key] for key in before} == before, "a finished step was done again"
        with session_scope(engine) as session:
            lessons = session.scalars(select(Lesson).where(Lesson.course_id == course_id)).all()
            assert {lesson.state for lesson in lessons} == {LessonState.COMPLETED}
            films = session.scalars(select(Media.lesson_id)).all()
            assert sorted(films) == sorted(lesson.id for lesson in lessons)
            paid = session.scalars(select(LedgerEntry.key)).all()
            assert len(paid) == len(set(paid))
    assert site.stop() == 0
    assert not site.family()


def test_a_second_start_while_running_says_so(data_dir: Path) -> None:
    site = RunningSite(data_dir, SPEECH="silent:", JOBS_URL="none:")
    try:
        with pytest.raises(AssertionError, match=r"already|running"):
            RunningSite(data_dir, SPEECH="silent:", JOBS_URL="none:")
    finally:
        assert site.stop() == 0
    assert not site.family()
