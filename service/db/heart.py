"""Keeps the lease of one task while its handler works, in a thread of its own, and takes the job away when it must.

It must when the process is told to stop, when the platform is about to end it, when a step hangs, and when another
worker has the job. A handler that does not return by itself is ended together with the process.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from sqlalchemy import Engine

from service.db import jobs
from service.db.backoff import Backoff
from service.db.engine import transaction
from service.db.failpoints import reached
from service.db.task import Task
from service.errors import Fenced, Unavailable

log = logging.getLogger(__name__)

# Exit codes: all done or told to stop; a step hung and only ending the process ends it.
DONE, HUNG = 0, 75

BEAT_SECONDS = 0.1
# A renewal is also how a stop or a pause reaches a handler that has nothing to say: so not only every third of a lease.
RENEW_AT_LEAST_EVERY_SECONDS = 5.0
STOP_GRACE_SECONDS, HUNG_GRACE_SECONDS = 2.0, 10.0


@dataclass(frozen=True)
class Pulse:
    """How a lease is kept, and when it ends: seconds, and `ends_at` by the monotonic clock."""

    lease_seconds: float
    step_deadline_seconds: float
    stop: threading.Event
    abandon: Callable[[int], None]
    backoff: Backoff
    ends_at: float = math.inf

    @property
    def over(self) -> bool:
        """Whether the job is to be handed back now."""
        return self.stop.is_set() or time.monotonic() >= self.ends_at


class Heart:
    """Beats for one task, from entering to leaving."""

    def __init__(self, engine: Engine, task: Task, pulse: Pulse) -> None:
        self._engine, self._task, self._pulse = engine, task, pulse
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{task.claim.job_id}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        every = min(self._pulse.lease_seconds / 3, RENEW_AT_LEAST_EVERY_SECONDS)
        renew_at = time.monotonic() + every
        while not self._over.wait(BEAT_SECONDS):
            if self._pulse.over:
                self._hand_back()
                return
            if self._task.still_seconds > self._pulse.step_deadline_seconds:
                self._give_up()
                return
            if time.monotonic() >= renew_at:
                renew_at = time.monotonic() + every
                if not self._renew():
                    return

    def _renew(self) -> bool:
        """Renew the lease; False when there is nothing to renew any more."""
        claim, lease = self._task.claim, self._pulse.lease_seconds
        try:
            asked = transaction(self._engine, lambda session: jobs.renew(session, claim, lease))
        except Fenced as lost:
            self._task.end_by(lost)
            return False
        except Unavailable as error:
            log.warning("the lease of job %s is not renewed: %s", claim.job_id, error)
            return True
        if asked is not None:
            self._task.end_by(asked)
        return True

    def _hand_back(self) -> None:
        """The process is to end: the job goes back now, whatever the handler is doing; its attempt does not count."""
        self._task.end_by(Fenced("The worker was told to stop."))
        claim = self._task.claim
        try:
            transaction(self._engine, lambda session: jobs.release(session, claim))
            reached("released")
            log.info("job %s (%s) is handed back", claim.job_id, claim.kind)
        except (Fenced, Unavailable) as error:
            log.info("job %s is not handed back: %s", claim.job_id, error)
        if not self._over.wait(STOP_GRACE_SECONDS):
            self._pulse.abandon(DONE)

    def _give_up(self) -> None:
        """The step takes too long. The lease is no longer renewed; when nothing stirs, the process must end."""
        claim, backoff = self._task.claim, self._pulse.backoff
        late = Unavailable(f"A step took longer than {self._pulse.step_deadline_seconds:.0f} s and was ended.")
        log.error("job %s (%s): %s", claim.job_id, claim.kind, late)
        self._task.end_by(late)
        if self._over.wait(HUNG_GRACE_SECONDS):
            return
        try:
            error = str(late)
            transaction(self._engine, lambda session: jobs.fail(session, claim, error, retryable=True, backoff=backoff))
        except (Fenced, Unavailable) as error:
            log.info("the end of job %s is not recorded: %s", claim.job_id, error)
        self._pulse.abandon(HUNG)
