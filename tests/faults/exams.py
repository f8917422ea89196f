"""Short scripts that stage one hazard exactly: the good engine passes each, and each is failed by its mutants.

Where the fault run waits for a hazard to happen, these bring it about, so that they take a moment and never vary.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import exc, text
from sqlalchemy.orm import Session

from service.db import events, jobs, steps
from service.db.jobs import Claim
from service.db.lane import Handler, run_lane
from service.db.steps import Finished
from service.db.tables import JobState, RunState
from service.db.task import Task
from service.domain.money import Spending
from service.errors import Fenced, Unavailable
from service.settings import Settings
from tests.engine.desk import AT_ONCE, Desk

PAID = Finished("one", "key", '"out"', 1, (Spending("tokens", 1, "token", 5),))
Exam = Callable[[Desk, Settings], None]


def late(desk: Desk) -> Claim:
    """A claim that its worker slept on: the lease ran out, and another worker holds the job."""
    desk.enqueue(desk.run(), units=2)
    old = desk.claimed("sleeper")
    desk.lease_runs_out()
    assert desk.claimed("other").job_id == old.job_id
    return old


def refused(desk: Desk, write: Callable[[Session], Any]) -> bool:
    try:
        desk.do(write)
    except Fenced:
        return True
    return False


def lane_works(desk: Desk, settings: Settings, handlers: Mapping[str, Handler], **changes: object) -> None:
    quick = settings.model_copy(update={"idle_exit_seconds": 0.2, "poll_seconds": 0.02, **changes})
    run_lane(desk.engine, "author", handlers, settings=quick, stop=threading.Event(), backoff=AT_ONCE)


# --- late writes ---


def a_late_checkpoint_is_refused(desk: Desk, _: Settings) -> None:
    old = late(desk)
    assert refused(desk, lambda session: steps.checkpoint(session, old, PAID, 60.0))
    assert desk.scalar("SELECT (SELECT count(*) FROM steps) + (SELECT count(*) FROM ledger)") == 0


def a_late_finish_is_refused(desk: Desk, _: Settings) -> None:
    old = late(desk)
    assert refused(desk, lambda session: jobs.finish(session, old))
    assert desk.job(old.job_id).state == JobState.RUNNING


def a_late_failure_and_a_late_return_are_refused(desk: Desk, _: Settings) -> None:
    old = late(desk)
    assert refused(desk, lambda session: jobs.fail(session, old, "broken", retryable=True))
    assert refused(desk, lambda session: jobs.release(session, old))
    assert desk.job(old.job_id).worker == "other"


def what_a_late_worker_commits_is_refused(desk: Desk, _: Settings) -> None:
    old = late(desk)
    task = Task(desk.engine, old, 60.0)
    with contextlib.suppress(Fenced):
        task.commit(lambda session: events.say(session, old.run_id, "progress", {"what": "too late"}))
    assert desk.events(old.run_id) == []


# --- claiming ---


def a_job_that_ends_while_it_is_reaped_stays_ended(desk: Desk, _: Settings) -> None:
    job_id = desk.enqueue(desk.run())
    for _ in range(3):
        held = desk.claimed()
        desk.lease_runs_out()
    assert held.attempt == held.max_attempts
    with Session(desk.engine) as finishing:
        jobs.finish(finishing, held)  # its row is locked, and not yet committed
        reaper = threading.Thread(target=lambda: desk.do(jobs.reap))
        reaper.start()
        wait_until(lambda: not reaper.is_alive() or waits_for_a_lock(desk))
        finishing.commit()
    reaper.join(20.0)
    assert desk.job(job_id).state == JobState.SUCCEEDED
    assert desk.run_row(held.run_id).state == RunState.SUCCEEDED


def two_workers_that_claim_at_once_do_not_meet(desk: Desk, _: Settings) -> None:
    desk.enqueue(desk.run())
    with Session(desk.engine) as first, Session(desk.engine) as second:
        assert jobs.claim(first, "author", "a", 60.0) is not None
        second.execute(text("SET LOCAL lock_timeout = '500ms'"))
        try:
            found = jobs.claim(second, "author", "b", 60.0)
        except exc.DBAPIError:
            raise AssertionError("the second worker waits for the first") from None
        assert found is None


def an_abandoned_job_is_taken_up(desk: Desk, _: Settings) -> None:
    desk.enqueue(desk.run())
    held = desk.claimed()
    assert desk.claim() is None
    desk.lease_runs_out()
    again = desk.claim()
    assert again is not None
    assert (again.job_id, again.epoch > held.epoch) == (held.job_id, True)


def a_job_that_kills_its_worker_stops_after_three(desk: Desk, _: Settings) -> None:
    job_id = desk.enqueue(desk.run())
    deaths = 0
    while desk.claim() is not None:
        deaths += 1
        assert deaths <= 3, "it kills for ever"
        desk.lease_runs_out()
    assert (desk.job(job_id).state, deaths) == (JobState.DEAD, 3)
    desk.do(lambda session: jobs.redrive(session, job_id))
    assert desk.claimed().attempt == 1


def a_job_that_is_handed_back_loses_no_attempt(desk: Desk, _: Settings) -> None:
    job_id = desk.enqueue(desk.run())
    for _ in range(4):
        held = desk.claimed()
        desk.do(lambda session, held=held: jobs.release(session, held))
    assert desk.job(job_id).attempt == 0


# --- what is written together ---


def a_job_and_its_ring_are_one_transaction(desk: Desk, _: Settings) -> None:
    desk.enqueue(desk.run())
    assert desk.scalar("SELECT count(*) FROM jobs JOIN outbox ON outbox.xmin = jobs.xmin") == 1
    held = desk.claimed()
    desk.do(lambda session: jobs.release(session, held))
    assert desk.scalar("SELECT count(*) FROM jobs JOIN outbox ON outbox.xmin = jobs.xmin") == 1


def a_step_and_its_charge_are_one_transaction(desk: Desk, _: Settings) -> None:
    desk.enqueue(desk.run())
    held = desk.claimed()
    desk.do(lambda session: steps.checkpoint(session, held, PAID, 60.0))
    made = "SELECT count(*) FROM steps JOIN ledger ON ledger.job_id = steps.job_id AND ledger.xmin = steps.xmin"
    assert desk.scalar(made) == 1


def a_checkpoint_that_is_run_again_is_charged_once(desk: Desk, _: Settings) -> None:
    run_id = desk.run()
    desk.enqueue(run_id, units=2)
    held = desk.claimed()
    for _ in range(2):  # the answer to the first commit was lost
        desk.do(lambda session: steps.checkpoint(session, held, PAID, 60.0))
    assert desk.scalar("SELECT sum(micro_dollars) FROM ledger") == 5
    assert desk.run_row(run_id).done == 1


def a_step_is_saved_only_when_it_is_done(desk: Desk, settings: Settings) -> None:
    job_id = desk.enqueue(desk.run(), kind="k")
    asked: list[int] = []

    def provider() -> str:
        asked.append(len(asked))
        if len(asked) == 1:
            raise Unavailable("The provider is away.")
        return "an answer"

    def handler(task: Task) -> None:
        assert task.step("one", "key", provider) == "an answer"

    lane_works(desk, settings, {"k": handler})
    assert desk.job(job_id).state == JobState.SUCCEEDED
    assert desk.scalar("SELECT out FROM steps") == "an answer"
    assert len(asked) == 2


# --- the rest ---


def the_lease_is_renewed_while_the_handler_works(desk: Desk, settings: Settings) -> None:
    job_id = desk.enqueue(desk.run(), kind="k")
    stolen: list[Claim | None] = []

    def handler(_: Task) -> None:
        for _ in range(12):
            time.sleep(0.1)
            if stolen[-1:] != [None] and stolen:
                return
            stolen.append(desk.claim("thief"))

    lane_works(desk, settings, {"k": handler}, lease_seconds=0.6)
    assert stolen == [None] * 12
    assert desk.job(job_id).state == JobState.SUCCEEDED


def a_stopped_run_ends_although_its_job_may_be_tried_again(desk: Desk, _: Settings) -> None:
    run_id = desk.run()
    job_id = desk.enqueue(run_id)
    held = desk.claimed()
    desk.do(lambda session: jobs.request_cancel(session, run_id))
    desk.do(lambda session: jobs.fail(session, held, "broken", retryable=True, backoff=AT_ONCE))
    assert desk.job(job_id).state == JobState.CANCELED
    assert desk.run_row(run_id).state == RunState.CANCELED


def events_are_numbered_in_the_order_of_their_commits(desk: Desk, _: Settings) -> None:
    run_id = desk.run()
    failed: list[BaseException] = []

    def second() -> None:
        try:
            desk.do(lambda session: events.say(session, run_id, "progress", {"what": "second"}))
        except exc.DBAPIError as error:
            failed.append(error)

    with Session(desk.engine) as first:
        events.say(first, run_id, "progress", {"what": "first"})
        other = threading.Thread(target=second)
        other.start()
        wait_until(lambda: not other.is_alive() or waits_for_a_lock(desk))
        first.commit()
    other.join(20.0)
    assert not failed, "two events took one number"
    assert [(told.seq, told.data["what"]) for told in desk.events(run_id)] == [(1, "first"), (2, "second")]


def waits_for_a_lock(desk: Desk) -> bool:
    return bool(desk.scalar("SELECT count(*) FROM pg_locks WHERE NOT granted"))


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.01)
