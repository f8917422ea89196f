"""Starting a lane: once for its work, never inside a transaction, and again after the platform refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from service.errors import Broken, CoursewrightError, Throttled, Unavailable
from service.pipeline.starting import start_lane
from service.settings import Settings
from tests.engine.desk import Desk
from tests.pipeline.cloud import Platform


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def test_work_starts_its_lane_once_and_keeps_the_name(desk: Desk, settings: Settings) -> None:
    platform = Platform()
    desk.enqueue(desk.run())
    assert start_lane(desk.engine, platform, "author", settings) == 1
    assert start_lane(desk.engine, platform, "author", settings) == 0
    assert start_lane(desk.engine, platform, "render", settings) == 0
    assert platform.started == [("author", 1)]
    assert desk.scalar("SELECT execution FROM launches") == "author-1"


def test_the_lanes_have_their_own_most(desk: Desk, settings: Settings) -> None:
    platform, run = Platform(), desk.run()
    for _ in range(5):
        desk.enqueue(run)
        desk.enqueue(run, kind="film", lane="render")
    several = settings.model_copy(update={"author_tasks": 2, "render_tasks": 3})
    assert start_lane(desk.engine, platform, "author", several) == 2
    assert start_lane(desk.engine, platform, "render", several) == 3


@pytest.mark.parametrize("refusal", [Throttled("Too many. Wait."), Broken("No such job. Make it.")])
def test_a_platform_that_refuses_leaves_the_start_to_the_next_ring(
    desk: Desk, settings: Settings, refusal: CoursewrightError
) -> None:
    platform = Platform()
    platform.down = refusal
    desk.enqueue(desk.run())
    with pytest.raises(type(refusal)):
        start_lane(desk.engine, platform, "author", settings)
    platform.down = None
    assert start_lane(desk.engine, platform, "author", settings) == 1


def test_a_start_that_may_have_been_accepted_is_not_repeated_under_its_lease(desk: Desk, settings: Settings) -> None:
    platform = Platform()
    platform.down = Unavailable("No answer. Try again in a moment.")
    desk.enqueue(desk.run())
    with pytest.raises(Unavailable):
        start_lane(desk.engine, platform, "author", settings)
    platform.down = None
    assert start_lane(desk.engine, platform, "author", settings) == 0
    desk.scalar("UPDATE launches SET lease_until = now() - interval '1 second' RETURNING lane")
    assert start_lane(desk.engine, platform, "author", settings) == 1


def test_a_hundred_rings_at_once_are_one_start(desk: Desk, settings: Settings) -> None:
    platform = Platform()
    desk.enqueue(desk.run())
    with ThreadPoolExecutor(8) as pool:
        rings = [pool.submit(start_lane, desk.engine, platform, "author", settings) for _ in range(100)]
        assert sum(ring.result(60) for ring in rings) == 1
    assert platform.started == [("author", 1)]


def test_standing_workers_are_not_started_again(desk: Desk, settings: Settings) -> None:
    platform = Platform(standing=True)
    desk.enqueue(desk.run())
    assert start_lane(desk.engine, platform, "author", settings) == 0
    assert not platform.started
    assert desk.scalar("SELECT count(*) FROM launches") == 0
