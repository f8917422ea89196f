"""The life of a job, each rule on a real PostgreSQL."""

from __future__ import annotations

import threading
import uuid

import pytest
from sqlalchemy import text

from service.db import jobs, steps
from service.db.jobs import Claim
from service.db.steps import Finished
from service.db.tables import CourseState, JobState, LessonState, RunKind, RunState
from service.domain.money import Spending
from service.errors import Canceled, Conflict, Fenced
from tests.engine.desk import AT_ONCE, Desk


def checkpoint(desk: Desk, held: Claim, name: str, out: str = '"text"', **more: object) -> None:
    step = Finished(name, "key", out, **more)  # type: ignore[arg-type]
    desk.do(lambda session: steps.checkpoint(session, held, step, desk.lease_seconds, {"what": "Writing"}))


def finish(desk: Desk, held: Claim) -> None:
    desk.do(lambda session: jobs.finish(session, held))


def fail(desk: Desk, held: Claim, *, retryable: bool = True) -> JobState:
    return desk.do(lambda session: jobs.fail(session, held, "It broke.", retryable=retryable, backoff=AT_ONCE))


def test_enqueueing_twice_gives_one_job_and_counts_its_units_once(desk: Desk) -> None:
    run_id, subject = desk.run(), uuid.uuid4()
    first = desk.enqueue(run_id, subject_id=subject, units=4)
    assert desk.enqueue(run_id, subject_id=subject, units=4) == first
    assert desk.run_row(run_id).units == 4


def test_a_claim_takes_the_most_urgent_job_of_its_own_lane(desk: Desk) -> None:
    run_id = desk.run()
    desk.enqueue(run_id, kind="film", lane="render", priority=1)
    later, sooner = desk.enqueue(run_id, priority=20), desk.enqueue(run_id, priority=10)
    assert [desk.claimed().job_id, desk.claimed().job_id] == [sooner, later]
    assert desk.claim() is None
    assert desk.run_row(run_id).state == RunState.RUNNING


def test_four_workers_claiming_at_once_never_get_the_same_job(desk: Desk) -> None:
    run_id = desk.run()
    wanted = {desk.enqueue(run_id, priority=n % 3) for n in range(60)}
    got: list[uuid.UUID] = []

    def work(name: str) -> None:
        while (held := desk.claim(name)) is not None:
            got.append(held.job_id)
            finish(desk, held)

    workers = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(got) == 60
    assert set(got) == wanted
    assert desk.run_row(run_id).state == RunState.SUCCEEDED


def test_a_job_whose_lease_ran_out_is_taken_over_under_a_new_epoch(desk: Desk) -> None:
    desk.enqueue(desk.run())
    first = desk.claimed("one")
    assert desk.claim("two") is None
    desk.lease_runs_out()
    second = desk.claimed("two")
    assert (second.job_id, second.epoch, second.attempt) == (first.job_id, first.epoch + 1, 2)


def test_nothing_that_a_late_worker_writes_is_accepted(desk: Desk) -> None:
    run_id = desk.run()
    desk.enqueue(run_id, units=2)
    late = desk.claimed("late")
    desk.lease_runs_out()
    desk.claimed("present")
    before = desk.scalar("SELECT row_to_json(j)::text FROM jobs j")
    writes = [
        lambda session: steps.checkpoint(session, late, Finished("one", "k", "1"), 60.0),
        lambda session: jobs.finish(session, late),
        lambda session: jobs.fail(session, late, "late", retryable=True),
        lambda session: jobs.release(session, late),
        lambda session: jobs.advance(session, late, 1),
        lambda session: jobs.renew(session, late, 60.0),
        lambda session: jobs.guard(session, late, 60.0),
    ]
    for write in writes:
        with pytest.raises(Fenced):
            desk.do(write)
    assert desk.scalar("SELECT count(*) FROM steps") == 0
    assert desk.scalar("SELECT row_to_json(j)::text FROM jobs j") == before


def test_a_checkpoint_saves_step_price_and_progress_together(desk: Desk) -> None:
    run_id = desk.run()
    desk.enqueue(run_id, units=4)
    held = desk.claimed()
    checkpoint(desk, held, "write", spent=(Spending("tokens", 1200, "token", 180),))
    assert desk.scalar("SELECT sum(micro_dollars) FROM ledger") == 180
    assert desk.run_row(run_id).percent == 25
    told = {"what": "Writing", "percent": 25, "spent": 180}
    assert [(event.seq, event.data) for event in desk.events(run_id)] == [(1, told)], "the meter counts what is told"


def test_a_step_that_is_done_twice_is_paid_and_counted_once(desk: Desk) -> None:
    run_id = desk.run()
    desk.enqueue(run_id, units=4)
    held = desk.claimed()
    for _ in range(2):
        checkpoint(desk, held, "write", spent=(Spending("tokens", 1200, "token", 180),))
    assert desk.scalar("SELECT count(*) FROM ledger") == 1
    assert desk.run_row(run_id).done == 1


def test_a_saved_step_is_found_by_its_key_and_not_under_another(desk: Desk) -> None:
    desk.enqueue(desk.run())
    held = desk.claimed()
    checkpoint(desk, held, "write", '{"a": 1}')
    found = desk.do(lambda session: steps.saved(session, held, "write", "key"))
    assert found is not None
    assert found.out == {"a": 1}
    assert desk.do(lambda session: steps.saved(session, held, "write", "other key")) is None


def test_a_failure_is_tried_again_until_the_attempts_are_used_up(desk: Desk) -> None:
    job_id = desk.enqueue(desk.run())
    states = [fail(desk, desk.claimed()) for _ in range(3)]
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.DEAD]
    assert desk.job(job_id).error == "It broke."


def test_a_failure_that_no_retry_mends_is_final_at_once(desk: Desk) -> None:
    desk.enqueue(desk.run())
    assert fail(desk, desk.claimed(), retryable=False) == JobState.DEAD


def test_a_failed_job_rests_for_a_random_time_below_a_doubling_bound() -> None:
    rests = {attempt: [jobs.BACKOFF.seconds(attempt) for _ in range(200)] for attempt in (1, 2, 9)}
    assert 7 < max(rests[1]) <= 15 < max(rests[2]) <= 30
    assert max(rests[9]) <= 600
    assert min(rests[9]) < 300


def test_a_job_that_kills_its_workers_is_dead_after_three_and_others_are_unharmed(desk: Desk) -> None:
    run_id, lesson_id = desk.run(), desk.lesson()
    poison = desk.enqueue(run_id, subject_id=lesson_id, priority=1)
    healthy = desk.enqueue(run_id, priority=2)
    for _ in range(3):
        assert desk.claimed().job_id == poison
        desk.lease_runs_out()
    held = desk.claimed()
    assert held.job_id == healthy
    assert desk.job(poison).state == JobState.DEAD
    assert desk.scalar("SELECT state FROM lessons") == LessonState.FAILED
    finish(desk, held)
    run = desk.run_row(run_id)
    assert (run.state, run.error) == (RunState.FAILED, "Its worker died 3 times.")
    assert [event.kind for event in desk.events(run_id)][-1] == "failed"


def test_a_job_without_attempts_left_is_not_claimed(desk: Desk) -> None:
    desk.enqueue(desk.run())
    desk.do(lambda session: session.execute(text("UPDATE jobs SET attempt = max_attempts")))
    assert desk.claim() is None


def test_what_waits_for_a_dead_job_is_canceled_so_that_the_run_ends(desk: Desk) -> None:
    run_id, lesson_id = desk.run(), desk.lesson()
    desk.enqueue(run_id, subject_id=lesson_id)
    film = desk.enqueue(run_id, kind="film", lane="render", subject_id=lesson_id, blocked=True)
    fail(desk, desk.claimed(), retryable=False)
    assert desk.job(film).state == JobState.CANCELED
    assert desk.run_row(run_id).state == RunState.FAILED


def test_a_dead_job_that_is_redriven_carries_its_run_to_success(desk: Desk) -> None:
    run_id, lesson_id = desk.run(), desk.lesson()
    job_id = desk.enqueue(run_id, subject_id=lesson_id)
    late = desk.claimed()
    fail(desk, late, retryable=False)
    desk.do(lambda session: jobs.redrive(session, job_id))
    assert desk.scalar("SELECT state FROM lessons") == LessonState.QUEUED
    with pytest.raises(Fenced):
        finish(desk, late)
    held = desk.claimed()
    assert held.attempt == 1
    finish(desk, held)
    assert desk.run_row(run_id).state == RunState.SUCCEEDED
    with pytest.raises(Conflict):
        desk.do(lambda session: jobs.redrive(session, job_id))


def test_what_waited_for_a_job_that_is_redriven_waits_again_and_the_course_becomes_ready(desk: Desk) -> None:
    run_id, lesson_id = desk.run(), desk.lesson()
    write = desk.enqueue(run_id, subject_id=lesson_id)
    film = desk.enqueue(run_id, kind="film", lane="render", subject_id=lesson_id, blocked=True)
    fail(desk, desk.claimed(), retryable=False)
    desk.do(lambda session: jobs.redrive(session, write))
    assert desk.job(film).state == JobState.BLOCKED
    assert desk.scalar("SELECT state FROM courses") == CourseState.GENERATING
    assert desk.do(lambda session: jobs.unblock(session, run_id, "film", lesson_id))
    finish(desk, desk.claimed())
    assert desk.run_row(run_id).state == RunState.RUNNING
    finish(desk, desk.claimed(lane="render"))
    assert desk.run_row(run_id).state == RunState.SUCCEEDED
    assert desk.scalar("SELECT state FROM courses") == CourseState.READY


def test_a_dead_job_of_a_course_that_was_worked_on_since_is_left_alone(desk: Desk) -> None:
    job_id = desk.enqueue(desk.run(), subject_id=desk.lesson())
    fail(desk, desk.claimed(), retryable=False)
    desk.run()
    with pytest.raises(Conflict, match="on its own page"):
        desk.do(lambda session: jobs.redrive(session, job_id))
    assert desk.job(job_id).state == JobState.DEAD


def test_a_job_handed_back_is_claimed_at_once_and_its_attempt_did_not_count(desk: Desk) -> None:
    desk.enqueue(desk.run())
    held = desk.claimed()
    desk.do(lambda session: jobs.release(session, held))
    assert desk.claimed().attempt == 1
    with pytest.raises(Fenced):
        finish(desk, held)


def test_a_cancellation_ends_what_waits_at_once_and_what_runs_at_its_next_word(desk: Desk) -> None:
    run_id = desk.run()
    desk.enqueue(run_id, priority=1)
    waiting = desk.enqueue(run_id, priority=2)
    blocked = desk.enqueue(run_id, kind="film", lane="render", blocked=True)
    held = desk.claimed()
    desk.do(lambda session: jobs.request_cancel(session, run_id))
    assert {desk.job(waiting).state, desk.job(blocked).state} == {JobState.CANCELED}
    assert desk.run_row(run_id).state == RunState.RUNNING
    assert isinstance(desk.do(lambda session: jobs.renew(session, held, 60.0)), Canceled)
    with pytest.raises(Canceled):
        desk.do(lambda session: jobs.guard(session, held, 60.0))
    assert desk.claim() is None


def test_a_cancellation_wins_over_a_retry(desk: Desk) -> None:
    run_id = desk.run()
    job_id = desk.enqueue(run_id)
    held = desk.claimed()
    desk.do(lambda session: jobs.request_cancel(session, run_id))
    assert fail(desk, held) == JobState.CANCELED
    assert desk.job(job_id).attempt == 1
    assert desk.run_row(run_id).state == RunState.CANCELED
    assert [event.kind for event in desk.events(run_id)] == ["canceled"]


def test_a_worker_that_dies_in_a_canceled_run_leaves_it_canceled(desk: Desk) -> None:
    run_id = desk.run()
    desk.enqueue(run_id)
    desk.claimed()
    desk.do(lambda session: jobs.request_cancel(session, run_id))
    desk.lease_runs_out()
    assert desk.claim() is None
    assert desk.run_row(run_id).state == RunState.CANCELED
    assert desk.scalar("SELECT state FROM courses") == CourseState.PLANNED


def test_a_job_unblocked_after_the_cancellation_is_canceled_too(desk: Desk) -> None:
    run_id, subject = desk.run(), uuid.uuid4()
    film = desk.enqueue(run_id, kind="film", lane="render", subject_id=subject, blocked=True)
    desk.do(lambda session: session.execute(text("UPDATE runs SET cancel_requested = true")))
    assert desk.do(lambda session: jobs.unblock(session, run_id, "film", subject)) is True
    assert desk.claim(lane="render") is None
    assert desk.job(film).state == JobState.CANCELED
    assert desk.run_row(run_id).state == RunState.CANCELED


def test_a_run_that_was_stopped_or_has_ended_takes_no_more_jobs(desk: Desk) -> None:
    stopped, ended = desk.run(), desk.run()
    desk.enqueue(stopped)
    desk.claimed()
    desk.do(lambda session: jobs.request_cancel(session, stopped))
    with pytest.raises(Canceled):
        desk.enqueue(stopped)
    desk.enqueue(ended)
    finish(desk, desk.claimed())
    with pytest.raises(Conflict):
        desk.enqueue(ended)
    assert desk.do(lambda session: jobs.request_cancel(session, ended)) is False


def test_the_last_of_two_jobs_ending_at_once_ends_the_run(desk: Desk) -> None:
    for _ in range(10):
        run_id = desk.run(RunKind.INGEST)
        for n in range(2):
            desk.enqueue(run_id, priority=n)
        held = [desk.claimed() for _ in range(2)]
        for claim in held:
            desk.do(lambda session, claim=claim: jobs.advance(session, claim, 1))
        ending = [threading.Thread(target=finish, args=(desk, claim)) for claim in held]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join()
        assert desk.run_row(run_id).state == RunState.SUCCEEDED
        assert [event.kind for event in desk.events(run_id)][-1:] == ["done"]


def test_the_percentage_never_falls_and_reaches_100_only_with_success(desk: Desk) -> None:
    run_id = desk.run()
    desk.enqueue(run_id, units=2, priority=1)
    held = desk.claimed()
    checkpoint(desk, held, "one")
    assert desk.run_row(run_id).percent == 50
    desk.enqueue(run_id, units=8, priority=2)
    checkpoint(desk, held, "two")
    finish(desk, held)
    assert desk.run_row(run_id).percent == 50
    held = desk.claimed()
    desk.do(lambda session: jobs.advance(session, held, 8))
    assert desk.run_row(run_id).percent == 99
    finish(desk, held)
    assert desk.run_row(run_id).percent == 100
    shown = [event.data["percent"] for event in desk.events(run_id)]
    assert shown == sorted(shown)
    assert desk.events(run_id)[-1].data == {"what": "The course is ready.", "percent": 100, "spent": 0}
    assert desk.scalar("SELECT state FROM courses") == CourseState.READY


def test_units_that_are_told_are_counted_once_and_never_backwards(desk: Desk) -> None:
    run_id = desk.run()
    desk.enqueue(run_id, units=10)
    held = desk.claimed()
    for told in (3, 2, 3, 7, 99):
        desk.do(lambda session, told=told: jobs.advance(session, held, told))
    assert desk.run_row(run_id).done == 10
    finish(desk, held)
    assert desk.run_row(run_id).done == 10


def test_one_transaction_leaves_one_ring_for_each_lane(desk: Desk) -> None:
    run_id = desk.run()

    def add(session: object) -> None:
        for n in range(3):
            jobs.enqueue(session, run_id, kind=f"k{n}", lane="author", subject_id=uuid.uuid4())  # type: ignore[arg-type]

    desk.do(add)
    desk.enqueue(run_id, kind="film", lane="render", blocked=True)
    assert desk.scalar("SELECT array_agg(payload->>'lane') FROM outbox") == ["author"]
