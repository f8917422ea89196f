"""Fills the outline that people brought: passages for each lesson, and what else it lacks, without changing a word.

The author drafts an outline from the same sources as ever; of that the glossary is taken, and the objectives for
lessons that came without any. Titles, objectives and their order are the person's own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.domain.bloom import BLOOM_VERBS
from service.domain.chunks import chunks_of
from service.domain.conventions import OBJECTIVES_A_LESSON
from service.domain.course import Brief, CoursePlan, GlossaryEntry, LessonPlan, ModulePlan, Objective
from service.domain.outline_text import read_outline, title_in
from service.domain.source import Chunk, Source, Span
from service.domain.support_words import read
from service.errors import BadInput
from service.ports import Evidence

CANDIDATES = 40  # passages that retrieval names for a lesson
MOST_WORDS = 1100  # of a lesson's passages: six minutes of video, as the author without a model cuts its own
# A passage is about a lesson when it holds this share of what its title, or one objective, is about, counted by rarity.
ABOUT = 0.5


def stems(text: str) -> frozenset[str]:
    """The stems of the words that carry meaning."""
    return frozenset(word.stem for word in read(text) if word.content)


# Words of titles that every subject has.
GENERAL = stems(
    "introduction overview basics basic fundamentals essentials summary conclusion review recap getting started "
    "guide matters understanding learning lesson module unit chapter part topic key important simple advanced"
)
# Of what retrieval finds for a lesson, what is less than this share as much about it as its best passage is left out.
NEARLY_AS_GOOD = 0.6
ANNOUNCING = ("objectives", "questions", "keypoints", "skip")
PRACTISING = ("exercise", "solution")


@dataclass(frozen=True)
class _Claim:
    """A passage that a lesson would like to have; the greater `fit`, the more it is about the lesson, and the rarer
    the words that say so, the surer."""

    lesson: int
    chunk: Chunk
    fit: float
    sure: float

    @property
    def key(self) -> tuple[str, int]:
        return _key(self.chunk)


class _Shelf:
    """The passages of the evidence that can be taught, and how rare each of their words is. An exercise cannot open a
    lesson; what a document announces or asks about itself is none of its contents."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.words: dict[tuple[str, int], frozenset[str]] = {}
        self.headings: dict[tuple[str, int], frozenset[str]] = {}
        self.order: dict[tuple[str, int], int] = {}
        self.practice: set[tuple[str, int]] = set()
        self.chunks: list[Chunk] = []
        for source in sources:
            for chunk in chunks_of(source):
                self._take(chunk, {b.role for b in source.blocks if b.start < chunk.end and b.end > chunk.start})
        self.counts = Counter(word for said in self.words.values() for word in said)

    def _take(self, chunk: Chunk, roles: set[str]) -> None:
        if roles and roles <= set(ANNOUNCING):
            return
        if roles and roles <= {*ANNOUNCING, *PRACTISING}:
            self.practice.add(_key(chunk))
        self.order[_key(chunk)] = len(self.chunks)
        self.chunks.append(chunk)
        self.headings[_key(chunk)] = stems(chunk.heading)
        self.words[_key(chunk)] = stems(f"{chunk.heading}\n{chunk.text}")

    def rarity(self, word: str) -> float:
        """Inverse document frequency; a word that no passage has weighs most."""
        return math.log(1 + len(self.chunks) / (self.counts[word] or 0.5))

    def named(self, wanted: frozenset[str], chunk: Chunk) -> float:
        """The share of the title's words that stand in the headings above the passage."""
        return len(wanted & self.headings[_key(chunk)]) / len(wanted) if wanted else 0.0

    def weigh(self, wanted: frozenset[str], chunk: Chunk) -> tuple[float, float]:
        """The share of what is wanted that the passage holds, and how much that is."""
        whole = math.fsum(map(self.rarity, wanted))  # exact, so the order of a set does not matter
        held = math.fsum(map(self.rarity, wanted & self.words[_key(chunk)]))
        return (held / whole if whole else 0.0), held


def brought_outline(text: str, brief: Brief) -> tuple[Brief, CoursePlan]:
    """The outline that the text says, and the brief with its title where it gives one.

    Raises:
        BadInput: a line of it cannot be understood; the message names it.
    """
    try:
        title = title_in(text)
        outline = read_outline(text, title=brief.title)
    except ValueError as error:
        raise BadInput(str(error)) from error
    return (brief.model_copy(update={"title": title}) if title else brief), outline


def filled(outline: CoursePlan, brief: Brief, draft: CoursePlan, evidence: Evidence) -> CoursePlan:
    """The outline with passages, lengths, glossary and the objectives that were missing.

    `draft` is the author's own outline of the same evidence. A lesson about which the sources say nothing stays,
    without passages. A passage goes to one lesson only, unless another would have none.
    """
    shelf = _Shelf(evidence.sources)
    passages = _assigned(outline, shelf, evidence)
    objectives = _objectives(outline, passages, draft)
    pace = draft.minutes / max(1, sum(span.end - span.start for lesson in draft.lessons for span in lesson.passages))
    title = outline.title if brief.title else draft.title
    modules = []
    for module in outline.modules:
        lessons = tuple(
            lesson.model_copy(
                update={
                    "passages": _spans(passages[lesson.id]),
                    "objectives": lesson.objectives or objectives.get(lesson.id, ()),
                    "minutes": round(pace * sum(chunk.end - chunk.start for chunk in passages[lesson.id]), 1),
                    "searched": bool(shelf.chunks),
                }
            )
            for lesson in module.lessons
        )
        own = title if module.title == outline.title else module.title
        modules.append(ModulePlan(id=module.id, title=own, lessons=lessons))
    plan = CoursePlan(title=title, summary="", language=brief.language, modules=tuple(modules))
    return plan.model_copy(update={"summary": _summary(plan), "glossary": tuple(_glossary(plan, draft))})


def unfounded(plan: CoursePlan) -> list[LessonPlan]:
    """The lessons that were searched for in vain: the sources say nothing about them."""
    return [lesson for lesson in plan.lessons if lesson.searched and not lesson.passages]


# --- passages ---


def _key(chunk: Chunk) -> tuple[str, int]:
    return chunk.source, chunk.start


def _assigned(outline: CoursePlan, shelf: _Shelf, evidence: Evidence) -> dict[str, list[Chunk]]:
    """Each lesson's passages in source order."""
    claims = [claim for number in range(len(outline.lessons)) for claim in _claims(outline, number, shelf, evidence)]
    claims.sort(key=lambda claim: (-claim.fit, -claim.sure, claim.lesson))
    given: list[list[Chunk]] = [[] for _ in outline.lessons]
    owner: dict[tuple[str, int], int] = {}
    teaching = [claim for claim in claims if claim.key not in shelf.practice]
    _hand_out(teaching, given, owner)
    _feed_the_empty(teaching, given, owner)
    _complete_sections(shelf, given, owner)
    _hand_out([claim for claim in claims if claim.key in shelf.practice and given[claim.lesson]], given, owner)
    return {
        lesson.id: sorted(given[number], key=lambda chunk: shelf.order[_key(chunk)])
        for number, lesson in enumerate(outline.lessons)
    }


def _hand_out(claims: Iterable[_Claim], given: list[list[Chunk]], owner: dict[tuple[str, int], int]) -> None:
    """Each passage to the first that claims it and has room."""
    for claim in claims:
        if claim.key not in owner and _words([*given[claim.lesson], claim.chunk]) <= MOST_WORDS:
            owner[claim.key] = claim.lesson
            given[claim.lesson].append(claim.chunk)


def _feed_the_empty(claims: Sequence[_Claim], given: list[list[Chunk]], owner: dict[tuple[str, int], int]) -> None:
    """A lesson that lost every passage to others gets its best one: from a lesson that keeps some, or to share."""
    for number, chunks in enumerate(given):
        wanted = [claim.chunk for claim in claims if claim.lesson == number]
        if chunks or not wanted:
            continue
        spare = [chunk for chunk in wanted if _key(chunk) in owner and len(given[owner[_key(chunk)]]) > 1]
        if spare:
            given[owner[_key(spare[0])]].remove(spare[0])
            owner[_key(spare[0])] = number
        chunks.append((spare or wanted)[0])


def _complete_sections(shelf: _Shelf, given: list[list[Chunk]], owner: dict[tuple[str, int], int]) -> None:
    """What stands under a heading that one lesson teaches alone is understood with the rest of it."""
    homes: dict[tuple[str, str], set[int]] = {}
    for chunk in shelf.chunks:
        if _key(chunk) in owner:
            homes.setdefault((chunk.source, chunk.heading), set()).add(owner[_key(chunk)])
    for chunk in shelf.chunks:
        lessons = homes.get((chunk.source, chunk.heading), set())
        if _key(chunk) not in owner and len(lessons) == 1:
            _hand_out([_Claim(next(iter(lessons)), chunk, 0.0, 0.0)], given, owner)


def _claims(outline: CoursePlan, number: int, shelf: _Shelf, evidence: Evidence) -> list[_Claim]:
    """What retrieval finds for a lesson and what is about it in fact."""
    lesson = outline.lessons[number]
    title = _about(lesson.title) or _about(outline.module_of(lesson.id).title) or _about(outline.title)
    aims = [_about(objective.text) for objective in lesson.objectives]
    query = " ".join([lesson.title, *(objective.text for objective in lesson.objectives)])
    found = []
    for rank, chunk in enumerate(evidence.search(query, CANDIDATES)):
        if _key(chunk) not in shelf.words:
            continue
        share, sure = shelf.weigh(title, chunk)
        aim, sure_aim = max((shelf.weigh(wanted, chunk) for wanted in aims), default=(0.0, 0.0))
        if max(share, aim) >= ABOUT:
            fit = share + shelf.named(title, chunk) + aim / 2 + 0.2 / (1 + rank)
            found.append(_Claim(number, chunk, fit, sure + sure_aim / 2))
    best = max((claim.fit for claim in found), default=0.0)
    return [claim for claim in found if claim.fit >= NEARLY_AS_GOOD * best]


def _about(text: str) -> frozenset[str]:
    """The words that say what a title or an objective is about."""
    first, _, rest = text.partition(" ")
    return stems(rest if rest and first.lower() in BLOOM_VERBS else text) - GENERAL


def _words(chunks: Sequence[Chunk]) -> int:
    return sum(len(chunk.text.split()) for chunk in chunks)


def _spans(chunks: Sequence[Chunk]) -> tuple[Span, ...]:
    """The passages as spans; what follows each other under one heading is one."""
    spans: list[Span] = []
    heading = ""
    for chunk in chunks:
        last = spans[-1] if spans else None
        if last and last.source == chunk.source and chunk.heading == heading and chunk.start - last.end <= 2:
            spans[-1] = last.model_copy(update={"end": chunk.end})
        else:
            spans.append(Span(source=chunk.source, start=chunk.start, end=chunk.end))
        heading = chunk.heading
    return tuple(spans)


# --- what the author adds ---


def _objectives(
    outline: CoursePlan, passages: dict[str, list[Chunk]], draft: CoursePlan
) -> dict[str, tuple[Objective, ...]]:
    """For each lesson that came without: those of the author's lessons about the same passages that fit it best."""
    lacking = [lesson for lesson in outline.lessons if not lesson.objectives and passages[lesson.id]]
    names = {lesson.id: _about(lesson.title) for lesson in lacking}
    told = {lesson.id: stems(_told(lesson, passages[lesson.id])) for lesson in lacking}
    texts: dict[str, list[Objective]] = {lesson.id: [] for lesson in lacking}
    for drafted in draft.lessons:
        homes = [lesson for lesson in lacking if _overlap(drafted.passages, passages[lesson.id])]
        for objective in drafted.objectives if homes else ():
            wanted = _about(objective.text)
            shared = [(len(wanted & names[lesson.id]), len(wanted & told[lesson.id])) for lesson in homes]
            home = homes[shared.index(max(shared))]
            if wanted & told[home.id] and len(texts[home.id]) < OBJECTIVES_A_LESSON:
                texts[home.id].append(objective)
    return {lesson.id: _renamed(lesson, texts[lesson.id]) for lesson in lacking}


def _told(lesson: LessonPlan, chunks: Sequence[Chunk]) -> str:
    return " ".join([lesson.title, *(f"{chunk.heading} {chunk.text}" for chunk in chunks)])


def _overlap(spans: Iterable[Span], chunks: Iterable[Chunk]) -> bool:
    held = list(chunks)
    return any(
        span.source == chunk.source and span.start < chunk.end and chunk.start < span.end
        for span in spans
        for chunk in held
    )


def _renamed(lesson: LessonPlan, found: Sequence[Objective]) -> tuple[Objective, ...]:
    if not found:
        text = f"Summarize the main points of “{lesson.title}”"
        return (Objective(id=f"{lesson.id}-o1", text=text, bloom="understand"),)
    return tuple(one.model_copy(update={"id": f"{lesson.id}-o{place}"}) for place, one in enumerate(found, start=1))


def _glossary(plan: CoursePlan, draft: CoursePlan) -> Iterable[GlossaryEntry]:
    """The author's terms that a lesson teaches now, in teaching order."""
    left = list(draft.glossary)
    for lesson in plan.lessons:
        taught = [entry for entry in left if any(_holds(span, entry.cite) for span in lesson.passages)]
        left = [entry for entry in left if entry not in taught]
        yield from taught


def _holds(passage: Span, cite: Span) -> bool:
    return passage.source == cite.source and passage.start <= cite.start < passage.end


def _summary(plan: CoursePlan) -> str:
    count = len(plan.lessons)
    names = [lesson.title for lesson in plan.lessons[:3]]
    more = ", and more" if count > len(names) else ""
    return f"{plan.title} in {count} lesson{'s' if count != 1 else ''}: {', '.join(names)}{more}."
