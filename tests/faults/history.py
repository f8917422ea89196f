"""Judges what a fault run left behind: every rule that a lost, doubled, late or torn write would break."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from service.errors import NotFound
from service.ports import StorageService
from tests.faults.workload import PRICE, STEPS, answer, canonical

JOBS = ("write", "film")
SHOWN = 12


@dataclass
class Events:
    """How often every hazard really occurred."""

    runs: int = 0
    points: Counter[tuple[str, str]] = field(default_factory=Counter)
    fenced: int = 0
    stops: int = 0
    restarts: int = 0
    hangs: int = 0
    workers: int = 0
    calls: int = 0
    repeats: int = 0
    seconds: float = 0.0

    def did(self, what: str) -> int:
        """How often this happened at any failpoint: passed, killed or paused."""
        return sum(n for (_, happened), n in self.points.items() if happened == what)

    def at(self, point: str) -> int:
        """How many faults struck at this failpoint."""
        return self.points[point, "killed"] + self.points[point, "paused"]

    @property
    def released(self) -> int:
        """How many jobs were handed back."""
        return sum(n for (point, _), n in self.points.items() if point == "released")

    @property
    def torn(self) -> int:
        """How many transactions the database may have cut, so that nobody knows whether they were committed."""
        return (self.restarts + self.hangs) * self.workers

    @property
    def allowed_repeats(self) -> int:
        """A call that was answered but not saved is paid again: once for each death, lost lease, and worker that the
        database failed. A lease that was lost without a pause was lost to a slow machine, and was seen by its fence.
        """
        lost = max(self.did("paused"), self.fenced)
        return self.did("killed") + lost + self.torn


def judge(session: Session, storage: StorageService, accepted: Sequence[UUID], seen: Events) -> list[str]:
    """What is wrong with the history, in sentences; empty when every rule holds."""
    rules = (_runs(session, accepted), _jobs(session), _steps(session, storage), _money(session))
    more = (_purses(session), _events(session), _rings(session, seen), _attempts(session, seen), _repeats(seen))
    found = [complaint for rule in (*rules, *more) for complaint in rule]
    return found[:SHOWN] + ([f"… and {len(found) - SHOWN} more"] if len(found) > SHOWN else [])


def _runs(session: Session, accepted: Sequence[UUID]) -> Iterator[str]:
    rows = {row.id: row for row in _all(session, "SELECT id, state, units, done, percent FROM runs")}
    for run_id in set(accepted) - set(rows):
        yield f"run {run_id} was accepted and is lost"
    for row in rows.values():
        if row.state != "succeeded" or row.done != row.units or row.percent != 100:
            yield f"run {row.id} is {row.state}: {row.done} of {row.units} units, {row.percent} %"


def _jobs(session: Session) -> Iterator[str]:
    rows = _all(session, "SELECT id, run_id, kind, state, units, done, error FROM jobs")
    for row in rows:
        if row.state != "succeeded" or row.done != row.units:
            yield f"job {row.id} ({row.kind}) is {row.state} with {row.done} of {row.units} units: {row.error}"
    per_run = Counter(row.run_id for row in rows)
    yield from (f"run {run_id} has {n} jobs" for run_id, n in per_run.items() if n != len(JOBS))


def _steps(session: Session, storage: StorageService) -> Iterator[str]:
    """Each run's steps form one chain from its subject on, and every body is the one that its key names."""
    rows = _all(
        session,
        "SELECT jobs.run_id, jobs.kind, jobs.subject_id, steps.name, steps.out, steps.out_sha256 "
        "FROM jobs LEFT JOIN steps ON steps.job_id = jobs.id",
    )
    by_run: dict[UUID, dict[tuple[str, str], Any]] = {}
    for row in rows:
        by_run.setdefault(row.run_id, {})[row.kind, row.name] = row
    for run_id, steps in by_run.items():
        last = str(next(iter(steps.values())).subject_id)
        for place in ((kind, name) for kind in JOBS for name in STEPS):
            step = steps.get(place)
            if step is None:
                yield f"run {run_id} lacks the step {place}"
                break
            yield from (f"run {run_id}, step {place}: {what}" for what in _step(step, last, storage))
            last = step.out["key"]


def _step(step: Any, made_from: str, storage: StorageService) -> Iterator[str]:
    if step.out["from"] != made_from:
        yield "it is not made from the step before it"
    if hashlib.sha256(canonical(step.out).encode()).hexdigest() != step.out_sha256:
        yield "its hash is another one"
    try:
        if storage.get(step.out["key"]) != answer(step.out["from"], step.out["mood"]):
            yield "its body is another one"
    except NotFound:
        yield "its body is not in the storage"


def _money(session: Session) -> Iterator[str]:
    """Every step was charged once, to its run and to each of the three purses."""
    steps, charges, total, site, runs = session.execute(
        text(
            "SELECT (SELECT count(*) FROM steps), count(*), coalesce(sum(micro_dollars), 0), "
            "(SELECT coalesce(sum(spent_micro_dollars), 0) FROM budgets WHERE scope = 'site'), "
            "(SELECT coalesce(sum(spent_micro_dollars), 0) FROM runs) FROM ledger"
        )
    ).one()
    if charges != steps or total != steps * PRICE:
        yield f"{steps} steps were charged {charges} times, {total} micro-dollars instead of {steps * PRICE}"
    if site != total or runs != total:
        yield f"the ledger says {total} micro-dollars, the site's purse {site}, the runs {runs}"


def _purses(session: Session) -> Iterator[str]:
    """Nothing is held any more, and the user's purses have paid what the site's has."""
    rows = _all(session, "SELECT scope, period, reserved_micro_dollars, spent_micro_dollars FROM budgets")
    for row in rows:
        if row.reserved_micro_dollars:
            yield f"the purse {row.scope} {row.period} still holds {row.reserved_micro_dollars} micro-dollars"
    if len({row.spent_micro_dollars for row in rows if len(row.period) == len("2026-11")}) > 1:
        yield f"the purses of the month have paid differently: {rows}"
    for row in _all(session, "SELECT id FROM runs WHERE reserved_micro_dollars <> 0"):
        yield f"run {row.id} still holds money"


def _torn(session: Session) -> Iterator[str]:
    """A step that is not made from the one before it, as far as the run has come."""
    made = "SELECT job_id, name, out->>'from' AS made_from, out->>'key' AS key FROM steps"
    for before, after in pairwise(STEPS):
        query = f"SELECT b.job_id FROM ({made}) a JOIN ({made}) b USING (job_id) WHERE a.key <> b.made_from"
        found = session.scalars(text(f"{query} AND a.name = '{before}' AND b.name = '{after}'")).all()
        yield from (f"job {job_id}: the step {after} is not made from {before}" for job_id in found)


def judge_under_way(session: Session) -> list[str]:
    """What may never be seen, not even in the middle of a run."""
    return [*_money(session), *_torn(session)]


def _events(session: Session) -> Iterator[str]:
    """Numbered from 1 without a gap, in percentages that never fall, with one end."""
    told: dict[UUID, list[Any]] = {}
    for row in _all(session, "SELECT run_id, seq, kind, data->'percent' AS percent FROM events ORDER BY run_id, seq"):
        told.setdefault(row.run_id, []).append(row)
    for run_id, last in _all(session, "SELECT id, seq FROM runs"):
        rows = told.get(run_id, [])
        if [row.seq for row in rows] != list(range(1, last + 1)):
            yield f"the events of run {run_id} are not numbered from 1 to {last}"
        percents = [row.percent for row in rows]
        if percents != sorted(percents):
            yield f"the percentage of run {run_id} falls: {percents}"
        if [row.kind for row in rows].count("done") != 1:
            yield f"run {run_id} was not said to be done once"


def _rings(session: Session, seen: Events) -> Iterator[str]:
    """A ring for each job that became claimable: at the request, when the film may begin, and when it is handed back.

    Of a release whose commit was cut by the database's death, nobody knows; so many more rings there may be.
    """
    rings = Counter(tuple(row) for row in _all(session, "SELECT payload->>'run_id', payload->>'lane' FROM outbox"))
    for run_id in (str(row.id) for row in _all(session, "SELECT id FROM runs")):
        for lane in ("author", "render"):
            if not rings[run_id, lane]:
                yield f"nobody rang the {lane} lane for run {run_id}"
    least = 2 * seen.runs + seen.released
    if not least <= rings.total() <= least + seen.torn:
        yield f"there are {rings.total()} rings for {seen.runs} runs and {seen.released} releases"


def _attempts(session: Session, seen: Events) -> Iterator[str]:
    """Every claim is an attempt, except those that were handed back."""
    returned = int(session.scalar(text("SELECT coalesce(sum(epoch - attempt), 0) FROM jobs")) or 0)
    if not seen.released <= returned <= seen.released + seen.torn:
        yield f"{returned} claims were no attempts, and {seen.released} jobs were handed back"


def _repeats(seen: Events) -> Iterator[str]:
    if seen.repeats > seen.allowed_repeats:
        yield f"{seen.repeats} calls were paid again, and only {seen.allowed_repeats} faults explain one"


def count_calls(calls: Path, seen: Events) -> None:
    """Count what the provider was asked, and how often for the same step again."""
    lines = calls.read_text().splitlines() if calls.exists() else []
    asked = Counter(tuple(line.split()[:2]) for line in lines)
    seen.calls, seen.repeats = asked.total(), asked.total() - len(asked)


def _all(session: Session, query: str) -> Sequence[Any]:
    return session.execute(text(query)).all()
