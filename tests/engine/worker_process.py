"""A lane in a process of its own, with handlers small enough to be killed at a chosen point. Run by the lane's tests.

    python -m tests.engine.worker_process DATABASE_URL LEASE_SECONDS DEADLINE_SECONDS DONE_FILE

Every finished step writes a line into DONE_FILE, before it is saved: work that is done twice shows.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import create_engine

from service.db import heart
from service.db.backoff import Backoff
from service.db.lane import Task, run_lane, stop_on_signals
from service.settings import Settings

STEPS = ("one", "two", "three", "four")


def steps(done: Path, task: Task, *, killed_after: str = "", slow: float = 0.0) -> None:
    for name in STEPS:

        def work(name: str = name) -> str:
            time.sleep(slow)
            with done.open("a") as file:
                file.write(f"{name}\n")
            return name.upper()

        assert task.step(name, "key", work, what=f"Doing {name}") == name.upper()
        if name == killed_after and task.claim.attempt == 1:
            os.kill(os.getpid(), signal.SIGKILL)


def hang(task: Task) -> None:
    """A handler that never comes back the first time, and does its work the second time."""
    if task.claim.attempt == 1:
        time.sleep(3600)


def with_a_child(done: Path) -> None:
    """Hangs in a child that no signal but the last one ends, as an encoder or a voice may."""
    child = subprocess.Popen(["/bin/sh", "-c", "trap '' TERM INT HUP; sleep 3600 & wait"])
    done.write_text(str(child.pid))
    child.wait()


def main() -> int:
    logging.basicConfig(level=logging.INFO)
    url, lease, deadline, done_file = sys.argv[1:]
    done = Path(done_file)
    handlers = {
        "steps": lambda task: steps(done, task),
        "killed": lambda task: steps(done, task, killed_after="two"),
        "slow": lambda task: steps(done, task, slow=0.5),
        "poison": lambda _: os.kill(os.getpid(), signal.SIGKILL),
        "hang": hang,
        "with a child": lambda _: with_a_child(done),
        "deaf": lambda _: time.sleep(3600),
    }
    settings = Settings(
        database_url=url,
        lease_seconds=float(lease),
        step_deadline_seconds=float(deadline),
        poll_seconds=0.05,
        idle_exit_seconds=1.0,
    )
    heart.HUNG_GRACE_SECONDS = 0.5
    stop = stop_on_signals()
    engine = create_engine(url, pool_pre_ping=True)
    print("ready", flush=True)
    return run_lane(engine, "author", handlers, settings=settings, stop=stop, backoff=Backoff(0.0, 0.0))


if __name__ == "__main__":
    sys.exit(main())
