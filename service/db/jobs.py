"""The job engine: the row is the truth. Every transition is one guarded UPDATE; every time is the database's.

    blocked → queued → running → succeeded
               ↑   ↑      │ ├──→ queued    a failure that a retry may mend (later), or a lease handed back: at once,
               │   │      │ │              when a provider has rested, or when its paused run goes on
               │   └──────┘ ├──→ dead      no attempts left, or a failure that no retry mends
               └─ redrive ──┴──→ canceled  somebody stopped the run; this wins over a retry

A worker holds a job by a lease and a fencing token (the epoch, which grows at every claim). Whatever it writes is
guarded by id, epoch and state: nothing matched means that the job is somebody else's now, and `Fenced` is raised.
Locks are taken job first, run second; a cancellation, which starts from the run, only skips jobs that are locked.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.db import money
from service.db.backoff import BACKOFF, Backoff
from service.db.events import Kind, repeat, say
from service.db.outcomes import job_again, job_died, run_ended, worked_on_since
from service.db.statements import (
    ADD_UNITS,
    ADVANCE,
    AGAIN,
    BEGIN_RUN,
    CLAIM,
    COUNT_JOBS,
    END_JOB,
    END_RUN,
    FINISH,
    LOCK_JOB,
    LOCK_RUN,
    PAUSE,
    PROGRESS,
    QUEUED_LANES,
    REDRIVE_JOB,
    REDRIVE_RUN,
    RENEW,
    REQUEST_CANCEL,
    RESUME,
    RING,
    UNBLOCK,
    UNCLAIMABLE,
    WAITING,
)
from service.db.tables import Job, JobState, Lesson, Run, RunKind, RunState
from service.domain.money import Caps
from service.errors import Canceled, Conflict, Fenced, NotFound, Paused
from service.ports import Lane

ENDED = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED)
STOPPED = "Stopped."
FINISHED = {
    RunKind.INGEST: "Your documents are read.",
    RunKind.PLAN: "The outline is ready.",
    RunKind.GENERATE: "The course is ready.",
    RunKind.REVISE: "The change is ready.",
    RunKind.REPAIR: "The new version is compared.",
}


@dataclass(frozen=True)
class Claim:
    """A job as its worker holds it: what to do, and the token that its writes must carry."""

    job_id: uuid.UUID
    run_id: uuid.UUID
    course_id: uuid.UUID
    kind: str
    subject_id: uuid.UUID
    lane: str
    attempt: int
    max_attempts: int
    epoch: int
    worker: str
    units: int
    done: int
    trace_parent: str = ""


def enqueue(
    session: Session,
    run: Run | uuid.UUID,
    *,
    kind: str,
    lane: Lane,
    subject_id: uuid.UUID,
    units: int = 1,
    priority: int = 100,
    blocked: bool = False,
) -> Job:
    """Add a job to the run, or find it: there is one for each kind and subject. A blocked job waits for `unblock`.

    Raises:
        Conflict: the run has ended.
        Canceled: the run was asked to stop.
    """
    session.flush()
    run_id = run.id if isinstance(run, Run) else run
    held = _lock_run(session, run_id)
    if held.state in ENDED:
        raise Conflict("This run has ended. Start a new one.")
    if held.cancel_requested:
        raise Canceled("The run was asked to stop.")
    row = {
        "id": uuid.uuid4(),
        "run_id": run_id,
        "kind": kind,
        "lane": lane,
        "subject_id": subject_id,
        "units": units,
        "priority": priority,
        "state": JobState.BLOCKED if blocked else JobState.QUEUED,
    }
    added = insert(Job).values(row).on_conflict_do_nothing(index_elements=["run_id", "kind", "subject_id"])
    if session.scalar(added.returning(Job.id)) is not None:
        session.execute(text("UPDATE runs SET units = units + :units WHERE id = :run"), {"units": units, "run": run_id})
        if not blocked:
            ring(session, lane, run_id)
    query = select(Job).where(Job.run_id == run_id, Job.kind == kind, Job.subject_id == subject_id)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def unblock(session: Session, run_id: uuid.UUID, kind: str, subject_id: uuid.UUID) -> bool:
    """Let a blocked job begin; False when it is not blocked (any more)."""
    session.flush()
    lane = session.scalar(UNBLOCK, {"run": run_id, "kind": kind, "subject": subject_id})
    if lane is not None:
        ring(session, lane, run_id)
    return lane is not None


def ring(session: Session, lane: str, run_id: uuid.UUID) -> None:
    """Leave a ring for the lane's doorbell in the outbox: one for each transaction, however many jobs it adds."""
    session.execute(RING, {"id": uuid.uuid4(), "lane": lane, "run": str(run_id)})
    session.info["rang"] = True  # whoever commits may send it at once, see `outbox.rang`


def claim(session: Session, lane: Lane, worker: str, lease_seconds: float) -> Claim | None:
    """Take the lane's next job that is due, or whose worker let its lease run out; None when there is none."""
    reap(session)
    row = session.execute(CLAIM, {"lane": lane, "worker": worker, "lease": lease_seconds}).one_or_none()
    if row is None:
        return None
    session.execute(BEGIN_RUN, {"run": row.run_id})
    return Claim(**row._asdict())


def reap(session: Session) -> int:
    """End jobs that nobody may claim: out of attempts with the lease run out, or of a run that was asked to stop."""
    found = session.execute(UNCLAIMABLE).all()
    for row in found:
        if row.cancel_requested:
            _end(session, row.id, JobState.CANCELED, STOPPED)
        else:
            _end(session, row.id, JobState.DEAD, row.error or f"Its worker died {row.attempt} times.")
    _settle(session, *(row.run_id for row in found))
    return len(found)


def renew(session: Session, held: Claim, lease: float, paying: int | None = None) -> Canceled | Paused | None:
    """Hold the job for longer; the reason to stop working on it, if there is one. Raises Fenced."""
    row = _mine(session.execute(RENEW, {**_guard(held), "lease": lease, "paying": paying}).one_or_none())
    if row.cancel_requested:
        return Canceled("The run was asked to stop.")
    if row.stopped is not None:
        return Paused(money.stopped_sentence(row.stopped))
    return Paused(row.paused_because) if row.paused_because else None


def guard(session: Session, held: Claim, lease_seconds: float) -> None:
    """Lock the job for the rest of the transaction, so that what is written next is written by its holder.

    A pause does not forbid it: what is written is done and paid.

    Raises:
        Fenced: another worker holds the job.
        Canceled: the run was asked to stop.
    """
    asked = renew(session, held, lease_seconds)
    if isinstance(asked, Canceled):
        raise asked


def advance(session: Session, held: Claim, units_done: int) -> None:
    """Say that so many of the job's units are done in all; fewer than before changes nothing. Raises Fenced."""
    row = session.execute(ADVANCE, {**_guard(held), "to": units_done}).one_or_none()
    gained = _mine(row).gained
    progress(session, held.run_id, gained)
    if gained:
        repeat(session, held.run_id)


def add_units(session: Session, held: Claim, units: int) -> None:
    """Say that so many more of the job's units are done. Raises Fenced."""
    row = session.execute(ADD_UNITS, {**_guard(held), "more": units}).one_or_none()
    progress(session, held.run_id, _mine(row).gained)


def progress(session: Session, run_id: uuid.UUID, units: int) -> None:
    """Count finished units into the run and its percentage, which reaches 100 only with the run's success."""
    if units:
        session.execute(PROGRESS, {"run": run_id, "units": units})


def finish(session: Session, held: Claim) -> None:
    """The job has succeeded. Raises Fenced."""
    row = session.execute(FINISH, _guard(held)).one_or_none()
    gained = _mine(row).gained
    progress(session, held.run_id, gained)
    if gained:
        repeat(session, held.run_id)
    _settle(session, held.run_id)


def fail(
    session: Session,
    held: Claim,
    error: str,
    *,
    retryable: bool,
    backoff: Backoff = BACKOFF,
    after_seconds: float = 0.0,
) -> JobState:
    """The job has failed: again later, or dead; canceled when the run was asked to stop. Raises Fenced.

    It rests for `after_seconds` at least, which is what a provider asked for.
    """
    ended = None
    _mine(session.execute(LOCK_JOB, _guard(held)).one_or_none())
    if _lock_run(session, held.run_id).cancel_requested:
        ended = (JobState.CANCELED, STOPPED)
    elif not retryable or held.attempt >= held.max_attempts:
        ended = (JobState.DEAD, error)
    if ended is None:
        rest = max(backoff.seconds(held.attempt), after_seconds)
        session.execute(AGAIN, {**_guard(held), "error": error, "rest": rest, "back": 0})
        return JobState.QUEUED
    _end(session, held.job_id, *ended)
    _settle(session, held.run_id)
    return ended[0]


def release(session: Session, held: Claim, *, error: str = "", rest_seconds: float = 0.0) -> None:
    """Hand the job back untouched: the attempt does not count. Anybody may take it at once, or after its rest.

    Raises:
        Fenced: another worker holds the job.
    """
    given = {**_guard(held), "error": error, "rest": rest_seconds, "back": 1}
    _mine(session.execute(AGAIN, given).one_or_none())
    if rest_seconds:
        say(session, held.run_id, "progress", {"what": error})
    else:
        ring(session, held.lane, held.run_id)


def set_aside(session: Session, held: Claim, why: str) -> None:
    """Hand the job back untouched and pause its run, unless it is all spending that is stopped. Raises Fenced."""
    _mine(session.execute(LOCK_JOB, _guard(held)).one_or_none())
    if _lock_run(session, held.run_id).cancel_requested:
        _end(session, held.job_id, JobState.CANCELED, STOPPED)
        _settle(session, held.run_id)
        return
    session.execute(AGAIN, {**_guard(held), "error": "", "rest": 0, "back": 1})
    if money.spending_stopped(session) is None:
        pause(session, held.run_id, why)
    else:
        say(session, held.run_id, "progress", {"what": why})


def pause(session: Session, run_id: uuid.UUID, why: str) -> bool:
    """Let the run's jobs wait until `resume`; workers hand theirs back. False when it has ended, or waits for this.

    `why` is a sentence for people, shown as the run's progress. The run can still be canceled.
    """
    session.flush()
    if session.execute(PAUSE, {"run": run_id, "why": why}).one_or_none() is None:
        return False
    say(session, run_id, "progress", {"what": why, "paused": True})
    return True


def resume(session: Session, run_id: uuid.UUID) -> bool:
    """Let a paused run go on; False when it was not paused. What is empty is found empty again at its next step."""
    session.flush()
    if session.execute(RESUME, {"run": run_id}).one_or_none() is None:
        return False
    for lane in session.scalars(QUEUED_LANES, {"run": run_id}).all():
        ring(session, lane, run_id)
    say(session, run_id, "progress", {"what": "Going on.", "paused": False})
    return True


def request_cancel(session: Session, run_id: uuid.UUID) -> bool:
    """Stop the run: what waits is canceled now, what runs stops at its next report; False when it had ended."""
    session.flush()
    asked = session.execute(REQUEST_CANCEL, {"run": run_id}).one_or_none()
    if asked is None:
        return False
    for row in session.execute(WAITING, {"run": run_id}).all():
        _end(session, row.id, JobState.CANCELED, STOPPED)
    _settle(session, run_id)
    return True


def redrive(session: Session, job_id: uuid.UUID, caps: Caps | None = None) -> Job:
    """Give a dead job all its attempts again; its run goes on.

    A run that had ended has given back what was held for it. With `caps`, what is left of its estimate is held again,
    in the purses of today; without, nothing is held, and it goes on while its purses have room.

    Raises:
        NotFound: there is no such job.
        Conflict: the job is not dead, its run was stopped, or a later one drafted or made the course.
        OverBudget: what is left of its estimate has no room under the caps.
    """
    session.flush()
    job = session.get(Job, job_id, with_for_update=True, populate_existing=True)
    if job is None:
        raise NotFound("There is no such job.")
    held = _lock_run(session, job.run_id)
    if job.state != JobState.DEAD or held.cancel_requested:
        raise Conflict("Only a dead job of a run that was not stopped can be tried again.")
    run = session.get_one(Run, job.run_id, populate_existing=True)
    if worked_on_since(session, run):
        raise Conflict("The course was worked on since then. Generate what is missing on its own page.")
    session.execute(REDRIVE_JOB, {"job": job_id})
    session.execute(REDRIVE_RUN, {"run": job.run_id})
    job_again(session, job, run)
    ring(session, job.lane, job.run_id)
    say(session, job.run_id, "progress", {"what": "Trying again what had failed."})
    session.refresh(job)
    if held.state in ENDED and caps is not None:
        money.reserve(session, run, max(0, money.worst_case(run) - run.spent_micro_dollars), caps)
    return job


def _end(session: Session, job_id: uuid.UUID, state: JobState, error: str) -> None:
    """Put a locked job into a terminal state, with what that means for its subject; `_settle` is to follow."""
    session.execute(END_JOB, {"job": job_id, "state": state.value, "error": error})
    if state == JobState.DEAD:
        job = session.get_one(Job, job_id, populate_existing=True)
        job_died(session, job)
        lesson = session.get(Lesson, job.subject_id, populate_existing=True)
        if lesson is not None:
            told = {"what": error, "lesson_id": lesson.id, "lesson_state": lesson.state}
            say(session, job.run_id, "lesson", told)


def _settle(session: Session, *run_ids: uuid.UUID) -> None:
    """End the runs whose jobs have all ended, and then give back what was held for them: purses are locked last."""
    ended = [run_id for run_id in sorted(set(run_ids)) if _ended(session, run_id)]
    for run_id in ended:
        money.release(session, run_id)


def _ended(session: Session, run_id: uuid.UUID) -> bool:
    """End the run when all its jobs have ended. Holding the run's row, the last job to end sees all the others."""
    held = _lock_run(session, run_id)
    jobs = session.execute(COUNT_JOBS, {"run": run_id}).one()
    if held.state in ENDED or jobs.open or not (jobs.ended or held.cancel_requested):
        return False
    kind: Kind
    if held.cancel_requested and (jobs.canceled or not jobs.ended):
        state, kind, what = RunState.CANCELED, "canceled", STOPPED
    elif jobs.dead:
        state, kind, what = RunState.FAILED, "failed", jobs.error or "A part of the work failed."
    else:
        state, kind, what = RunState.SUCCEEDED, "done", FINISHED[RunKind(held.kind)]
    error = what if state == RunState.FAILED else ""
    session.execute(END_RUN, {"run": run_id, "state": state.value, "error": error})
    run_ended(session, session.get_one(Run, run_id, populate_existing=True))
    say(session, run_id, kind, {"what": what})
    return True


def _lock_run(session: Session, run_id: uuid.UUID) -> Any:
    row = session.execute(LOCK_RUN, {"run": run_id}).one_or_none()
    if row is None:
        raise NotFound("There is no such run.")
    return row


def _guard(held: Claim) -> dict[str, Any]:
    return {"job": held.job_id, "epoch": held.epoch}


def _mine(row: Any) -> Any:
    if row is None:
        raise Fenced("The lease was lost; another worker holds the job.")
    return row
