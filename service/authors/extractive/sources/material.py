"""What a source or a lesson is made of for the author: sections of ideas, ideas of units, units of sentences."""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from service.authors.extractive.language import patterns
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.verb_forms import base_verb, word_classes
from service.authors.extractive.language.words import bag
from service.domain.source import Cite, Source

_GIVEN_NAME = re.compile(
    r"\b(?:fn|struct|enum|trait|mod|let(?: mut)?|def|class|const|var|function|interface|type|val|func)\s+"
    r"([A-Za-z_]\w{2,})"
)
_OBJECT = re.compile(r"(?:the|an?|your|its|their|all|each|every|both|any|off|up|out|down|\d+|two|three)\b")
IdeaKind = Literal["text", "definition", "list", "steps", "code", "table", "quote", "exercise"]


@dataclass
class Unit:
    """One to three sentences that are understood together: the first stands alone, the others lean on it."""

    sentences: list[Sentence]
    score: float = 0.0

    @property
    def head(self) -> Sentence:
        return self.sentences[0]

    @property
    def words(self) -> int:
        return sum(sentence.length for sentence in self.sentences)

    @property
    def roles(self) -> frozenset[str]:
        return frozenset().union(*(sentence.roles for sentence in self.sentences))

    @property
    def code(self) -> list[str]:
        """The stretches of code in its sentences."""
        return [code for sentence in self.sentences for code in sentence.code()]

    @property
    def bag(self) -> Counter[str]:
        return bag(sentence.text for sentence in self.sentences)


@dataclass
class Idea:
    """What one scene can teach: a run of text, a definition, a list, a table, code, a quotation or an exercise.

    `sentences` is the prose (for an exercise the task), `items` the entries of a list, `lead` the sentence that
    announces a list, a table or code. `tone` marks a call-out; `label` is its heading, or the term that is defined, or
    the title of an exercise, or who is quoted.
    """

    kind: IdeaKind
    source: str = ""
    start: int = -1
    end: int = -1
    sentences: list[Sentence] = field(default_factory=list)
    items: list[list[Sentence]] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    lead: Sentence | None = None
    code: str = ""
    lang: str = ""
    output: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    row_cites: tuple[Cite, ...] = ()
    cites: tuple[Cite, ...] = ()
    tone: Literal["", "note", "warning"] = ""
    label: str = ""
    first_number: int = 1
    solution: list[Sentence] = field(default_factory=list)
    solution_code: str = ""

    @property
    def words(self) -> int:
        """How much there is to tell: code and tables count as what is said about them, lists are never shortened."""
        spoken = sum(unit.words for unit in self.units)
        if self.kind in ("list", "steps"):
            return spoken * 5 // 4
        return spoken + {"code": 20, "table": 30}.get(self.kind, 0)

    def all_sentences(self) -> Iterator[Sentence]:
        """Every sentence of it that a learner reads."""
        yield from self.sentences
        for item in self.items:
            yield from item
        yield from self.solution


@dataclass
class Section:
    """A heading and the ideas under it; `source_title` names the document that it comes from."""

    title: str
    level: int
    source: str = ""
    source_title: str = ""
    start: int = -1
    ideas: list[Idea] = field(default_factory=list)
    parent: Section | None = None
    children: list[Section] = field(default_factory=list)
    continued: bool = False

    @property
    def words(self) -> int:
        return sum(idea.words for idea in self.ideas)

    @property
    def total(self) -> int:
        """Words of the section and of everything below it."""
        return self.words + sum(child.total for child in self.children)

    def flat(self) -> Iterator[Section]:
        """The section and everything below it, in source order."""
        yield self
        for child in self.children:
            yield from child.flat()

    def units(self) -> Iterator[Unit]:
        for idea in self.ideas:
            yield from idea.units

    @property
    def bag(self) -> Counter[str]:
        return bag(sentence.text for idea in self.ideas for sentence in idea.all_sentences())

    @property
    def is_vague(self) -> bool:
        """Whether the heading says nothing without the one above it."""
        if self.parent is None or patterns.KEYWORD_HEADING.match(self.title):
            return False
        return bool(patterns.GENERIC_HEADING.match(self.title) or patterns.DEPENDENT_HEADING.match(self.title))

    @property
    def telling(self) -> Section:
        """This section, or the nearest one above it whose heading says what it is about."""
        if not self.is_vague or self.parent is None:
            return self
        above = self.parent
        while above.parent is not None and above.is_vague:
            above = above.parent
        return above

    @property
    def name(self) -> str:
        """The heading as a slide or a list shows it: a vague one follows the heading that explains it."""
        own, above = self.title.rstrip(":"), self.telling
        if above is self:
            return own
        if re.match(r"intro|overview|background|general", own, re.IGNORECASE):
            return above.title.rstrip(":")
        return f"{above.title.rstrip(':')}: {own[:1].lower()}{own[1:]}"


@dataclass
class Reading:
    """A source as the author understands it."""

    source: Source
    sha256: str
    root: Section
    objectives: list[Sentence] = field(default_factory=list)
    questions: list[Sentence] = field(default_factory=list)
    keypoints: list[Sentence] = field(default_factory=list)

    def marks_between(self, start: int, end: int) -> list[tuple[str, int, int]]:
        """The marks (kind, start, end) that touch a span of the source, links left out."""
        at = max(0, bisect.bisect_right(self._starts, start) - 1)
        found: list[tuple[str, int, int]] = []
        for block in self.source.blocks[at:]:
            if block.start >= end:
                break
            found += [
                (m.kind, m.start, m.end) for m in block.marks if m.end > start and m.start < end and m.kind != "link"
            ]
        return found

    def within(self, start: int, end: int) -> list[tuple[Section, list[Idea]]]:
        """The ideas that start inside a span of the source, under their sections, in source order."""
        left, right = (bisect.bisect_left(self._idea_starts, at) for at in (start, end))
        found: list[tuple[Section, list[Idea]]] = []
        for place in sorted(place for _, place in self._by_start[left:right]):
            section, idea = self._ideas[place]
            if not found or found[-1][0] is not section:
                found.append((section, []))
            found[-1][1].append(idea)
        return found

    def place_of(self, idea: Idea) -> int:
        """The number of one of its ideas in source order."""
        return self._places[id(idea)]

    @cached_property
    def homes(self) -> dict[int, Section]:
        """The section of each sentence that can be told, by where the sentence starts."""
        return {s.start: section for section, idea in self._ideas for unit in idea.units for s in unit.sentences}

    @cached_property
    def _places(self) -> dict[int, int]:
        return {id(idea): place for place, (_, idea) in enumerate(self._ideas)}

    @cached_property
    def _ideas(self) -> list[tuple[Section, Idea]]:
        return [(section, idea) for section in self.root.flat() for idea in section.ideas]

    @cached_property
    def _by_start(self) -> list[tuple[int, int]]:
        """Where each idea starts, with its place in the reading: a list may begin before the code that it holds."""
        return sorted((idea.start, place) for place, (_, idea) in enumerate(self._ideas))

    @cached_property
    def _idea_starts(self) -> list[int]:
        return [start for start, _ in self._by_start]

    @cached_property
    def example_names(self) -> frozenset[str]:
        """The names that its own code gives to functions, types and variables: they belong to the example alone."""
        code = (idea.code for section in self.root.flat() for idea in section.ideas if idea.kind == "code")
        return frozenset(name for text in code for name in _GIVEN_NAME.findall(text)) - {"main"}

    @cached_property
    def _starts(self) -> list[int]:
        return [block.start for block in self.source.blocks]

    def cite(self, start: int, end: int) -> Cite:
        """The exact cite of a span; the hash is taken once, not once a sentence."""
        return Cite(source=self.sha256, start=start, end=end, quote=self.source.text[start:end])


def units_of(sentences: Sequence[Sentence], named: bool = False) -> list[Unit]:
    """Groups the sentences of a paragraph. One that leans on a sentence that is not there is left out.

    `named`: a heading was just announced, so that "this approach" in the first sentence is understood.
    """
    units: list[Unit] = []
    open_unit: Unit | None = None
    previous: Sentence | None = None
    for place, sentence in enumerate(sentences):
        lost = previous is not None and (open_unit is None or not sentence.follows(previous))
        anchored = place == 0 and named and bool(patterns.LEANS_ON_HEADING.match(sentence.text))
        unit = _unit_for(sentence, open_unit, lost, anchored)
        if unit is not None and unit is not open_unit:
            units.append(unit)
        open_unit, previous = unit, sentence
    return units


def _unit_for(sentence: Sentence, open_unit: Unit | None, lost: bool, anchored: bool) -> Unit | None:
    """The unit that the sentence belongs to: a new one, the open one (it is added), or none."""
    if not sentence.usable:
        return None
    tail = lost and sentence.length < 12 and sentence.text.startswith("The ")
    if sentence.alone and not tail:
        return Unit([sentence])
    if open_unit and not lost and len(open_unit.sentences) < 3 and open_unit.words < 70:
        open_unit.sentences.append(sentence)
        return open_unit
    loose = sentence.plain != sentence.text and not patterns.LEANING.match(sentence.plain)
    return Unit([sentence]) if loose or anchored else None


def is_procedure(items: Sequence[Sequence[Sentence]]) -> bool:
    """Whether the list is numbered and tells what to do; a numbered list of statements is only a list."""
    heads = [item[0] for item in items if item]
    if not heads or not heads[0].ordered:
        return False
    return sum(_is_instruction(head) for head in heads) >= 0.5 * len(heads)


def _is_instruction(head: Sentence) -> bool:
    if "step" in head.roles or re.match(r"(?:Using|If|When|In|To|Then|Now|Next|First|Once)\b", head.text):
        return True
    first, _, rest = head.text.lower().partition(" ")
    return "VERB" in word_classes(first) and base_verb(first) == first and bool(_OBJECT.match(rest))


def _opens(head: Sentence, count: int) -> bool:
    """Whether the first sentence of an entry can be told: it points to nothing, or to what the entry goes on with."""
    return "pointing" not in head.roles or bool(count > 1 and patterns.FOLLOWING.search(head.text))


def item_unit(item: Sequence[Sentence]) -> list[Unit]:
    """A list entry as one unit of its first sentences; empty when nothing of it can be told."""
    kept = [s for n, s in enumerate(item[:3]) if s.usable or (n == 0 and s.length <= 30 and _opens(s, len(item)))]
    if not kept or kept[0] is not item[0]:
        return []
    short = kept[:1]
    for sentence in kept[1:]:
        if sum(s.length for s in short) + sentence.length <= 45:
            short.append(sentence)
    return [Unit(short)]
