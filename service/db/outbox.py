"""Brings committed rings to the doorbell, at least once: whoever comes along sends what is unsent.

A ring is a row in the transaction that queued the work (`jobs.ring`), so it exists exactly when the work does. Sending
comes after, and may be repeated by anybody: the request itself, a worker, the sweep. What is unsent is asked for by
`sent_at`, never by "newer than the last one": a transaction that began earlier may commit later.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from service.db.engine import FAILURES, session_scope
from service.domain.ring import Ring
from service.errors import CoursewrightError
from service.ports import Doorbell

log = logging.getLogger(__name__)

# Locked while they are sent, so that two senders do not send the same; a sender that dies unlocks them.
UNSENT = text("""
    SELECT o.id, o.payload ->> 'lane' AS lane, o.payload ->> 'run_id' AS run_id, coalesce(r.trace_parent, '') AS trace
    FROM outbox o LEFT JOIN runs r ON CAST(r.id AS text) = o.payload ->> 'run_id'
    WHERE o.sent_at IS NULL ORDER BY o.created_at, o.id LIMIT :limit
    FOR UPDATE OF o SKIP LOCKED
""")

MARK = text("UPDATE outbox SET sent_at = clock_timestamp() WHERE id = ANY(:ids)")

PRUNE = text("""
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox WHERE sent_at < now() - make_interval(days => :days) LIMIT :limit
    )
""")


def send(engine: Engine, doorbell: Doorbell, *, limit: int = 100, patience_seconds: float = 2.0) -> int:
    """Send the oldest unsent rings, at most `limit`, and mark them; how many there were.

    All rings of one lane go as one message, the oldest one: a message only says that the lane should look, and who
    looks starts as many workers as the job table asks for. A second message would find the first one's lease.

    `patience_seconds` bounds each of the two messages: the rows stay locked, and a connection taken, so long.

    Raises:
        Unavailable: the doorbell or the database does not answer; what was not accepted stays unsent.
        Broken: the doorbell refuses messages.
    """
    refused: CoursewrightError | None = None
    sent: list[uuid.UUID] = []
    # Not `transaction`: it runs its work again by itself, and each time would publish again.
    with session_scope(engine) as session:
        for rows in _by_lane(session.execute(UNSENT, {"limit": limit}).all()):
            try:
                _ring(doorbell, rows[0], patience_seconds)
            except CoursewrightError as error:
                refused = error
                break
            sent += [row.id for row in rows]
        if sent:
            session.execute(MARK, {"ids": sent})
    if refused is not None:
        raise refused
    return len(sent)


def rang(session: Session) -> bool:
    """Whether the session left a ring in the outbox, which is worth sending as soon as it is committed."""
    return bool(session.info.get("rang"))


def try_to_send(engine: Engine, doorbell: Doorbell) -> None:
    """Send what has just been committed, in about two seconds or not at all; never raises. The sweep does the rest."""
    if not doorbell.heard:
        return
    try:
        send(engine, doorbell)
    except (CoursewrightError, *FAILURES) as error:
        log.warning("rings are left to the sweep: %s", error)


def prune(session: Session, *, days: int = 7, limit: int = 1000) -> int:
    """Remove rings that were sent so many days ago, at most `limit` of them; how many there were."""
    return int(session.execute(PRUNE, {"days": days, "limit": limit}).rowcount)  # type: ignore[attr-defined]


def _ring(doorbell: Doorbell, row: Any, patience_seconds: float) -> None:
    try:
        ring = Ring(event_id=row.id, lane=row.lane, run_id=row.run_id)
    except ValueError:
        # Of another release, perhaps. Kept, it would hold up every ring behind it for good.
        log.error("the ring %s names no lane of ours; it is called sent", row.id)
        return
    doorbell.ring(ring, trace_parent=row.trace, patience_seconds=patience_seconds)


def _by_lane(rows: Sequence[Any]) -> list[list[Any]]:
    lanes: dict[str, list[Any]] = {}
    for row in rows:
        lanes.setdefault(row.lane, []).append(row)
    return list(lanes.values())
