"""Counts what happens without anybody being told at once; a person looks at the sums."""

from __future__ import annotations

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.db.tables import Tally


def count_one(session: Session, name: str) -> None:
    """Add one to the tally of this name, by the database's clock."""
    first = insert(Tally).values(name=name, count=1, last_at=func.now())
    again = {"count": Tally.count + 1, "last_at": func.now()}
    session.execute(first.on_conflict_do_update(index_elements=[Tally.name], set_=again))
