"""The sources of a course as the author has read them, and which of their passages a planned lesson teaches."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import Any, Generic, TypeVar

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.words import Casing, bag, overlap
from service.authors.extractive.sources.material import Reading, Section
from service.authors.extractive.sources.stretches import Stretches
from service.authors.extractive.sources.structure import read
from service.domain.course import CoursePlan, LessonPlan
from service.domain.source import Chunk, Source, Span
from service.ports import Evidence

PASSAGES_FOR_A_HAND_MADE_LESSON = 8
FINDINGS_KEPT = 40  # of one course: what a few lessons next to each other ask for again
Made = TypeVar("Made")


class Shelf(Generic[Made]):
    """The last things that were made of texts, as long as those texts have at most so many characters together.

    The last one stays however long it is. Threads may share it; what two of them make at once is equal.
    """

    def __init__(self, characters: int) -> None:
        self._most = characters
        self._kept: OrderedDict[Hashable, tuple[Made, int]] = OrderedDict()
        self._lock = Lock()

    def of(self, key: Hashable, sources: Sequence[Source], make: Callable[[], Made]) -> Made:
        """What was made of these sources under this key before, else what `make` makes now."""
        with self._lock:
            found = self._kept.pop(key, None)
        found = found or (make(), sum(len(source.text) for source in sources))
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > 1 and sum(characters for _, characters in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
        return found[0]


class _Course:
    """A course's readings, and what was found out about them from call to call."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.readings = list(readings)
        self.casing = Casing([reading.source for reading in readings])
        self.stretches = Stretches(self.readings)
        self._findings: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def once(self, key: Hashable, find: Callable[[], Made]) -> Made:
        with self._lock:
            known = key in self._findings
            found: Made = self._findings.pop(key, None)
        found = found if known else find()
        with self._lock:
            self._findings[key] = found
            while len(self._findings) > FINDINGS_KEPT:
                self._findings.popitem(last=False)
        return found


class ReadingCache:
    """Keeps the last readings, because plan, text, video and quiz of a course ask for the same sources.

    `characters` bounds the text that it holds beside the last course: a reading takes about 100 times the memory.
    """

    def __init__(self, characters: int = 2_000_000) -> None:
        self._readings = Shelf[Reading](characters)
        self._courses = Shelf[_Course](characters)

    def reading(self, source: Source) -> Reading:
        return self._readings.of(key_of(source), [source], lambda: read(source))

    def course(self, sources: Sequence[Source]) -> _Course:
        """What is known of these sources. A text that came under two names is read once: cites name it by its hash."""
        texts: dict[str, Source] = {}
        for source in sources:
            texts.setdefault(source.sha256, source)
        key = tuple(map(key_of, texts.values()))
        return self._courses.of(key, sources, lambda: _Course([self.reading(source) for source in texts.values()]))


def key_of(source: Source) -> Hashable:
    """What a reading of the source depends on."""
    return source.sha256, source.title, len(source.blocks)


class Library:
    """The readings of one course's evidence, in the order of its sources."""

    def __init__(self, evidence: Evidence, cache: ReadingCache) -> None:
        self.evidence = evidence
        self._course = cache.course(evidence.sources)
        self.readings = self._course.readings
        self.casing = self._course.casing
        self._by_hash = {reading.sha256: reading for reading in self.readings}

    @property
    def stretches(self) -> Stretches:
        return self._course.stretches

    def once(self, key: Hashable, find: Callable[[], Made]) -> Made:
        """What was found for this key before in the same sources, else what `find` finds; nobody may change it."""
        return self._course.once(key, find)

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
        place = next((n for n, planned in enumerate(plan.lessons) if planned.id == lesson_id), len(plan.lessons))
        if place < len(plan.lessons) and not plan.lessons[place].passages:
            return set()
        return {text for text, first in self._first_told(plan).items() if first < place}

    def _first_told(self, plan: CoursePlan) -> dict[str, int]:
        """For each sentence of the plan's passages the place of the first lesson that tells it."""
        passages = tuple(planned.passages for planned in plan.lessons)

        def find() -> dict[str, int]:
            told: dict[str, int] = {}
            for place, spans in enumerate(passages):
                for section in carve(self, spans):
                    for idea in section.ideas:
                        for sentence in idea.all_sentences():
                            told.setdefault(same(sentence.text), place)
            return told

        return self.once(("told", passages), find)

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
        bags = self.once(("bags", tuple(p.passages for p in rivals)), lambda: [self._bag(p.passages) for p in rivals])
        shares: dict[str, list[Sentence]] = {}
        for sentence in sentences:
            fits = [overlap(sentence.text, found) for found in bags]
            if fits and max(fits) >= least:
                shares.setdefault(rivals[fits.index(max(fits))].id, []).append(sentence)
        return shares

    def _bag(self, passages: Sequence[Span]) -> Counter[str]:
        return bag(s.text for section in carve(self, passages) for i in section.ideas for s in i.all_sentences())


def carve(library: Library, passages: Sequence[Span]) -> list[Section]:
    """Copies of the sections that the passages cover, each with only the ideas that start inside a passage."""
    found: list[Section] = []
    taken: set[int] = set()
    for span in passages:
        reading = library.reading(span.source)
        if reading is None:
            continue
        for section, inside in reading.within(span.start, span.end):
            ideas = [idea for idea in inside if id(idea) not in taken]
            if not ideas:
                continue
            taken.update(map(id, ideas))
            continued = ideas[0] is not section.ideas[0]
            found.append(dataclasses.replace(section, ideas=ideas, continued=continued))
    return found


def same(text: str) -> str:
    """What two sentences share that say the same words."""
    return re.sub(r"\W+", " ", text).strip().lower()
