"""A whole site as its user starts it: one process, its own data folder, its own database and workers."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine

from service.settings import ROOT

SOCKET_LINE, PORT_LINE = 4, 3


class RunningSite:
    """`coursewright serve` in a process of its own. Nothing of the shell's environment but PATH reaches it."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.log = data_dir.with_suffix(".log")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(data_dir.parent),
            "DATA_DIR": str(data_dir),
            "PORT": "0",
            "EMBEDDINGS": "none:",
            "POLL_SECONDS": "0.1",
            **settings,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service", "serve"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self.url = self._address()

    def _address(self) -> str:
        assert self.process.stdout is not None
        said = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            ends = time.monotonic() + 60
            while time.monotonic() < ends and self.process.poll() is None:
                if not selector.select(timeout=1):
                    continue
                said += os.read(self.process.stdout.fileno(), 4096)
                found = re.search(rb"http://127\.0\.0\.1:\d+", said)
                if found:
                    return found[0].decode()
        raise AssertionError(f"the site did not come up: {said.decode()} {self.log.read_text()}")

    @contextmanager
    def database(self) -> Iterator[Engine]:
        """An engine on the site's own database, through its socket."""
        lines = (self.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
        socket = f"{lines[SOCKET_LINE]}/.s.PGSQL.{lines[PORT_LINE]}"
        engine = create_engine(f"postgresql+pg8000://app@/postgres?unix_sock={socket}")
        yield engine
        engine.dispose()

    def family(self) -> dict[int, str]:
        """Every process of this site but the first, by pid: its database and its workers."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                inside = str(self.data_dir) in command or str(self.data_dir).encode() in (path / "environ").read_bytes()
            except OSError:
                continue
            if inside and int(path.name) not in (self.process.pid, os.getpid()):
                found[int(path.name)] = command
        return found

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """End it as Ctrl-C does; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


def eventually(holds: object, seconds: float, what: str) -> None:
    """Wait until the call `holds` is true, or fail with `what`."""
    assert callable(holds)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")
