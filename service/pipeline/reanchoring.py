"""Moves cites from an old version of a source to the new one, wherever the same words stand there.

No word changes and no version counts up: what learners did stays, sign-offs stay, proposals stay good, and a film stays
the film of its storyboard, because cites are not filmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.authors.extractive.changes.mending import Mending
from service.db.tables import Course, Lesson, Media, QuizItem, Revision, SignOff
from service.domain.anchors import moved
from service.domain.course import GlossaryEntry, LessonPlan
from service.domain.drift import Drift, Fate
from service.domain.outdated import Replaced
from service.domain.source import Cite, Source, Span


class Crossing:
    """The way from the old versions of one source, named by their hashes, to the new one."""

    def __init__(self, old: Mapping[str, Source], new: Source) -> None:
        self.new = new
        self._sha256 = new.sha256
        self._drifts = {sha256: Drift(source, new) for sha256, source in old.items() if sha256 != self._sha256}
        self._fates: dict[tuple[str, int, int], Fate] = {}

    def knows(self, sha256: str) -> bool:
        """Whether this is one of the old versions."""
        return sha256 in self._drifts

    def fate(self, cite: Cite | Span) -> Fate:
        """What became of a span of an old version."""
        place = (cite.source, cite.start, cite.end)
        if place not in self._fates:
            self._fates[place] = self._drifts[cite.source].of(cite.start, cite.end)
        return self._fates[place]

    def kept(self, cite: Cite) -> Cite:
        """The cite, at its new place when its words stand in the new version."""
        if not self.knows(cite.source):
            return cite
        fate = self.fate(cite)
        return self.cite(fate) if fate.state == "kept" else cite

    def replaced(self, cite: Cite) -> Replaced:
        """An old cite whose words changed, with what stands there now."""
        fate = self.fate(cite)
        return Replaced(cite, None if fate.state == "gone" else self.cite(fate))

    def cite(self, fate: Fate) -> Cite:
        """The exact cite of a place in the new version."""
        return Cite(source=self._sha256, start=fate.start, end=fate.end, quote=self.new.text[fate.start : fate.end])

    def passages(self, plan: LessonPlan) -> LessonPlan:
        """The plan with its passages where they stand now, those that are gone left out."""
        found: list[Span] = []
        for span in plan.passages:
            found += self._spans(span) if self.knows(span.source) else [span]
        return plan if tuple(found) == plan.passages else plan.model_copy(update={"passages": tuple(found)})

    def _spans(self, span: Span) -> list[Span]:
        spans = self._drifts[span.source].spans(span.start, span.end)
        return [Span(source=self._sha256, start=start, end=end) for start, end in spans]


def reanchor(session: Session, course: Course, crossing: Crossing, old: Mapping[str, Source]) -> None:
    """Move every cite of the course whose words stand in the new version, in one transaction."""
    rows = select(Lesson).where(Lesson.course_id == course.id).order_by(Lesson.position).with_for_update()
    move = partial(moved, move=crossing.kept)
    for lesson in session.scalars(rows.execution_options(populate_existing=True)):
        _carry_sign_offs(session, lesson, crossing)
        _move_films(session, lesson, crossing)
        lesson.plan = crossing.passages(lesson.plan)
        if lesson.text is not None:
            lesson.text = move(lesson.text)
        if lesson.storyboard is not None:
            lesson.storyboard = move(lesson.storyboard)
        for item in session.scalars(select(QuizItem).where(QuizItem.lesson_id == lesson.id)):
            item.document = move(item.document)
    for revision in session.scalars(select(Revision).where(Revision.course_id == course.id)):
        revision.before = move(revision.before) if revision.before else None
        revision.after = move(revision.after) if revision.after else None
    course.glossary = _glossary(course, crossing, old)
    session.flush()


def _move_films(session: Session, lesson: Lesson, crossing: Crossing) -> None:
    """The film of a storyboard stays that storyboard's film: its name follows the moved cites, its cues do too."""
    names = {}
    if lesson.storyboard is not None:
        names[lesson.storyboard.sha256] = moved(lesson.storyboard, crossing.kept).sha256
    for media in session.scalars(select(Media).where(Media.lesson_id == lesson.id)):
        film, name = moved(media.film, crossing.kept), names.get(media.storyboard_sha256, media.storyboard_sha256)
        if film is not media.film or name != media.storyboard_sha256:
            values = {"film": film, "storyboard_sha256": name, "created_at": Media.created_at}
            session.execute(update(Media).where(Media.id == media.id).values(values))


def _carry_sign_offs(session: Session, lesson: Lesson, crossing: Crossing) -> None:
    """Who signed a sentence signed its words and its proof; the same proof at another place is no other one."""
    signed = {row.claim_sha256: row for row in session.scalars(select(SignOff).where(SignOff.lesson_id == lesson.id))}
    for claim in lesson.text.claims() if lesson.text and signed else ():
        row, now = signed.get(claim.key), moved(claim, crossing.kept)
        if row is not None and now is not claim:
            values = {"lesson_id": lesson.id, "claim_sha256": now.key, "user_id": row.user_id}
            values |= {"signed_by": row.signed_by, "created_at": row.created_at}
            session.execute(insert(SignOff).values(values).on_conflict_do_nothing())


def _glossary(course: Course, crossing: Crossing, old: Mapping[str, Source]) -> list[dict[str, object]]:
    """The glossary says what the source says now; a term that it does not define any more goes.

    It is no lesson and is shown nowhere by itself, so nobody is asked: the lessons' own definitions are proposed.
    """
    entries = []
    for given in course.glossary:
        entry = GlossaryEntry.model_validate(given)
        made = _entry(entry, crossing, old) if crossing.knows(entry.cite.source) else entry
        entries += [made.model_dump(mode="json")] if made is not None else []
    return entries


def _entry(entry: GlossaryEntry, crossing: Crossing, old: Mapping[str, Source]) -> GlossaryEntry | None:
    fate, span = crossing.fate(entry.cite), entry.cite
    if fate.state == "gone":
        return None
    now = crossing.cite(fate)
    change = Replaced(old[span.source].cite(span.start, span.end), now)
    meaning = entry.meaning
    if fate.state == "changed":
        meaning = Mending([change], crossing.new).wording(meaning, [change.old])
    return entry.model_copy(update={"meaning": meaning, "cite": Span(source=now.source, start=now.start, end=now.end)})
