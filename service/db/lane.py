"""The loop that both lanes run: claim, hold the lease, let the handler work, record how it ended.

One process works on one job at a time. While a handler works, a second thread keeps the lease, and takes it away: when
the process is told to stop, when a step hangs, when another worker has the job.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType

from opentelemetry.trace import Span
from sqlalchemy import Engine

from service.db import failpoints, jobs, launches
from service.db.engine import transaction
from service.db.failpoints import reached
from service.db.jobs import BACKOFF, Backoff, Claim
from service.db.orphans import free_orphans, worker_name
from service.db.task import Task
from service.errors import Canceled, CoursewrightError, Fenced, Unavailable
from service.ports import Lane
from service.settings import Settings
from service.traces import flush_traces, note_failure, work_span

__all__ = ["DONE", "HUNG", "NO_DATABASE", "Handler", "Task", "run_lane", "stop_on_signals"]

log = logging.getLogger(__name__)
Handler = Callable[[Task], None]

# Exit codes: all done or told to stop; the database stayed away; a step hung and only ending the process ends it.
DONE, NO_DATABASE, HUNG = 0, 69, 75

BEAT_SECONDS = 0.1
# A renewal is also how a cancellation reaches a handler that has nothing to say: so not only every third of the lease.
RENEW_AT_LEAST_EVERY_SECONDS = 5.0
STOP_GRACE_SECONDS, HUNG_GRACE_SECONDS = 2.0, 10.0
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
    abandon: Callable[[int], None] = os._exit,
    after_job: Callable[[], None] = lambda: None,
) -> int:
    """Work on the lane's jobs until `stop` is set, or until nothing is left for `idle_exit_seconds`; the exit code.

    `after_job` is called after every job, whatever became of it, and must not raise: what the job rang for is sent.

    Told to stop, it hands the job back within seconds: when the handler does not return by itself, `abandon` ends the
    process from under it.
    """
    failpoints.arm(settings.failpoints)
    _arrive(engine, lane)
    worker = worker_name()
    idle_since = reached_at = time.monotonic()
    look_for_orphans_at = 0.0
    while not stop.is_set():
        try:
            if time.monotonic() >= look_for_orphans_at:
                transaction(engine, free_orphans)
                look_for_orphans_at = time.monotonic() + ORPHANS_EVERY_SECONDS
            claim = transaction(engine, lambda session: jobs.claim(session, lane, worker, settings.lease_seconds))
            reached_at = time.monotonic()
        except Unavailable as error:
            if time.monotonic() - reached_at > PATIENCE_SECONDS:
                log.error("the database stayed away for %.0f s; the %s lane ends", PATIENCE_SECONDS, lane)
                return NO_DATABASE
            log.warning("the %s lane waits: %s", lane, error)
            stop.wait(1.0)
            continue
        if claim is not None:
            with _job_span(claim):
                _attend(engine, claim, handlers, settings, stop, backoff, abandon)
            after_job()
            idle_since = time.monotonic()
        elif 0 < settings.idle_exit_seconds <= time.monotonic() - idle_since:
            return DONE
        else:
            stop.wait(settings.poll_seconds * random.uniform(0.7, 1.3))  # noqa: S311 - jitter
    return DONE


def stop_on_signals() -> threading.Event:
    """The event that SIGTERM and SIGINT set; call from the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _arrive(engine: Engine, lane: Lane) -> None:
    try:
        transaction(engine, lambda session: launches.arrived(session, lane))
    except Unavailable as error:
        log.warning("the start of the %s lane is not called done, its lease will run out: %s", lane, error)


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


def _attend(
    engine: Engine,
    claim: Claim,
    handlers: Mapping[str, Handler],
    settings: Settings,
    stop: threading.Event,
    backoff: Backoff,
    abandon: Callable[[int], None],
) -> None:
    """Work on one claimed job and record how it ended."""
    reached("claimed")
    task = Task(engine, claim, settings.lease_seconds)
    started = time.monotonic()
    with _Heart(engine, task, settings, stop, backoff, abandon):
        outcome = _outcome(handlers, task)
    if outcome is not None:
        note_failure(outcome)
    try:
        _record(engine, task, outcome, backoff)
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
    claim = task.claim
    match outcome:
        case None:
            reached("put-not-finished")
            transaction(engine, lambda session: jobs.finish(session, claim))
            reached("finished-not-acked")
        case Fenced():
            raise outcome
        case Canceled():
            transaction(engine, lambda session: jobs.fail(session, claim, str(outcome), retryable=False))
        case CoursewrightError():
            retryable = outcome.retryable
            transaction(
                engine, lambda session: jobs.fail(session, claim, str(outcome), retryable=retryable, backoff=backoff)
            )
        case _:
            log.error("job %s (%s) failed unexpectedly", claim.job_id, claim.kind, exc_info=outcome)
            error = (
                f"The work failed unexpectedly ({type(outcome).__name__}). The log of the {claim.lane} lane says more."
            )
            transaction(engine, lambda session: jobs.fail(session, claim, error, retryable=True, backoff=backoff))


class _Heart:
    """Keeps the lease of one task while its handler works, in a thread of its own."""

    def __init__(
        self,
        engine: Engine,
        task: Task,
        settings: Settings,
        stop: threading.Event,
        backoff: Backoff,
        abandon: Callable[[int], None],
    ) -> None:
        self._engine, self._task, self._stop = engine, task, stop
        self._backoff, self._abandon = backoff, abandon
        self._lease_seconds, self._deadline = settings.lease_seconds, settings.step_deadline_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{task.claim.job_id}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        every = min(self._lease_seconds / 3, RENEW_AT_LEAST_EVERY_SECONDS)
        renew_at = time.monotonic() + every
        while not self._over.wait(BEAT_SECONDS):
            if self._stop.is_set():
                self._hand_back()
                return
            if self._task.still_seconds > self._deadline:
                self._give_up()
                return
            if time.monotonic() >= renew_at:
                renew_at = time.monotonic() + every
                if not self._renew():
                    return

    def _renew(self) -> bool:
        """Renew the lease; False when there is nothing to renew any more."""
        claim = self._task.claim
        try:
            asked = transaction(self._engine, lambda session: jobs.renew(session, claim, self._lease_seconds))
        except Fenced as lost:
            self._task.end_by(lost)
            return False
        except Unavailable as error:
            log.warning("the lease of job %s is not renewed: %s", claim.job_id, error)
            return True
        if asked:
            self._task.end_by(Canceled("The run was asked to stop."))
        return True

    def _hand_back(self) -> None:
        """Told to stop: the job goes back now, whatever the handler is doing, and its attempt does not count."""
        self._task.end_by(Fenced("The worker was told to stop."))
        claim = self._task.claim
        try:
            transaction(self._engine, lambda session: jobs.release(session, claim))
            reached("released")
            log.info("job %s (%s) is handed back", claim.job_id, claim.kind)
        except (Fenced, Unavailable) as error:
            log.info("job %s is not handed back: %s", claim.job_id, error)
        if not self._over.wait(STOP_GRACE_SECONDS):
            flush_traces(FLUSH_GRACE_SECONDS)
            self._abandon(DONE)

    def _give_up(self) -> None:
        """The step takes too long. The lease is no longer renewed; when nothing stirs, the process must end."""
        claim = self._task.claim
        late = Unavailable(f"A step took longer than {self._deadline:.0f} s and was ended.")
        log.error("job %s (%s): %s", claim.job_id, claim.kind, late)
        self._task.end_by(late)
        if self._over.wait(HUNG_GRACE_SECONDS):
            return
        try:
            error = str(late)
            transaction(
                self._engine,
                lambda session: jobs.fail(session, claim, error, retryable=True, backoff=self._backoff),
            )
        except (Fenced, Unavailable) as error:
            log.info("the end of job %s is not recorded: %s", claim.job_id, error)
        flush_traces(FLUSH_GRACE_SECONDS)
        self._abandon(HUNG)
