"""Drives a fault run: real workers that die and fall asleep at failpoints, a database that dies and hangs, new runs all
the while; then the faults end, the work is drained, and the history is judged.

Workers are forked from a small server process that has everything imported, so that a death costs milliseconds and a
short run holds hundreds of them. Each is aimed at one failpoint: so the rare ones are hit as often as the common ones.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from service.adapters.storage import open_storage
from service.db import jobs, money
from service.db.engine import transaction
from service.db.failpoints import POINTS
from service.db.tables import Course, CourseState, Role, Run, RunKind, User
from service.domain.course import Brief
from service.errors import Unavailable
from service.ports import Lane
from service.settings import Settings
from tests.faults.history import Events, count_calls, judge, judge_under_way
from tests.faults.server import BreakableServer
from tests.faults.workload import PRICE, STEPS, Workplace, work

T = TypeVar("T")
LANES: tuple[Lane, ...] = ("author", "render", "author", "render", "author", "render")
LEASE_SECONDS = 1.5
OVERSLEPT_SECONDS = (0.15, 1.2)  # how long after the end of its lease a sleeper wakes up
OPEN_RUNS = 8
LOOK_EVERY_SECONDS = 1.0
KILLS_A_SECOND = 2.0
FENCED = "is another worker's now"


@dataclass(frozen=True)
class Plan:
    """How much has to go wrong before the run may end, and when it ends anyway."""

    seed: int = 1
    kills: int = 100
    restarts: int = 5
    seconds: float = 60.0
    kill: float = 0.4
    pause: float = 0.12
    at: str = ""
    mutant: str = ""


@dataclass
class Worker:
    """A living worker, the failpoint that it is aimed at, and when it is told to stop."""

    process: ForkServerProcess
    at: str
    stop_at: float
    told: bool = False


class FaultRun:
    """One fault run in a folder of its own; `go` gives what happened and what is wrong with the history."""

    def __init__(self, plan: Plan, folder: Path, server: BreakableServer) -> None:
        self.plan, self.folder, self.server = plan, folder, server
        self.dice = random.Random(plan.seed)
        self.seen = Events(workers=len(LANES))
        self.accepted: list[uuid.UUID] = []
        self._look_at = 0.0
        self._workers: list[Worker | None] = [None] * len(LANES)
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload([work.__module__])
        self._engine: Engine = create_engine(server.url, pool_pre_ping=True, connect_args={"timeout": 10})
        self._settings = Settings(
            data_dir=folder,
            database_url=server.url,
            database_pool=2,
            database_overflow=0,
            storage_url=f"file://{folder}/media",
            lease_seconds=LEASE_SECONDS,
            poll_seconds=0.05,
        )

    def go(self) -> tuple[Events, list[str]]:
        began = time.monotonic()
        try:
            self.begin()
            self._break_things(began + self.plan.seconds)
            if self.plan.mutant and (caught := self._keep_trying(judge_under_way)):
                self._count()
                return self.seen, caught
            self._drain()
        finally:
            self.close()
        wrong = self.judge()
        self.seen.seconds = time.monotonic() - began
        return self.seen, wrong

    def begin(self) -> None:
        """Make the course that all runs are about."""
        self._keep_trying(self._add_course)

    def judge(self) -> list[str]:
        """What is wrong with the history by now; call it when no run is open."""
        self._count()
        storage = open_storage(self._settings, signing_key=b"fault run")
        return self._keep_trying(lambda session: judge(session, storage, self.accepted, self.seen))

    def under_way(self) -> int:
        """How many runs have not ended."""
        return self._keep_trying(_open_runs)

    def close(self) -> None:
        """End the workers at once."""
        self._end_workers(signal.SIGKILL)
        self._engine.dispose()

    # --- the faults ---

    def _break_things(self, until: float) -> None:
        begin = time.monotonic()
        # Spread over the time that so many kills take on a busy machine, not over all that may be waited.
        share = max(4.0, self.plan.kills / KILLS_A_SECOND / (self.plan.restarts + 1))
        restart_at, hang_at = begin + share, begin + 1.5 * share
        while time.monotonic() < until and not self._enough():
            self.feed()
            self.keep_workers()
            self._stop_some()
            if time.monotonic() >= restart_at and self.seen.restarts < self.plan.restarts:
                self.server.restart("fast" if self.dice.random() < 0.25 else "immediate")
                self.seen.restarts += 1
                restart_at = time.monotonic() + share * self.dice.uniform(0.5, 1.0)
            if time.monotonic() >= hang_at and self.plan.restarts:
                with self.server.hung():
                    time.sleep(self.dice.uniform(0.2, LEASE_SECONDS * 1.5))
                self.seen.hangs += 1
                hang_at = time.monotonic() + 4 * share
            time.sleep(0.02)

    def _enough(self) -> bool:
        """Whether everything happened often enough. A mutant gets its time until it is caught."""
        if time.monotonic() < self._look_at:  # the logs of a long run are long
            return False
        self._look_at = time.monotonic() + LOOK_EVERY_SECONDS
        if self.plan.mutant:
            return bool(self._keep_trying(judge_under_way))
        self._count()
        return (
            self.seen.did("killed") >= self.plan.kills
            and self.seen.restarts >= self.plan.restarts
            and all(self.seen.at(point) >= self.least_each for point in POINTS)
            and self.seen.fenced >= self.least_fenced
        )

    @property
    def least_each(self) -> int:
        """So many faults must strike at every failpoint."""
        return max(3, self.plan.kills // 60)

    @property
    def least_fenced(self) -> int:
        """So many late writes must be refused: 10 for 300 kills, and never fewer than 5."""
        return max(5, self.plan.kills // 10)

    def keep_workers(self) -> None:
        """Start a worker wherever none lives."""
        for place, lane in enumerate(LANES):
            worker = self._workers[place]
            if worker is not None and worker.process.is_alive():
                continue
            if worker is not None:
                worker.process.close()
            at = self.plan.at or self.dice.choice(POINTS)
            written = (
                f"seed={self.dice.getrandbits(32)},kill={self.plan.kill},pause={self.plan.pause},at={at},"
                f"pause_seconds={LEASE_SECONDS + self.dice.uniform(*OVERSLEPT_SECONDS):.3f},log={self.folder / 'hits'}"
            )
            stop_in = self.dice.uniform(0.3, 1.0) if at == "released" else 3600.0
            self._workers[place] = Worker(self.spawn(lane, failpoints=written), at, time.monotonic() + stop_in)

    def _stop_some(self) -> None:
        """A worker that is aimed at handing back has to be told to."""
        for worker in filter(None, self._workers):
            if not worker.told and time.monotonic() >= worker.stop_at:
                worker.told = True
                self.seen.stops += 1
                worker.process.terminate()

    def spawn(self, lane: Lane, **changes: object) -> ForkServerProcess:
        """Start a worker, with settings of its own."""
        place = Workplace(self._settings.model_copy(update=changes), lane, self.folder)
        if self.plan.mutant:  # every step long: what it does wrong, it must have the time to do
            place = replace(place, mutant=self.plan.mutant, step_seconds=(0.3,))
        process = self._processes.Process(target=work, args=(place,), daemon=True)
        process.start()
        return process

    def _drain(self) -> None:
        """No more faults: everything that was accepted has to end."""
        self._end_workers(signal.SIGTERM)
        self._workers = [Worker(self.spawn(lane), "", 0.0, told=True) for lane in LANES[:4]]
        until = time.monotonic() + 60.0 + 0.2 * len(self.accepted)
        while self.under_way() and time.monotonic() < until:
            time.sleep(0.1)
        self._end_workers(signal.SIGTERM)

    def _end_workers(self, number: signal.Signals) -> None:
        living = [worker.process for worker in self._workers if worker is not None]
        for process in living:
            with contextlib.suppress(ProcessLookupError):
                if process.is_alive():
                    process.kill() if number is signal.SIGKILL else process.terminate()
        for process in living:
            process.join(15.0)
            if process.is_alive():
                process.kill()
                process.join(5.0)
        self._workers = [None] * len(LANES)

    # --- the work ---

    def feed(self) -> None:
        """Request so many runs that OPEN_RUNS are under way."""
        try:
            missing = OPEN_RUNS - transaction(self._engine, _open_runs)
        except Unavailable:
            return
        for _ in range(missing):
            run_id, subject = uuid.uuid4(), uuid.uuid4()
            try:
                transaction(self._engine, lambda session, ids=(run_id, subject): self._request(session, *ids))
            except Unavailable:
                return  # nobody was told that it is accepted; it may be there or not, and both are right
            self.accepted.append(run_id)

    def _request(self, session: Session, run_id: uuid.UUID, subject: uuid.UUID) -> None:
        if session.get(Run, run_id) is not None:
            return  # the answer to the first commit was lost
        course, owner = session.query(Course.id, Course.owner_id).one()
        worst = 2 * len(STEPS) * PRICE
        names = {"kind": RunKind.INGEST, "idem_key": run_id.hex, "estimated_micro_dollars": worst}
        run = Run(id=run_id, course_id=course, owner_id=owner, **names)
        session.add(run)
        for kind, lane, blocked in (("write", "author", False), ("film", "render", True)):
            given: dict[str, Any] = {"kind": kind, "lane": lane, "blocked": blocked}
            jobs.enqueue(session, run_id, subject_id=subject, units=len(STEPS), **given)
        # The unluckiest job meets many more deaths here than a poisonous one may cause.
        session.execute(text("UPDATE jobs SET max_attempts = 1000 WHERE run_id = :run"), {"run": run_id})
        money.reserve(session, run, worst, self._settings.caps)

    def _add_course(self, session: Session) -> None:
        owner = User(id=uuid.uuid4(), email="ada@example.org", name="Ada", password_hash="!", role=Role.ADMIN)
        session.add(owner)
        session.flush()
        brief = Brief(title="Knots")
        session.add(Course(id=uuid.uuid4(), owner_id=owner.id, title="Knots", brief=brief, state=CourseState.DRAFT))

    # --- what happened ---

    def _count(self) -> None:
        hits = self.folder / "hits"
        lines = hits.read_text().splitlines() if hits.exists() else []
        self.seen.points = Counter((point, what) for point, what, _ in map(str.split, lines))
        log = self.folder / "workers.log"
        self.seen.fenced = log.read_text(errors="replace").count(FENCED) if log.exists() else 0
        self.seen.runs = len(self.accepted)
        count_calls(self.folder / "calls", self.seen)

    def _keep_trying(self, ask: Callable[[Session], T]) -> T:
        until = time.monotonic() + 60.0
        while True:
            try:
                return transaction(self._engine, ask)
            except Unavailable:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def blind(self) -> Iterator[str]:
        """What did not happen often enough for the run to mean anything."""
        for point in POINTS:
            if self.seen.at(point) < self.least_each:
                yield f"only {self.seen.at(point)} faults struck at the failpoint {point!r}; {self.least_each} must"
        wanted = {
            "kills": (self.seen.did("killed"), self.plan.kills),
            "pauses": (self.seen.did("paused"), self.least_fenced),
            "refused late writes": (self.seen.fenced, self.least_fenced),
            "database restarts": (self.seen.restarts, self.plan.restarts),
            "database hangs": (self.seen.hangs, min(1, self.plan.restarts)),
            "runs": (self.seen.runs, OPEN_RUNS),
        }
        yield from (f"there were only {n} {what}; {least} must be" for what, (n, least) in wanted.items() if n < least)


def _open_runs(session: Session) -> int:
    return int(session.scalar(text("SELECT count(*) FROM runs WHERE state IN ('accepted', 'running')")) or 0)


def table(seen: Events) -> str:
    """What happened, for people."""
    lines = [f"{'failpoint':20}{'passed':>8}{'killed':>8}{'paused':>8}"]
    for point in POINTS:
        counts = "".join(f"{seen.points[point, what]:8}" for what in ("passed", "killed", "paused"))
        lines.append(f"{point:20}{counts}")
    lines.append(
        f"{seen.did('killed')} kills, {seen.did('paused')} pauses past the lease, {seen.fenced} late writes refused, "
        f"{seen.stops} workers told to stop, {seen.restarts} database restarts, {seen.hangs} database hangs"
    )
    lines.append(
        f"{seen.runs} runs, {seen.calls} paid calls, {seen.repeats} of them again ({seen.allowed_repeats} explained), "
        f"{seen.seconds:.0f} s"
    )
    return "\n".join(lines)
