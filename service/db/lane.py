"""The loop that both lanes run: claim, hold the lease, let the handler work, record how it ended.

One process works on one job at a time. While a handler works, a second thread keeps the lease (see `heart`). So a
worker never needs more than two connections at once: the handler's and the heart's.
"""

from __future__ import annotations

import logging
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from opentelemetry.trace import Span
from sqlalchemy import Engine, exc

from service.db import failpoints, jobs, launches
from service.db.backoff import BACKOFF, Backoff
from service.db.engine import transaction
from service.db.failpoints import reached
from service.db.faults import message
from service.db.heart import DONE, HUNG, Heart, Pulse
from service.db.jobs import Claim
from service.db.orphans import end_process, free_orphans, worker_name
from service.db.shift import Shift
from service.db.task import Task
from service.errors import Broken, Canceled, CoursewrightError, Fenced, Paused, Resting, Throttled, Unavailable
from service.ports import Lane
from service.settings import Settings
from service.traces import flush_traces, note_failure, work_span

__all__ = ["DONE", "HUNG", "NO_DATABASE", "Handler", "Task", "run_lane", "stop_on_signals"]

log = logging.getLogger(__name__)
Handler = Callable[[Task], None]

NO_DATABASE = 69  # the exit code when the database stays away; the other two are the heart's

STARTUP_JITTER_SECONDS = 2.0  # tasks are started together, and should not ask for their connections together
FLUSH_GRACE_SECONDS = 0.5
PATIENCE_SECONDS = 60.0
ORPHANS_EVERY_SECONDS = 2.0


def run_lane(
    engine: Engine,
    lane: Lane,
    handlers: Mapping[str, Handler],
    *,
    settings: Settings,
    stop: threading.Event,
    backoff: Backoff = BACKOFF,
    abandon: Callable[[int], None] = end_process,
    after_job: Callable[[], None] = lambda: None,
) -> int:
    """Work on the lane's jobs until `stop` is set, the task's time is up, or nothing is left for `idle_exit_seconds`.

    Gives the exit code, which docs/operations.md explains. `after_job` is called after every job, whatever became of
    it, and must not raise: what the job rang for is sent.

    Told to stop, it hands the job back within seconds: when the handler does not return by itself, `abandon` ends the
    process from under it.

    Raises:
        BadInput: FAILPOINTS is not understood.
        Broken: the database does not let us in, or lacks our tables.
    """
    failpoints.arm(settings.failpoints)
    shift = Shift(lane, settings)

    def leave(code: int) -> None:
        shift.tell(code)
        flush_traces(FLUSH_GRACE_SECONDS)
        abandon(code)

    pulse = Pulse(
        settings.lease_seconds, settings.step_deadline_seconds, stop, leave, backoff, ends_at=shift.hands_back_at
    )
    if shift.on_platform:
        stop.wait(random.uniform(0, STARTUP_JITTER_SECONDS))  # noqa: S311 - jitter
    _arrive(engine, lane)
    code = _serve(engine, handlers, shift, pulse, after_job)
    shift.tell(code)
    return code


def _serve(
    engine: Engine, handlers: Mapping[str, Handler], shift: Shift, pulse: Pulse, after_job: Callable[[], None]
) -> int:
    """Claim and attend until there is a reason to end; the exit code."""
    worker = worker_name()
    reached_at = time.monotonic()
    look_for_orphans_at = 0.0
    while not pulse.stop.is_set() and shift.may_claim:
        try:
            if time.monotonic() >= look_for_orphans_at:
                transaction(engine, free_orphans)
                look_for_orphans_at = time.monotonic() + ORPHANS_EVERY_SECONDS
            claim = transaction(engine, lambda session: jobs.claim(session, shift.lane, worker, pulse.lease_seconds))
            if claim is None and shift.goes_home(engine):
                break
            reached_at = time.monotonic()
        except Unavailable as error:
            if time.monotonic() - reached_at > PATIENCE_SECONDS:
                log.error("the database stayed away for %.0f s; the %s lane ends", PATIENCE_SECONDS, shift.lane)
                return NO_DATABASE
            log.warning("the %s lane waits: %s", shift.lane, error)
            pulse.stop.wait(1.0)
            continue
        except exc.DBAPIError as error:  # a server that hangs up while it refuses was taken for an absent one at first
            raise _unusable(error) from error
        if claim is None:
            pulse.stop.wait(shift.settings.poll_seconds * random.uniform(0.7, 1.3))  # noqa: S311 - jitter
            continue
        shift.taken()
        with _job_span(claim):
            _attend(engine, claim, handlers, shift, pulse)
        after_job()
    return DONE


def stop_on_signals() -> threading.Event:
    """The event that SIGTERM and SIGINT set; call from the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _arrive(engine: Engine, lane: Lane) -> None:
    """Tell that a worker of the lane is here; its first word with the database.

    Raises:
        Broken: the database does not know us, or not these tables, and waiting changes nothing about that.
    """
    try:
        transaction(engine, lambda session: launches.arrived(session, lane))
    except Unavailable as error:
        log.warning("the start of the %s lane is not called done, its lease will run out: %s", lane, error)
    except exc.DBAPIError as error:
        raise _unusable(error) from error


def _unusable(error: exc.DBAPIError) -> Broken:
    return Broken(
        f"The database cannot be used: {message(error)}. Correct DATABASE_URL, or run `coursewright migrate` first."
    )


def _job_span(claim: Claim) -> AbstractContextManager[Span]:
    """The job in the trace of the request that began its run."""
    return work_span(
        f"{claim.kind} job",
        run_id=claim.run_id,
        trace_parent=claim.trace_parent,
        course_id=str(claim.course_id),
        job_id=str(claim.job_id),
        job_kind=claim.kind,
        subject_id=str(claim.subject_id),
        attempt=claim.attempt,
        epoch=claim.epoch,
    )


def _attend(engine: Engine, claim: Claim, handlers: Mapping[str, Handler], shift: Shift, pulse: Pulse) -> None:
    """Work on one claimed job and record how it ended."""
    reached("claimed")
    task = Task(engine, claim, pulse.lease_seconds, shift.settings.caps)
    started = time.monotonic()
    with Heart(engine, task, pulse):
        outcome = _outcome(handlers, task)
    shift.note(outcome, time.monotonic() - started)
    if outcome is not None:
        note_failure(outcome)
    try:
        _record(engine, task, outcome, pulse.backoff)
    except Fenced:
        log.info("job %s (%s) is another worker's now; its end is not recorded", claim.job_id, claim.kind)
    except Unavailable as error:
        log.warning("the end of job %s is not recorded, its lease will run out: %s", claim.job_id, error)
    log.info("job %s (%s) took %.1f s: %s", claim.job_id, claim.kind, time.monotonic() - started, outcome or "done")


def _outcome(handlers: Mapping[str, Handler], task: Task) -> Exception | None:
    handler = handlers.get(task.claim.kind)
    if handler is None:
        return CoursewrightError(f"Nothing here can do a job of the kind {task.claim.kind!r}.")
    try:
        handler(task)
    except Exception as error:  # noqa: BLE001 - the outermost loop: whatever a handler does, the lane goes on
        return error
    return None


def _record(engine: Engine, task: Task, outcome: Exception | None, backoff: Backoff) -> None:
    """Write down how the job ended. Waiting for a provider or for money uses no attempt. Raises Fenced, Unavailable."""
    claim, error = task.claim, str(outcome)
    match outcome:
        case None:
            reached("put-not-finished")
            transaction(engine, lambda session: jobs.finish(session, claim))
            reached("finished-not-acked")
        case Fenced():
            raise outcome
        case Canceled():
            transaction(engine, lambda session: jobs.fail(session, claim, error, retryable=False))
        case Paused():
            transaction(engine, lambda session: jobs.set_aside(session, claim, error))
        case Resting():
            rest = outcome.seconds
            transaction(engine, lambda session: jobs.release(session, claim, error=error, rest_seconds=rest))
        case CoursewrightError():
            _fail(engine, claim, outcome, backoff)
        case _:
            log.error("job %s (%s) failed unexpectedly", claim.job_id, claim.kind, exc_info=outcome)
            error = (
                f"The work failed unexpectedly ({type(outcome).__name__}). The log of the {claim.lane} lane says more."
            )
            transaction(engine, lambda session: jobs.fail(session, claim, error, retryable=True, backoff=backoff))


def _fail(engine: Engine, claim: Claim, error: CoursewrightError, backoff: Backoff) -> None:
    told = error.after_seconds if isinstance(error, Throttled) else None
    transaction(
        engine,
        lambda session: jobs.fail(
            session, claim, str(error), retryable=error.retryable, backoff=backoff, after_seconds=told or 0.0
        ),
    )
