"""The text of a lesson: blocks of claims, each claim with the cites that prove it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from service.domain.course import Objective
from service.domain.source import Cite, Document, sha256_of

ClaimState = Literal["supported", "weak", "unsupported", "edited"]


class Claim(Document):
    """One sentence of a lesson. A sentence that states a fact has cites; a signpost or a question has none."""

    text: str
    cites: tuple[Cite, ...] = ()
    state: ClaimState = "supported"
    factual: bool = True

    @property
    def key(self) -> str:
        """Names the claim by its words and its cites: a sign-off is for exactly these."""
        parts = [self.text, *(f"{cite.source}:{cite.start}:{cite.end}" for cite in self.cites)]
        return sha256_of("\n".join(parts))


class HeadingBlock(Document):
    kind: Literal["heading"] = "heading"
    id: str
    text: str
    level: int = 2


class ParagraphBlock(Document):
    kind: Literal["paragraph"] = "paragraph"
    id: str
    claims: tuple[Claim, ...]


class ListBlock(Document):
    """A list; an ordered one counts from `first_number`, so that code may stand between two of its steps."""

    kind: Literal["list"] = "list"
    id: str
    items: tuple[tuple[Claim, ...], ...]
    ordered: bool = False
    first_number: int = 1


class DefinitionBlock(Document):
    kind: Literal["definition"] = "definition"
    id: str
    term: str
    claims: tuple[Claim, ...]


class CodeBlock(Document):
    kind: Literal["code"] = "code"
    id: str
    code: str
    lang: str = ""
    output: str = ""
    cites: tuple[Cite, ...] = ()


class TableBlock(Document):
    """A table, header row first; every row is as long as the header."""

    kind: Literal["table"] = "table"
    id: str
    rows: tuple[tuple[str, ...], ...]
    cites: tuple[Cite, ...] = ()


class QuoteBlock(Document):
    kind: Literal["quote"] = "quote"
    id: str
    claims: tuple[Claim, ...]
    by: str = ""


class NoteBlock(Document):
    """A call-out: a note, or a warning; `title` is its own small heading, if it has one."""

    kind: Literal["note"] = "note"
    id: str
    title: str = ""
    tone: Literal["note", "warning"] = "note"
    claims: tuple[Claim, ...]


class ExerciseBlock(Document):
    """Practice: the task with its code, and the solution with its own, which the page keeps folded."""

    kind: Literal["exercise"] = "exercise"
    id: str
    title: str
    task: tuple[Claim, ...]
    solution: tuple[Claim, ...] = ()
    code: str = ""
    solution_code: str = ""
    cites: tuple[Cite, ...] = Field(default=(), description="of the code; claims carry their own")


LessonBlock = Annotated[
    HeadingBlock
    | ParagraphBlock
    | ListBlock
    | DefinitionBlock
    | CodeBlock
    | TableBlock
    | QuoteBlock
    | NoteBlock
    | ExerciseBlock,
    Field(discriminator="kind"),
]


class Lesson(Document):
    """A written lesson, as learners read it below the video."""

    version: Literal[1] = 1
    id: str
    title: str
    objectives: tuple[Objective, ...] = ()
    blocks: tuple[LessonBlock, ...] = ()

    def claims(self) -> Iterator[Claim]:
        """Every sentence of the lesson, in reading order."""
        for block in self.blocks:
            match block:
                case ParagraphBlock() | DefinitionBlock() | QuoteBlock() | NoteBlock():
                    yield from block.claims
                case ListBlock():
                    for item in block.items:
                        yield from item
                case ExerciseBlock():
                    yield from block.task
                    yield from block.solution

    @property
    def unsourced(self) -> bool:
        """Whether it states facts and none of them can be looked up: a lesson that was written without a document."""
        return any(claim.factual for claim in self.claims()) and next(self.cites(), None) is None

    def cites(self) -> Iterator[Cite]:
        """Every cite of the lesson: of its claims, its code and its tables."""
        for claim in self.claims():
            yield from claim.cites
        for block in self.blocks:
            if isinstance(block, CodeBlock | TableBlock | ExerciseBlock):
                yield from block.cites
