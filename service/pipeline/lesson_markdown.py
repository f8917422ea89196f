"""A lesson as Markdown that people read and print: numbered footnotes name the source, the span and its exact words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import count

from service.domain.lesson import (
    Claim,
    CodeBlock,
    DefinitionBlock,
    ExerciseBlock,
    HeadingBlock,
    Lesson,
    LessonBlock,
    ListBlock,
    NoteBlock,
    ParagraphBlock,
    QuoteBlock,
    TableBlock,
)
from service.domain.source import Cite

_CODE = re.compile(r"(`[^`]+`)")
_ACTIVE = re.compile(r"(?<!\*)\*(?!\*)|[\\_\[\]<>]")
_BLOCK_MARK = re.compile(r"^(#{1,6} |[-+] |\d+[.)] |~~~|```)")


def lesson_markdown(lesson: Lesson, names: Mapping[str, str]) -> str:
    """The lesson as Markdown; `names` gives each source's file name by its hash."""
    page = _Page(names)
    page.add(f"# {escaped(lesson.title)}")
    if lesson.objectives:
        wishes = "\n".join(f"- {escaped(objective.text)}" for objective in lesson.objectives)
        page.add(f"After this lesson you can:\n\n{wishes}")
    for block in lesson.blocks:
        page.block(block)
    return page.text()


def escaped(text: str) -> str:
    """The text with its `code` and **bold** kept, and every other sign that Markdown would act on disarmed."""
    parts = _CODE.split(" ".join(text.split()))
    plain = "".join(part if n % 2 else _ACTIVE.sub(lambda sign: "\\" + sign[0], part) for n, part in enumerate(parts))
    return _BLOCK_MARK.sub(lambda mark: "\\" + mark[0] if not mark[0][0].isdigit() else _disarmed(mark[0]), plain)


def _disarmed(number: str) -> str:
    """`1. ` at the start of a line, as text."""
    return f"{number[:-2]}\\{number[-2:]}"


class _Page:
    """Collects paragraphs and numbers the cites in the order in which they are read."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._parts: list[str] = []
        self._cites: dict[Cite, int] = {}

    def add(self, part: str) -> None:
        self._parts.append(part)

    def text(self) -> str:
        notes = [self._footnote(cite, number) for cite, number in self._cites.items()]
        return "\n\n".join((*self._parts, *notes)) + "\n"

    def block(self, block: LessonBlock) -> None:
        match block:
            case HeadingBlock():
                self.add(f"{'#' * min(max(block.level, 2), 6)} {escaped(block.text)}")
            case ParagraphBlock():
                self.add(self._said(block.claims))
            case ListBlock():
                self._list(block)
            case DefinitionBlock():
                self.add(f"**{escaped(block.term)}**: {self._said(block.claims)}")
            case QuoteBlock():
                by = f"\n>\n> — {escaped(block.by)}" if block.by else ""
                self.add(f"> {self._said(block.claims)}{by}")
            case NoteBlock():
                title = escaped(block.title or block.tone.capitalize()).rstrip(".")
                self.add(f"> **{title}.** {self._said(block.claims)}")
            case CodeBlock() | TableBlock() | ExerciseBlock():
                self._figure(block)

    def _figure(self, block: CodeBlock | TableBlock | ExerciseBlock) -> None:
        match block:
            case CodeBlock():
                self.add(fenced(block.code, block.lang))
                if block.output:
                    self.add(fenced(block.output, "output"))
                self._marks_below(block.cites)
            case TableBlock():
                self.add(table(block.rows))
                self._marks_below(block.cites)
            case ExerciseBlock():
                self._exercise(block)

    def _list(self, block: ListBlock) -> None:
        marks = (f"{number}." if block.ordered else "-" for number in count(block.first_number))
        self.add("\n".join(f"{mark} {self._said(item)}" for mark, item in zip(marks, block.items, strict=False)))

    def _exercise(self, block: ExerciseBlock) -> None:
        self.add(f"**Exercise: {escaped(block.title)}**")
        self.add(self._said(block.task))
        if block.code:
            self.add(fenced(block.code, ""))
        if block.solution:
            self.add(f"*Solution:* {self._said(block.solution)}")
        if block.solution_code:
            self.add(fenced(block.solution_code, ""))
        self._marks_below(block.cites)

    def _marks_below(self, cites: Sequence[Cite]) -> None:
        if cites:
            self.add(f"Source: {self._marks(cites)}")

    def _said(self, claims: Iterable[Claim]) -> str:
        return " ".join(escaped(claim.text) + self._marks(claim.cites) for claim in claims)

    def _marks(self, cites: Iterable[Cite]) -> str:
        return "".join(f"[^{self._cites.setdefault(cite, len(self._cites) + 1)}]" for cite in cites)

    def _footnote(self, cite: Cite, number: int) -> str:
        name = self._names.get(cite.source, cite.source)
        return f"[^{number}]: {escaped(name)}, characters {cite.start}–{cite.end}: “{escaped(cite.quote)}”"


def fenced(code: str, lang: str) -> str:
    """Code in a fence that is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{re.sub(r'[^A-Za-z0-9+#_-]', '', lang)}\n{code}\n{fence}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """A pipe table, header first."""
    lines = ["| " + " | ".join(escaped(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    rule = "|" + " --- |" * len(rows[0]) if rows else ""
    return "\n".join((*lines[:1], rule, *lines[1:]))
