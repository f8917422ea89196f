"""The job engine's SQL, one statement for each transition: `jobs` and `steps` say when, this says exactly what.

GUARD is the fencing: a write that does not match id, epoch and state is a late one, and must touch nothing.
"""

from __future__ import annotations

from sqlalchemy import TextClause, text

_GUARD = "jobs.id = :job AND jobs.epoch = :epoch AND jobs.state = 'running'"
_LEASE = "clock_timestamp() + make_interval(secs => CAST(:lease AS double precision))"


# The kill switch, read wherever work could begin or go on: off by itself once its time is over.
_STOPPED = "SELECT reason FROM switches WHERE name = 'spending' AND (until IS NULL OR until > now())"


def _guarded(statement: str) -> TextClause:
    return text(statement.replace("GUARD", _GUARD).replace("LEASE", _LEASE).replace("STOPPED", _STOPPED))


# One statement takes what is due and what was abandoned: no reaper has to run first, and two workers never meet.
# Jobs of a paused run wait as they are, and while spending is stopped nothing at all is taken. What a job held for a
# call stays held when its worker vanished, who may have been answered; one that was handed back is calling nobody.
CLAIM = _guarded("""
    WITH next AS (
        SELECT j.id FROM jobs j JOIN runs r ON r.id = j.run_id
        WHERE j.lane = :lane AND j.attempt < j.max_attempts AND NOT r.cancel_requested
          AND r.paused_because = '' AND NOT EXISTS (STOPPED)
          AND ((j.state = 'queued' AND j.run_after <= now()) OR (j.state = 'running' AND j.lease_until < now()))
        ORDER BY j.priority, j.run_after, j.created_at, j.id
        FOR UPDATE OF j SKIP LOCKED LIMIT 1
    )
    UPDATE jobs SET state = 'running', epoch = epoch + 1, attempt = attempt + 1, worker = :worker, lease_until = LEASE,
                    held_micro_dollars = CASE WHEN jobs.state = 'running' THEN held_micro_dollars ELSE 0 END
    FROM next, runs
    WHERE jobs.id = next.id AND runs.id = jobs.run_id
    RETURNING jobs.id AS job_id, jobs.run_id, runs.course_id, jobs.kind, jobs.subject_id, jobs.lane, jobs.attempt,
              jobs.max_attempts, jobs.epoch, jobs.worker, jobs.units, jobs.done, runs.trace_parent
""")

UNCLAIMABLE = text("""
    SELECT j.id, j.run_id, j.error, j.attempt, r.cancel_requested FROM jobs j JOIN runs r ON r.id = j.run_id
    WHERE j.state IN ('blocked', 'queued', 'running') AND (
          (j.state = 'running' AND j.lease_until < now() AND (j.attempt >= j.max_attempts OR r.cancel_requested))
          OR (j.state IN ('blocked', 'queued') AND r.cancel_requested))
    FOR UPDATE OF j SKIP LOCKED LIMIT 20
""")

# `paying` is the most that the job's next call may cost, and stays as it is where nothing is said. One statement: a row
# that a transaction updates twice has its foreign keys looked at, which locks the run weakly, and two workers that both
# go on to lock it wholly would wait for each other.
RENEW = _guarded("""
    UPDATE jobs SET lease_until = LEASE, held_micro_dollars = coalesce(CAST(:paying AS bigint), held_micro_dollars)
    FROM runs
    WHERE GUARD AND runs.id = jobs.run_id
    RETURNING runs.cancel_requested, runs.paused_because, (STOPPED) AS stopped
""")

LOCK_JOB = _guarded("SELECT id FROM jobs WHERE GUARD FOR UPDATE")

ADVANCE = _guarded("""
    WITH mine AS (SELECT id, units, done FROM jobs WHERE GUARD FOR UPDATE)
    UPDATE jobs SET done = greatest(mine.done, least(mine.units, CAST(:to AS integer)))
    FROM mine WHERE jobs.id = mine.id RETURNING jobs.done - mine.done AS gained
""")

ADD_UNITS = _guarded("""
    WITH mine AS (SELECT id, units, done FROM jobs WHERE GUARD FOR UPDATE)
    UPDATE jobs SET done = least(mine.units, mine.done + CAST(:more AS integer))
    FROM mine WHERE jobs.id = mine.id RETURNING jobs.done - mine.done AS gained
""")

FINISH = _guarded("""
    WITH mine AS (SELECT id, units, done FROM jobs WHERE GUARD FOR UPDATE)
    UPDATE jobs SET state = 'succeeded', lease_until = NULL, done = mine.units, error = '',
                    finished_at = clock_timestamp()
    FROM mine WHERE jobs.id = mine.id RETURNING mine.units - mine.done AS gained
""")

AGAIN = _guarded("""
    UPDATE jobs SET state = 'queued', lease_until = NULL, worker = NULL, error = :error,
                    attempt = attempt - CAST(:back AS integer),
                    run_after = clock_timestamp() + make_interval(secs => CAST(:rest AS double precision))
    WHERE GUARD RETURNING id
""")

END_JOB = text("""
    UPDATE jobs SET state = :state, error = :error, lease_until = NULL, finished_at = clock_timestamp() WHERE id = :job
""")

UNBLOCK = text("""
    UPDATE jobs SET state = 'queued', run_after = clock_timestamp()
    WHERE run_id = :run AND kind = :kind AND subject_id = :subject AND state = 'blocked' RETURNING lane
""")

RING = text("""
    INSERT INTO outbox (id, key, payload)
    VALUES (:id, concat_ws(':', CAST(:lane AS text), CAST(:run AS text), pg_current_xact_id()),
            jsonb_build_object('lane', CAST(:lane AS text), 'run_id', CAST(:run AS text)))
    ON CONFLICT (key) DO NOTHING
""")

REDRIVE_JOB = text("""
    UPDATE jobs SET state = 'queued', attempt = 0, epoch = epoch + 1, error = '', worker = NULL, finished_at = NULL,
                    run_after = clock_timestamp()
    WHERE id = :job
""")

# --- runs ---

LOCK_RUN = text("SELECT kind, state, cancel_requested FROM runs WHERE id = :run FOR UPDATE")

BEGIN_RUN = text("UPDATE runs SET state = 'running' WHERE id = :run AND state = 'accepted'")

PROGRESS = text("""
    UPDATE runs SET done = done + CAST(:units AS integer),
                    percent = greatest(percent, least(99, 100 * (done + CAST(:units AS integer)) / greatest(units, 1)))
    WHERE id = :run
""")

REQUEST_CANCEL = text("""
    UPDATE runs SET cancel_requested = true
    WHERE id = :run AND state IN ('accepted', 'running') RETURNING id
""")

PAUSE = text("""
    UPDATE runs SET paused_because = :why
    WHERE id = :run AND state IN ('accepted', 'running') AND NOT cancel_requested AND paused_because <> :why
    RETURNING id
""")

# What it pays from now on is charged to the day of its going on, unless something is still held from an earlier one.
RESUME = text("""
    UPDATE runs SET paused_because = '',
                    reserved_on = CASE WHEN reserved_micro_dollars > 0 THEN reserved_on END
    WHERE id = :run AND paused_because <> '' RETURNING id
""")

QUEUED_LANES = text("SELECT DISTINCT lane FROM jobs WHERE run_id = :run AND state = 'queued'")

# A job that is locked just now is being claimed: its worker will see the request.
WAITING = text("""
    SELECT id FROM jobs WHERE run_id = :run AND state IN ('blocked', 'queued') FOR UPDATE SKIP LOCKED
""")

COUNT_JOBS = text("""
    SELECT count(*) FILTER (WHERE state IN ('blocked', 'queued', 'running')) AS open,
           count(*) FILTER (WHERE state NOT IN ('blocked', 'queued', 'running')) AS ended,
           count(*) FILTER (WHERE state = 'dead') AS dead,
           count(*) FILTER (WHERE state = 'canceled') AS canceled,
           (array_agg(error ORDER BY finished_at) FILTER (WHERE state = 'dead'))[1] AS error
    FROM jobs WHERE run_id = :run
""")

END_RUN = text("""
    UPDATE runs SET state = :state, error = :error, finished_at = clock_timestamp(), paused_because = '',
                    percent = CASE WHEN CAST(:state AS text) = 'succeeded' THEN 100 ELSE percent END
    WHERE id = :run
""")

REDRIVE_RUN = text("UPDATE runs SET state = 'running', error = '', finished_at = NULL WHERE id = :run")

# --- steps ---

SAVE_STEP = text("""
    INSERT INTO steps (job_id, name, in_key, out_sha256, out, epoch)
    VALUES (:job, :name, :in_key, :out_sha256, CAST(:out AS jsonb), :epoch)
    ON CONFLICT (job_id, name) DO UPDATE
    SET in_key = excluded.in_key, out_sha256 = excluded.out_sha256, out = excluded.out, epoch = excluded.epoch,
        created_at = now()
    RETURNING (xmax = 0) AS new
""")

# Append-only: a step that is done twice for the same input is paid once. What it was for is copied, because the books
# outlive courses; a job whose subject is no lesson is about the course as a whole. The run's row is locked first, so
# that the day stands to whose budgets it will be charged.
SPEND = text("""
    WITH mine AS (
        SELECT r.kind, r.owner_id, r.course_id, c.title,
               coalesce(r.reserved_on, CAST(now() AT TIME ZONE 'UTC' AS date)) AS day
        FROM runs r JOIN courses c ON c.id = r.course_id WHERE r.id = :run FOR UPDATE OF r
    )
    INSERT INTO ledger (key, run_id, job_id, run_kind, owner_id, course_id, course_title, lesson_id, lesson_title,
                        what, quantity, unit, micro_dollars, charged_on)
    SELECT :key, :run, :job, mine.kind, mine.owner_id, mine.course_id, mine.title, l.id, coalesce(l.title, ''),
           :what, CAST(:quantity AS bigint), :unit, CAST(:micro_dollars AS bigint), mine.day
    FROM mine LEFT JOIN lessons l ON l.id = CAST(:lesson AS uuid)
    ON CONFLICT (key) DO NOTHING
    RETURNING micro_dollars
""")
