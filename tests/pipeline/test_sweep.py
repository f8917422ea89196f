"""The sweep: whatever was lost, killed or left behind is found and put right, each part by itself."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from infra.guard import GAUGES
from service.db import money
from service.db.alone import alone
from service.db.tables import (
    Course,
    CourseState,
    Lesson,
    LessonState,
    Media,
    RateLimit,
    Run,
    RunKind,
    Switch,
)
from service.db.tables import Session as SignedIn
from service.domain.money import Caps
from service.domain.storyboard import Film
from service.errors import Broken, Unavailable
from service.pipeline.sweep import PARTS, sweep, sweeping
from service.ports import Services, StorageService
from service.settings import Settings
from tests.engine.desk import Desk
from tests.pipeline.cloud import Bell, Platform
from tests.written_log import written_log

CAPS = Caps(site_month=1_000_000, user_month=1_000_000, user_day=1_000_000)


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def services(desk: Desk, bell: Bell, platform: Platform, settings: Settings, storage: StorageService) -> Services:
    unused = cast(Any, None)
    return Services(
        settings=settings,
        engine=desk.engine,
        storage=storage,
        doorbell=bell,
        launcher=platform,
        author=unused,
        vectors=unused,
        embedder=None,
        speech=unused,
        stills=unused,
        mailer=unused,
    )


def change(desk: Desk, statement: str, **given: object) -> None:
    desk.do(lambda session: session.execute(text(statement), given))


def count(desk: Desk, table: str, where: str = "true") -> int:
    return int(desk.scalar(f"SELECT count(*) FROM {table} WHERE {where}"))


# --- what a crash leaves behind ---


def test_a_lost_ring_delays_but_does_not_lose_a_job(
    services: Services, desk: Desk, bell: Bell, platform: Platform
) -> None:
    desk.enqueue(desk.run())
    sweep(services)
    assert bell.lanes == ["author"]
    assert platform.started == [("author", 1)]
    sweep(services)
    assert (bell.lanes, platform.started) == (["author"], [("author", 1)])


def test_more_rings_than_one_batch_holds_are_all_sent(services: Services, desk: Desk) -> None:
    change(
        desk,
        """INSERT INTO outbox (id, key, payload) SELECT gen_random_uuid(), n::text,
                    jsonb_build_object('lane', 'author', 'run_id', gen_random_uuid()) FROM generate_series(1, 250) n""",
    )
    sweep(services)
    assert count(desk, "outbox", "sent_at IS NULL") == 0


def test_a_start_that_came_to_nothing_is_made_again_when_its_lease_has_run_out(
    services: Services, desk: Desk, platform: Platform
) -> None:
    desk.enqueue(desk.run())
    sweep(services)
    change(desk, "UPDATE launches SET lease_until = now() - interval '1 s'")
    sweep(services)
    assert platform.started == [("author", 1), ("author", 1)]


def test_standing_workers_are_not_started_by_the_sweep(services: Services, desk: Desk, platform: Platform) -> None:
    platform.standing = True
    desk.enqueue(desk.run())
    sweep(services)
    assert not platform.started


def test_a_job_whose_last_worker_died_ends_its_run_where_nobody_claims(services: Services, desk: Desk) -> None:
    runs = [desk.run() for _ in range(25)]  # more than one transaction takes
    for run in runs:
        desk.enqueue(run, kind="film", lane="render")
    change(
        desk,
        """UPDATE jobs SET state = 'running', attempt = max_attempts, worker = 'gone',
                                    lease_until = now() - interval '1 s'""",
    )
    sweep(services)
    assert count(desk, "jobs", "state = 'dead'") == 25
    assert {desk.run_row(run).state for run in runs} == {"failed"}


# --- money ---


def held(desk: Desk) -> int:
    return int(desk.scalar("SELECT coalesce(sum(reserved_micro_dollars), 0) FROM budgets"))


def reserve(desk: Desk, run: uuid.UUID, micro: int) -> None:
    desk.do(lambda session: money.reserve(session, session.get_one(Run, run), micro, CAPS))


def test_what_is_held_for_ended_runs_is_given_back_and_for_living_ones_kept(services: Services, desk: Desk) -> None:
    ended, living = desk.run(), desk.run()
    reserve(desk, ended, 300)
    reserve(desk, living, 500)
    change(desk, "UPDATE runs SET state = 'failed' WHERE id = :run", run=ended)
    change(desk, "UPDATE runs SET state = 'running' WHERE id = :run", run=living)
    sweep(services)
    assert desk.run_row(ended).reserved_micro_dollars == 0
    assert desk.run_row(living).reserved_micro_dollars == 500
    assert held(desk) == 3 * 500


def test_what_was_held_for_a_removed_course_is_given_back(services: Services, desk: Desk) -> None:
    reserve(desk, desk.run(), 300)
    change(desk, "DELETE FROM courses")
    assert held(desk) == 3 * 300
    sweep(services)
    assert held(desk) == 0


# --- films ---


def filmed(desk: Desk, storage: StorageService, *, lost: bool, state: str = LessonState.COMPLETED) -> uuid.UUID:
    lesson_id, key = desk.lesson(), f"video/{uuid.uuid4().hex}.mp4"

    def add(session: Session) -> None:
        lesson = session.get_one(Lesson, lesson_id)
        lesson.state = state
        session.get_one(Course, desk.course_id).state = CourseState.PUBLISHED
        made = Film(lesson_id=str(lesson_id), seconds=1.0)
        names = {name: key for name in ("video_key", "captions_key", "chapters_key", "transcript_key", "poster_key")}
        session.add(Media(id=uuid.uuid4(), lesson_id=lesson_id, storyboard_sha256="x", film=made, **names))

    desk.do(add)
    if not lost:
        storage.put(key, b"film", "video/mp4")
    return lesson_id


def test_a_lesson_whose_film_is_gone_is_filmed_again(
    services: Services, desk: Desk, storage: StorageService, platform: Platform
) -> None:
    lost, kept = filmed(desk, storage, lost=True), filmed(desk, storage, lost=False)
    sweep(services)
    job = desk.claimed(lane="render")
    assert (job.kind, job.subject_id) == ("film", lost)
    assert desk.claim(lane="render") is None
    states = {row.id: row.state for row in desk.do(lambda session: session.query(Lesson).all())}
    assert states == {lost: LessonState.WRITTEN, kept: LessonState.COMPLETED}
    assert desk.do(lambda session: session.get_one(Course, desk.course_id)).state == CourseState.PUBLISHED
    assert count(desk, "media") == 1
    sweep(services)
    assert count(desk, "jobs") == 1
    assert ("render", 1) not in platform.started  # the claim above is its worker


def test_a_lesson_that_somebody_is_making_anew_is_left_alone(
    services: Services, desk: Desk, storage: StorageService
) -> None:
    filmed(desk, storage, lost=True, state=LessonState.QUEUED)
    filmed(desk, storage, lost=True)
    desk.run(RunKind.GENERATE)
    sweep(services)
    assert (count(desk, "jobs"), count(desk, "media")) == (0, 2)


def test_older_films_are_asked_for_only_by_chance(
    services: Services, desk: Desk, storage: StorageService, monkeypatch: pytest.MonkeyPatch
) -> None:
    filmed(desk, storage, lost=True)
    change(desk, "UPDATE media SET created_at = now() - interval '1 day'")
    monkeypatch.setattr("random.random", lambda: 0.99)
    sweep(services)
    assert count(desk, "jobs") == 0
    monkeypatch.setattr("random.random", lambda: 0.0)
    sweep(services)
    assert count(desk, "jobs") == 1


# --- what is old ---


def test_what_nobody_asks_for_any_more_is_removed_and_the_rest_stays(services: Services, desk: Desk) -> None:
    old, new = desk.run(), desk.run()
    later = datetime(2100, 1, 1, tzinfo=UTC)
    before = datetime(2020, 1, 1, tzinfo=UTC)

    def add(session: Session) -> None:
        for when in (before, later):
            session.add(SignedIn(id=uuid.uuid4(), sid_hash=str(when), user_id=desk.owner_id, expires_at=when))
            session.add(RateLimit(subject="x", window_start=when))
            session.add(Switch(name=str(when), reason="x", until=when))
        session.add(Switch(name="by hand", reason="x"))

    desk.do(add)
    for run in (old, new):
        change(desk, "INSERT INTO events (run_id, seq, kind, data) VALUES (:run, 1, 'progress', '{}')", run=run)
    change(desk, "UPDATE runs SET state = 'succeeded', finished_at = now() - interval '31 days' WHERE id = :r", r=old)
    change(desk, "UPDATE runs SET state = 'succeeded', finished_at = now() - interval '29 days' WHERE id = :r", r=new)
    change(
        desk,
        """INSERT INTO outbox (id, key, payload, sent_at)
                    VALUES (gen_random_uuid(), 'a', '{}', now() - interval '8 days'),
                           (gen_random_uuid(), 'b', '{}', now() - interval '6 days')""",
    )
    sweep(services)
    assert desk.scalar("SELECT array_agg(run_id) FROM events") == [new]
    assert desk.scalar("SELECT array_agg(key) FROM outbox") == ["b"]
    assert (count(desk, "sessions"), count(desk, "rate_limits"), count(desk, "switches")) == (1, 1, 2)
    assert count(desk, "runs") == 2


# --- each part by itself, one sweep at a time ---


@pytest.mark.parametrize("broken", list(PARTS))
def test_a_part_that_fails_is_logged_and_stops_no_other(
    services: Services, desk: Desk, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def part(name: str, error: Exception | None) -> Any:
        def do(_: Services, __: float) -> int:
            done.append(name)
            if error is not None:
                raise error
            return 1

        return do

    errors = {broken: Broken("It is out of order. Repair it.")}
    sweep(services, {name: part(name, errors.get(name)) for name in PARTS})
    assert done == list(PARTS)
    assert any(broken in record.getMessage() and record.levelno == logging.ERROR for record in caplog.records)
    assert count(desk, "budgets") == 0


def test_a_doorbell_and_a_platform_that_are_down_leave_the_rest_done(
    services: Services, desk: Desk, bell: Bell, platform: Platform
) -> None:
    desk.enqueue(desk.run())
    change(desk, "INSERT INTO switches (name, reason, until) VALUES ('x', 'x', now() - interval '1 s')")
    bell.deaf_to, platform.down = {"author"}, Unavailable("It does not answer. Try again later.")
    assert sweep(services).outbox_lag_seconds >= 0
    assert count(desk, "outbox", "sent_at IS NULL") == 1
    assert count(desk, "switches") == 0
    bell.deaf_to, platform.down = set(), None
    change(desk, "UPDATE launches SET lease_until = now() - interval '1 s'")
    sweep(services)
    assert platform.started == [("author", 1)]


def test_two_sweeps_at_once_are_one(services: Services, desk: Desk, bell: Bell, platform: Platform) -> None:
    desk.enqueue(desk.run())
    bell.busy = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(sweep, services)
        assert bell.entered.wait(30)
        started = len(platform.started)
        assert sweep(services).dead_jobs == 0
        assert len(platform.started) == started
        bell.busy.set()
        first.result(30)
    assert (bell.lanes, platform.started) == (["author"], [("author", 1)])
    with alone(desk.engine, "sweep") as mine:
        assert mine, "the lock was left behind"


def test_a_sweeper_that_dies_leaves_no_lock_behind(desk: Desk, database: str) -> None:
    other = create_engine(database)
    with alone(other, "sweep") as mine:
        assert mine
        with alone(desk.engine, "sweep") as also:
            assert not also
        change(desk, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        for _ in range(100):
            with alone(desk.engine, "sweep") as also:
                if also:
                    break
            threading.Event().wait(0.1)
        assert also
    other.dispose()


def test_no_transaction_is_open_while_the_platform_is_called(
    services: Services, desk: Desk, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.enqueue(desk.run())
    seen: list[int] = []
    asked = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
    monkeypatch.setattr(platform, "launch", lambda *_: str(seen.append(desk.scalar(asked))))
    sweep(services)
    assert seen == [0]


def test_without_time_nothing_begins_and_the_gauges_are_read(
    services: Services, desk: Desk, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.pipeline.sweep.LONGEST_SECONDS", 0.0)
    desk.enqueue(desk.run())
    assert sweep(services).outbox_lag_seconds >= 0
    assert not platform.started


def test_a_database_that_is_away_is_said_so(services: Services) -> None:
    nowhere = create_engine("postgresql+pg8000://nobody@127.0.0.1:1/nothing")
    with pytest.raises(Unavailable):
        sweep(replace(services, engine=nowhere))


# --- on a laptop ---


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.02)


def with_sweeps_every(services: Services, seconds: float) -> Services:
    return replace(services, settings=services.settings.model_copy(update={"sweep_seconds": seconds}))


def sweepers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "sweep"]


def test_a_laptops_site_sweeps_by_itself_again_and_again_and_ends_in_order(services: Services, desk: Desk) -> None:
    with sweeping(with_sweeps_every(services, 0.05)):
        for _ in range(2):
            desk.enqueue(desk.run())
            until(lambda: count(desk, "outbox", "sent_at IS NULL") == 0)
    assert not sweepers()


def test_a_database_that_rests_ends_no_sweeper(
    services: Services, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = create_engine("postgresql+pg8000://nobody@127.0.0.1:1/nothing")
    with sweeping(replace(with_sweeps_every(services, 0.05), engine=nowhere)):
        until(lambda: sum("left out" in record.getMessage() for record in caplog.records) >= 2)
        assert sweepers()
    assert not sweepers()


def test_nobody_sweeps_by_himself_where_a_schedule_calls(services: Services) -> None:
    with sweeping(with_sweeps_every(services, 0)):
        assert not sweepers()


# --- the line that the alarms read ---


def test_the_gauges_line_is_what_the_clouds_metrics_look_for(
    services: Services, desk: Desk, settings: Settings
) -> None:
    """infra/guard.py filters by jsonPayload.event="gauges" and extracts each field as a number."""
    desk.enqueue(desk.run())
    with written_log(settings.model_copy(update={"environment": "production", "log_level": "info"})) as lines:
        sweep(services)
    (found,) = [line for line in lines.all() if line.get("event") == "gauges"]
    for gauge in GAUGES:
        if gauge.above is not None:  # what only has a chart may be missing
            assert isinstance(found[gauge.field], int | float), gauge.field
    assert found["severity"] == "INFO"
    assert "render_seconds_per_video_minute" not in found  # nothing was filmed
