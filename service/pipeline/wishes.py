"""What people wish changed, as work: a revision that is being made and a job for each lesson that it concerns."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db import jobs
from service.db.tables import Course, Lesson, Revision, RevisionCause, RevisionState, Run, RunKind, User
from service.domain.quote import Quote
from service.domain.revision import Change, LessonDocuments, Part
from service.errors import Conflict, NotFound
from service.pipeline.authoring import settings_for
from service.pipeline.filming import REVISE_PRIORITY
from service.pipeline.quote import revision_quote
from service.pipeline.revisions import locked_lesson, refuse_to_be_made, standing
from service.pipeline.runs import hold_quoted, open_run
from service.settings import Settings

REVISE_UNITS = 4


def ask(
    session: Session, course: Course, lesson: Lesson, change: Change, user: User, *, settings: Settings | None = None
) -> Revision:
    """Queue the making of a change. Asking for the same while it is being made gives the one that is under way.

    What it may cost with these settings is held in the budgets; without settings nothing is held.

    Raises:
        NotFound: the lesson has no such block or scene.
        BadInput: the lesson is not written.
        Conflict: the lesson is to be made anew, or another change of it is being made.
        OverBudget: what it may cost has no room in a budget.
    """
    return _ask(session, course, [(lesson, change)], user, settings)[0]


def ask_module(
    session: Session, course: Course, module_id: uuid.UUID, wish: str, user: User, *, settings: Settings | None = None
) -> list[Revision]:
    """Queue the same change of every lesson of a module, in one run. Raises what `ask` raises; NotFound: no lessons."""
    lessons = session.scalars(
        select(Lesson).where(Lesson.course_id == course.id, Lesson.module_id == module_id).order_by(Lesson.position)
    ).all()
    if not lessons:
        raise NotFound("There is no such unit in this course, or it has no lesson.")
    change = Change(part="lesson", wish=wish)
    return _ask(session, course, [(lesson, change) for lesson in lessons], user, settings)


def _ask(
    session: Session,
    course: Course,
    wanted: Sequence[tuple[Lesson, Change]],
    user: User,
    settings: Settings | None,
) -> list[Revision]:
    locked = [
        (locked_lesson(session, lesson.id), change) for lesson, change in sorted(wanted, key=lambda one: one[0].id)
    ]
    running = [_making(session, lesson, change) for lesson, change in locked]
    under_way = [revision for revision in running if revision is not None]
    if len(under_way) == len(locked):
        return under_way
    if under_way:
        raise Conflict("A part of this is being changed already. Wait for it or stop it, then ask again.")
    run = open_run(session, course, user.id, RunKind.REVISE, f"revise:{uuid.uuid4()}")
    asked = [_begin(session, run, lesson, change, user) for lesson, change in locked]
    if settings is not None:
        given = settings_for(settings, course)
        quotes = [revision_quote(given, lesson.plan, priced_part(change.part)) for lesson, change in locked]
        hold_quoted(session, run, sum(quotes, Quote()), settings)
    return asked


def priced_part(part: Part) -> Part:
    """What a change is quoted as: one of the text may change questions and scenes with it, at the worst all of them."""
    return "scene" if part == "scene" else "lesson"


def _begin(session: Session, run: Run, lesson: Lesson, change: Change, user: User) -> Revision:
    refuse_to_be_made(lesson)
    documents = standing(session, lesson)
    _refuse_unknown(documents, change)
    change = change.model_copy(update={"turn": _turns(session, lesson, change)})
    revision = Revision(
        id=uuid.uuid4(),
        course_id=lesson.course_id,
        lesson_id=lesson.id,
        run_id=run.id,
        asked_by=user.id,
        cause=RevisionCause.ASKED,
        change=change,
        state=RevisionState.MAKING,
        base_version=lesson.version,
        before=documents,
    )
    session.add(revision)
    session.flush()
    jobs.enqueue(
        session,
        run,
        kind="revise",
        lane="author",
        subject_id=lesson.id,
        units=REVISE_UNITS,
        priority=REVISE_PRIORITY + lesson.position,
    )
    return revision


def _making(session: Session, lesson: Lesson, change: Change) -> Revision | None:
    """The same change, if it is being made. Raises Conflict when another change of the lesson is."""
    query = select(Revision).where(Revision.lesson_id == lesson.id, Revision.state == RevisionState.MAKING)
    found = session.scalar(query.limit(1))
    if found is not None and _wished(found.change) != _wished(change):
        raise Conflict(f"Another change of “{lesson.title}” is being made. Wait for it or stop it, then ask again.")
    return found


def _wished(change: Change) -> tuple[str, str, str]:
    return change.part, change.id, change.wish.strip().lower()


def _turns(session: Session, lesson: Lesson, change: Change) -> int:
    """How often the same was asked for this version of the lesson."""
    query = select(Revision).where(Revision.lesson_id == lesson.id, Revision.base_version == lesson.version)
    return sum(_wished(one.change) == _wished(change) for one in session.scalars(query))


def _refuse_unknown(documents: LessonDocuments, change: Change) -> None:
    known: set[str] = {""}
    if change.part == "block":
        known = {block.id for block in documents.text.blocks}
    elif change.part == "scene":
        known = {scene.id for scene in documents.storyboard.scenes} if documents.storyboard else set()
    if change.id not in known:
        raise NotFound(f"The lesson has no such {change.part} any more. Reload its page and choose again.")
