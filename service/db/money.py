"""Money: held before a run begins, settled with each step, given back at its end, and stopped as a whole.

A run is charged to its three purses (see `purses`) of the day on which it reserved. Before each call of a provider
its job holds the most that this call can cost. What all jobs of the run hold must fit under the cap of whoever began
it, and into what the run holds in its purses, which is raised as long as they have room; so no cap is passed, by any
number of workers. Work that costs more than was held is booked all the same, because it was paid; no step begins once a
purse is spent.

Locks come in one order: job, run, course and lessons, and the purses last, sorted; so two runs never wait for each
other, and the site's purse, which every run needs, is held only for the last moments of a transaction.
"""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.db.purses import NAMES, Lack, book, hold, today, with_purses
from service.db.statements import RING
from service.db.tables import BudgetAlert, Run, Switch
from service.domain.money import MICRO, BudgetAlertMessage, Caps, cents_up, dollars, micro_dollars
from service.errors import BadInput, Crowded, OverBudget, Paused

__all__ = [
    "BudgetAlertMessage",
    "Caps",
    "allow_spending",
    "at_own_cap",
    "budget_alert",
    "cover",
    "may_spend",
    "next_calls",
    "raise_cap",
    "reconcile",
    "release",
    "reserve",
    "settle",
    "spending_stopped",
    "stop_spending",
    "worst_case",
]

SPENDING = "spending"
OUT_OF_MONEY = "Paused: "  # begins every reason to pause that more money would remove
OWN_CAP = "the cap of "  # goes on where it is the run's own cap
NEXT_CALLS = re.compile(r"the next calls may cost up to \$(\d+\.\d{4})\b")

HELD = text("""
    UPDATE runs SET reserved_micro_dollars = reserved_micro_dollars + :micro, reserved_on = :day WHERE id = :run
""")

LOCK_RUN = text("""
    SELECT owner_id, cap_micro_dollars AS cap, spent_micro_dollars AS spent, reserved_micro_dollars AS reserved,
           coalesce(reserved_on, CAST(now() AT TIME ZONE 'UTC' AS date)) AS day
    FROM runs WHERE id = :run FOR UPDATE
""")
AT_RISK = text("""
    SELECT CAST(coalesce(sum(held_micro_dollars), 0) AS bigint) FROM jobs WHERE run_id = :run AND state = 'running'
""")

BOOK_RUN = text("""
    WITH mine AS (
        SELECT id, owner_id, least(reserved_micro_dollars, CAST(:micro AS bigint)) AS freed,
               coalesce(reserved_on, CAST(now() AT TIME ZONE 'UTC' AS date)) AS day
        FROM runs WHERE id = :run FOR UPDATE
    )
    UPDATE runs SET spent_micro_dollars = spent_micro_dollars + CAST(:micro AS bigint),
                    reserved_micro_dollars = reserved_micro_dollars - mine.freed, reserved_on = mine.day
    FROM mine WHERE runs.id = mine.id RETURNING mine.owner_id, mine.freed, mine.day
""")

RELEASE_RUN = text("""
    WITH mine AS (SELECT id, owner_id, reserved_micro_dollars AS freed, reserved_on AS day FROM runs
                  WHERE id = :run AND reserved_micro_dollars > 0 FOR UPDATE)
    UPDATE runs SET reserved_micro_dollars = 0 FROM mine WHERE runs.id = mine.id
    RETURNING mine.owner_id, mine.freed, mine.day
""")

# A run that never paid and is not to pay is nobody's business here, so the offline parts work with any cap.
EMPTY_PURSE = with_purses("""
    WITH mine AS (
        SELECT owner_id, reserved_micro_dollars AS left, estimated_micro_dollars, spent_micro_dollars, paused_because,
               CASE WHEN spent_micro_dollars >= cap_micro_dollars THEN cap_micro_dollars END AS reached,
               coalesce(reserved_on, CAST(now() AT TIME ZONE 'UTC' AS date)) AS day
        FROM runs WHERE id = :run
    ), whose AS (
        SELECT CAST(owner_id AS text) AS owner, day FROM mine
        WHERE CAST(:paying AS boolean) OR estimated_micro_dollars + spent_micro_dollars > 0
    ), PURSES
    SELECT mine.paused_because, mine.reached,
           (SELECT reason FROM switches WHERE name = 'spending' AND (until IS NULL OR until > now())) AS stopped,
           (SELECT p.name FROM purses p LEFT JOIN budgets b ON b.scope = p.scope AND b.period = p.period
            WHERE coalesce(b.spent_micro_dollars, 0) >= p.cap
               OR (mine.left = 0 AND coalesce(b.spent_micro_dollars + b.reserved_micro_dollars, 0) >= p.cap)
            ORDER BY p.name LIMIT 1) AS empty
    FROM mine
""")

LOCK_PURSES = text("""
    SELECT scope FROM budgets WHERE reserved_micro_dollars > 0 ORDER BY scope, period FOR UPDATE
""")
RECONCILE = text("""
    UPDATE budgets b SET reserved_micro_dollars = held.micro
    FROM (SELECT p.scope, p.period,
                 coalesce(sum(r.reserved_micro_dollars) FILTER (
                     WHERE p.scope IN ('site', 'user:' || r.owner_id)
                       AND p.period IN (to_char(r.reserved_on, 'YYYY-MM'), to_char(r.reserved_on, 'YYYY-MM-DD'))
                 ), 0) AS micro
          FROM budgets p LEFT JOIN runs r ON r.reserved_micro_dollars > 0
          WHERE p.reserved_micro_dollars > 0 GROUP BY p.scope, p.period) AS held
    WHERE b.scope = held.scope AND b.period = held.period AND b.reserved_micro_dollars <> held.micro
    RETURNING b.scope
""")

STOP = text("""
    INSERT INTO switches (name, reason, until) VALUES ('spending', :reason, CAST(:until AS timestamptz))
    ON CONFLICT (name) DO UPDATE
    SET since = now(),
        reason = CASE WHEN switches.until IS NULL THEN switches.reason ELSE excluded.reason END,
        until = CASE WHEN switches.until IS NULL OR excluded.until IS NULL THEN NULL
                     ELSE greatest(switches.until, excluded.until) END
""")

WAKE = text("""
    SELECT DISTINCT ON (j.lane) j.lane, j.run_id FROM jobs j JOIN runs r ON r.id = j.run_id
    WHERE j.state IN ('queued', 'running') AND r.paused_because = '' ORDER BY j.lane, j.run_id
""")


def reserve(session: Session, run: Run, micro_dollars: int, caps: Caps) -> None:
    """Hold the worst case for the run in its three purses: in all of them or in none. 0 touches no purse.

    Call it last in its transaction: from here to the commit every other run that pays waits.

    Raises:
        OverBudget: a purse has less left; the message says which, how much, and the way out.
    """
    session.flush()
    if not micro_dollars:
        return
    day = today(session)
    if lack := hold(session, run.owner_id, day, micro_dollars, caps):
        raise OverBudget(lack.sentence)
    session.execute(HELD, {"run": run.id, "micro": micro_dollars, "day": day})
    session.refresh(run)


def cover(session: Session, run_id: uuid.UUID, most: int, caps: Caps) -> None:
    """Make sure that what the run's jobs may be paying just now is held for it, all of it: the call that is about to be
    made, which costs at most so much, among others. Call it last.

    Raises:
        Paused: that would pass the run's own cap, or a purse has too little room.
        Crowded: there is room for this call, but not beside the others.
    """
    run = session.execute(LOCK_RUN, {"run": run_id}).one()
    at_risk: int = session.scalars(AT_RISK, {"run": run_id}).one()  # read when the run is locked, so none is missed
    left = None if run.cap is None else run.cap - run.spent
    if left is not None and left < at_risk:
        enough = cents_up(run.spent + at_risk)
        way_out = f"Go on with a cap of {dollars(enough)} or more."
        raise _short(f"{OWN_CAP}{dollars(run.cap)} for this work", left, most, at_risk, way_out)
    more = at_risk - run.reserved
    if more <= 0:
        return
    if lack := hold(session, run.owner_id, run.day, more, caps):
        raise _lacking(lack, most, at_risk)
    session.execute(HELD, {"run": run_id, "micro": more, "day": run.day})


def worst_case(run: Run) -> int:
    """What the run may cost in all: as quoted, and no more than the cap of whoever began it."""
    if run.cap_micro_dollars is None:
        return run.estimated_micro_dollars
    return min(run.estimated_micro_dollars, run.cap_micro_dollars)


def raise_cap(session: Session, run: Run, micro_dollars: int, caps: Caps) -> None:
    """Let the run spend up to so much in all, and hold what that leaves in the purses of today. Call it last.

    Raises:
        BadInput: so much is spent already.
        OverBudget: a purse has less left.
    """
    session.refresh(run, with_for_update=True)
    if micro_dollars <= run.spent_micro_dollars:
        raise BadInput(f"{dollars(run.spent_micro_dollars)} is spent already. Set a cap above that.")
    run.cap_micro_dollars = micro_dollars
    session.flush()
    release(session, run.id)
    reserve(session, run, micro_dollars - run.spent_micro_dollars, caps)


def settle(session: Session, run_id: uuid.UUID, micro_dollars: int) -> None:
    """Book what a step has paid, above the cap too: it is spent, and less is held for the run. Call it last."""
    if not micro_dollars:
        return
    row = session.execute(BOOK_RUN, {"run": run_id, "micro": micro_dollars}).one()
    book(session, row.owner_id, row.day, spent=micro_dollars, freed=row.freed)


def release(session: Session, run_id: uuid.UUID) -> None:
    """Give back what is still held for a run that has ended. Call it last."""
    row = session.execute(RELEASE_RUN, {"run": run_id}).one_or_none()
    if row is not None:
        book(session, row.owner_id, row.day, freed=row.freed)


def may_spend(session: Session, run_id: uuid.UUID, caps: Caps, *, paying: bool = False) -> None:
    """Asked before each step, without a lock: may the run go on? With `paying` it is about to pay for something, so
    its purses count even when nothing was estimated for it: reading a document and drafting an outline hold nothing.

    Raises:
        Paused: all spending is stopped, the run is paused, or it pays and its own cap is reached or a purse is empty.
    """
    given = {"site_month": caps.site_month, "user_month": caps.user_month, "user_day": caps.user_day}
    found = session.execute(EMPTY_PURSE, {"run": run_id, "paying": paying, **given}).one_or_none()
    if found is None:
        return
    if found.stopped is not None:
        raise Paused(stopped_sentence(found.stopped))
    if found.paused_because:
        raise Paused(found.paused_because)
    if found.reached is not None:
        raise Paused(
            f"{OUT_OF_MONEY}{OWN_CAP}{dollars(found.reached)} for this work is reached. Go on with a higher cap."
        )
    if found.empty:
        what, again, setting = NAMES[found.empty]
        what = what.replace("your", "its owner's")
        raise Paused(
            f"{OUT_OF_MONEY}{what} is spent or held for other work. Go on {again}, or ask an administrator to raise "
            f"{setting}."
        )


def at_own_cap(run: Run) -> bool:
    """Whether a paused run waits for a higher cap of its own."""
    cap = run.cap_micro_dollars
    told = run.paused_because.startswith(f"{OUT_OF_MONEY}{OWN_CAP}")
    return cap is not None and (told or run.spent_micro_dollars >= cap)


def next_calls(reason: str) -> int:
    """The most that the calls may cost before which a run was paused for this reason, in micro-dollars; 0: not said."""
    found = NEXT_CALLS.search(reason)
    return micro_dollars(Decimal(found[1])) if found else 0


def _lacking(lack: Lack, most: int, at_risk: int) -> Paused:
    what, again, setting = NAMES[lack.purse]
    way_out = f"Go on {again}, or ask an administrator to raise {setting}."
    held = at_risk - lack.wanted
    return _short(what.replace("your", "its owner's"), max(0, lack.room) + held, most, at_risk, way_out)


def _short(what: str, left: int, most: int, at_risk: int, way_out: str) -> Paused:
    """Why it waits, to a hundredth of a cent: in whole cents too little would look like enough."""
    shown, wanted = max(0, left) // 100 * 100, -(-at_risk // 100) * 100
    sentence = (
        f"{what} has ${shown / MICRO:.4f} left, and the next calls may cost up to ${wanted / MICRO:.4f}. {way_out}"
    )
    return (Crowded if left >= most else Paused)(f"{OUT_OF_MONEY}{sentence}")


def reconcile(session: Session) -> int:
    """Make what the purses hold equal to what is held for runs, and return how many purses were wrong.

    A run that is removed with its course takes its reservation with it; the sweep calls this for such.
    """
    session.execute(LOCK_PURSES)
    return len(session.execute(RECONCILE).all())


# --- the kill switch ---


def stop_spending(session: Session, reason: str, until: datetime | None = None) -> None:
    """From now on no job is claimed, and workers hand theirs back; until then, or until `allow_spending`.

    A stop that is in force already is never shortened.
    """
    session.execute(STOP, {"reason": reason, "until": until})


def allow_spending(session: Session) -> bool:
    """End the stop, and wake the lanes that have work; False when there was none."""
    switch = session.get(Switch, SPENDING, with_for_update=True, populate_existing=True)
    if switch is None:
        return False
    session.delete(switch)
    session.flush()
    for row in session.execute(WAKE).all():
        session.execute(RING, {"id": uuid.uuid4(), "lane": row.lane, "run": str(row.run_id)})
    return True


def spending_stopped(session: Session) -> str | None:
    """Why all spending is stopped just now, as a sentence for people; None when it is not."""
    in_force = text("until IS NULL OR until > now()")
    reason = session.scalar(select(Switch.reason).where(Switch.name == SPENDING, in_force))
    return None if reason is None else stopped_sentence(reason)


def stopped_sentence(reason: str) -> str:
    """What people read while all spending is stopped."""
    return f"All work is stopped: {reason.rstrip('.')}. It goes on when an administrator allows spending again."


def budget_alert(session: Session, budget: str, alert: BudgetAlertMessage, share: float) -> bool:
    """Take one of the cloud's budget messages; True when it stopped all spending until the next month.

    Such messages come several times a day and mostly say how little was spent. Only an exceeded threshold of `share` or
    more counts, once for each budget and month, so that whoever allows spending again is not overruled by the next
    repetition. A forecast stops nothing.
    """
    passed = alert.alert_threshold_exceeded
    if passed is None or passed < share:
        return False
    row = {"budget": budget, "interval_start": alert.cost_interval_start, "threshold": passed}
    counted = insert(BudgetAlert).values(row).on_conflict_do_nothing().returning(BudgetAlert.budget)
    if session.scalar(counted) is None:
        return False
    if session.scalar(text("SELECT CAST(:until AS timestamptz) <= now()"), {"until": alert.next_month}):
        return False  # a late message about a month that is over
    name = alert.budget_display_name or budget
    spent = f"{alert.cost_amount:.2f} of {alert.budget_amount:.2f} {alert.currency_code}".rstrip()
    stop_spending(session, f"the cloud's budget “{name}” has passed {passed:.0%} ({spent})", alert.next_month)
    return True
