"""Starting workers behind JOBS_URL: processes of this machine, kept alive while the site runs."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import structlog

from service.adapters.offspring import before_exec
from service.errors import BadInput
from service.ports import JobLauncher, Lane
from service.settings import ROOT, Settings, child_environment

COMMANDS: dict[Lane, tuple[str, ...]] = {
    "author": ("-m", "service", "work"),
    "render": ("-m", "renderer_job", "work"),
}
NICENESS = 5
LOOK_SECONDS = 0.5
REST_SECONDS, LONGEST_REST_SECONDS = 1.0, 30.0
# A worker that lived this long was healthy: its next death rests from the beginning.
HEALTHY_SECONDS = 30.0
GRACE_SECONDS = 6.0
log = structlog.get_logger()


def open_launcher(settings: Settings) -> JobLauncher:
    """The launcher that `settings.jobs_url` names.

    Raises:
        BadInput: this version cannot start workers there.
    """
    match urlsplit(settings.jobs_url).scheme:
        case "local":
            return LocalLauncher(settings)
        case "none":
            return NoLauncher()
    raise BadInput("JOBS_URL=cloudrun:// is not built yet. Set JOBS_URL=none: and start `coursewright work` yourself.")


class NoLauncher:
    """Starts nothing: somebody else looks after the workers."""

    def launch(self, lane: Lane) -> None:
        log.info("no worker is started here", lane=lane)

    def close(self) -> None: ...


class LocalLauncher:
    """Keeps the workers of each launched lane alive. They die with this process, even when it is killed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keepers: dict[Lane, list[threading.Thread]] = {}
        self._closing = threading.Event()

    def launch(self, lane: Lane) -> None:
        """Start the lane's workers; nothing happens when they run already."""
        if lane in self._keepers or self._closing.is_set():
            return
        count = self._settings.render_workers if lane == "render" else 1
        # One thread for each worker, which lives as long as the launcher: a child's death signal hangs on its thread.
        self._keepers[lane] = [
            threading.Thread(target=self._keep, args=(lane,), name=f"keeps-{lane}-{number}", daemon=True)
            for number in range(1, count + 1)
        ]
        for keeper in self._keepers[lane]:
            keeper.start()

    def close(self) -> None:
        """End every worker: told first, so that it hands its job back, then killed."""
        self._closing.set()
        for keeper in [keeper for keepers in self._keepers.values() for keeper in keepers]:
            keeper.join()
        self._keepers.clear()

    def _keep(self, lane: Lane) -> None:
        rest = REST_SECONDS
        while not self._closing.is_set():
            started = time.monotonic()
            worker = self._start(lane)
            while worker.poll() is None and not self._closing.wait(LOOK_SECONDS):
                pass
            if self._closing.is_set():
                _end(worker)
                return
            rest = REST_SECONDS if time.monotonic() - started > HEALTHY_SECONDS else rest
            log.warning("a worker ended; another one is started", lane=lane, code=worker.returncode, rest_seconds=rest)
            self._closing.wait(rest)
            rest = min(rest * 2, LONGEST_REST_SECONDS)

    def _start(self, lane: Lane) -> subprocess.Popen[bytes]:
        # Its own session: a Ctrl-C in the terminal reaches only the site, which then ends its workers in order.
        return subprocess.Popen(
            [sys.executable, *COMMANDS[lane]],
            cwd=ROOT,
            env=child_environment(self._settings),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=before_exec(dies_with_parent=signal.SIGTERM, niceness=NICENESS),  # noqa: PLW1509 - it only execs
        )


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    try:
        worker.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
