"""One judgement on what a failed statement means, for every shape in which pg8000 and SQLAlchemy fail.

A restart, a full server or a cut connection shows up as an InterfaceError, as an error code, or as a bare operating
system error that never became a database error. All of them mean: run the transaction again.
"""

from __future__ import annotations

import struct

from pg8000.exceptions import DatabaseError, InterfaceError
from sqlalchemy import exc

# Codes after which the same transaction may succeed: the server stops or starts (57P0x), is full (53300), saw a
# deadlock or a race (40P01, 40001), did not give a lock in time (55P03), or ended an idle transaction (25P03).
AGAIN = frozenset({"57P01", "57P02", "57P03", "57P05", "53300", "40001", "40P01", "55P03", "25P03"})
# Text that no column takes, such as a NUL character: whoever sent it can mend it, and nobody else.
UNKEEPABLE = frozenset({"22021", "22P05"})
CUT = ("network error", "communication error", "connection is closed", "can't create a connection")


def lost_connection(error: BaseException) -> bool:
    """Whether the connection is gone, so that it must not go back to the pool."""
    cause = _cause(error)
    if isinstance(cause, InterfaceError):
        return any(sign in str(cause).lower() for sign in CUT)
    # TimeoutError and ConnectionError are OSErrors; a socket that timed out says "cannot read from timed out object".
    return isinstance(cause, (OSError, EOFError, struct.error)) or (code(cause) or "").startswith("57P")


def worth_again(error: BaseException) -> bool:
    """Whether running the whole transaction again may succeed."""
    return lost_connection(error) or code(_cause(error)) in AGAIN


def unkeepable_text(error: BaseException) -> bool:
    """Whether the statement carried characters that PostgreSQL cannot keep."""
    return code(error) in UNKEEPABLE


def overloaded(error: BaseException) -> bool:
    """Whether our own pool gave no connection in time, or a statement took longer than it may (57014).

    The caller should be told, not queued again: the same once more makes it worse.
    """
    return isinstance(error, exc.TimeoutError) or code(error) == "57014"


def code(error: BaseException) -> str | None:
    """PostgreSQL's five characters for what went wrong, None when it did not come from the server."""
    cause = _cause(error)
    if isinstance(cause, DatabaseError) and cause.args and isinstance(cause.args[0], dict):
        found = cause.args[0].get("C")
        return found if isinstance(found, str) else None
    return None


def message(error: BaseException) -> str:
    """What the server or the driver said, as a clause without an end mark."""
    cause = _cause(error)
    told = cause.args[0] if isinstance(cause, DatabaseError) and cause.args else None
    said = str(told.get("M", told)) if isinstance(told, dict) else str(cause)
    return said.partition(" (timeout is")[0].rstrip(". ")


def _cause(error: BaseException) -> BaseException:
    """The driver's own error inside SQLAlchemy's wrapping."""
    original = getattr(error, "orig", None)
    return original if isinstance(original, BaseException) else error
