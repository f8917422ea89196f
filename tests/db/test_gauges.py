"""The gauges: each moves with the trouble that it stands for, and with nothing else."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from service.db.events import say
from service.db.gauges import Gauges, read_gauges
from tests.engine.desk import Desk

CAP = 20_000_000


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def gauges(desk: Desk, cap: int = CAP) -> Gauges:
    return desk.do(lambda session: read_gauges(session, cap))


def change(desk: Desk, statement: str, **given: object) -> None:
    desk.do(lambda session: session.execute(text(statement), given))


def test_a_site_at_rest_has_nothing_to_report(desk: Desk) -> None:
    assert gauges(desk) == Gauges(0.0, 0.0, 0, 0.0, None)
    assert "render_seconds_per_video_minute" not in gauges(desk).fields()


@pytest.mark.parametrize("at_work", [False, True])
def test_a_due_job_ages_until_it_has_ended(desk: Desk, at_work: bool) -> None:
    desk.enqueue(desk.run())
    desk.enqueue(desk.run(), blocked=True, kind="film", lane="render")
    change(desk, "UPDATE jobs SET run_after = now() - interval '100 s' WHERE state = 'queued'")
    if at_work:
        desk.claimed()
    assert 100 <= gauges(desk).oldest_unfinished_seconds < 160
    change(desk, "UPDATE jobs SET state = 'succeeded', lease_until = NULL, finished_at = now() WHERE kind = 'write'")
    assert gauges(desk).oldest_unfinished_seconds == 0


@pytest.mark.parametrize(
    "instead",
    [
        "UPDATE jobs SET run_after = now() + interval '5 minutes'",
        "UPDATE runs SET paused_because = 'The budget is used up.'",
        "INSERT INTO switches (name, reason) VALUES ('spending', 'The month is over.')",
    ],
)
def test_work_that_waits_for_its_time_or_for_a_person_raises_no_alarm(desk: Desk, instead: str) -> None:
    desk.enqueue(desk.run())
    change(desk, "UPDATE jobs SET run_after = now() - interval '1 hour', created_at = now() - interval '2 hours'")
    change(desk, instead)
    assert gauges(desk).oldest_unfinished_seconds == 0


def test_an_unsent_ring_lags_and_a_sent_one_does_not(desk: Desk) -> None:
    desk.enqueue(desk.run())
    change(desk, "UPDATE outbox SET created_at = now() - interval '400 s'")
    assert 400 <= gauges(desk).outbox_lag_seconds < 460
    change(desk, "UPDATE outbox SET sent_at = now()")
    assert gauges(desk).outbox_lag_seconds == 0


def test_the_days_dead_jobs_are_counted(desk: Desk) -> None:
    for _ in range(3):
        desk.enqueue(desk.run())
    change(desk, "UPDATE jobs SET state = 'dead', finished_at = now()")
    assert gauges(desk).dead_jobs == 3
    one = "SELECT id FROM jobs ORDER BY id LIMIT 1"
    change(desk, f"UPDATE jobs SET finished_at = now() - interval '25 hours' WHERE id = ({one})")
    assert gauges(desk).dead_jobs == 2


def test_the_budgets_share_counts_what_is_spent_and_what_is_held_of_this_month(desk: Desk) -> None:
    change(
        desk,
        """INSERT INTO budgets (scope, period, spent_micro_dollars, reserved_micro_dollars)
           VALUES ('site', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM'), 9000000, 7000000),
                  ('site', '2020-01', 50000000, 0),
                  ('user:x', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM'), 50000000, 0)""",
    )
    assert gauges(desk).budget_share == 0.8
    assert gauges(desk, cap=0).budget_share == 1.0
    change(desk, "DELETE FROM budgets")
    assert gauges(desk, cap=0).budget_share == 0.0


def test_films_say_what_a_minute_of_video_takes(desk: Desk) -> None:
    run, lessons = desk.run(), [uuid.uuid4(), uuid.uuid4()]
    for lesson in lessons:
        desk.enqueue(run, kind="film", lane="render", subject_id=lesson)
    change(desk, "UPDATE jobs SET state = 'succeeded', finished_at = now()")

    def filmed(session: Session) -> None:
        for lesson, wall, video in zip(lessons, (30.0, 15.0), (120.0, 60.0), strict=True):
            effort = {"wall_seconds": wall, "video_seconds": video}
            say(session, run, "lesson", {"lesson_id": lesson, "lesson_state": "completed", "filmed": effort})
        say(session, run, "lesson", {"lesson_id": lessons[0], "lesson_state": "filming"})

    desk.do(filmed)
    assert gauges(desk).render_seconds_per_video_minute == 15.0
    change(desk, "UPDATE jobs SET finished_at = now() - interval '2 days'")
    assert gauges(desk).render_seconds_per_video_minute is None
