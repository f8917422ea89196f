"""A worker's time from its start to its end: when it stops taking jobs, how long it stays idle, and what it tells.

A platform ends a task after its timeout without asking. So the worker takes no job when little time is left, and hands
the one it has back before that: at its margin, a job would rather begin anew in the next task.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
from dataclasses import dataclass, field

from sqlalchemy import Engine, text

from service.db.engine import transaction
from service.domain.money import task_micro_dollars
from service.errors import Fenced, Paused, Resting
from service.ports import Lane
from service.settings import Settings

log = logging.getLogger(__name__)

# No new job in the last tenth of a task's time, nor in its last minute; the running one goes back 20 s before the end:
# a release takes up to 3 s, and the timeout counts from the container's start, some seconds before this process.
CLAIM_MARGIN_SHARE, CLAIM_MARGIN_SECONDS, HAND_BACK_SECONDS = 0.1, 60.0, 20.0
LOOK_FOR_EDITORS_EVERY_SECONDS = 2.0

EDITED = text("SELECT EXISTS (SELECT FROM courses WHERE editor_until > now())")


@dataclass
class Shift:
    """One worker's work on a lane."""

    lane: Lane
    settings: Settings
    began: float = field(default_factory=time.monotonic)
    done: int = 0
    failed: int = 0
    handed_back: int = 0
    busy_seconds: float = 0.0
    lingered_seconds: float = 0.0
    idle_since: float = field(default_factory=time.monotonic)
    _edited: bool = False
    _looked_at: float = -math.inf

    @property
    def on_platform(self) -> bool:
        """Whether a platform runs this as one of its tasks, and not a laptop or a server as one of its processes."""
        return self.settings.task_timeout_seconds > 0

    @property
    def hands_back_at(self) -> float:
        """When the running job is handed back, by the monotonic clock; never where nothing ends the process."""
        timeout = self.settings.task_timeout_seconds
        return self.began + timeout - min(HAND_BACK_SECONDS, timeout / 5) if timeout else math.inf

    @property
    def may_claim(self) -> bool:
        """Whether enough time is left to begin a job."""
        timeout = self.settings.task_timeout_seconds
        if not timeout:
            return True
        margin = min(max(CLAIM_MARGIN_SECONDS, timeout * CLAIM_MARGIN_SHARE), timeout / 2)
        return time.monotonic() < self.began + timeout - margin

    def note(self, outcome: Exception | None, seconds: float) -> None:
        """Count a job that was attended for so long and ended so."""
        self.busy_seconds += seconds
        self.idle_since = time.monotonic()
        if outcome is None:
            self.done += 1
        elif isinstance(outcome, (Fenced, Paused, Resting)):
            self.handed_back += 1
        else:
            self.failed += 1

    def goes_home(self, engine: Engine) -> bool:
        """Whether an idle worker ends now. While an editor is open it stays longer, for LINGER_SECONDS in all.

        Raises:
            Unavailable: the database does not answer.
        """
        limit, idle = self.settings.idle_exit_seconds, time.monotonic() - self.idle_since
        if not 0 < limit <= idle:
            return False
        return self.lingered_seconds + idle - limit >= self.settings.linger_seconds or not self._editor_open(engine)

    def taken(self) -> None:
        """A job was claimed: what it waited for beyond the usual counts as lingering."""
        limit = self.settings.idle_exit_seconds
        if limit:
            self.lingered_seconds += max(0.0, time.monotonic() - self.idle_since - limit)

    def _editor_open(self, engine: Engine) -> bool:
        if time.monotonic() - self._looked_at >= LOOK_FOR_EDITORS_EVERY_SECONDS:
            self._edited = transaction(engine, lambda session: bool(session.scalar(EDITED)))
            self._looked_at = time.monotonic()
        return self._edited

    def result(self, exit_code: int) -> dict[str, object]:
        """What this shift was, as one flat record; `micro_dollars` is the price of the task itself."""
        seconds = time.monotonic() - self.began
        return {
            "lane": self.lane,
            "done": self.done,
            "failed": self.failed,
            "handed_back": self.handed_back,
            "seconds": round(seconds, 3),
            "busy_seconds": round(self.busy_seconds, 3),
            "micro_dollars": task_micro_dollars(seconds, self.settings.task_cpu, self.settings.task_memory_mib),
            "exit_code": exit_code,
        }

    def tell(self, exit_code: int) -> None:
        """Say what this shift was: one JSON line on the task's standard output, a log line elsewhere."""
        line = json.dumps(self.result(exit_code))
        if self.on_platform:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        else:
            log.info("the worker ends: %s", line)
