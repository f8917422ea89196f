"""What the end of a job or a run means for its course: the engine calls this in the transaction that ends it."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.db.tables import (
    Course,
    CourseState,
    Job,
    JobState,
    Lesson,
    LessonState,
    Revision,
    RevisionState,
    Run,
    RunKind,
    RunState,
)

STARTED = (LessonState.QUEUED, LessonState.WRITING)
AT_WORK = {RunKind.PLAN: CourseState.PLANNING, RunKind.GENERATE: CourseState.GENERATING}


def job_died(session: Session, job: Job) -> None:
    """A lesson whose job is dead has failed with that reason, and what waited for the job waits in vain."""
    waiting = (Job.run_id == job.run_id, Job.subject_id == job.subject_id, Job.state == JobState.BLOCKED)
    session.execute(update(Job).where(*waiting).values(state=JobState.CANCELED))
    if job.kind == "revise":
        _end_changes(session, job.run_id, job.error, job.subject_id)
    if job.kind in ("write", "film"):
        values = {"state": LessonState.FAILED, "error": job.error}
        session.execute(update(Lesson).where(Lesson.id == job.subject_id).values(**values))


def job_again(session: Session, job: Job, run: Run) -> None:
    """The dead job is tried again: all that its end meant is taken back, so that what waited for it waits again."""
    canceled = (Job.run_id == job.run_id, Job.subject_id == job.subject_id, Job.state == JobState.CANCELED)
    session.execute(update(Job).where(*canceled).values(state=JobState.BLOCKED, finished_at=None))
    failed = update(Lesson).where(Lesson.id == job.subject_id, Lesson.state == LessonState.FAILED)
    session.execute(failed.values(state=LessonState.QUEUED, error=""))
    if job.kind == "revise":
        mine = (Revision.run_id == run.id, Revision.lesson_id == job.subject_id, Revision.state == RevisionState.FAILED)
        session.execute(update(Revision).where(*mine).values(state=RevisionState.MAKING, note=""))
    if run.kind in AT_WORK:
        course = update(Course).where(Course.id == run.course_id, Course.state != CourseState.PUBLISHED)
        session.execute(course.values(state=AT_WORK[RunKind(run.kind)]))


def worked_on_since(session: Session, run: Run) -> bool:
    """Whether a later run drafted or made the course of this one, which then has nothing to go on from."""
    if run.kind not in AT_WORK:
        return False
    later = (Run.course_id == run.course_id, Run.kind.in_(AT_WORK), Run.created_at > run.created_at)
    return session.scalar(select(Run.id).where(*later).limit(1)) is not None


def rest_of(session: Session, course_id: uuid.UUID) -> CourseState:
    """Where a course stands on which nobody works: with no lesson a draft, with every lesson completed ready."""
    states = set(session.scalars(select(Lesson.state).where(Lesson.course_id == course_id).distinct()))
    if not states:
        return CourseState.DRAFT
    return CourseState.READY if states == {LessonState.COMPLETED} else CourseState.PLANNED


def run_ended(session: Session, run: Run) -> None:
    """Put the course where the end of its run leaves it; lessons that were not written are planned again."""
    course = (Course.id == run.course_id,)
    if run.kind == RunKind.PLAN and run.state != RunState.SUCCEEDED:
        back = update(Course).where(*course, Course.state == CourseState.PLANNING)
        session.execute(back.values(state=rest_of(session, run.course_id)))
    if run.kind == RunKind.REVISE:
        _end_changes(session, run.id, run.error or "It was stopped.")
        _stop_filming(session, run)
    if run.kind != RunKind.GENERATE:
        return
    _stop_filming(session, run)
    left = update(Lesson).where(Lesson.course_id == run.course_id, Lesson.state.in_(STARTED))
    session.execute(left.values(state=LessonState.PLANNED))
    complete = run.state == RunState.SUCCEEDED or rest_of(session, run.course_id) == CourseState.READY
    state = CourseState.READY if complete else CourseState.PLANNED
    generating = update(Course).where(*course, Course.state == CourseState.GENERATING)
    session.execute(generating.values(state=state))


def _end_changes(session: Session, run_id: uuid.UUID, why: str, lesson_id: uuid.UUID | None = None) -> None:
    """What was being changed and will not be any more has failed; of one lesson, or of all."""
    making = update(Revision).where(Revision.run_id == run_id, Revision.state == RevisionState.MAKING)
    if lesson_id is not None:
        making = making.where(Revision.lesson_id == lesson_id)
    session.execute(making.values(state=RevisionState.FAILED, note=why, decided_at=func.now()))


def _stop_filming(session: Session, run: Run) -> None:
    """A lesson that is not filmed to the end stays written, with its old film if it had one, until it is filmed."""
    filmed = select(Job.subject_id).where(Job.run_id == run.id, Job.kind == "film")
    left = update(Lesson).where(Lesson.id.in_(filmed), Lesson.state == LessonState.FILMING)
    session.execute(left.values(state=LessonState.WRITTEN))
