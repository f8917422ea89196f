"""A newer version of a source is read: what becomes of the lessons that were made from the old one.

First, in one transaction, every cite whose words still stand moves to the new version, which is in force from then on.
So what still cites the old one is exactly what the new one says differently or not at all. Then a change is proposed
for each of those lessons, of which nothing happens until somebody accepts it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.authors.extractive.changes.mending import Mending, mended_lesson
from service.authors.extractive.changes.mending_board import mended_board
from service.authors.extractive.changes.mending_quiz import mended_quiz
from service.db import events
from service.db.engine import session_scope
from service.db.lane import Task
from service.db.queries import citable_sources, lessons_of, source_document
from service.db.tables import Course, Lesson, Revision, RevisionCause, Run, Source
from service.domain.anchors import cites_in
from service.domain.outdated import Replaced, outdated
from service.domain.revision import Change, LessonDocuments
from service.domain.source import Source as SourceDocument
from service.pipeline.evidence import key_of
from service.pipeline.reanchoring import Crossing, reanchor
from service.pipeline.revisions import Proposal, propose, standing
from service.pipeline.verify import check_documents
from service.pipeline.versions import drop_uncited, predecessors, take_force
from service.ports import Services

NOTES_SHOWN = 6
NOTHING_LEFT = (
    "The newer version of the source says nothing any more of what this lesson proves or shows, so nothing of it would "
    "be left. Remove the lesson in the outline, or ask for another change of it."
)


def repair_course(services: Services, task: Task) -> None:
    """Take the version that the job names into force, and propose what its lessons need.

    Nothing is left to do when the version was removed before it was compared.
    """
    source_id = task.claim.subject_id
    with session_scope(services.engine) as session:
        new = session.get(Source, source_id)
        if new is None:
            return
        name, document = new.name, source_document(new)
        old = _old_versions(session, new)
    task.say(f"Comparing {name} with the version before")
    crossing = Crossing(old, document)
    task.commit(lambda session: _take_over(session, task, source_id, crossing, old))
    for lesson_id, place in _touched(services, task, crossing):
        _mend(services, task, crossing, lesson_id, place)
    task.commit(lambda session: drop_uncited(session, task.claim.course_id))


def _old_versions(session: Session, new: Source) -> dict[str, SourceDocument]:
    found = [source_document(row) for row in predecessors(session, new)]
    return {document.sha256: document for document in found}


def _take_over(
    session: Session, task: Task, source_id: uuid.UUID, crossing: Crossing, old: dict[str, SourceDocument]
) -> None:
    new = session.get(Source, source_id, with_for_update=True)
    if new is None or new.replaces is None:
        return  # removed meanwhile, or taken over before this job was continued
    course = session.get_one(Course, new.course_id, with_for_update={"key_share": True})
    reanchor(session, course, crossing, old)
    take_force(session, new)
    events.say(session, task.claim.run_id, "source", {"what": f"In force: {new.name}", "source_id": str(new.id)})


def _touched(services: Services, task: Task, crossing: Crossing) -> list[tuple[uuid.UUID, str]]:
    """The lessons that cite what changed, each with its place in the instructor's words."""
    with session_scope(services.engine) as session:
        lessons = [lesson for lesson in lessons_of(session, task.claim.course_id) if lesson.text is not None]
        return [
            (lesson.id, f"lesson {lesson.position}: {lesson.title}")
            for lesson in lessons
            if any(crossing.knows(cite.source) for cite in cites_in(standing(session, lesson)))
        ]


def _mend(services: Services, task: Task, crossing: Crossing, lesson_id: uuid.UUID, place: str) -> None:
    with session_scope(services.engine) as session:
        lesson = session.get_one(Lesson, lesson_id)
        before, version = standing(session, lesson), lesson.version
        citable = citable_sources(session, task.claim.course_id)
    made = task.step(
        f"mend-{lesson_id}",
        key_of(before, crossing.new.sha256),
        lambda: _checked(mend(before, crossing), citable),
        what=f"Following the new version in {place}",
        lesson_id=lesson_id,
    )
    after = LessonDocuments.model_validate(made["after"]) if made is not None else None
    note = NOTHING_LEFT if made is None else made["note"]
    proposal = Proposal(Change(part="lesson"), RevisionCause.SOURCE, before, after, note)
    task.commit(lambda session: _propose(session, task, lesson_id, version, proposal))


def _checked(made: tuple[LessonDocuments, str] | None, citable: tuple[SourceDocument, ...]) -> object:
    if made is None:
        return None
    after, note = made
    check_documents(after, citable)
    return {"after": after.model_dump(mode="json"), "note": note}


def mend(before: LessonDocuments, crossing: Crossing) -> tuple[LessonDocuments, str] | None:
    """The lesson with the smallest change by which it follows the new version, and what to look at before accepting it.

    None when no sentence with a proof, or no slide, would be left: then a person is told, and says what becomes of it.
    """
    stale = dict.fromkeys(cite for cite in cites_in(before) if crossing.knows(cite.source))
    changes = [crossing.replaced(cite) for cite in stale]
    mending = Mending(changes, crossing.new)
    text = mended_lesson(before.text, mending)
    board = mended_board(before.storyboard, mending) if before.storyboard is not None else None
    quiz = mended_quiz(before.quiz, mending) if before.quiz is not None else None
    if not any(True for _ in text.cites()) or (before.storyboard is not None and board is None):
        return None
    notes = [_counted(changes, len(outdated(before, {cite.source for cite in stale}))), *dict.fromkeys(mending.notes)]
    more = len(notes) - NOTES_SHOWN
    notes = notes[:NOTES_SHOWN] + ([f"And {more} more like these."] if more > 0 else [])
    return LessonDocuments(text=text, storyboard=board, quiz=quiz), " ".join(notes)


def _counted(changes: Sequence[Replaced], parts: int) -> str:
    gone = sum(change.new is None for change in changes)
    said = f"{len(changes)} cited {'passage' if len(changes) == 1 else 'passages'} of the source changed"
    lost = f", {gone} of them {'is' if gone == 1 else 'are'} gone" if gone else ""
    return f"{said}{lost}; {parts} {'place' if parts == 1 else 'places'} of the lesson rest on that."


def _propose(session: Session, task: Task, lesson_id: uuid.UUID, version: int, proposal: Proposal) -> None:
    """Put the change before the owner, once for each run; not when the lesson became another one meanwhile."""
    lesson = session.get_one(Lesson, lesson_id, with_for_update=True, populate_existing=True)
    mine = (Revision.lesson_id == lesson_id, Revision.run_id == task.claim.run_id)
    known = session.scalar(select(Revision.id).where(*mine).limit(1))
    if known is not None or lesson.version != version:
        return
    owner = session.get_one(Run, task.claim.run_id).owner_id
    propose(session, lesson, proposal, asked_by=owner, run_id=task.claim.run_id)
    what = f"Nothing would be left of {lesson.title}" if proposal.after is None else f"Proposed: {lesson.title}"
    told = {"what": what, "lesson_id": str(lesson.id), "lesson_state": lesson.state}
    events.say(session, task.claim.run_id, "lesson", told)
