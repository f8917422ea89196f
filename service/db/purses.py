"""The three purses that everything paid for is charged to: the site's month, its owner's month and its owner's day.

A purse is a row for each period and is filled anew by the next. What it has spent and what it holds never pass its cap
when money is held or taken. Days are those of the database's clock, in UTC. Touch purses last in a transaction: their
locks come after all others, sorted, and the site's is the one that everybody needs.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from service.domain.money import Caps, dollars

# Purse, what it is called, when it is filled again, the setting that widens it.
NAMES = {
    "site_month": ("the site's budget for this month", "next month", "SITE_MONTH_USD"),
    "user_month": ("your budget for this month", "next month", "USER_MONTH_USD"),
    "user_day": ("your budget for today", "tomorrow", "USER_DAY_USD"),
}
UNBOUNDED = Caps(0, 0, 0)  # for statements that ask no cap

TODAY = text("SELECT CAST(now() AT TIME ZONE 'UTC' AS date)")


def with_purses(statement: str) -> TextClause:
    """PURSES in a statement stands for the three purses of `whose (owner, day)`, each with its cap."""
    purses = """
        purses AS (
            SELECT name, scope, to_char(day, style) AS period, cap
            FROM whose, LATERAL (VALUES
                ('site_month', 'site', 'YYYY-MM', CAST(:site_month AS bigint)),
                ('user_month', 'user:' || owner, 'YYYY-MM', CAST(:user_month AS bigint)),
                ('user_day', 'user:' || owner, 'YYYY-MM-DD', CAST(:user_day AS bigint))
            ) AS purse (name, scope, style, cap)
        )
    """
    given = "whose AS (SELECT CAST(:owner AS text) AS owner, CAST(:day AS date) AS day)"
    return text(statement.replace("PURSES", purses).replace("GIVEN", given))


OPEN_PURSES = with_purses("""
    WITH GIVEN, PURSES
    INSERT INTO budgets (scope, period) SELECT scope, period FROM purses ORDER BY scope, period ON CONFLICT DO NOTHING
""")

# All three or none, in one statement: `held` locks the newest rows in order, and the UPDATE asks the narrowest of them.
HOLD = with_purses("""
    WITH GIVEN, PURSES, held AS (
        SELECT p.name, b.scope, b.period, p.cap - b.spent_micro_dollars - b.reserved_micro_dollars AS room
        FROM budgets b JOIN purses p ON p.scope = b.scope AND p.period = b.period
        ORDER BY b.scope, b.period FOR UPDATE OF b
    ), changed AS (
        UPDATE budgets b SET reserved_micro_dollars = b.reserved_micro_dollars + CAST(:micro AS bigint)
        FROM held h
        WHERE b.scope = h.scope AND b.period = h.period AND (SELECT min(room) FROM held) >= CAST(:micro AS bigint)
        RETURNING b.scope
    )
    SELECT name, room, (SELECT count(*) FROM changed) AS changed FROM held ORDER BY room
""")

LEFT = with_purses("""
    WITH GIVEN, PURSES
    SELECT p.name, p.cap, p.cap - coalesce(b.spent_micro_dollars + b.reserved_micro_dollars, 0) AS room,
           coalesce(b.reserved_micro_dollars, 0) AS held
    FROM purses p LEFT JOIN budgets b ON b.scope = p.scope AND b.period = p.period ORDER BY room
""")

BOOK = with_purses("""
    WITH GIVEN, PURSES
    INSERT INTO budgets (scope, period, spent_micro_dollars)
    SELECT scope, period, CAST(:micro AS bigint) FROM purses ORDER BY scope, period
    ON CONFLICT (scope, period) DO UPDATE
    SET spent_micro_dollars = budgets.spent_micro_dollars + CAST(:micro AS bigint),
        reserved_micro_dollars = budgets.reserved_micro_dollars - CAST(:freed AS bigint)
""")

REFUND = with_purses("""
    WITH GIVEN, PURSES, mine AS (
        SELECT b.scope, b.period FROM budgets b JOIN purses p ON p.scope = b.scope AND p.period = b.period
        ORDER BY b.scope, b.period FOR UPDATE OF b
    )
    UPDATE budgets b SET spent_micro_dollars = b.spent_micro_dollars - CAST(:micro AS bigint)
    FROM mine WHERE b.scope = mine.scope AND b.period = mine.period
""")


@dataclass(frozen=True)
class Purse:
    """One budget as people see it: what it is called, what may be spent in all, what is neither spent nor held, and
    what is held for work that is under way."""

    what: str
    cap: int
    left: int
    held: int


@dataclass(frozen=True)
class Lack:
    """The purse that has too little room for what is wanted."""

    purse: str
    room: int
    wanted: int

    @property
    def sentence(self) -> str:
        """The refusal for whoever would begin something; `your` budget is the one of the course's owner."""
        what, again, setting = NAMES[self.purse]
        left = dollars(self.room) if self.room > 0 else "nothing"
        return (
            f"This may cost up to {dollars(self.wanted)}, and {what} has {left} left. "
            f"Try again {again}, ask for less, or ask an administrator to raise {setting}."
        )


def today(session: Session) -> date:
    """The day (UTC) that is charged to now."""
    day: date = session.scalars(TODAY).one()
    return day


def hold(session: Session, owner_id: uuid.UUID, day: date, micro_dollars: int, caps: Caps) -> Lack | None:
    """Hold so much in all three purses, or in none: then the narrowest one is what is returned."""
    given = _of(owner_id, day, caps)
    session.execute(OPEN_PURSES, given)
    narrowest = session.execute(HOLD, {**given, "micro": micro_dollars}).all()[0]
    return Lack(narrowest.name, narrowest.room, micro_dollars) if narrowest.room < micro_dollars else None


def book(session: Session, owner_id: uuid.UUID, day: date, *, spent: int = 0, freed: int = 0) -> None:
    """Note that so much is spent, above the caps too, and that so much is held no longer."""
    session.execute(BOOK, {**_of(owner_id, day, UNBOUNDED), "micro": spent, "freed": freed})


def refund(session: Session, owner_id: uuid.UUID, day: date, micro_dollars: int) -> None:
    """Put back what was spent for a call that was not answered."""
    session.execute(REFUND, {**_of(owner_id, day, UNBOUNDED), "micro": micro_dollars})


def purses(session: Session, owner_id: uuid.UUID, caps: Caps) -> list[Purse]:
    """What is left in the budgets of whose runs are this person's, as of today; the narrowest first."""
    rows = session.execute(LEFT, _of(owner_id, today(session), caps)).all()
    return [Purse(NAMES[row.name][0], row.cap, max(0, row.room), row.held) for row in rows]


def _of(owner_id: uuid.UUID, day: date, caps: Caps) -> dict[str, Any]:
    return {
        "owner": str(owner_id),
        "day": day,
        "site_month": caps.site_month,
        "user_month": caps.user_month,
        "user_day": caps.user_day,
    }
