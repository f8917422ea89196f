"""The launch lease: however many rings come at once, a lane's job is started once, with as many tasks as it needs."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from service.db import launches
from service.db.tables import Launch
from service.ports import Lane
from tests.engine.desk import Desk

LEASE, MOST = 120.0, 4


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def take(desk: Desk, lane: Lane = "render", most: int = MOST, lease: float = LEASE) -> Launch | None:
    return desk.do(lambda session: launches.take(session, lane, lease, most))


def film(desk: Desk, run: uuid.UUID, count: int = 1, **columns: object) -> list[uuid.UUID]:
    return [desk.enqueue(run, kind="film", lane="render", **columns) for _ in range(count)]


def arrive(desk: Desk, lane: Lane = "render") -> None:
    desk.do(lambda session: launches.arrived(session, lane))


def change(desk: Desk, statement: str, **given: object) -> None:
    desk.do(lambda session: session.execute(text(statement), given))


def test_a_lane_without_work_is_not_started(desk: Desk) -> None:
    assert take(desk) is None
    assert desk.scalar("SELECT count(*) FROM launches") == 0


def test_a_start_has_as_many_tasks_as_jobs_are_due_and_no_more_than_allowed(desk: Desk) -> None:
    run = desk.run()
    film(desk, run, 2)
    film(desk, run, 3, blocked=True)
    desk.enqueue(run)  # the other lane's
    first = take(desk)
    assert first is not None
    assert (first.tasks, first.execution) == (2, "")
    change(desk, "UPDATE jobs SET state = 'queued'")
    change(desk, "DELETE FROM launches")
    second = take(desk)
    assert second is not None
    assert second.tasks == MOST


def test_workers_that_hold_jobs_count_against_the_most(desk: Desk) -> None:
    run = desk.run()
    film(desk, run, 6)
    for worker in ("a", "b", "c"):
        desk.claimed(worker, "render")
    found = take(desk)
    assert found is not None
    assert found.tasks == 1
    change(desk, "DELETE FROM launches")
    desk.claimed("d", "render")
    assert take(desk) is None


def test_a_job_that_its_dead_worker_still_holds_is_work_and_no_worker(desk: Desk) -> None:
    film(desk, desk.run())
    desk.claimed("a", "render")
    assert take(desk, most=1) is None
    desk.lease_runs_out()
    assert take(desk, most=1) is not None


@pytest.mark.parametrize(
    "instead",
    [
        "UPDATE jobs SET run_after = now() + interval '1 minute'",
        "UPDATE jobs SET attempt = max_attempts",
        "UPDATE runs SET paused_because = 'The budget is used up.'",
        "UPDATE runs SET cancel_requested = true",
        "INSERT INTO switches (name, reason) VALUES ('spending', 'The month is over.')",
    ],
)
def test_a_job_that_nobody_may_claim_starts_nothing(desk: Desk, instead: str) -> None:
    film(desk, desk.run())
    change(desk, instead)
    assert desk.scalar("SELECT count(*) FROM jobs WHERE state = 'queued'") == 1
    assert take(desk) is None
    assert desk.claim(lane="render") is None, "a worker would find it, so it should be started"


def test_a_switch_whose_time_is_over_stops_nothing(desk: Desk) -> None:
    film(desk, desk.run())
    change(desk, "INSERT INTO switches (name, reason, until) VALUES ('spending', 'x', now() - interval '1 s')")
    assert take(desk) is not None


def test_while_a_start_is_under_way_nobody_starts_again(desk: Desk) -> None:
    film(desk, desk.run(), 2)
    first = take(desk)
    assert first is not None
    assert take(desk) is None
    change(desk, "UPDATE launches SET lease_until = now() - interval '1 s'")
    second = take(desk)
    assert second is not None
    assert second.token != first.token


def test_each_lane_has_a_lease_of_its_own(desk: Desk) -> None:
    run = desk.run()
    film(desk, run)
    desk.enqueue(run)
    assert take(desk, "render") is not None
    assert take(desk, "author") is not None


def test_more_is_started_only_when_every_task_of_the_first_start_has_arrived(desk: Desk) -> None:
    film(desk, desk.run(), 2)
    assert take(desk) is not None
    arrive(desk)
    assert take(desk) is None
    arrive(desk)
    assert take(desk) is not None


def test_an_arrival_that_nobody_waits_for_is_harmless(desk: Desk) -> None:
    arrive(desk)
    film(desk, desk.run())
    assert take(desk) is not None
    for _ in range(3):
        arrive(desk)
    assert desk.scalar("SELECT tasks FROM launches") == 0


def test_a_failed_start_gives_the_lease_back_and_only_its_own(desk: Desk) -> None:
    film(desk, desk.run())
    first = take(desk)
    assert first is not None
    assert desk.do(lambda session: launches.failed(session, "render", first.token))
    second = take(desk)
    assert second is not None
    assert not desk.do(lambda session: launches.failed(session, "render", first.token))
    assert take(desk) is None


def test_the_name_of_the_execution_is_kept_for_the_start_it_belongs_to(desk: Desk) -> None:
    film(desk, desk.run())
    first = take(desk)
    assert first is not None
    assert desk.do(lambda session: launches.started(session, "render", first.token, "render-1"))
    assert desk.scalar("SELECT execution FROM launches") == "render-1"
    assert not desk.do(lambda session: launches.started(session, "render", uuid.uuid4(), "render-2"))
    assert desk.scalar("SELECT execution FROM launches") == "render-1"


def at_once(count: int, work: Callable[[], Launch | None]) -> list[Launch | None]:
    gate = threading.Barrier(count)

    def one() -> Launch | None:
        gate.wait(30)
        return work()

    with ThreadPoolExecutor(count) as pool:
        return [done.result(60) for done in [pool.submit(one) for _ in range(count)]]


@pytest.mark.parametrize("before", ["no row", "an expired row"])
def test_of_many_launchers_at_once_one_starts(desk: Desk, before: str) -> None:
    film(desk, desk.run(), 3)
    for _ in range(10):
        change(desk, "DELETE FROM launches")
        if before == "an expired row":
            assert take(desk) is not None
            change(desk, "UPDATE launches SET lease_until = now() - interval '1 s'")
        started = [launch for launch in at_once(6, lambda: take(desk)) if launch is not None]
        assert [launch.tasks for launch in started] == [3]
