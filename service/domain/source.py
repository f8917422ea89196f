"""Sources: the extracted text of a document, its structure as spans, and the cites that point into it.

The text is the one thing that is never rewritten: readers append cleaned text block by block and remember where each
block went, so a span is exact by construction and `text[cite.start:cite.end] == cite.quote` needs no search.
All offsets count Unicode code points of the extracted text.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

BlockKind = Literal["heading", "paragraph", "item", "code", "output", "table", "quote"]
BlockRole = Literal["", "objectives", "questions", "keypoints", "exercise", "solution", "note", "warning", "skip"]
MarkKind = Literal["code", "strong", "emphasis", "term", "link"]


class Document(BaseModel):
    """Base of every stored document: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Mark(Document):
    """An inline stretch of a block: code, emphasis, a marked term, or a link with its target."""

    kind: MarkKind
    start: int
    end: int
    href: str = ""


class Block(Document):
    """One structural element of a source, as a span of its text.

    `level` is the heading's level (1 to 6) or the list's depth. Items of one list share `list_id` (0: no list);
    paragraphs and code that belong to an item carry it too. `rows` holds a table's cells as (start, end) spans,
    header row first. `role` is what the author of the source said the block is for.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    role: BlockRole = ""
    list_id: int = 0
    ordered: bool = False
    lang: str = ""
    marks: tuple[Mark, ...] = ()
    rows: tuple[tuple[tuple[int, int], ...], ...] = ()
    page: int = 0


class Source(Document):
    """A document as the rest of the system sees it: text, structure, and where it came from."""

    name: str
    title: str
    media_type: str
    text: str
    blocks: tuple[Block, ...]
    pages: int = 0
    notes: tuple[str, ...] = Field(default=(), description="what the reader could not carry over, in plain words")

    @property
    def sha256(self) -> str:
        """Names the source: the hash of its extracted text in UTF-8."""
        return sha256_of(self.text)

    @property
    def words(self) -> int:
        return len(self.text.split())

    def cite(self, start: int, end: int) -> Cite:
        """The exact cite of a span of this source."""
        return Cite(source=self.sha256, start=start, end=end, quote=self.text[start:end])


class Span(Document):
    """A stretch of a source, without its text: what a planned lesson is to be taught from."""

    source: str
    start: int
    end: int


class Cite(Document):
    """The proof of a sentence: `quote` equals the source's text from `start` to `end`, exactly."""

    source: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    quote: str

    def exact(self, text: str) -> bool:
        """Whether the quote stands at its place in `text`, the text of the source named by `source`."""
        return bool(self.quote) and text[self.start : self.end] == self.quote


class Chunk(Document):
    """A passage of a source as retrieval sees it: a run of blocks under one heading."""

    source: str
    start: int
    end: int
    heading: str
    text: str


def sha256_of(text: str) -> str:
    """The hash that names a text, in lower-case hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
