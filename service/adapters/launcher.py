"""Keeps a machine's workers alive while the site runs: one process for the author lane, some for the render lane.

Workers are processes, so that a crash in a codec or a model ends a worker and not the site. They have a session of
their own (a Ctrl-C in the terminal reaches the site, which then stops them in order) and die with a killed site.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from service.adapters.cloud_run import open_cloud_run
from service.adapters.offspring import before_exec
from service.ports import JobLauncher, Lane
from service.settings import ROOT, Settings, child_environment

log = logging.getLogger(__name__)

COMMANDS: dict[Lane, Sequence[str]] = {
    "author": (sys.executable, "-m", "service", "work"),
    "render": (sys.executable, "-m", "renderer_job", "work"),
}
NICENESS = 5
LOOK_EVERY_SECONDS = 0.2
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 1.0, 30.0
HEALTHY_AFTER_SECONDS = 60.0
STOP_SECONDS = 5.0


def open_launcher(settings: Settings) -> JobLauncher:
    """The launcher behind JOBS_URL; nothing is started before `launch`.

    Raises:
        BadInput: the address cannot be used.
    """
    scheme = urlsplit(settings.jobs_url).scheme
    if scheme == "local":
        return LocalLauncher(settings)
    if scheme == "none":
        return NoLauncher()
    return open_cloud_run(settings)


class NoLauncher:
    """Somebody else starts the workers."""

    standing = True

    def launch(self, lane: Lane, tasks: int = 1) -> str:  # noqa: ARG002
        """Nothing happens."""
        return ""

    def close(self) -> None:
        """Nothing is open."""


class LocalLauncher:
    """Worker processes of this machine. `launch` says that a lane has workers from now on; again changes nothing."""

    standing = True

    def __init__(self, settings: Settings, commands: dict[Lane, Sequence[str]] | None = None) -> None:
        self._settings = settings
        self._commands = commands or COMMANDS
        self._keepers: dict[Lane, list[_Keeper]] = {}

    def launch(self, lane: Lane, tasks: int = 1) -> str:  # noqa: ARG002 - as many as RENDER_WORKERS says
        if lane in self._keepers:
            return ""
        environment = child_environment(self._settings)
        count = self._settings.render_workers if lane == "render" else 1
        self._keepers[lane] = [_Keeper(self._commands[lane], environment, f"{lane}-{n}") for n in range(count)]
        return ""

    def close(self) -> None:
        """End every worker: asked first, so that it hands its job back, then killed."""
        keepers = [keeper for kept in self._keepers.values() for keeper in kept]
        self._keepers = {}
        for keeper in keepers:
            keeper.stop()
        for keeper in keepers:
            keeper.join()


class _Keeper:
    """One worker and the thread that starts it, watches it, and starts it again.

    The thread lives as long as the worker may: the kernel ends a child with the thread that made it.
    """

    def __init__(self, command: Sequence[str], environment: dict[str, str], name: str) -> None:
        self._command, self._environment, self._name = command, environment, name
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"worker-{name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()

    def join(self) -> None:
        self._thread.join()

    def _keep(self) -> None:
        rest = FIRST_REST_SECONDS
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                worker = self._start()
            except OSError as error:
                log.error("worker %s cannot be started: %s", self._name, error)
            else:
                self._watch(worker)
            if self._stopping.is_set():
                return
            if time.monotonic() - started > HEALTHY_AFTER_SECONDS:
                rest = FIRST_REST_SECONDS
            log.warning("worker %s ended; it is started again in %.0f s", self._name, rest)
            self._stopping.wait(rest)
            rest = min(rest * 2, LONGEST_REST_SECONDS)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            list(self._command),
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=before_exec(dies_with_parent=signal.SIGTERM, niceness=NICENESS),  # noqa: PLW1509
        )

    def _watch(self, worker: subprocess.Popen[bytes]) -> None:
        """Wait until the worker ends, or until it is to be ended."""
        while worker.poll() is None and not self._stopping.wait(LOOK_EVERY_SECONDS):
            pass
        if worker.poll() is not None:
            return
        worker.terminate()
        try:
            worker.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("worker %s does not stop by itself; it is killed", self._name)
            worker.kill()
            worker.wait()
