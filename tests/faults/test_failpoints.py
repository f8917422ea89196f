"""The fault run in its short form, the proof that it would see a broken engine, and the failpoints themselves.

Each run is a process of its own, the same that scripts/chaos starts.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.db.failpoints import POINTS, Faults
from service.errors import BadInput
from service.settings import ROOT
from tests.faults.__main__ import BROKEN, HELD

REACH = "from service.db import failpoints; failpoints.arm({!r}); failpoints.reached('saved'); print('went on')"


def fault_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.faults", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    print(done.stdout, done.stderr[-4000:])
    return done


def test_nothing_is_lost_or_done_twice_however_workers_and_the_database_die() -> None:
    done = fault_run("--kills", "80", "--restarts", "4", "--seconds", "150", "--seed", "3")
    assert done.returncode == HELD, done.stdout + done.stderr[-4000:]


def test_the_fault_run_sees_an_engine_without_a_fence() -> None:
    given = ["--mutant", "no_fence_at_all", "--at", "paid-not-saved", "--kill", "0.02", "--pause", "0.4"]
    done = fault_run(*given, "--restarts", "0", "--seconds", "120")
    assert done.returncode == BROKEN, done.stdout + done.stderr[-4000:]


def reach(written: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", REACH.format(written)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_an_unarmed_point_does_nothing() -> None:
    with reach("") as worker:
        assert worker.communicate(timeout=30)[0] == "went on\n"


def test_a_worker_dies_at_the_point_that_it_is_aimed_at_and_nowhere_else(tmp_path: Path) -> None:
    log = tmp_path / "hits"
    with reach(f"kill=1,at=saved,log={log}") as hit, reach(f"kill=1,at=claimed,log={log}") as missed:
        assert hit.wait(30) == -signal.SIGKILL
        assert missed.wait(30) == 0
    lines = {tuple(line.split()) for line in log.read_text().splitlines()}
    assert lines == {("saved", "killed", str(hit.pid)), ("saved", "passed", str(missed.pid))}


def test_a_worker_that_sleeps_stands_as_a_whole_and_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "hits"
    with reach(f"pause=1,pause_seconds=1.5,log={log}") as worker:
        end = time.monotonic() + 30
        while not log.exists() or "T" not in Path(f"/proc/{worker.pid}/stat").read_text().rpartition(")")[2].split()[0]:
            assert time.monotonic() < end, "it did not stop"
            time.sleep(0.01)
        assert worker.communicate(timeout=30)[0] == "went on\n"
    assert log.read_text() == f"saved paused {worker.pid}\n"


@pytest.mark.parametrize("written", ["kill", "kill=often", "stumble=0.1", "at=nowhere"])
def test_what_cannot_be_understood_is_said(written: str) -> None:
    with pytest.raises(BadInput, match="FAILPOINTS"):
        Faults.parse(written)


@pytest.mark.parametrize("point", POINTS)
def test_every_point_stands_in_the_engine(point: str) -> None:
    engine = [path.read_text() for path in (ROOT / "service" / "db").glob("*.py") if path.stem != "failpoints"]
    assert sum(text.count(f'reached("{point}")') for text in engine) == 1
