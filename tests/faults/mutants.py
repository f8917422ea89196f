"""Engines that were sabotaged on purpose: what the fault tests must catch, or they prove nothing.

Each is a real engine with one rule taken out, as it was once left out of somebody's queue. A mutant whose text is not
found any more in the engine fails its test: it has to be written anew, not forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.orm import Session

from service.db import events, heart, jobs, lane, statements, steps, task
from service.db.jobs import Claim
from service.db.task import Task

MODULES = (events, jobs, lane, statements, steps, task)
EPOCH = " AND jobs.epoch = :epoch"


@dataclass(frozen=True)
class Patch:
    """One name of a module or a class that means something else in the sabotaged engine."""

    where: Any
    name: str
    value: Any


Sabotage = Callable[[], list[Patch]]


def rewritten(name: str, old: str, new: str = "") -> list[Patch]:
    """The statement of this name with a part replaced, in every module that holds it."""
    holders = [module for module in MODULES if hasattr(module, name)]
    good = getattr(holders[0], name)
    assert old in good.text, f"{name} does not hold {old!r} any more: write this mutant anew"
    bad = text(good.text.replace(old, new))
    return [Patch(module, name, bad) for module in holders]


def no_epoch_in_checkpoint() -> list[Patch]:
    return rewritten("RENEW", EPOCH) + rewritten("ADD_UNITS", EPOCH)


def no_epoch_in_finish() -> list[Patch]:
    return rewritten("FINISH", EPOCH)


def no_epoch_in_failure() -> list[Patch]:
    return rewritten("LOCK_JOB", EPOCH) + rewritten("AGAIN", EPOCH)


def no_guard_in_commit() -> list[Patch]:
    return [Patch(jobs, "guard", lambda *_: None)]


def reap_by_select_then_update() -> list[Patch]:
    return rewritten("UNCLAIMABLE", "FOR UPDATE OF j SKIP LOCKED")


def claim_without_a_lock() -> list[Patch]:
    return rewritten("CLAIM", "FOR UPDATE OF j SKIP LOCKED")


def claim_only_what_is_queued() -> list[Patch]:
    return rewritten("CLAIM", "j.lease_until < now()", "false")


def attempts_counted_at_failure() -> list[Patch]:
    return rewritten("CLAIM", "attempt = attempt + 1, ") + rewritten("AGAIN", "attempt - CAST", "attempt + 1 - CAST")


def handing_back_counts() -> list[Patch]:
    return rewritten("AGAIN", "attempt - CAST(:back AS integer)", "attempt")


def ring_after_commit() -> list[Patch]:
    good = jobs.ring

    def ring(session: Session, lane_: str, run_id: Any) -> None:
        engine = session.get_bind()

        def later(_: Session) -> None:
            with Session(engine) as another, another.begin():
                good(another, lane_, run_id)

        event.listen(session, "after_commit", later, once=True)

    return [Patch(jobs, "ring", ring)]


def lease_not_renewed() -> list[Patch]:
    return [Patch(heart.Heart, "_renew", lambda _: True)]


def saved_before_it_is_paid() -> list[Patch]:
    good = Task.step

    def step(self: Task, name: str, in_key: str, work: Callable[[], Any], **told: Any) -> Any:
        result = good(self, name, in_key, lambda: {"not": "yet"}, **told)
        return work() if result == {"not": "yet"} else result

    return [Patch(Task, "step", step)]


def charged_under_a_new_key() -> list[Patch]:
    return rewritten("SPEND", ":key,", "concat(CAST(:key AS text), gen_random_uuid()),")


def charged_in_its_own_transaction() -> list[Patch]:
    good = steps.checkpoint

    def checkpoint(session: Session, held: Claim, *more: Any) -> None:
        with Session(session.get_bind()) as first, first.begin():
            good(first, held, *more)
        session.execute(text("UPDATE steps SET epoch = epoch WHERE job_id = :job"), {"job": held.job_id})

    return [Patch(steps, "checkpoint", checkpoint)]


def stopping_loses_to_a_retry() -> list[Patch]:
    def fail(session: Session, held: Claim, error: str, *, retryable: bool, **_: Any) -> None:
        again = {"job": held.job_id, "epoch": held.epoch, "error": error, "rest": 0, "back": 0}
        session.execute(statements.AGAIN, again)

    return [Patch(jobs, "fail", fail)]


def numbered_by_the_last_event() -> list[Patch]:
    last = "(SELECT coalesce(max(seq), 0) + 1 FROM events WHERE run_id = :run)"
    return rewritten(
        "SAY",
        "UPDATE runs SET seq = seq + 1 WHERE id = :run RETURNING id, seq, percent, spent_micro_dollars",
        last_of(last),
    )


def last_of(number: str) -> str:
    return f"SELECT id, {number} AS seq, percent, spent_micro_dollars FROM runs WHERE id = :run"


def no_fence_at_all() -> list[Patch]:
    """For the fault run: nothing is fenced by the epoch any more."""
    guarded = ("RENEW", "LOCK_JOB", "ADVANCE", "ADD_UNITS", "FINISH", "AGAIN")
    return [patch for name in guarded for patch in rewritten(name, EPOCH)]


def sabotage(name: str) -> None:
    """Sabotage the engine in this process for good; an empty name leaves it as it is."""
    if not name:
        return
    known: dict[str, Sabotage] = {made.__name__: made for made in MUTANTS}
    for patch in known[name]():
        setattr(patch.where, patch.name, patch.value)


MUTANTS: tuple[Sabotage, ...] = (
    no_epoch_in_checkpoint,
    no_epoch_in_finish,
    no_epoch_in_failure,
    no_guard_in_commit,
    reap_by_select_then_update,
    claim_without_a_lock,
    claim_only_what_is_queued,
    attempts_counted_at_failure,
    handing_back_counts,
    ring_after_commit,
    lease_not_renewed,
    saved_before_it_is_paid,
    charged_under_a_new_key,
    charged_in_its_own_transaction,
    stopping_loses_to_a_retry,
    numbered_by_the_last_event,
    no_fence_at_all,
)
