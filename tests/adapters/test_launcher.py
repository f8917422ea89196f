"""Workers live while the launcher does: started, restarted, told to stop, and gone with a killed site."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.adapters import launcher as launcher_module
from service.adapters.launcher import LocalLauncher, NoLauncher, open_launcher
from service.settings import ROOT, Settings

WORKER = """
import os, signal, sys, time
log, mode = sys.argv[1:]
def say(what):
    with open(log, "a") as file:
        file.write(f"{what} {os.getpid()} {os.nice(0)} {os.environ['DATABASE_URL']} {os.getsid(0) == os.getpid()}\\n")
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: (say("told"), sys.exit(0)))
say("started")
end = time.monotonic() + 60  # so that a failing test leaves nothing behind for long
while mode != "short" and time.monotonic() < end:
    time.sleep(0.05)
"""


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


class Log:
    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self, what: str) -> list[list[str]]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [line.split() for line in lines if line.startswith(what)]

    def pids(self) -> list[int]:
        return [int(line[1]) for line in self.lines("started")]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


@pytest.fixture
def launch(settings: Settings, log: Log) -> Iterator[Callable[..., LocalLauncher]]:
    opened: list[LocalLauncher] = []

    def start(mode: str = "", **changes: object) -> LocalLauncher:
        command = (sys.executable, "-c", WORKER, str(log.path), mode)
        chosen = settings.model_copy(update=changes)
        opened.append(LocalLauncher(chosen, {"author": command, "render": command}))
        return opened[-1]

    yield start
    for launcher in opened:
        launcher.close()


def test_a_worker_gets_the_resolved_settings_a_lower_priority_and_a_session_of_its_own(
    launch: Callable[..., LocalLauncher], log: Log, settings: Settings
) -> None:
    launch().launch("author")
    until(lambda: bool(log.pids()))
    _, _, nice, database_url, own_session = log.lines("started")[0]
    assert int(nice) == min(19, os.nice(0) + 5)
    assert database_url == settings.database_url
    assert own_session == "True"


def test_launching_again_changes_nothing_and_the_render_lane_has_as_many_as_asked(
    launch: Callable[..., LocalLauncher], log: Log
) -> None:
    launcher = launch(render_workers=3)
    launcher.launch("render")
    launcher.launch("render")
    until(lambda: len(log.pids()) == 3)
    time.sleep(0.3)
    assert len(log.pids()) == 3


def test_closing_asks_every_worker_to_stop_and_waits(launch: Callable[..., LocalLauncher], log: Log) -> None:
    launcher = launch(render_workers=2)
    launcher.launch("render")
    until(lambda: len(log.pids()) == 2)
    launcher.close()
    assert len(log.lines("told")) == 2
    assert not any(alive(pid) for pid in log.pids())


def test_a_worker_that_does_not_listen_is_killed(
    launch: Callable[..., LocalLauncher], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher_module, "STOP_SECONDS", 0.3)
    launcher = launch("deaf")
    launcher.launch("author")
    until(lambda: bool(log.pids()))
    launcher.close()
    assert not alive(log.pids()[0])


def test_a_worker_that_dies_is_started_again_with_growing_rests(
    launch: Callable[..., LocalLauncher], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher_module, "FIRST_REST_SECONDS", 0.05)
    launch().launch("author")
    until(lambda: len(log.pids()) == 1)
    os.kill(log.pids()[0], signal.SIGKILL)
    until(lambda: len(log.pids()) == 2)
    assert alive(log.pids()[1])


def test_a_worker_that_cannot_live_does_not_keep_the_machine_busy(
    launch: Callable[..., LocalLauncher], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher_module, "FIRST_REST_SECONDS", 0.3)
    launch("short").launch("author")
    time.sleep(2.0)
    assert 1 <= len(log.pids()) <= 4


def test_the_workers_of_a_killed_site_are_told_to_stop(log: Log, settings: Settings) -> None:
    program = (
        "import sys, time; from service.adapters.launcher import LocalLauncher; from service.settings import Settings; "
        "command = (sys.executable, '-c', sys.argv[1], sys.argv[2], ''); "
        "LocalLauncher(Settings(), {'author': command}).launch('author'); time.sleep(60)"
    )
    site = subprocess.Popen([sys.executable, "-c", program, WORKER, str(log.path)], cwd=ROOT)
    try:
        until(lambda: bool(log.pids()))
        worker = log.pids()[0]
        assert alive(worker)
    finally:
        site.kill()
        site.wait()
    until(lambda: not alive(worker), 5)
    assert log.lines("told")


def test_no_launcher_starts_nothing_and_the_clouds_waits_to_be_asked(settings: Settings) -> None:
    nothing = open_launcher(settings)
    assert isinstance(nothing, NoLauncher)
    nothing.launch("author")
    nothing.close()
    cloud = open_launcher(settings.model_copy(update={"jobs_url": "cloudrun://project/region"}))
    assert nothing.standing
    assert not cloud.standing
    cloud.close()


def test_the_commands_are_those_that_the_cloud_starts_too() -> None:
    assert launcher_module.COMMANDS["author"][1:] == ("-m", "service", "work")
    assert launcher_module.COMMANDS["render"][1:] == ("-m", "renderer_job", "work")
