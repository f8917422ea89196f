"""The few numbers that say whether everything moves: the sweep logs them each minute, the alarms watch nothing else.

Each is taken from the rows, so it is true whoever asks and however often; none of them needs a counter of its own.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

# Work that is due and not ended, since it became due: waiting, at work, or held by a worker that is dead. Blocked jobs
# wait for one of these. A paused run, and everything while spending is stopped, waits for a person and not for workers.
OLDEST_UNFINISHED = text("""
    SELECT extract(epoch FROM now() - min(j.run_after)) FROM jobs j JOIN runs r ON r.id = j.run_id
    WHERE j.state IN ('queued', 'running') AND j.run_after <= now() AND r.paused_because = ''
      AND NOT EXISTS (SELECT FROM switches WHERE name = 'spending' AND (until IS NULL OR until > now()))
""")

OUTBOX_LAG = text("SELECT extract(epoch FROM now() - min(created_at)) FROM outbox WHERE sent_at IS NULL")

# Those of a day: a job that nobody tries again stays dead, and an alarm that never ends is no alarm.
DEAD_JOBS = text("SELECT count(*) FROM jobs WHERE state = 'dead' AND finished_at > now() - interval '1 day'")

SITE_MONTH = text("""
    SELECT spent_micro_dollars + reserved_micro_dollars FROM budgets
    WHERE scope = 'site' AND period = to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM')
""")

# What each film took is in the event that says that it is ready.
RENDER_SECONDS = text("""
    WITH recent AS (
        SELECT run_id, subject_id FROM jobs
        WHERE kind = 'film' AND state = 'succeeded' AND finished_at > now() - interval '1 day'
        ORDER BY finished_at DESC LIMIT 20
    ), films AS (
        SELECT CAST(e.data #>> '{filmed,wall_seconds}' AS double precision) AS wall,
               CAST(e.data #>> '{filmed,video_seconds}' AS double precision) AS video
        FROM recent JOIN events e ON e.run_id = recent.run_id AND e.kind = 'lesson'
        WHERE e.data ->> 'lesson_id' = CAST(recent.subject_id AS text) AND e.data -> 'filmed' IS NOT NULL
    )
    SELECT 60 * sum(wall) / nullif(sum(video), 0) FROM films
""")


@dataclass(frozen=True)
class Gauges:
    """How the site stands at this moment; what nothing is known about is None.

    A job that is due and unfinished for long means that workers do not start or do not get on; a ring that lies in the
    outbox, that the doorbell is down; a dead job, that a course waits for a person. The share is of the site's month:
    at 1 new work is refused. Films are the day's last 20 at most.
    """

    oldest_unfinished_seconds: float
    outbox_lag_seconds: float
    dead_jobs: int
    budget_share: float
    render_seconds_per_video_minute: float | None

    def fields(self) -> dict[str, float]:
        """What is known, by its name in the log line, from which the cloud's metrics read it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def read_gauges(session: Session, site_month_micro_dollars: int) -> Gauges:
    """The gauges by the database's clock, against the cap of the site's month."""
    rendering = session.scalar(RENDER_SECONDS)
    return Gauges(
        oldest_unfinished_seconds=_seconds(session.scalar(OLDEST_UNFINISHED)),
        outbox_lag_seconds=_seconds(session.scalar(OUTBOX_LAG)),
        dead_jobs=session.scalars(DEAD_JOBS).one(),
        budget_share=_share(session.scalar(SITE_MONTH) or 0, site_month_micro_dollars),
        render_seconds_per_video_minute=None if rendering is None else round(float(rendering), 1),
    )


def _seconds(age: float | None) -> float:
    """How long ago; a moment of the future, or none at all, is no time ago."""
    return 0.0 if age is None else round(max(0.0, float(age)), 1)


def _share(used: int, cap: int) -> float:
    """The used part of the cap. Of a cap of nothing, nothing is no part and anything is all of it."""
    return round(used / cap, 4) if cap else float(used > 0)
