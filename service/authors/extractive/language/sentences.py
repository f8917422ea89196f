"""Sentences of a block with their exact spans, what each one does, and whether it can stand alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from service.authors.extractive.language import patterns
from service.authors.extractive.language.definitions import definition
from service.authors.extractive.language.lexicon import ACTION_VERBS
from service.authors.extractive.language.words import words
from service.domain.source import Cite

_ABBREVIATIONS = "e.g|i.e|etc|vs|cf|al|Dr|Mr|Mrs|Ms|Prof|St|No|Fig|fig|Sec|Eq|approx|ca|Inc|Ltd|Jr|Sr|U.S|U.K|p|pp|vol"
_END = re.compile(
    "".join(rf"(?<!\b{re.escape(word)})" for word in _ABBREVIATIONS.split("|"))
    + r"[.!?…。！？]+[\"”’')\]]*(?=\s+[\"“‘(\[¿¡]?[^\W_a-z]|\s+[`*$¿¡]|\s+[^\x00-\x7f]|(?<=[。！？]))"
)
_INITIAL = re.compile(r"\b[A-Z]\.$")
_NOT_INITIAL = re.compile(r"\b(?:I|[A-Z]{2,})\.$")


@dataclass(frozen=True)
class Inline:
    """A marked stretch of a sentence, in characters of its text."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Sentence:
    """One sentence: its text, the cites that prove it, its marks, and the kind of block that it stands in."""

    text: str
    cites: tuple[Cite, ...]
    marks: tuple[Inline, ...] = ()
    kind: str = "paragraph"
    ordered: bool = False

    @cached_property
    def length(self) -> int:
        """In words."""
        return len(words(self.text))

    @cached_property
    def defines(self) -> tuple[str, str] | None:
        """The term and the meaning that this sentence gives, if it is a definition."""
        return definition(self.text, tuple((mark.kind, mark.start, mark.end) for mark in self.marks))

    @cached_property
    def plain(self) -> str:
        """The text without a leading label or connective."""
        bare = patterns.DROPPABLE.sub("", patterns.LABEL.sub("", self.text))
        return self.text if bare == self.text else bare[:1].upper() + bare[1:]

    @cached_property
    def roles(self) -> frozenset[str]:
        """What the sentence does: definition, rule, warning, cause, example, contrast, number, step, lead, question,
        pointing, narrative."""
        found = {name for name, pattern in patterns.ROLES if pattern.search(self.text)}
        checks = (
            ("definition", self.defines is not None),
            ("question", self.text.endswith("?")),
            ("lead", self.text.endswith(":")),
            ("step", self._imperative),
            ("pointing", bool(patterns.POINTING.search(self.text))),
            ("narrative", bool(patterns.NARRATIVE.search(self.text))),
        )
        return frozenset(found | {name for name, holds in checks if holds})

    @cached_property
    def points_away(self) -> bool:
        """Whether it sends the reader somewhere else. An address that is set as code is what it speaks of."""
        text = self.text
        for mark in self.marks:
            if mark.kind == "code":
                text = text[: mark.start] + "x" * (mark.end - mark.start) + text[mark.end :]
        return patterns.STRONGLY_POINTING.search(text) is not None

    @property
    def _imperative(self) -> bool:
        first = words(self.text)[0].lower() if self.length else ""
        return first in ACTION_VERBS and (
            self.kind == "item" or self.ordered or bool(patterns.IMPERATIVE.match(self.text))
        )

    @cached_property
    def leans(self) -> bool:
        """Whether it opens with a word that needs the sentence before it."""
        return bool(patterns.LEANING.match(self.text))

    @cached_property
    def alone(self) -> bool:
        """Whether it can be understood with nothing before it."""
        keeps_opening = self.text.split(",")[0] in ("For example", "Instead", "As a result")
        body = self.text if keeps_opening else self.plain
        stands = not patterns.LEANING.match(body) and not patterns.CONNECTED.match(self.text)
        stands = stands or bool(patterns.KEPT_OPENING.match(self.text) and not patterns.LEANING.match(self.plain))
        if re.search(r"\b(?:is|are|has|have) then\b", self.text):
            return False
        starts_with_code = any(mark.start == 0 and mark.kind == "code" for mark in self.marks)
        return stands and not (self.text[:1].islower() and self.kind != "item" and not starts_with_code)

    @cached_property
    def usable(self) -> bool:
        """Whether it says something that can be taught in a video by itself."""
        if self.length > 55 or (self.length < 4 and self.kind != "item"):
            return False
        if self.roles & {"pointing", "lead", "question"} or patterns.EMPTY.match(self.text):
            return False
        if self.text.count("(") != self.text.count(")"):
            return False
        if re.search(r"\b(?:is|are|was|with|by|to|and|or|the|following|this|these)[.:]?$", self.text):
            return False
        return bool(re.search(r"[^\W\d_]{3}", self.text))

    @property
    def start(self) -> int:
        return self.cites[0].start if self.cites else -1

    @property
    def end(self) -> int:
        return self.cites[0].end if self.cites else -1

    def follows(self, other: Sentence | None) -> bool:
        """Whether it comes right after the other one in the source, or one of the two was written by hand."""
        if other is None:
            return False
        if not self.cites or not other.cites:
            return True
        return self.cites[0].source == other.cites[0].source and 0 <= self.start - other.end <= 3

    @property
    def closed(self) -> str:
        """The text with an end mark, so that others can follow it."""
        return self.text if re.search(r"[.!?…:。！？][\"”’')\]]*$", self.text) else self.text.rstrip(" ,;") + "."

    def code(self) -> list[str]:
        """The stretches of code in it."""
        return [self.text[mark.start : mark.end] for mark in self.marks if mark.kind == "code"]


def split(text: str, code: tuple[tuple[int, int], ...] = ()) -> list[tuple[int, int]]:
    """Spans of the sentences of one block's text; none is cut inside a stretch of code or an open parenthesis."""
    spans: list[tuple[int, int]] = []
    at = 0
    for match in _END.finditer(text):
        end = match.end()
        if any(start < end < stop for start, stop in code):
            continue
        part = text[at:end]
        if part.count("(") > part.count(")") or (_INITIAL.search(part) and not _NOT_INITIAL.search(part)):
            continue
        spans.append((at, end))
        at = end + len(text[end:]) - len(text[end:].lstrip())
    if text[at:].strip():
        spans.append((at, len(text.rstrip())))
    return spans
