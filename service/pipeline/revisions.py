"""Changes of single lessons, from the wish to the decision: every function writes rows in the caller's transaction.

A proposal holds the lesson's documents whole, before and after. Accepting it writes the lesson; the accepted ones, with
what a generation replaced, are the lesson's history, and any version in it can be restored. Work on a change never
touches the state of its course, and learners keep the old film until the new one is there.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.db.queries import citable_sources
from service.db.tables import (
    Course,
    CourseState,
    Lesson,
    LessonState,
    QuizItem,
    Revision,
    RevisionCause,
    RevisionState,
    Run,
    SignOff,
    Source,
    User,
)
from service.domain.anchors import cites_in
from service.domain.quiz import Quiz
from service.domain.quiz import QuizItem as QuizItemDocument
from service.domain.revision import Change, LessonDocuments
from service.domain.support import judged
from service.errors import BadInput, Broken, Conflict
from service.pipeline.filming import film_changed
from service.pipeline.quality import BLOCKS_PUBLISHING, claim_key
from service.pipeline.verify import check_documents
from service.pipeline.versions import newer_versions
from service.settings import Settings

DECIDED = {
    RevisionState.MAKING: "This change is still being made. Wait for it, then decide.",
    RevisionState.ACCEPTED: "This change was accepted already. Restore an earlier version from the lesson's history.",
    RevisionState.REJECTED: "This change was rejected already. Ask for it again.",
    RevisionState.FAILED: "This change could not be made. Ask for it again, or for another one.",
    RevisionState.OUTDATED: "The lesson has changed since this was proposed. Ask for it again.",
}


@dataclass(frozen=True)
class Proposal:
    """A change that is made: what was wished and why, the lesson's documents without and with it, and what to look at
    before deciding (`note`). Without documents afterwards it could not be made, and the note says why."""

    change: Change
    cause: RevisionCause
    before: LessonDocuments
    after: LessonDocuments | None
    note: str = ""


def standing(session: Session, lesson: Lesson) -> LessonDocuments:
    """The lesson's documents as they stand.

    Raises:
        BadInput: the lesson is not written.
    """
    if lesson.text is None:
        raise BadInput(f"“{lesson.title}” is not written yet. Generate it first, then change it.")
    rows = session.scalars(select(QuizItem).where(QuizItem.lesson_id == lesson.id).order_by(QuizItem.position))
    quiz = Quiz(lesson_id=str(lesson.id), items=tuple(row.document for row in rows))
    return LessonDocuments(text=lesson.text, storyboard=lesson.storyboard, quiz=quiz)


def propose(
    session: Session,
    lesson: Lesson,
    proposal: Proposal,
    *,
    asked_by: uuid.UUID | None,
    run_id: uuid.UUID | None = None,
) -> Revision:
    """Put a change that is made already before the course's owner. Nothing is changed until `accept`.

    What it was made from (`before`) are the documents of the lesson's version as it is now, see `standing`.
    """
    revision = Revision(
        id=uuid.uuid4(),
        course_id=lesson.course_id,
        lesson_id=lesson.id,
        run_id=run_id,
        asked_by=asked_by,
        cause=proposal.cause,
        change=proposal.change,
        state=RevisionState.FAILED if proposal.after is None else RevisionState.PROPOSED,
        base_version=lesson.version,
        before=proposal.before,
        after=proposal.after,
        note=proposal.note,
    )
    session.add(revision)
    session.flush()
    return revision


def accept(
    session: Session, course: Course, revision: Revision, person: User, *, settings: Settings | None = None
) -> Revision:
    """Make the proposal the lesson, and film what changed. Accepting twice is accepting once.

    When the lesson has changed since, the proposal becomes outdated instead: look at the state of what is returned.

    Raises:
        Conflict: it is no proposal (any more), the lesson is being made anew, a cite has lost its source, or the
            course is published and the proposal states something that its passages do not support.
        OverBudget: filming it has no room in a budget.
    """
    lesson = locked_lesson(session, revision.lesson_id)
    session.refresh(revision, with_for_update=True)
    if revision.state == RevisionState.ACCEPTED:
        return revision
    _refuse_unless_proposed(revision)
    if revision.base_version != lesson.version:
        _decide(revision, RevisionState.OUTDATED, person)
        session.flush()
        return revision
    refuse_to_be_made(lesson)
    _refuse_unsupported(session, course, revision)
    _decide(revision, RevisionState.ACCEPTED, person)
    _apply(session, course, lesson, revision, settings)
    return revision


def reject(session: Session, revision: Revision, person: User) -> Revision:
    """Leave the lesson as it is. Rejecting twice is rejecting once; Raises Conflict when it was decided otherwise."""
    session.refresh(revision, with_for_update=True)
    if revision.state not in (RevisionState.REJECTED, RevisionState.OUTDATED):
        _refuse_unless_proposed(revision)
        _decide(revision, RevisionState.REJECTED, person)
        session.flush()
    return revision


def restore(
    session: Session,
    course: Course,
    revision: Revision,
    person: User,
    *,
    first: bool = False,
    anyway: bool = False,
    settings: Settings | None = None,
) -> Revision:
    """Make the lesson what this accepted revision made of it; with `first`, what it was before. A revision itself.

    Raises:
        Conflict: it was never accepted, the lesson is being made anew or stands like this already, or a cite of that
            version has lost its source; or it rests on an earlier version of sources, which `current` names, and that
            was not meant to be done `anyway`.
        OverBudget: filming it has no room in a budget.
    """
    lesson = locked_lesson(session, revision.lesson_id)
    documents = revision.before if first else revision.after
    if revision.state != RevisionState.ACCEPTED or documents is None:
        raise Conflict("Only a version that the lesson once had can be restored. Choose one from its history.")
    refuse_to_be_made(lesson)
    before = standing(session, lesson)
    if before == documents:
        raise Conflict("The lesson is exactly this version already. Choose another one from its history.")
    if (names := _earlier_names(session, lesson, documents)) and not anyway:
        raise Conflict(
            f"That version rests on an earlier version of {', '.join(names)}: it would be marked as outdated, and "
            "publishing waits for a signature. Restore it all the same, or ask for a change of what stands now.",
            current=names,
        )
    proposal = Proposal(Change(part="lesson"), RevisionCause.RESTORED, before, documents)
    restored = propose(session, lesson, proposal, asked_by=person.id)
    _refuse_unsupported(session, course, restored)
    _decide(restored, RevisionState.ACCEPTED, person)
    _apply(session, course, lesson, restored, settings)
    return restored


def _earlier_names(session: Session, lesson: Lesson, documents: LessonDocuments) -> list[str]:
    """The sources of which these documents of the lesson cite a version that a newer one took the place of."""
    newer = newer_versions(session, lesson.course_id)
    stale = {cite.source for cite in cites_in(documents)} & newer.keys()
    return sorted({session.get_one(Source, newer[sha256]).name for sha256 in stale})


def record_generated(
    session: Session, lesson: Lesson, before: LessonDocuments, after: LessonDocuments, run: Run
) -> Revision:
    """Remember what a generation replaced, so that it can be restored. The lesson's version is still the old one."""
    proposal = Proposal(Change(part="lesson"), RevisionCause.GENERATED, before, after)
    revision = propose(session, lesson, proposal, asked_by=run.owner_id, run_id=run.id)
    revision.state, revision.decided_by, revision.decided_at = RevisionState.ACCEPTED, run.owner_id, func.now()
    _outdate_others(session, revision)
    return revision


def history(session: Session, lesson: Lesson) -> Sequence[Revision]:
    """The accepted revisions of the lesson, the newest first."""
    query = select(Revision).where(Revision.lesson_id == lesson.id, Revision.state == RevisionState.ACCEPTED)
    return session.scalars(query.order_by(Revision.base_version.desc(), Revision.created_at.desc())).all()


def film_run(session: Session, revision: Revision) -> Run | None:
    """The run that films what this accepted revision changed, if there is one."""
    return session.scalar(select(Run).where(Run.idem_key == _film_key(revision)))


def _apply(session: Session, course: Course, lesson: Lesson, revision: Revision, settings: Settings | None) -> None:
    """Write the lesson's documents and queue its film where the video changed; people's progress stays."""
    after = revision.after
    if after is None:
        raise Broken("The proposal is empty. Ask for the change again.")
    try:
        check_documents(after, citable_sources(session, lesson.course_id))
    except Broken as error:
        raise Conflict(f"{error} Its source is gone, or has changed: ask for the change again.") from error
    lesson.text, lesson.version = after.text, lesson.version + 1
    if after.quiz is not None:
        _put_quiz(session, lesson, after.quiz)
    before = revision.before.storyboard if revision.before else None
    if after.storyboard is not None and after.storyboard != before:
        lesson.storyboard = after.storyboard
        film_changed(
            session, course, lesson, before, by=revision.decided_by, key=_film_key(revision), settings=settings
        )
    _outdate_others(session, revision)
    session.flush()


def _put_quiz(session: Session, lesson: Lesson, quiz: Quiz) -> None:
    """Make the rows equal to the quiz. A question that is still there keeps its row, and so what learners answered."""
    rows = {row.document.id: row for row in session.scalars(select(QuizItem).where(QuizItem.lesson_id == lesson.id))}
    for position, item in enumerate(quiz.items, start=1):
        row = rows.get(item.id)
        if row is None or not _same_question(row.document, item):
            row_id = uuid.uuid5(lesson.id, f"{lesson.version}:{item.id}")
            session.add(QuizItem(id=row_id, lesson_id=lesson.id, position=position, document=item))
        else:
            del rows[item.id]
            row.position, row.document = position, item
    for row in rows.values():
        session.delete(row)


def _same_question(one: QuizItemDocument, other: QuizItemDocument) -> bool:
    """Whether an answer to one answers the other; reasons and cites may differ."""
    shown = [(item.kind, item.stem, [(option.text, option.match) for option in item.options]) for item in (one, other)]
    return shown[0] == shown[1] and one.key == other.key


def _film_key(revision: Revision) -> str:
    return f"film:{revision.id}"


def locked_lesson(session: Session, lesson_id: uuid.UUID) -> Lesson:
    """The lesson, which nobody else changes until the transaction ends."""
    return session.get_one(Lesson, lesson_id, with_for_update=True, populate_existing=True)


def _decide(revision: Revision, state: RevisionState, person: User) -> None:
    revision.state, revision.decided_by, revision.decided_at = state, person.id, func.now()


def _outdate_others(session: Session, decided: Revision) -> None:
    """What else was proposed for the lesson was made from a version that is no longer the newest."""
    session.flush()
    others = (Revision.lesson_id == decided.lesson_id, Revision.id != decided.id)
    proposed = update(Revision).where(*others, Revision.state == RevisionState.PROPOSED)
    session.execute(proposed.values(state=RevisionState.OUTDATED, decided_at=func.now()))


def _refuse_unless_proposed(revision: Revision) -> None:
    if revision.state != RevisionState.PROPOSED:
        raise Conflict(DECIDED[RevisionState(revision.state)])


def refuse_to_be_made(lesson: Lesson) -> None:
    """Raises Conflict when the lesson is being generated, or is to be: what stands there now will be replaced."""
    if lesson.state in (LessonState.QUEUED, LessonState.WRITING):
        raise Conflict(f"“{lesson.title}” is being generated. Wait for it or stop it, then try again.")
    if lesson.state == LessonState.PLANNED and lesson.text is not None:
        raise Conflict(f"“{lesson.title}” is planned anew. Generate it first, then change it.")


def _refuse_unsupported(session: Session, course: Course, revision: Revision) -> None:
    """What people learn from was let through by the gate; a change must not bring in what the gate would stop."""
    if course.state != CourseState.PUBLISHED or revision.after is None:
        return
    signed = set(session.scalars(select(SignOff.claim_sha256).where(SignOff.lesson_id == revision.lesson_id)))
    known = {claim_key(claim) for claim in revision.before.text.claims()} if revision.before else set()
    for claim in map(judged, revision.after.text.claims()):
        if claim.state in BLOCKS_PUBLISHING and claim_key(claim) not in known | signed:
            raise Conflict(
                f"People learn from this course, and its passages do not support “{claim.text[:80]}”. Reject the "
                "change, or take the course out of the catalogue first."
            )
