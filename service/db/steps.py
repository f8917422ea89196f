"""Checkpoints: a finished step, its price, the lease and the progress it makes are saved together or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db import jobs, money
from service.db.events import say
from service.db.failpoints import reached
from service.db.jobs import Claim
from service.db.statements import SAVE_STEP, SPEND
from service.db.tables import Step
from service.domain.money import Caps, Spending


@dataclass(frozen=True)
class Finished:
    """A step as it is saved: `out` is its result as JSON text, `in_key` the hash of all that it depends on."""

    name: str
    in_key: str
    out: str
    units: int = 1
    spent: Sequence[Spending] = ()


def saved(session: Session, held: Claim, name: str, in_key: str) -> Step | None:
    """The job's step of this name when it was made from the same input, else None."""
    query = select(Step).where(Step.job_id == held.job_id, Step.name == name, Step.in_key == in_key)
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def checkpoint(
    session: Session, held: Claim, step: Finished, lease_seconds: float, said: Mapping[str, Any] | None = None
) -> None:
    """Save the step with its price, renew the lease, count its units and tell of it; and settle what it cost.

    A step that is done again for the same input is neither saved nor settled twice.

    Raises:
        Fenced: another worker holds the job; nothing is saved.
    """
    jobs.renew(session, held, lease_seconds)
    sha256 = hashlib.sha256(step.out.encode()).hexdigest()
    row = {"name": step.name, "in_key": step.in_key, "out_sha256": sha256, "out": step.out}
    new = session.scalars(SAVE_STEP, {"job": held.job_id, "epoch": held.epoch, **row}).one()
    paid = _enter(session, held, f"{step.name}:{step.in_key}", step.spent)
    reached("mid-transaction")
    if new:
        jobs.add_units(session, held, step.units)
    money.settle(session, held.run_id, paid)
    if said:  # it tells what is spent, so it comes last; the run's row is held already, and nobody is waited for
        say(session, held.run_id, "progress", said)


def hold(session: Session, held: Claim, most: int, caps: Caps, lease_seconds: float) -> None:
    """Hold the most that the job's next call may cost, in micro-dollars, until `book` says what it did cost.

    Raises:
        Paused: all spending is stopped, the run is paused, or its cap or a purse has too little left.
        Crowded: there is enough for this call, but not beside those that the run's other jobs are making.
        Fenced: another worker holds the job.
    """
    money.may_spend(session, held.run_id, caps, paying=True)
    jobs.renew(session, held, lease_seconds, paying=most)
    money.cover(session, held.run_id, most, caps)


def book(session: Session, held: Claim, key: str, spent: Sequence[Spending], lease_seconds: float) -> None:
    """Settle what was paid for outside of any step, once for each key of the job. Raises Fenced."""
    jobs.renew(session, held, lease_seconds, paying=0)
    money.settle(session, held.run_id, _enter(session, held, key, spent))


def _enter(session: Session, held: Claim, key: str, spent: Sequence[Spending]) -> int:
    """Put what was paid into the ledger; the micro-dollars of what was not there yet."""
    paid = 0
    about = {"run": held.run_id, "job": held.job_id, "lesson": held.subject_id}
    for number, entry in enumerate(spent):
        row = {"key": f"{held.job_id}:{key}:{number}", **about, **asdict(entry)}
        paid += session.scalar(SPEND, row) or 0
    return paid
