"""Limits on tries, counted in PostgreSQL so that they hold over any number of instances."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi import Request
from sqlalchemy import Engine, delete
from sqlalchemy.dialects.postgresql import insert

from service.db.engine import session_scope
from service.db.tables import RateLimit
from service.errors import RateLimited

WINDOW = timedelta(minutes=15)
ACCOUNT_TRIES, ADDRESS_TRIES = 10, 60
SIGNING_IN = "Signing in opens again in {minutes} min; your courses are safe."


def address_of(request: Request) -> str:
    """Where a request came from, as far as the server knows."""
    return request.client.host if request.client else "unknown"


def count_try(engine: Engine, subject: str, limit: int, then: str = SIGNING_IN) -> None:
    """Count one try of this subject, in its own transaction, so that a refused sign-in counts too.

    `then` says what opens again in how many `minutes`.

    Raises:
        RateLimited: the window already held `limit` tries.
    """
    now = datetime.now(UTC)
    start = datetime.fromtimestamp(now.timestamp() // WINDOW.total_seconds() * WINDOW.total_seconds(), UTC)
    upsert = insert(RateLimit).values(subject=subject, window_start=start, tries=1)
    upsert = upsert.on_conflict_do_update(
        index_elements=[RateLimit.subject, RateLimit.window_start], set_={"tries": RateLimit.tries + 1}
    )
    with session_scope(engine) as session:
        tries = session.scalar(upsert.returning(RateLimit.tries)) or 0
        if tries == 1:
            session.execute(delete(RateLimit).where(RateLimit.window_start < now - timedelta(days=1)))
    if tries > limit:
        wait = max(1, round((start + WINDOW - now).total_seconds()))
        raise RateLimited(f"Too many tries. {then.format(minutes=max(1, round(wait / 60)))}", wait)
