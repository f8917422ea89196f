"""A revision as its page shows it: what was wished, what changed in text, video and questions, and who decided."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.listing import WITHOUT_DOCUMENTS
from service.db.tables import (
    Event,
    Job,
    JobState,
    Lesson,
    Revision,
    RevisionCause,
    RevisionState,
    Run,
    RunState,
    User,
)
from service.domain.consequences import cites_of, meets
from service.domain.diff import Pair, Stretch, paired, text_of, word_changes
from service.domain.lesson import LessonBlock
from service.domain.quiz import QuizItem
from service.domain.revision import Change
from service.domain.storyboard import Scene
from service.domain.wishes import spoken_words, words_of
from service.pipeline.revisions import film_run
from service.web.money import Meter, meter_of

ENDED = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED)
OPEN = (RevisionState.MAKING, RevisionState.PROPOSED)
WORDS_A_MINUTE = 150
# State: kind of tag, its symbol, its words.
LOOKS = {
    RevisionState.MAKING: ("run", "run", "Being made"),
    RevisionState.PROPOSED: ("note", "edit", "Waits for you"),
    RevisionState.ACCEPTED: ("ok", "ok", "Accepted"),
    RevisionState.REJECTED: ("", "x", "Rejected"),
    RevisionState.OUTDATED: ("warn", "clock", "Outdated"),
    RevisionState.FAILED: ("bad", "bad", "Not made"),
}
PARTS = {"block": "a part of the text", "scene": "a scene of the video", "lesson": "the whole lesson"}


@dataclass(frozen=True)
class Live:
    """A run that is under way, with what it said last."""

    run: Run
    said: str
    meter: Meter | None

    @property
    def stopping(self) -> bool:
        return self.run.cancel_requested


@dataclass(frozen=True)
class TextChange:
    """A block before and after, as one text with what is gone and new."""

    block: LessonBlock
    state: str
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True)
class SceneChange:
    """A scene before and after, with its narration as one text."""

    pair: Pair[Scene]
    stretches: tuple[Stretch, ...]

    @property
    def title(self) -> str:
        scene = self.pair.after or self.pair.before
        return (scene.title or scene.kicker or "Untitled scene") if scene else ""


@dataclass(frozen=True)
class Shown:
    """One revision with the names of its people; `live` is the work that is being done for it, `repeats` says that
    asking for the same again would be refused again.
    """

    row: Revision
    lesson: Lesson
    asked_by: str
    decided_by: str
    live: Live | None
    repeats: bool = False

    @property
    def look(self) -> tuple[str, str, str]:
        return LOOKS[RevisionState(self.row.state)]

    @property
    def open(self) -> bool:
        """Whether it is being made or waits for a decision; else it came to nothing."""
        return self.row.state in OPEN

    @property
    def address(self) -> str:
        return f"/courses/{self.row.course_id}/changes/{self.row.id}"

    @property
    def title(self) -> str:
        return wish_title(self.row)

    @cached_property
    def texts(self) -> list[TextChange]:
        """The blocks that changed, in reading order."""
        before, after = self._blocks
        return [_text_change(pair) for pair in paired(before, after, _same_kind) if not pair.same]

    @property
    def untouched(self) -> int:
        """How many blocks of the text stay byte for byte."""
        before, after = self._blocks
        return sum(pair.same for pair in paired(before, after, _same_kind))

    @cached_property
    def scenes(self) -> list[SceneChange]:
        """The scenes that changed."""
        before = self.row.before.storyboard if self.row.before else None
        after = self.row.after.storyboard if self.row.after else None
        if before is None or after is None:
            return []
        pairs = paired(before.scenes, after.scenes, _same_scene, lambda scene: scene.model_copy(update={"id": ""}))
        changed = [pair for pair in pairs if not pair.same]
        return [SceneChange(one, word_changes(_narration(one.before), _narration(one.after))) for one in changed]

    @cached_property
    def questions(self) -> list[Pair[QuizItem]]:
        """The questions that changed."""
        before = self.row.before.quiz.items if self.row.before and self.row.before.quiz else ()
        after = self.row.after.quiz.items if self.row.after and self.row.after.quiz else ()
        pairs = paired(before, after, lambda one, other: one.id == other.id)
        return [pair for pair in pairs if not pair.same]

    @property
    def words(self) -> tuple[int, int]:
        """Words of the text before and after."""
        before, after = self._blocks
        return sum(map(words_of, before)), sum(map(words_of, after))

    @property
    def seconds(self) -> tuple[float, float]:
        """About how long the voice speaks before and after."""
        documents = (self.row.before, self.row.after)
        boards = [one.storyboard for one in documents if one is not None]
        spoken = [sum(map(spoken_words, board.scenes)) * 60 / WORDS_A_MINUTE if board else 0.0 for board in boards]
        return (spoken[0], spoken[1]) if len(spoken) == 2 else (0.0, 0.0)

    @property
    def _blocks(self) -> tuple[Sequence[LessonBlock], Sequence[LessonBlock]]:
        before, after = self.row.before, self.row.after
        return (before.text.blocks, after.text.blocks) if before and after else ((), ())


def wish_title(row: Revision) -> str:
    """The revision in a few words."""
    match row.cause:
        case RevisionCause.RESTORED:
            return "An earlier version restored"
        case RevisionCause.GENERATED:
            return "Generated again"
        case RevisionCause.SOURCE:
            return "A newer version of a source"
    wish = row.change.wish.strip()
    return f"“{wish}”" if wish else "The same again, in another way"


def shown(session: Session, rows: Sequence[Revision]) -> list[Shown]:
    """The revisions with all that their page names."""
    people = {row.asked_by for row in rows} | {row.decided_by for row in rows}
    names = dict(session.execute(select(User.id, User.name).where(User.id.in_(people - {None}))).tuples().all())
    named = select(Lesson).where(Lesson.id.in_([row.lesson_id for row in rows])).options(*WITHOUT_DOCUMENTS)
    lessons = {one.id: one for one in session.scalars(named)}
    return [
        Shown(
            row,
            lessons[row.lesson_id],
            names.get(row.asked_by, "") if row.asked_by else "",
            names.get(row.decided_by, "") if row.decided_by else "",
            live_of(session, row),
            _repeats(session, row, lessons[row.lesson_id]),
        )
        for row in rows
    ]


def live_of(session: Session, row: Revision) -> Live | None:
    """The work under way for it: making it, or filming it after it was accepted."""
    run = None
    if row.state == RevisionState.MAKING and row.run_id is not None:
        run = session.get(Run, row.run_id)
    elif row.state == RevisionState.ACCEPTED:
        run = film_run(session, row)
    if run is None or run.state in ENDED:
        return None
    said = select(Event.data["what"].astext).where(Event.run_id == run.id).order_by(Event.seq.desc()).limit(1)
    return Live(run, session.scalar(said) or "", meter_of(run))


def _repeats(session: Session, row: Revision, lesson: Lesson) -> bool:
    """Whether the same would be refused again: it was at once, of the lesson as it still is, and no model was asked.

    A model may answer otherwise the next time, and what the world refused, or somebody stopped, may go well.
    """
    if row.state != RevisionState.FAILED or row.base_version != lesson.version:
        return False
    run = session.get(Run, row.run_id) if row.run_id else None
    if run is None:
        return False
    mine = (Job.run_id == run.id, Job.kind == "revise", Job.subject_id == row.lesson_id)
    at_once = session.scalar(select(Job.id).where(*mine, Job.state == JobState.DEAD, Job.attempt <= 1))
    return at_once is not None and not run.spent_micro_dollars


def open_revisions(session: Session, course_id: uuid.UUID, lesson_id: uuid.UUID | None = None) -> Sequence[Revision]:
    """What is being made or waits for a decision, and what was not made or outdated lately; of one lesson, if given.

    What could not be made is shown until something newer was asked of the same lesson.
    """
    query = select(Revision).join(Lesson, Lesson.id == Revision.lesson_id).where(Revision.course_id == course_id)
    if lesson_id is not None:
        query = query.where(Revision.lesson_id == lesson_id)
    rows = session.scalars(query.order_by(Revision.created_at.desc(), Lesson.position).limit(200)).all()
    newest: dict[uuid.UUID, uuid.UUID] = {}
    for row in rows:
        newest.setdefault(row.lesson_id, row.id)
    late_states = (RevisionState.FAILED, RevisionState.OUTDATED)
    return [row for row in rows if row.state in OPEN or (row.state in late_states and newest[row.lesson_id] == row.id)]


def part_name(change: Change) -> str:
    """What the change is of, in words."""
    return PARTS[change.part]


def _text_change(pair: Pair[LessonBlock]) -> TextChange:
    before, after = pair.before, pair.after
    if before is not None and after is not None:
        return TextChange(after, "changed", word_changes(text_of(before), text_of(after)))
    if after is not None:
        return TextChange(after, "new", (Stretch("new", text_of(after)),))
    assert before is not None
    return TextChange(before, "gone", (Stretch("gone", text_of(before)),))


def _same_kind(one: LessonBlock, other: LessonBlock) -> bool:
    return one.kind == other.kind


def _same_scene(one: Scene, other: Scene) -> bool:
    """Whether it is the same scene in another version: about the same passages, or, without any, of the same title."""
    cites = cites_of(other)
    about = any(meets(cite, cites) for cite in cites_of(one)) if cites_of(one) and cites else one.title == other.title
    return one.kind == other.kind and about


def _narration(scene: Scene | None) -> str:
    return " ".join(cue.text for cue in scene.cues) if scene else ""
