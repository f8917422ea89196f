"""Drafting the outline: whatever is still unread is read first, then the author plans from all sources."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.db import events
from service.db.engine import session_scope
from service.db.lane import Task
from service.db.outcomes import rest_of
from service.db.plans import write_plan
from service.db.queries import sources_of
from service.db.tables import Course, CourseState, SourceState
from service.domain.course import Brief, CoursePlan
from service.errors import BadInput
from service.pipeline.authoring import author_for
from service.pipeline.evidence import evidence_of, key_of
from service.pipeline.findings import remembered
from service.pipeline.ingest import read_source
from service.pipeline.own_outline import filled
from service.pipeline.till import authored
from service.ports import Author, Evidence, Report, Services, Till

UNREAD = (SourceState.UPLOADED, SourceState.READING)


def plan_course(services: Services, task: Task) -> None:
    """Plan the course that the job names. When its sources teach nothing, it goes back to where it was."""
    course_id = task.claim.subject_id
    with session_scope(services.engine) as session:
        course = session.get_one(Course, course_id)
        author = author_for(services, course)
        given = sources_of(session, course_id)
        unread = [source.id for source in given if source.state in UNREAD]
    for source_id in unread:
        read_source(services, task, source_id)
    try:
        plan = _draft(services, task, course, author, documents=len(given))
    except BadInput as refusal:
        reason = str(refusal)
        task.commit(lambda session: _put_back(session, task, reason))
        raise
    task.commit(lambda session: _keep(session, task, plan))


def plan_key(author: str, course: Course, evidence: Evidence) -> str:
    """The input key of the step that drafts the course's outline."""
    sources = [source.sha256 for source in evidence.sources]
    return key_of(author, course.brief, sources, course.own_outline)


def titled(plan: CoursePlan, brief: Brief) -> CoursePlan:
    """The drafted outline under the title that the brief asks for, if it does."""
    return plan.model_copy(update={"title": brief.title}) if brief.title else plan


def _draft(services: Services, task: Task, course: Course, author: Author, *, documents: int) -> CoursePlan:
    evidence = evidence_of(services, course.id, task)
    if documents and not evidence.sources:
        raise BadInput("None of the documents could be read. Add one with text, then draft the outline again.")
    in_key = plan_key(author.name, course, evidence)
    made = authored(
        task,
        "plan",
        in_key,
        lambda till: _outline(course, author, remembered(services, evidence, in_key, till), task.say, till),
        what="Drafting the outline",
    )
    return CoursePlan.model_validate(made)


def _outline(course: Course, author: Author, evidence: Evidence, report: Report, till: Till) -> CoursePlan:
    """The author's outline, or the one that people brought, filled. A promise is not cut to the brief's length."""
    own = course.own_outline
    if own is None:
        return author.plan(course.brief, evidence, report, till)
    draft = author.plan(course.brief.model_copy(update={"minutes": 0}), evidence, report, till)
    report("Finding the passages of each lesson", 0.9)
    return filled(own, course.brief, draft, evidence)


def _keep(session: Session, task: Task, plan: CoursePlan) -> None:
    course = session.get_one(Course, task.claim.subject_id)
    plan = titled(plan, course.brief)
    course.state = CourseState.PLANNED
    write_plan(session, course, plan)
    course.version += 1
    count = len(plan.lessons)
    what = f"The outline is drafted: {count} {'lesson' if count == 1 else 'lessons'}, {plan.minutes:.0f} minutes"
    events.say(session, task.claim.run_id, "progress", {"what": what})


def _put_back(session: Session, task: Task, reason: str) -> None:
    session.get_one(Course, task.claim.subject_id).state = rest_of(session, task.claim.subject_id)
    events.say(session, task.claim.run_id, "progress", {"what": reason})
