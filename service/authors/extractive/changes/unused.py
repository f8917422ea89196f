"""What the sources say about a lesson that the course does not say: the material for “longer” and “add an example”."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.words import bag, capitalized, cosine
from service.authors.extractive.sources.library import Library, carve, same
from service.authors.extractive.sources.material import Idea
from service.domain.course import CoursePlan
from service.domain.lesson import Lesson
from service.domain.source import Cite

# A cosine of bags of stems below this is another matter; within so many characters of what is cited it is this one.
ABOUT_IT, NEAR = 0.12, 1200
FEWEST_WORDS = 5
FOR_EXAMPLE = re.compile(r"^(?:for example|for instance|e\.g\.),?\s+", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A sentence that nobody told with those that lean on it, or code (then there are none); and how well it fits."""

    idea: Idea
    sentences: tuple[Sentence, ...]
    fit: float

    @property
    def cites(self) -> tuple[Cite, ...]:
        return self.sentences[0].cites if self.sentences else self.idea.cites

    @property
    def words(self) -> int:
        return sum(sentence.length for sentence in self.sentences)


class Unused:
    """The sentences and the code of the course's sources that neither this lesson nor the plan of another one holds."""

    def __init__(self, plan: CoursePlan, lesson: Lesson, library: Library) -> None:
        self._library = library
        self._told = {same(claim.text) for claim in lesson.claims()}
        self._shown = {(cite.source, cite.start) for cite in lesson.cites()}
        for planned in plan.lessons:
            if planned.id != lesson.id:
                for section in carve(library, planned.passages):
                    for idea in section.ideas:
                        self._told.update(same(sentence.text) for sentence in idea.all_sentences())
                        self._shown.update((cite.source, cite.start) for cite in idea.cites)

    def about(self, texts: Sequence[str], cites: Sequence[Cite], roles: Collection[str] = ()) -> list[Found]:
        """What fits to these texts and cites, the best first; with `roles` only sentences that do one of these."""
        wanted = bag(texts)
        found = [one for idea in self._ideas() for one in self._of(idea, wanted, cites, frozenset(roles))]
        return sorted(found, key=lambda one: (-one.fit, one.cites[0].source, one.cites[0].start))

    def code_about(self, texts: Sequence[str], cites: Sequence[Cite]) -> list[Found]:
        """Code that fits, the best first, by what stands before it and by its own words."""
        wanted, found = bag(texts), []
        for idea in self._ideas():
            if idea.kind == "code" and idea.cites and (idea.cites[0].source, idea.cites[0].start) not in self._shown:
                lead = [idea.lead.text] if idea.lead else []
                found.append(Found(idea, (), self._fit(bag([*lead, idea.code]), idea.cites[0], wanted, cites)))
        return sorted((one for one in found if one.fit >= ABOUT_IT), key=lambda one: (-one.fit, one.cites[0].start))

    def _ideas(self) -> Iterator[Idea]:
        for reading in self._library.readings:
            for section in reading.root.flat():
                yield from section.ideas

    def _of(self, idea: Idea, wanted: Counter[str], cites: Sequence[Cite], roles: frozenset[str]) -> Iterator[Found]:
        if idea.kind not in ("text", "definition", "list", "quote") or idea.tone:
            return
        for unit in _units(list(idea.all_sentences())):
            head = unit[0]
            stands = head.usable and head.length >= FEWEST_WORDS and bool(head.cites)
            if stands and same(head.text) not in self._told and (not roles or roles & head.roles):
                fit = self._fit(bag(sentence.text for sentence in unit), head.cites[0], wanted, cites)
                fresh = tuple(sentence for sentence in unit if same(sentence.text) not in self._told)
                if fit >= ABOUT_IT and len(fresh) == len(unit):
                    yield Found(idea, fresh, fit)

    def _fit(self, own: Counter[str], place: Cite, wanted: Counter[str], cites: Sequence[Cite]) -> float:
        distance = min((_distance(place, cite) for cite in cites if cite.source == place.source), default=NEAR)
        return cosine(own, wanted) + 0.3 * max(0.0, 1 - distance / NEAR)


def _units(sentences: Sequence[Sentence]) -> list[list[Sentence]]:
    """Sentences that stand alone, each with those that follow it and lean on it."""
    units: list[list[Sentence]] = []
    for place, sentence in enumerate(sentences):
        if _stands(sentence):
            units.append([sentence])
        elif units and sentence.follows(sentences[place - 1]) and units[-1][-1] is sentences[place - 1]:
            units[-1].append(sentence)
    return units


def _stands(sentence: Sentence) -> bool:
    """Whether it can follow any sentence on its matter: an example can, once it says what it is an example of."""
    rest = FOR_EXAMPLE.sub("", sentence.text)
    return sentence.alone or (rest != sentence.text and Sentence(capitalized(rest), sentence.cites).alone)


def _distance(one: Cite, other: Cite) -> int:
    return max(0, one.start - other.end, other.start - one.end)
