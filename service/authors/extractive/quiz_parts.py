"""What all quiz items share: the lesson as a quiz sees it, reasons for options, and flaws that rules can see."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from service.authors.extractive import patterns
from service.authors.extractive.library import Library
from service.authors.extractive.material import Idea, Section
from service.authors.extractive.sentences import Sentence
from service.authors.extractive.words import bag, overlap, rank
from service.domain.course import CoursePlan, GlossaryEntry, Objective
from service.domain.quiz import ItemKind, Option, QuizItem
from service.domain.source import Cite

CHOICES = 4


@dataclass
class Candidate:
    """An item before it is numbered: `form` names its rule, `right` its right options by text (ordering: all)."""

    form: str
    kind: ItemKind
    stem: str
    options: list[Option] = field(default_factory=list)
    right: list[str] = field(default_factory=list)
    cites: tuple[Cite, ...] = ()
    model_answer: str = ""
    sorted_options: bool = False


@dataclass
class Exam:
    """Everything that the rules look at: the lesson's sections, its plan, and the course's sources."""

    sections: Sequence[Section]
    keypoints: Sequence[Sentence]
    objectives: Sequence[Objective]
    glossary: Sequence[GlossaryEntry]
    plan: CoursePlan
    library: Library
    lesson_id: str
    questions: Sequence[Sentence] = ()

    @cached_property
    def headings(self) -> dict[tuple[str, int], str]:
        """For each sentence of the lesson, by source and start, the heading that it stands under."""
        return {
            (cite.source, cite.start): f"{section.title} {section.telling.title}"
            for section in self.sections
            for idea in section.ideas
            for sentence in idea.all_sentences()
            for cite in sentence.cites
        }

    def told(self) -> Iterator[tuple[Section, Idea, Sentence]]:
        """The first sentence of every unit that stands alone, with its place."""
        for section in self.sections:
            for idea in section.ideas:
                for unit in idea.units:
                    if unit.head.usable and unit.head.alone and unit.head.cites:
                        yield section, idea, unit.head

    def statements(self) -> list[Sentence]:
        """Those sentences, and the key points that the source itself states."""
        return [sentence for _, _, sentence in self.told()] + list(self.keypoints)

    def sources(self) -> list[str]:
        """The hashes of the sources that the lesson is made of."""
        return list(dict.fromkeys(section.source for section in self.sections if section.source))

    def siblings(self) -> list[Section]:
        """All sections of the lesson's sources, where wrong options come from."""
        readings = [self.library.reading(source) for source in self.sources()]
        return [section for reading in readings if reading for section in reading.root.flat()]

    def objective_for(self, text: str) -> str:
        """The id of the objective that the text checks: the one it shares most words with."""
        if not self.objectives:
            return ""
        found = bag([text])
        return max(self.objectives, key=lambda o: (overlap(o.text, found), -self.objectives.index(o))).id


def source_says(sentence: str) -> str:
    """A reason in the source's own words."""
    return f"The source says: “{sentence.strip()}”"


def balanced(candidate: Candidate, seed: str, place: int) -> tuple[list[Option], tuple[int, ...]]:
    """The options in an order that depends on the item alone; the place of the right one goes round."""
    options = list(candidate.options)
    if not candidate.sorted_options:
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
    if candidate.form == "statement" and len(key) >= 1.25 * max(len(text) for text in texts if text != key):
        return False
    return not re.search(r"\ban$", candidate.stem) and key.lower() not in candidate.stem.lower()


def to_item(candidate: Candidate, item_id: str, place: int, objective: str) -> QuizItem:
    """The finished item."""
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
        cites=candidate.cites,
    )


def spread(candidates: Sequence[Candidate], limits: dict[str, int]) -> list[Candidate]:
    """At most so many of each form, one for each cited span."""
    kept: list[Candidate] = []
    count: Counter[str] = Counter()
    spans: set[tuple[str, int, int]] = set()
    stems: set[str] = set()
    for candidate in candidates:
        span = (
            (candidate.cites[0].source, candidate.cites[0].start, candidate.cites[0].end) if candidate.cites else None
        )
        if not flawless(candidate) or candidate.stem in stems or span in spans or span is None:
            continue
        if count[candidate.form] >= limits.get(candidate.form, 4):
            continue
        count[candidate.form] += 1
        spans.add(span)
        stems.add(candidate.stem)
        kept.append(candidate)
    return kept
