"""Transactions: the one place that begins, commits, and decides whether to run one again."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Engine, exc
from sqlalchemy.orm import Session

from service.db.faults import lost_connection, overloaded, unkeepable_text, worth_again
from service.errors import BadInput, Unavailable

log = logging.getLogger(__name__)
T = TypeVar("T")

TRIES = 3
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 2.0
SORRY = "The database does not answer now. Try again in a moment."
UNKEEPABLE = "The text holds a character that cannot be kept, such as NUL. Remove it and send the text again."

# What the driver throws: SQLAlchemy's errors, and system errors that nobody wrapped on the way.
FAILURES = (exc.SQLAlchemyError, OSError)


@contextmanager
def session_scope(engine: Engine) -> Iterator[Session]:
    """One session in one transaction: committed at the end of the block, rolled back when the block raises.

    Raises:
        Unavailable: the database went away in between; nothing was written, unless the commit itself was cut.
        BadInput: a text that came from outside holds a character that PostgreSQL cannot keep.
    """
    with Session(engine, expire_on_commit=False) as session:
        try:
            with session.begin():
                yield session
        except FAILURES as error:
            if lost_connection(error):
                session.invalidate()
            if _from_database(error) and (worth_again(error) or overloaded(error)):
                raise Unavailable(SORRY) from error
            if unkeepable_text(error):
                raise BadInput(UNKEEPABLE) from error
            raise


def transaction(engine: Engine, work: Callable[[Session], T], *, tries: int = TRIES) -> T:
    """Run `work` in a transaction of its own, and again when the database failed in a way that a new try may mend.

    `work` may run more than once, and once more after a commit whose answer was lost: it must do nothing but read and
    write the database, in a way that bears repetition.

    Raises:
        Unavailable: the database still does not answer after `tries`.
        BadInput: a text that came from outside holds a character that PostgreSQL cannot keep.
    """
    for left in range(tries - 1, -1, -1):
        try:
            with Session(engine, expire_on_commit=False) as session:
                return _once(session, work)
        except FAILURES as error:
            if unkeepable_text(error):
                raise BadInput(UNKEEPABLE) from error
            if not worth_again(error) and not overloaded(error):
                raise
            if not left or overloaded(error):
                raise Unavailable(SORRY) from error
            log.info("a transaction is run again: %s", error)
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (tries - left))
        time.sleep(random.uniform(0, longest))  # noqa: S311 - jitter
    raise Unavailable(SORRY)


def _once(session: Session, work: Callable[[Session], T]) -> T:
    try:
        with session.begin():
            return work(session)
    except FAILURES as error:
        if lost_connection(error):
            session.invalidate()
        raise


def _from_database(error: BaseException) -> bool:
    """In a block of the caller's, an OSError may as well be about a file; only the connection's own count as ours."""
    return isinstance(error, (exc.SQLAlchemyError, ConnectionError, TimeoutError)) or "timed out object" in str(error)
