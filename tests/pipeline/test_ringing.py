"""A worker's part in ringing: it says that it is here, and rings for what its job has made possible."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from sqlalchemy import Engine

from service.db import jobs, outbox
from service.db.lane import Task, run_lane
from service.pipeline.starting import start_lane
from service.settings import Settings
from tests.engine.desk import Desk
from tests.pipeline.cloud import Bell, Platform


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def test_a_written_lesson_rings_for_its_film_as_soon_as_its_job_is_recorded(desk: Desk, settings: Settings) -> None:
    bell, platform, run, lesson = Bell(), Platform(), desk.run(), desk.lesson()
    desk.enqueue(run, subject_id=lesson)
    desk.enqueue(run, kind="film", lane="render", subject_id=lesson, blocked=True)
    outbox.send(desk.engine, bell)
    assert start_lane(desk.engine, platform, "author", settings) == 1
    assert start_lane(desk.engine, platform, "render", settings) == 0

    def write(task: Task) -> None:
        task.commit(lambda session: jobs.unblock(session, run, "film", lesson))

    code = run_lane(
        desk.engine,
        "author",
        {"write": write},
        settings=settings.model_copy(update={"idle_exit_seconds": 0.05}),
        stop=threading.Event(),
        after_job=partial(outbox.try_to_send, desk.engine, bell),
    )
    assert code == 0
    assert bell.lanes == ["author", "render"]
    assert start_lane(desk.engine, platform, "render", settings) == 1


def test_a_worker_that_begins_ends_the_start_that_brought_it(desk: Desk, settings: Settings) -> None:
    platform = Platform()
    desk.enqueue(desk.run())
    assert start_lane(desk.engine, platform, "author", settings) == 1
    stop = threading.Event()
    stop.set()
    run_lane(desk.engine, "author", {}, settings=settings, stop=stop)
    assert start_lane(desk.engine, platform, "author", settings) == 1
