"""What the agents may read: the course's passages under short ids, each with the sentences and exhibits it holds.

A model never sees an offset and never writes one. It names a passage by id and copies a sentence; code and tables are
exhibits that it names by id and that are carried over byte for byte. An id that is not on this shelf names nothing, so
what belongs to another course, or was never there, cannot be cited.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from service.domain.chunks import chunks_of, sentences_of
from service.domain.course import CoursePlan
from service.domain.source import Block, Chunk, Cite, Source, Span
from service.ports import Evidence

EXHIBITS = ("code", "table")
_PROSE = ("paragraph", "item", "quote")


@dataclass(frozen=True)
class Exhibit:
    """A listing with what it printed, or a table: shown as it stands."""

    id: str
    source: Source
    block: Block
    printed: Block | None = None

    @property
    def text(self) -> str:
        return self.source.text[self.block.start : self.block.end]

    @property
    def output(self) -> str:
        return self.source.text[self.printed.start : self.printed.end] if self.printed else ""

    @property
    def end(self) -> int:
        return (self.printed or self.block).end

    def holds(self, cite: Cite) -> bool:
        """Whether the cite points into this code or table."""
        return cite.source == self.source.sha256 and self.block.start <= cite.start < self.block.end

    @property
    def cites(self) -> tuple[Cite, ...]:
        return tuple(self.source.cite(one.start, one.end) for one in (self.block, self.printed) if one)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The table's cells, header first, every row as long as the header."""
        width = len(self.block.rows[0]) if self.block.rows else 0
        rows = [[self.source.text[start:end] for start, end in row] for row in self.block.rows]
        return tuple(tuple((row + [""] * width)[:width]) for row in rows)


@dataclass(frozen=True)
class Passage:
    """A stretch of a source under one heading, as retrieval cuts it."""

    id: str
    source: Source
    chunk: Chunk
    exhibits: tuple[Exhibit, ...] = ()
    sentences: tuple[Cite, ...] = field(default=(), repr=False)

    @property
    def span(self) -> Span:
        return Span(source=self.chunk.source, start=self.chunk.start, end=self.chunk.end)

    @property
    def words(self) -> int:
        return len(self.chunk.text.split())

    def overlaps(self, span: Span | Chunk | Cite) -> bool:
        return self.chunk.source == span.source and self.chunk.start < span.end and self.chunk.end > span.start


class Shelf:
    """All passages of one course's evidence, in the order of its sources."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.passages = tuple(_passages(evidence.sources))
        self._by_id = {passage.id: passage for passage in self.passages}
        self._exhibits = {exhibit.id: exhibit for passage in self.passages for exhibit in passage.exhibits}
        self.text = "\n".join(source.text for source in evidence.sources)

    @property
    def words(self) -> int:
        return sum(passage.words for passage in self.passages)

    def passage(self, passage_id: str) -> Passage | None:
        """The passage with this id; None when there is none."""
        return self._by_id.get(bare_id(passage_id))

    def exhibit(self, exhibit_id: str) -> Exhibit | None:
        return self._exhibits.get(bare_id(exhibit_id))

    def covering(self, spans: Iterable[Span | Chunk | Cite]) -> list[Passage]:
        """The passages that these spans touch, each once, in the spans' order."""
        found = [passage for span in spans for passage in self.passages if passage.overlaps(span)]
        return list(dict.fromkeys(found))

    def search(self, query: str, limit: int) -> list[Passage]:
        """What retrieval finds, as passages of this shelf: a hit in any other course's text is no passage here."""
        return self.covering(self._evidence.search(query, limit))

    def told_before(self, plan: CoursePlan, lesson_id: str) -> frozenset[str]:
        """What the passages of earlier lessons say, so that a sentence in two documents is taught once."""
        told: set[str] = set()
        for planned in plan.lessons:
            if planned.id == lesson_id:
                return frozenset(told) if planned.passages else frozenset()
            for passage in self.covering(planned.passages):
                told.update(same(sentence.quote) for sentence in passage.sentences)
        return frozenset(told)


def same(text: str) -> str:
    """What two sentences share that say the same words."""
    return re.sub(r"\W+", " ", text).strip().lower()


def bare_id(name: str) -> str:
    """An id without the brackets and spaces that models like to add."""
    return re.sub(r"[^A-Za-z0-9]", "", name).upper()


def _passages(sources: Sequence[Source]) -> Iterable[Passage]:
    number = shown = 0
    for source in sources:
        for chunk in chunks_of(source):
            number += 1
            inside = [b for b in source.blocks if b.start < chunk.end and b.end > chunk.start and b.role != "skip"]
            exhibits = []
            for place, block in enumerate(inside):
                if block.kind in EXHIBITS and _shows(source, block):
                    shown += 1
                    exhibits.append(Exhibit(f"X{shown}", source, block, _printed(inside[place + 1 :])))
            cites = tuple(
                source.cite(start, end)
                for block in inside
                if block.kind in _PROSE
                for start, end in sentences_of(source.text, block)
                if start < chunk.end and end > chunk.start and end > start
            )
            yield Passage(f"P{number}", source, chunk, tuple(exhibits), cites)


def _printed(following: Sequence[Block]) -> Block | None:
    return following[0] if following and following[0].kind == "output" else None


def _shows(source: Source, block: Block) -> bool:
    return bool(block.rows) if block.kind == "table" else bool(source.text[block.start : block.end].strip())
