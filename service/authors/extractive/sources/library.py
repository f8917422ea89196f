"""The sources of a course as the author has read them, and which of their passages a planned lesson teaches."""

from __future__ import annotations

import dataclasses
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.words import Casing, bag, overlap
from service.authors.extractive.sources.material import Idea, Reading, Section
from service.authors.extractive.sources.structure import read
from service.domain.course import CoursePlan, LessonPlan
from service.domain.source import Chunk, Source, Span
from service.ports import Evidence

PASSAGES_FOR_A_HAND_MADE_LESSON = 8


class ReadingCache:
    """Keeps the last readings, because plan, text, video and quiz of a course ask for the same sources."""

    def __init__(self, size: int = 64) -> None:
        self._size = size
        self._kept: OrderedDict[str, Reading] = OrderedDict()

    def reading(self, source: Source) -> Reading:
        key = f"{source.sha256}/{source.title}/{len(source.blocks)}"
        found = self._kept.pop(key, None) or read(source)
        self._kept[key] = found
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return found


class Library:
    """The readings of one course's evidence, in the order of its sources."""

    def __init__(self, evidence: Evidence, cache: ReadingCache) -> None:
        self.evidence = evidence
        self.readings = [cache.reading(source) for source in evidence.sources]
        self.casing = Casing(evidence.sources)
        self._by_hash = {reading.sha256: reading for reading in self.readings}

    def reading(self, sha256: str) -> Reading | None:
        return self._by_hash.get(sha256)

    def sections(self, planned: LessonPlan) -> list[Section]:
        """What the sources hold at the lesson's passages, in the passages' order; by retrieval when it has none."""
        return carve(self, planned.passages or self._found(planned))

    def _found(self, planned: LessonPlan) -> tuple[Span, ...]:
        query = " ".join([planned.title, *(objective.text for objective in planned.objectives)])
        wanted = bag([query])
        chunks = [c for c in self.evidence.search(query, PASSAGES_FOR_A_HAND_MADE_LESSON) if c.source in self._by_hash]
        telling = [chunk for chunk in chunks if set(bag([chunk.heading, chunk.text])) & set(wanted)]
        return tuple(
            Span(source=chunk.source, start=chunk.start, end=chunk.end) for chunk in self._in_source_order(telling)
        )

    def _in_source_order(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        order = {reading.sha256: place for place, reading in enumerate(self.readings)}
        return sorted(chunks, key=lambda chunk: (order[chunk.source], chunk.start))

    def taught_before(self, plan: CoursePlan, lesson_id: str) -> set[str]:
        """What earlier lessons of the plan tell, so that it is not told twice. A lesson made by hand repeats freely."""
        told: set[str] = set()
        for planned in plan.lessons:
            if planned.id == lesson_id:
                return told if planned.passages else set()
            for section in carve(self, planned.passages):
                told.update(same(s.text) for idea in section.ideas for s in idea.all_sentences())
        return told

    def keypoints(self, plan: CoursePlan, lesson_id: str) -> list[Sentence]:
        """The key points that the sources state and that belong to this lesson more than to any other."""
        return self._own_share(plan, lesson_id, lambda reading: reading.keypoints, 0.5)

    def questions(self, plan: CoursePlan, lesson_id: str) -> list[Sentence]:
        """The questions that the sources open with, shared out in the same way."""
        return self._own_share(plan, lesson_id, lambda reading: reading.questions, 0.3)

    def _own_share(
        self, plan: CoursePlan, lesson_id: str, of: Callable[[Reading], list[Sentence]], least: float
    ) -> list[Sentence]:
        mine = {span.source for span in plan.lesson(lesson_id).passages}
        return [
            sentence
            for reading in self.readings
            if reading.sha256 in mine and of(reading)
            for sentence in self._shared_out(plan, reading, of(reading), least).get(lesson_id, [])
        ]

    def _shared_out(
        self, plan: CoursePlan, reading: Reading, sentences: Sequence[Sentence], least: float
    ) -> dict[str, list[Sentence]]:
        """Each sentence with the lesson of this document whose words it shares most."""
        rivals = [p for p in plan.lessons if any(span.source == reading.sha256 for span in p.passages)]
        bags = [
            bag(s.text for section in carve(self, p.passages) for i in section.ideas for s in i.all_sentences())
            for p in rivals
        ]
        shares: dict[str, list[Sentence]] = {}
        for sentence in sentences:
            fits = [overlap(sentence.text, found) for found in bags]
            if fits and max(fits) >= least:
                shares.setdefault(rivals[fits.index(max(fits))].id, []).append(sentence)
        return shares


def carve(library: Library, passages: Sequence[Span]) -> list[Section]:
    """Copies of the sections that the passages cover, each with only the ideas that start inside a passage."""
    found: list[Section] = []
    taken: set[tuple[str, int]] = set()
    for span in passages:
        reading = library.reading(span.source)
        if reading is None:
            continue
        for section in reading.root.flat():
            ideas = [idea for idea in section.ideas if _inside(idea, span) and (idea.source, idea.start) not in taken]
            if not ideas:
                continue
            taken.update((idea.source, idea.start) for idea in ideas)
            continued = ideas[0] is not section.ideas[0]
            found.append(dataclasses.replace(section, ideas=ideas, continued=continued))
    return found


def _inside(idea: Idea, span: Span) -> bool:
    return span.start <= idea.start < span.end


def same(text: str) -> str:
    """What two sentences share that say the same words."""
    return re.sub(r"\W+", " ", text).strip().lower()
