"""Making a change that somebody wished: the part itself, then what shows or asks it, then the proposal.

Nothing of the lesson is written here. What comes back is held against what was wished; what breaks it is refused.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db import events
from service.db.engine import session_scope
from service.db.lane import Task
from service.db.tables import Lesson as LessonRow
from service.db.tables import Revision, RevisionState
from service.domain.consequences import (
    Gone,
    emptied_scenes,
    touched_questions,
    touched_scenes,
    untold,
    with_questions_replaced,
    without_scenes,
)
from service.domain.lesson import Lesson
from service.domain.quiz import Quiz
from service.domain.revision import Change, LessonDocuments
from service.domain.storyboard import Storyboard
from service.domain.support import judged_lesson
from service.domain.wishes import broken_rule, replaced
from service.errors import BadInput, Broken
from service.pipeline.quality import BLOCKS_PUBLISHING
from service.pipeline.till import authored
from service.pipeline.verify import check_documents
from service.pipeline.write import Assignment, assignment_of
from service.ports import Services

log = logging.getLogger(__name__)

UNTOLD = "What is new stands in the text only; the video does not say it."
FEWER_QUESTIONS = "A question about what is gone was taken out, and nothing else could be asked instead."


@dataclass(frozen=True)
class Wished:
    """The change that the job makes: of which revision, in which lesson, from which documents."""

    job: Assignment
    revision: Revision
    change: Change
    before: LessonDocuments

    @property
    def name(self) -> str:
        return {"block": "a part", "scene": "a scene", "lesson": "the text"}[self.change.part] + f" of {self.job.place}"

    def key(self, *parts: object) -> str:
        return self.job.key(self.job.author.name, self.before, self.change, *parts)


def revise_lesson(services: Services, task: Task) -> None:
    """Make the change of the lesson that the job names, and propose it.

    Raises:
        BadInput: the author cannot do what is wished.
        Broken: what came back breaks a rule; the message says which.
    """
    wished = _wished(services, task)
    after = _changed(services, task, wished)
    if wished.change.part != "scene":
        after = _with_questions(task, wished, _with_video(task, wished, after))
    task.step(
        "verify",
        wished.key(after),
        lambda: {"cites": check_documents(after, wished.job.evidence.citable)},
        what=f"Checking the cites of {wished.job.place}",
        lesson_id=task.claim.subject_id,
    )
    task.commit(lambda session: _propose(session, task, wished, after))


def _wished(services: Services, task: Task) -> Wished:
    with session_scope(services.engine) as session:
        revision = session.scalar(
            select(Revision).where(Revision.run_id == task.claim.run_id, Revision.lesson_id == task.claim.subject_id)
        )
        if revision is None or revision.before is None:
            raise BadInput("The lesson, or the wish to change it, is gone. Ask for the change again.")
        change, before = revision.change, revision.before
        session.expunge(revision)
    return Wished(assignment_of(services, task), revision, change, before)


def _changed(services: Services, task: Task, wished: Wished) -> LessonDocuments:
    job, before, change = wished.job, wished.before, wished.change
    made = authored(
        task,
        "change",
        wished.key(),
        lambda till: job.author.revise(job.brief, job.plan, before, change, job.evidence, task.say, till),
        what=f"Changing {wished.name}",
        lesson_id=task.claim.subject_id,
    )
    after = LessonDocuments.model_validate(made)
    broken = broken_rule(before, after, change)
    if broken:
        raise Broken(f"{broken} Ask again, or for something else.")
    if change.part == "scene":
        return after
    judged = judged_lesson(after.text, services.contradiction)
    if change.part == "block":  # the others were judged when they were written, and stay byte for byte
        new = {block.id for block in replaced(before.text.blocks, after.text.blocks, change.id) or ()}
        pairs = zip(after.text.blocks, judged.blocks, strict=True)
        judged = judged.model_copy(update={"blocks": tuple(b if b.id in new else a for a, b in pairs)})
    return after.model_copy(update={"text": judged})


def _with_video(task: Task, wished: Wished, after: LessonDocuments) -> LessonDocuments:
    """A new storyboard for a new text; for a changed block only the scenes that show what it no longer says."""
    if after.storyboard is None:
        return after
    if wished.change.part == "lesson":
        return after.model_copy(update={"storyboard": _redrawn(task, wished, after.text, after.storyboard)})
    gone = Gone.between(wished.before.text, after.text)
    board = without_scenes(after.storyboard, emptied_scenes(after.storyboard, gone))
    after = after.model_copy(update={"storyboard": board})
    for scene in touched_scenes(board, gone):
        try:
            after = _with_scene(task, wished, after, scene)
        except BadInput as refusal:  # it stays as it is, and `_note` says so
            log.info("scene %s of lesson %s is not redrawn: %s", scene, wished.job.lesson_id, refusal)
    return after


def _with_scene(task: Task, wished: Wished, after: LessonDocuments, scene: str) -> LessonDocuments:
    job, change = wished.job, Change(part="scene", id=scene)
    made = authored(
        task,
        f"scene-{scene}",
        wished.key(after, scene),
        lambda till: job.author.revise(job.brief, job.plan, after, change, job.evidence, task.say, till),
        what=f"Redrawing a scene of {job.place}",
        lesson_id=task.claim.subject_id,
    )
    found = LessonDocuments.model_validate(made)
    boards = after.storyboard, found.storyboard
    kept = replaced(boards[0].scenes, boards[1].scenes, scene) if boards[0] and boards[1] else None
    if kept is None or (found.text, found.quiz) != (after.text, after.quiz):
        raise Broken("A scene of the video could not be redrawn alone. Ask again, or change the whole lesson.")
    return found


def _redrawn(task: Task, wished: Wished, text: Lesson, old: Storyboard) -> Storyboard:
    job = wished.job
    frame = {"course": job.plan.title, "accent": job.accent, "language": job.plan.language, "theme": old.theme}
    made = authored(
        task,
        "storyboard",
        wished.key(text, frame),
        lambda till: job.author.storyboard(job.brief, job.plan, text, job.evidence, task.say, till).model_copy(
            update=frame
        ),
        what=f"Storyboarding {job.place}",
        lesson_id=task.claim.subject_id,
    )
    return Storyboard.model_validate(made)


def _with_questions(task: Task, wished: Wished, after: LessonDocuments) -> LessonDocuments:
    """Other questions instead of those whose sentence is gone."""
    quiz, job = after.quiz, wished.job
    touched = touched_questions(quiz, Gone.between(wished.before.text, after.text)) if quiz else ()
    if quiz is None or not touched:
        return after
    made = authored(
        task,
        "quiz",
        wished.key(after.text, touched),
        lambda till: job.author.quiz(job.brief, job.plan, after.text, job.evidence, task.say, till),
        what=f"Setting questions for {job.place}",
        lesson_id=task.claim.subject_id,
    )
    mark = wished.revision.id.hex[:8]
    return after.model_copy(update={"quiz": with_questions_replaced(quiz, touched, Quiz.model_validate(made), mark)})


def _propose(session: Session, task: Task, wished: Wished, after: LessonDocuments) -> None:
    row = session.get_one(Revision, wished.revision.id, with_for_update=True)
    if row.state != RevisionState.MAKING:
        return  # it is proposed already, by this job before it was continued
    lesson = session.get_one(LessonRow, row.lesson_id)
    current = lesson.version == row.base_version
    row.state = RevisionState.PROPOSED if current else RevisionState.OUTDATED
    row.after, row.note = after, _note(wished, after)
    told = {"what": f"Proposed: {wished.name}", "lesson_id": row.lesson_id, "lesson_state": lesson.state}
    events.say(session, task.claim.run_id, "lesson", told)


def _note(wished: Wished, after: LessonDocuments) -> str:
    """What to look at before deciding."""
    before = wished.before
    known = set(before.text.claims())
    doubtful = [c for c in after.text.claims() if c not in known and c.state in BLOCKS_PUBLISHING]
    notes = [f"No passage supports “{claim.text}”." for claim in doubtful[:1]] + _about_the_video(before, after)
    if before.quiz and after.quiz and len(after.quiz.items) < len(before.quiz.items):
        notes.append(FEWER_QUESTIONS)
    return " ".join(notes)


def _about_the_video(before: LessonDocuments, after: LessonDocuments) -> list[str]:
    """Where the video and the changed text part."""
    if after.storyboard is None or after.text == before.text:
        return []
    left = touched_scenes(after.storyboard, Gone.between(before.text, after.text))
    titles = [scene.title for scene in after.storyboard.scenes if scene.id in left]
    notes = [f"The scene “{title}” still shows what the text no longer says. Change it by itself." for title in titles]
    return notes[:1] + [UNTOLD] * untold(before.text, after.text, after.storyboard)
