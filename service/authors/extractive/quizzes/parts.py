"""What all quiz items share: the lesson as a quiz sees it, reasons for options, and flaws that rules can see."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from service.authors.extractive.language import patterns
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.words import bag, overlap, rank, stems
from service.authors.extractive.sources.library import Library
from service.authors.extractive.sources.material import Idea, Section
from service.domain.course import CoursePlan, GlossaryEntry, Objective
from service.domain.item_flaws import absolute_terms, flaws
from service.domain.item_support import support_faults
from service.domain.quiz import ItemKind, Option, QuizItem
from service.domain.report import item_faults
from service.domain.source import Cite
from service.domain.support_words import read

Found = TypeVar("Found")
CHOICES = 4
NEARNESS = 0.7  # what standing under an objective's heading counts beside a share of common words up to 1
LEAST_USES = 3  # in all sources, of a term that its definition points at with "the"
PROCEDURAL = ("order", "first", "belonging", "task")  # forms that check whether somebody can do it


@dataclass
class Candidate:
    """An item before it is numbered: `form` names its rule, `right` its right options by text (ordering: all).

    `sorted_options`: they stand in order of size, and so many of the smaller wrong ones are kept as puts the key into
    its place. `twin`: the same statement turned around, asked instead where "false" is due.
    """

    form: str
    kind: ItemKind
    stem: str
    options: list[Option] = field(default_factory=list)
    right: list[str] = field(default_factory=list)
    cites: tuple[Cite, ...] = ()
    model_answer: str = ""
    sorted_options: bool = False
    twin: Candidate | None = None


@dataclass
class Exam:
    """Everything that the rules look at: the lesson's sections, its plan, and the course's sources.

    `asked`: the open questions asked so far.
    """

    sections: Sequence[Section]
    keypoints: Sequence[Sentence]
    objectives: Sequence[Objective]
    glossary: Sequence[GlossaryEntry]
    plan: CoursePlan
    library: Library
    lesson_id: str
    questions: Sequence[Sentence] = ()
    asked: set[str] = field(default_factory=set)

    def told(self) -> Iterator[tuple[Section, Idea, Sentence]]:
        """The first sentence of every unit that stands alone, with its place."""
        for section in self.sections:
            for idea in section.ideas:
                for unit in idea.units:
                    if unit.head.usable and unit.head.alone and unit.head.cites:
                        yield section, idea, unit.head

    def facts(self) -> Iterator[tuple[str, Sentence]]:
        """Those sentences with the kind of their idea, and the key points that the source itself states."""
        seen = set()
        for _, idea, sentence in self.told():
            seen.add(sentence.start)
            yield ("note" if idea.tone else idea.kind), sentence
        for sentence in self.keypoints:
            if sentence.cites and sentence.start not in seen and sentence.usable and not sentence.leans:
                yield "text", sentence

    def statements(self) -> list[Sentence]:
        """Those sentences, and the key points that the source itself states."""
        return [sentence for _, _, sentence in self.told()] + list(self.keypoints)

    def sources(self) -> list[str]:
        """The hashes of the sources that the lesson is made of."""
        return list(dict.fromkeys(section.source for section in self.sections if section.source))

    def siblings(self) -> list[Section]:
        """The sections around the lesson, its own sources first: where wrong options come from."""
        own, numbers = self._around
        return sorted(self.library.stretches.sections(numbers), key=lambda section: section.source not in own)

    def once(self, what: str, find: Callable[[], Found]) -> Found:
        """What `find` finds around the lesson, found once for all lessons with the same surroundings."""
        return self.library.once((what, self._around), find)

    @cached_property
    def _around(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The lesson's own sources, and the stretches of the course that it is made of."""
        spans = self.plan.lesson(self.lesson_id).passages
        ends = [(span.source, at) for span in spans for at in (span.start, span.end - 1)]
        return tuple(self.sources()), self.library.stretches.holding(ends or self._sections_at)

    def origins(self) -> list[Section]:
        """The sources' own sections that the lesson's are made of: these know their place and their parents."""
        return [self.origin(section) for section in self.sections]

    def origin(self, section: Section) -> Section:
        """The section of a source that a section of the lesson was made of; itself when it is not found."""
        cites = (cite for unit in section.units() for sentence in unit.sentences for cite in sentence.cites)
        return next((home for cite in cites if (home := self._home(cite))), section)

    def _home(self, cite: Cite) -> Section | None:
        reading = self.library.reading(cite.source) if cite.source in self.sources() else None
        return reading.homes.get(cite.start) if reading is not None else None

    @cached_property
    def terms(self) -> list[GlossaryEntry]:
        """The glossary without what only looks like a term: "The associated value is …", said once."""
        casing = self.library.casing
        return [
            entry
            for entry in self.glossary
            if "(" not in entry.term
            and not entry.term.startswith("The ")
            and not (self._opens_with_the(entry) and casing.count(entry.term) < LEAST_USES)
        ]

    def _opens_with_the(self, entry: GlossaryEntry) -> bool:
        reading = self.library.reading(entry.cite.source)
        return reading is not None and reading.source.text.startswith("The ", entry.cite.start)

    def of_the_example(self, sentence: Sentence) -> bool:
        """Whether the sentence speaks of something that only the source's example code has."""
        reading = self.library.reading(sentence.cites[0].source) if sentence.cites else None
        return reading is not None and not reading.example_names.isdisjoint(re.findall(r"\w{3,}", sentence.text))

    def sayings(self) -> Iterator[Sentence]:
        """Every sentence around the lesson that can be told, and the sources' key points; the lesson's own first."""
        for section in self.siblings():
            for unit in section.units():
                yield from unit.sentences
        for reading in self.library.readings:
            yield from reading.keypoints

    def objective_for(self, candidate: Candidate) -> str:
        """The id of the objective that the item checks, by shared words and by their common heading; '' for none."""
        said = [candidate.stem, candidate.model_answer, *candidate.right, *(cite.quote for cite in candidate.cites)]
        place = self._place_of(candidate)
        words_, headed = bag(said), bag([*said, _headings(self.sections[place]) if place >= 0 else ""])
        fits = [
            (self._affinity(objective, headed) + self._nearness(objective, place), -n, objective.id)
            for n, objective in enumerate(self.objectives)
            if len(self.objectives) == 1 or self._affinity(objective, words_) or self.homes[objective.id] == place
        ]
        doing = [o.id for o in self.objectives if candidate.form in PROCEDURAL and o.bloom in ("apply", "create")]
        return max(fits)[2] if fits else next(iter(doing), "")

    def _affinity(self, objective: Objective, found: Counter[str]) -> float:
        """Share of the objective's words that the item holds; a word that all objectives hold tells nothing."""
        weights = {stem: 1 / self._spread[stem] for stem in _topics(objective)}
        return sum(w for stem, w in weights.items() if stem in found) / (sum(weights.values()) or 1.0)

    def _nearness(self, objective: Objective, place: int) -> float:
        return 0.0 if place < 0 else NEARNESS / (1 + abs(place - self.homes[objective.id]))

    def _place_of(self, candidate: Candidate) -> int:
        return next(
            (self._sections_at[key] for c in candidate.cites if (key := (c.source, c.start)) in self._sections_at), -1
        )

    @cached_property
    def _spread(self) -> Counter[str]:
        return Counter(stem for objective in self.objectives for stem in _topics(objective))

    @cached_property
    def _sections_at(self) -> dict[tuple[str, int], int]:
        """For each sentence, table row and piece of code of the lesson the number of its section."""
        return {
            (cite.source, cite.start): number
            for number, section in enumerate(self.sections)
            for idea in section.ideas
            for cite in (*(c for s in idea.all_sentences() for c in s.cites), *idea.cites, *idea.row_cites)
        }

    @cached_property
    def homes(self) -> dict[str, int]:
        """For each objective the number of the section that it speaks of; -1 in a lesson without any."""
        bags = [(set(stems(_headings(s))), s.bag) for s in self.sections]
        found = {}
        for objective in self.objectives:
            fits = [overlap(objective.text, heading) + 0.5 * overlap(objective.text, body) for heading, body in bags]
            found[objective.id] = fits.index(max(fits)) if fits else -1
        return found


def _topics(objective: Objective) -> set[str]:
    return set(stems(objective.text.replace("-", " ")))


def _headings(section: Section) -> str:
    """The section's heading and those above it up to its document."""
    chain, above = [section.title, section.source_title], section.parent
    while above is not None and above.parent is not None:
        chain.append(above.title)
        above = above.parent
    return " ".join(chain)


def gives_away(one: str, other: str) -> bool:
    """Whether two texts share a root, so that the one leads to the other without knowing anything."""
    roots = [{word.stem for word in read(text) if word.content and not word.breaks} for text in (one, other)]
    return bool(roots[0] & roots[1])


def source_says(sentence: str) -> str:
    """A reason in the source's own words."""
    return f"The source says: “{sentence.strip()}”"


def balanced(candidate: Candidate, seed: str, place: int) -> tuple[list[Option], tuple[int, ...]]:
    """The options in an order that depends on the item alone; the place of the right one goes round."""
    options = list(candidate.options)
    if candidate.kind in ("single", "cloze") and candidate.sorted_options:
        options = _around_the_key(options, candidate.right[0], place)
    elif not candidate.sorted_options:
        options.sort(key=lambda option: rank(seed, option.text))
    if candidate.kind in ("single", "cloze") and not candidate.sorted_options:
        right = next(option for option in options if option.text == candidate.right[0])
        options.remove(right)
        options.insert(place % (len(options) + 1), right)
    texts = [option.text for option in options]
    if candidate.kind == "matching":
        return options, tuple(range(len(options)))
    if candidate.kind == "ordering":
        return options, tuple(texts.index(text) for text in candidate.right)
    return options, tuple(sorted(texts.index(text) for text in candidate.right))


def _around_the_key(options: Sequence[Option], right: str, place: int) -> list[Option]:
    """Four of the options in their order, the key at `place` as far as there are enough smaller and larger ones."""
    at = next(n for n, option in enumerate(options) if option.text == right)
    before = min(at, max(place % CHOICES, CHOICES - 1 - (len(options) - 1 - at)))
    return list(options[at - before : at - before + CHOICES])


def flawless(candidate: Candidate) -> bool:
    """Whether no flaw shows: equal options, a key that stands out or in the stem, a stem that needs its context."""
    bare = re.sub(r"^(?:Fill the gap|True or false\?):? ", "", candidate.stem)
    if patterns.LEANING.match(bare) or patterns.POINTING.search(bare):
        return False
    if candidate.kind not in ("single", "cloze"):
        return True
    texts = [option.text for option in candidate.options]
    key = candidate.right[0]
    if len({text.lower() for text in texts}) < len(texts) or len(texts) < 2:
        return False
    longest = max(len(text) for text in texts if text != key)
    if len(key) > 24 and len(key) >= (1.25 if candidate.form == "statement" else 1.4) * longest:
        return False
    return not re.search(r"\ban$", candidate.stem) and key.lower() not in candidate.stem.lower()


def to_item(candidate: Candidate, item_id: str, place: int, objective: str, reviews: str = "") -> QuizItem:
    """The finished item. A statement and its twin take turns, so that "true" is as often right as "false"."""
    if candidate.twin is not None and place % 2:
        candidate = candidate.twin
    options, key = balanced(candidate, item_id, place)
    if candidate.kind == "short":
        options, key = [], ()
    return QuizItem(
        id=item_id,
        kind=candidate.kind,
        stem=candidate.stem,
        options=tuple(options),
        key=key,
        model_answer=candidate.model_answer,
        objective=objective,
        reviews=reviews,
        cites=candidate.cites,
    )


def sound(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those without a flaw whose cites prove the key and no wrong option, each span asked for once by each form."""
    kept: list[Candidate] = []
    seen: set[tuple[str, str, int]] = set()
    stems_seen: set[str] = set()
    for candidate in candidates:
        span = (candidate.form, candidate.cites[0].source, candidate.cites[0].start) if candidate.cites else None
        if span is None or span in seen or candidate.stem in stems_seen or not flawless(candidate):
            continue
        if candidate.kind != "short" and not all(_proven(one) for one in (candidate, candidate.twin) if one):
            continue
        seen.add(span)
        stems_seen.add(candidate.stem)
        kept.append(candidate)
    return kept


def _proven(candidate: Candidate) -> bool:
    """Whether the item holds wherever its key is put."""
    alone = dataclasses.replace(candidate, twin=None)
    places = range(CHOICES) if candidate.sorted_options and candidate.kind == "cloze" else range(1)
    items = [to_item(alone, "draft", place, "") for place in places]
    return not any(
        any(support_faults(item)) or any(item_faults(item)) or any(flaws(item)) or absolute_terms(item)
        for item in items
    )
