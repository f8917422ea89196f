"""The launch lease of a lane: however many rings come, one starts the lane's job, with as many tasks as it needs.

Starting a job is a call to the cloud that is neither idempotent nor inside a transaction. So whoever wants to start one
takes the lease first, in one statement that also counts the work; calls; then says how it went. A crash in between
leaves a lease that runs out, and the sweep starts the lane again: one task too many finds nothing and ends.
"""

from __future__ import annotations

import uuid

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.db.tables import Launch
from service.ports import Lane

# What `jobs.claim` would take, and who holds a job just now. When the row is there already, the second of two launchers
# waits for the first at the row, and then sees its lease: one statement, so there is no moment between look and take.
TAKE = text("""
    WITH counted AS (
        SELECT count(*) FILTER (WHERE j.state = 'running' AND j.lease_until >= now()) AS live,
               count(*) FILTER (
                   WHERE j.attempt < j.max_attempts AND NOT r.cancel_requested AND r.paused_because = ''
                     AND (j.state = 'queued' AND j.run_after <= now() OR j.state = 'running' AND j.lease_until < now())
               ) AS due
        FROM jobs j JOIN runs r ON r.id = j.run_id
        WHERE j.lane = :lane AND j.state IN ('queued', 'running')
          AND NOT EXISTS (SELECT FROM switches WHERE name = 'spending' AND (until IS NULL OR until > now()))
    ), wanted AS (
        SELECT least(CAST(:most AS integer) - live, due) AS tasks FROM counted
    )
    INSERT INTO launches (lane, token, lease_until, tasks, execution, launched_at)
    SELECT :lane, :token, clock_timestamp() + make_interval(secs => CAST(:lease AS double precision)), tasks, '',
           clock_timestamp()
    FROM wanted WHERE tasks > 0
    ON CONFLICT (lane) DO UPDATE
    SET token = excluded.token, lease_until = excluded.lease_until, tasks = excluded.tasks, execution = '',
        launched_at = excluded.launched_at
    WHERE launches.lease_until <= clock_timestamp()
    RETURNING *
""")

STARTED = text("UPDATE launches SET execution = :execution WHERE lane = :lane AND token = :token RETURNING lane")

FAILED = text("""
    UPDATE launches SET lease_until = clock_timestamp() WHERE lane = :lane AND token = :token RETURNING lane
""")

# Not at the first arrival: the others are still on their way, and would be started a second time.
ARRIVED = text("""
    UPDATE launches SET tasks = greatest(tasks - 1, 0),
                        lease_until = CASE WHEN tasks <= 1 THEN clock_timestamp() ELSE lease_until END
    WHERE lane = :lane AND lease_until > clock_timestamp()
""")


def take(session: Session, lane: Lane, lease_seconds: float, most_tasks: int) -> Launch | None:
    """The right to start the lane's job, with the number of tasks to start; None when there is nothing to start for.

    Nothing to start for: an earlier start is still under way, no job is due, spending is switched off, or as many
    workers as the lane may have hold jobs already.
    """
    given = {"lane": lane, "token": uuid.uuid4(), "lease": lease_seconds, "most": most_tasks}
    query = select(Launch).from_statement(TAKE).execution_options(populate_existing=True)
    return session.scalars(query, given).one_or_none()


def started(session: Session, lane: Lane, token: uuid.UUID, execution: str) -> bool:
    """Keep the name of the execution that was started; False when the lane was started again in the meantime."""
    given = {"lane": lane, "token": token, "execution": execution}
    return session.execute(STARTED, given).one_or_none() is not None


def failed(session: Session, lane: Lane, token: uuid.UUID) -> bool:
    """Give the lease back, so that the next ring may try; False when it is somebody else's by now."""
    return session.execute(FAILED, {"lane": lane, "token": token}).one_or_none() is not None


def arrived(session: Session, lane: Lane) -> None:
    """A worker of the lane begins. When all tasks of a start are here, its lease ends, and more may be started."""
    session.execute(ARRIVED, {"lane": lane})
