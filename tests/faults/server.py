"""A PostgreSQL that a test may break: ended in two ways, brought to a stand, and back each time."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from sqlalchemy import create_engine

from service.adapters.embedded_postgres import OPTIONS, EmbeddedPostgres
from service.db.migrate import upgrade

SHUTDOWN = {"immediate": signal.SIGQUIT, "fast": signal.SIGINT}


class BreakableServer:
    """An embedded server of the test's own. It is durable: what it said is committed must survive its death."""

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedPostgres(folder / "postgres", durable=True)

    @property
    def url(self) -> str:
        return self._server.url

    def __enter__(self) -> BreakableServer:
        self._server.start()
        engine = create_engine(self.url)
        upgrade(engine)
        engine.dispose()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def restart(self, how: Literal["immediate", "fast"] = "immediate") -> None:
        """End the server; its supervisor starts it again. Returns when there is a new one, ready or not yet."""
        old = self._server.pid
        os.kill(old, SHUTDOWN[how])
        until = time.monotonic() + 30.0
        while self._server.pid == old:
            assert time.monotonic() < until, "the supervisor does not start the server again"
            time.sleep(0.01)

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """The server with all its processes stands still: connections stay open and nobody answers."""
        stopped = self._family()
        try:
            for pid in stopped:
                _send(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in reversed(stopped):
                _send(pid, signal.SIGCONT)

    def _family(self) -> list[int]:
        """The server first, so that it starts nobody new meanwhile; then its processes."""
        parent = self._server.pid
        _send(parent, signal.SIGSTOP)
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [parent, *map(int, children)]


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


assert OPTIONS["max_connections"] == "60", "the tests that use up all connections count on this many"
