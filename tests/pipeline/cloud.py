"""The cloud as the engine's tests meet it: a doorbell and a platform that remember, and that may be out of order."""

from __future__ import annotations

import threading

from service.domain.ring import Ring
from service.errors import CoursewrightError, Unavailable
from service.ports import Lane


class Bell:
    """A doorbell that remembers who rang; a lane that is out of order does not take rings."""

    heard = True

    def __init__(self) -> None:
        self.rings: list[tuple[Ring, str]] = []
        self.deaf_to: set[str] = set()
        self.busy: threading.Event | None = None
        self.entered = threading.Event()

    def ring(self, ring: Ring, *, trace_parent: str = "", patience_seconds: float = 2.0) -> None:  # noqa: ARG002
        self.entered.set()
        if self.busy is not None:
            assert self.busy.wait(30)
        if ring.lane in self.deaf_to:
            raise Unavailable("Nobody hears it. Try again later.")
        self.rings.append((ring, trace_parent))

    @property
    def lanes(self) -> list[str]:
        return [ring.lane for ring, _ in self.rings]

    def close(self) -> None:
        """Nothing is open."""


class Platform:
    """Starts executions by counting them; out of order, it says so."""

    def __init__(self, *, standing: bool = False) -> None:
        self.standing = standing
        self.started: list[tuple[Lane, int]] = []
        self.down: CoursewrightError | None = None
        self._lock = threading.Lock()

    def launch(self, lane: Lane, tasks: int = 1) -> str:
        if self.down:
            raise self.down
        with self._lock:
            self.started.append((lane, tasks))
            return f"{lane}-{len(self.started)}"

    def close(self) -> None:
        """Nothing is open."""
