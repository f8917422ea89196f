"""From documents to a finished course without a person in between: the demo and `coursewright build`.

Level-triggered: `advance` looks at where the course stands and starts the next run when the last one has ended, so
calling it again after a kill simply continues.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.plans import read_plan
from service.db.queries import latest_run, sources_of
from service.db.tables import Course, CourseState, Job, JobState, Run, RunState, SourceState, User
from service.domain.course import Brief
from service.errors import BadInput, Broken, Paused
from service.pipeline.own_outline import unfounded
from service.pipeline.runs import LIVE, add_source, start_generate, start_plan
from service.ports import StorageService
from service.settings import Settings

UNREAD = (SourceState.UPLOADED, SourceState.READING)
FINISHED = (CourseState.READY, CourseState.PUBLISHED)


def create_course(
    session: Session,
    storage: StorageService,
    owner: User,
    brief: Brief,
    paths: Sequence[Path],
    *,
    course_id: uuid.UUID | None = None,
    sample: bool = False,
) -> Course:
    """A new course with its sources queued for reading.

    Raises:
        BadInput: a file cannot be opened.
    """
    course = Course(id=course_id or uuid.uuid4(), owner_id=owner.id, title=brief.title, brief=brief, sample=sample)
    session.add(course)
    session.flush()
    for path in paths:
        add_source(session, storage, course, path.name, path)
    return course


def advance(
    session: Session, course_id: uuid.UUID, *, film: bool = True, settings: Settings | None = None, hold: bool = True
) -> Run | None:
    """Start whatever comes next for the course and return the run that is now under way; None when it is finished.
    Without `hold` nothing is held in the budgets beforehand: the work goes on until a cap is reached.

    Raises:
        BadInput: the sources cannot be used; the message is the reader's or the author's.
        Broken: a run failed for good.
        OverBudget: the next run may cost more than a budget has left.
        Paused: the run was paused, such as for a budget that is spent.
    """
    course = session.get_one(Course, course_id)
    last = latest_run(session, course_id)
    if last is not None and last.paused_because and last.state in LIVE:
        raise Paused(last.paused_because)  # nobody is here to let it go on
    if last is not None and last.state in (RunState.FAILED, RunState.CANCELED) and course.state not in FINISHED:
        raise _why(session, last)
    owner = session.get_one(User, course.owner_id)
    sources = sources_of(session, course_id)
    refused = [source for source in sources if source.state == SourceState.REFUSED]
    if refused and len(refused) == len(sources):
        raise BadInput(refused[0].error)
    match course.state:
        case CourseState.DRAFT if any(source.state in UNREAD for source in sources):
            return last
        case CourseState.DRAFT:
            return start_plan(session, course, owner, settings=settings, hold=hold)
        case CourseState.PLANNED:
            _refuse_unfounded(session, course)
            return start_generate(session, course, owner, film=film, settings=settings if hold else None)
        case CourseState.READY | CourseState.PUBLISHED:
            return None
    return last


def _refuse_unfounded(session: Session, course: Course) -> None:
    """Nobody is here to decide about lessons of their outline that the sources say nothing about."""
    found = unfounded(read_plan(session, course.id)) if course.own_outline else []
    if found:
        names = ", ".join(f"“{lesson.title}”" for lesson in found[:3])
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise BadInput(
            f"The sources say nothing about {names}{more}. Add a document about it, or take it out of the outline."
        )


def _why(session: Session, run: Run) -> BadInput | Broken:
    dead = session.scalar(select(Job).where(Job.run_id == run.id, Job.state == JobState.DEAD).limit(1))
    if run.state == RunState.CANCELED:
        return BadInput("The work was stopped. Start it again to continue where it was.")
    reason = (dead.error if dead is not None else "") or run.error or "The work failed without a reason."
    return BadInput(reason) if run.kind == "plan" else Broken(reason)
