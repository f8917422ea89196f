"""What nobody asks for any more: old rows go a few at a time, so that no statement holds up the site."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from service.db import outbox

EVENTS_DAYS = 30  # after its end nobody follows a run; what became of it stands in the run, the jobs and the lessons

# A removed session is one that nobody can use any more; a used-up window of tries counts for nothing after a day.
OLD: Mapping[str, TextClause] = {
    "events": text("""
        DELETE FROM events WHERE (run_id, seq) IN (
            SELECT e.run_id, e.seq FROM runs r JOIN events e ON e.run_id = r.id
            WHERE r.finished_at < now() - make_interval(days => :days) LIMIT :limit
        )
    """),
    "sessions": text("""
        DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < now() LIMIT :limit)
    """),
    "rate limits": text("""
        DELETE FROM rate_limits WHERE (subject, window_start) IN (
            SELECT subject, window_start FROM rate_limits WHERE window_start < now() - interval '1 day' LIMIT :limit
        )
    """),
    "switches": text("DELETE FROM switches WHERE until <= now()"),
}


def prune(session: Session, *, limit: int = 1000) -> dict[str, int]:
    """Remove at most `limit` rows of each kind; how many there were, where there were any.

    Events of runs that ended 30 days ago, rings that were sent 7 days ago, sessions and switches whose time is over,
    rate limits of yesterday.
    """
    removed = {"rings": outbox.prune(session, limit=limit)}
    for name, statement in OLD.items():
        found = session.execute(statement, {"days": EVENTS_DAYS, "limit": limit})
        removed[name] = found.rowcount  # type: ignore[attr-defined]
    return {name: count for name, count in removed.items() if count}
