"""What is paid for a course outside of any run: a learner's question, its passages embedded anew.

No run holds money for it, so it is taken from the three purses of the course's owner before the call, at its exact
price, and given back when the call is not answered. A process that dies in between leaves it charged: the provider may
have answered. The books say what it was for, and not what was asked.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from service.db import money, purses
from service.db.engine import transaction
from service.db.tables import Errand
from service.domain.money import Caps, Spending
from service.errors import CoursewrightError, OverBudget, Paused

T = TypeVar("T")

ENTER = text("""
    INSERT INTO ledger (key, run_kind, owner_id, course_id, course_title, what, quantity, unit, micro_dollars,
                        charged_on)
    SELECT :key, :errand, owner_id, id, title, :what, CAST(:quantity AS bigint), :unit,
           CAST(:micro_dollars AS bigint), CAST(now() AT TIME ZONE 'UTC' AS date)
    FROM courses WHERE id = :course ON CONFLICT (key) DO NOTHING
    RETURNING owner_id, charged_on
""")
# The books are append-only: a line that is taken back stays, and one of the opposite amount follows.
TAKE_BACK = text("""
    INSERT INTO ledger (key, run_kind, owner_id, course_id, course_title, what, quantity, unit, micro_dollars,
                        charged_on)
    SELECT key || ' unanswered', run_kind, owner_id, course_id, course_title, what, -quantity, unit, -micro_dollars,
           charged_on
    FROM ledger WHERE key = :key ON CONFLICT (key) DO NOTHING
    RETURNING owner_id, charged_on, micro_dollars
""")


class ErrandPurse:
    """Pays for one course's calls of one errand; a gate (see `guarded.Gate`)."""

    def __init__(self, engine: Engine, course_id: uuid.UUID, errand: Errand, caps: Caps) -> None:
        self._engine, self._course_id, self._errand, self._caps = engine, course_id, errand, caps

    def __call__(self, key: str, price: Spending, work: Callable[[], T]) -> T:  # noqa: ARG002 - each call is its own
        """Pay, then do the work.

        Raises:
            OverBudget: a purse has too little left; the message says which, and the way out.
            Paused: all spending is stopped.
        """
        line = f"{self._errand}:{uuid.uuid4()}"
        transaction(self._engine, lambda session: self._charge(session, line, price))
        try:
            return work()
        except CoursewrightError:
            transaction(self._engine, lambda session: _give_back(session, line))
            raise

    def _charge(self, session: Session, line: str, price: Spending) -> None:
        stopped = money.spending_stopped(session)
        if stopped is not None:
            raise Paused(stopped)
        about = {"key": line, "errand": self._errand, "course": self._course_id, **asdict(price)}
        row = session.execute(ENTER, about).one_or_none()
        if row is None:
            return  # charged by the transaction whose answer was lost; or the course is gone, and so is its owner
        if lack := purses.hold(session, row.owner_id, row.charged_on, price.micro_dollars, self._caps):
            raise OverBudget(lack.sentence.replace("your", "its owner's"))
        purses.book(session, row.owner_id, row.charged_on, spent=price.micro_dollars, freed=price.micro_dollars)


def _give_back(session: Session, line: str) -> None:
    row = session.execute(TAKE_BACK, {"key": line}).one_or_none()
    if row is not None:
        purses.refund(session, row.owner_id, row.charged_on, -row.micro_dollars)
