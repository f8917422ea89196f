"""What the workers of a fault run do: the real lanes with a small real workload, whose every effect can be checked.

A run has two jobs of four steps: `write` on the author lane, and `film` on the render lane, which waits for it. Each
step pays a provider, puts its answer into the storage and is made from the step before it, so the keys form a chain.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.adapters.database import open_engine
from service.adapters.storage import open_storage
from service.db import jobs
from service.db.backoff import Backoff
from service.db.lane import Task, run_lane, stop_on_signals
from service.db.tables import Job, Step
from service.ports import Lane, StorageService
from service.settings import Settings
from tests.faults import mutants

STEPS = ("one", "two", "three", "four")
PRICE = 250  # micro-dollars a call
QUICK = Backoff(base=0.05, cap=0.4)


@dataclass(frozen=True)
class Workplace:
    """What a worker process of a fault run is started with."""

    settings: Settings
    lane: Lane
    folder: Path
    mutant: str = ""
    step_seconds: tuple[float, ...] = (0.01, 0.01, 0.3)  # some long, for sleepers to meet their successors at work

    @property
    def calls(self) -> Path:
        """A line for every call that the provider answered, and was paid for."""
        return self.folder / "calls"

    @property
    def log(self) -> Path:
        return self.folder / "workers.log"


def answer(prompt: str, mood: str) -> bytes:
    """What the provider says. Like a model, it says something else each time: what is made twice does not fit."""
    return hashlib.sha256(f"{mood} answer to {prompt}".encode()).hexdigest().encode() * 20


def key_of(body: bytes) -> str:
    return f"faults/{hashlib.sha256(body).hexdigest()}.txt"


def append(path: Path, line: str) -> None:
    """One line in one write: whole also when the process dies in the next instant."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


def chain(task: Task, storage: StorageService, place: Workplace, first: str) -> str:
    """Do the job's steps, each from the one before; the key of what the last one made."""
    last = first
    for name in STEPS:

        def work(name: str = name, made_from: str = last) -> dict[str, str]:
            time.sleep(random.choice(place.step_seconds))
            mood = secrets.token_hex(8)
            body = answer(made_from, mood)
            append(place.calls, f"{task.claim.job_id} {name} {time.time():.6f}")
            task.spend("stub", 1, "call", PRICE)
            storage.put(key_of(body), body, "text/plain")
            return {"from": made_from, "mood": mood, "key": key_of(body)}

        last = task.step(name, hashlib.sha256(last.encode()).hexdigest(), work, what=f"Doing {name}")["key"]
    return last


def write(storage: StorageService, place: Workplace, task: Task) -> None:
    chain(task, storage, place, str(task.claim.subject_id))
    task.commit(lambda session: jobs.unblock(session, task.claim.run_id, "film", task.claim.subject_id))


def film(storage: StorageService, place: Workplace, task: Task) -> None:
    chain(task, storage, place, task.commit(partial(written, task)))


def written(task: Task, session: Session) -> str:
    """The key of what the run's `write` made last."""
    last = select(Step.out).join(Job, Job.id == Step.job_id)
    out = session.scalars(last.where(Job.run_id == task.claim.run_id, Job.kind == "write", Step.name == STEPS[-1]))
    return str(out.one()["key"])


def work(place: Workplace) -> None:
    """A worker process from its first breath to its exit code."""
    log = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    logging.basicConfig(level=logging.INFO, format="%(process)d %(message)s", stream=sys.stderr)
    mutants.sabotage(place.mutant)
    stop = stop_on_signals()
    storage = open_storage(place.settings, signing_key=b"fault run")
    kinds: dict[str, Callable[[StorageService, Workplace, Task], None]] = {"write": write, "film": film}
    handlers = {kind: partial(handler, storage, place) for kind, handler in kinds.items()}
    with open_engine(place.settings) as engine:
        sys.exit(run_lane(engine, place.lane, handlers, settings=place.settings, stop=stop, backoff=QUICK))


def canonical(out: object) -> str:
    """A step's result as the engine wrote it when it took its hash."""
    return json.dumps(out, ensure_ascii=False, sort_keys=True)
