"""Appends cleaned text block by block and remembers where each block went, so that every span is exact.

The text that courses cite is the text written here, never the document's own markup. Nothing is searched for
afterwards: a block's offsets are known at the moment its words are appended.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from service.domain.source import Block, BlockKind, Mark, MarkKind, Source
from service.errors import BadInput
from service.readers.limits import Limits

# Control characters, byte order marks, lone surrogates, soft hyphens, zero-width spaces and the invisible tag letters.
# Joiners and direction marks stay: Persian, Hindi and emoji need them. PostgreSQL refuses NUL in JSON.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]{2,}")
_VERBATIM: tuple[BlockKind, ...] = ("code", "output")


@dataclass(frozen=True)
class Run:
    """A stretch of inline text with what marks it: pairs of kind and link target ("" for all but links)."""

    text: str
    marks: tuple[tuple[MarkKind, str], ...] = ()

    def marked(self, kind: MarkKind, href: str = "") -> Run:
        """The same text with one more mark around it."""
        return self if (kind, href) in self.marks else replace(self, marks=(*self.marks, (kind, href)))


class SourceBuilder:
    """Grows one source. `page` (1 and up, 0: no pages) goes into every block that is added."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.page = 0
        self.title = ""
        self.dropped: Counter[tuple[str, str]] = Counter()
        self.notes: list[str] = []
        self.blocks: list[Block] = []
        self.limits = limits or Limits()
        self._parts: list[str] = []
        self._length = 0
        self._lists = 0

    def new_list(self) -> int:
        """A number that no other list of this source has."""
        self._lists += 1
        return self._lists

    def drop(self, one: str, many: str, count: int = 1) -> None:
        """Remember that something could not be carried over, to be said in the source's notes."""
        self.dropped[(one, many)] += count

    def add(self, kind: BlockKind, runs: Sequence[Run], **attributes: Any) -> Block | None:
        """Append one block; white space collapses except in code and output. None when nothing visible is left."""
        verbatim = kind in _VERBATIM
        text, pieces = _joined(runs, verbatim)
        if not text:
            return None
        start = self._length
        marks = _marks(pieces, text, start)
        block = Block(kind=kind, start=start, end=start + len(text), marks=marks, page=self.page, **attributes)
        self._append(text + "\n\n")
        self.blocks.append(block)
        return block

    def table(self, rows: Iterable[Sequence[str]], **attributes: Any) -> Block | None:
        """Append a table: cells end with a tab, rows with a line end. A table of one cell is a paragraph."""
        cleaned = [[_plain(cell) for cell in row] for row in rows]
        cleaned = [row for row in cleaned if any(row)]
        if sum(bool(cell) for row in cleaned for cell in row) < 2:
            return self.add("paragraph", [Run(cell) for row in cleaned for cell in row], **attributes)
        start, at, spans, lines = self._length, self._length, [], []
        for row in cleaned:
            cells = []
            for cell in row:
                cells.append((at, at + len(cell)))
                at += len(cell) + 1
            spans.append(tuple(cells))
            lines.append("\t".join(row))
        text = "\n".join(lines)
        block = Block(kind="table", start=start, end=start + len(text), rows=tuple(spans), page=self.page, **attributes)
        self._append(text + "\n\n")
        self.blocks.append(block)
        return block

    def finish(self, name: str, media_type: str, pages: int = 0) -> Source:
        """The source as it stands.

        The title is what the document calls itself, else its first heading, else the file's name made readable. A first
        heading that is the title stands above everything, so it is no section: its block goes, its text stays.

        Raises:
            BadInput: nothing that was read is a word.
        """
        text = "".join(self._parts)
        if not _WORD.search(text):
            raise BadInput(f"“{name}” holds no words that could be read. Add a document with text.")
        headings = [block for block in self.blocks if block.kind == "heading"]
        first = headings[0] if headings else None
        first_text = text[first.start : first.end] if first else ""
        title = _plain(self.title) or first_text or readable(name)
        alone = first and first is self.blocks[0] and all(b.level > first.level for b in headings[1:])
        if first and alone and first_text.casefold() == title.casefold() and len(self.blocks) > 1:
            self.blocks.remove(first)
        return Source(
            name=name,
            title=title[:300],
            media_type=media_type,
            text=text,
            blocks=tuple(self.blocks),
            pages=pages,
            notes=(*self.notes, *self._dropped_notes()),
        )

    def _dropped_notes(self) -> list[str]:
        return [f"{n} {one if n == 1 else many} left out." for (one, many), n in self.dropped.items()]

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        if self._length > self.limits.characters:
            raise BadInput(
                f"The document holds more than {self.limits.characters:,} characters of text. "
                "Split it into several files, then add those that the course needs."
            )


class OpenLists:
    """Which list an item belongs to, for formats that say only its level: a list inside an item is one of its own."""

    def __init__(self, into: SourceBuilder) -> None:
        self._into = into
        self._open: list[tuple[str, int]] = []

    def at(self, level: int, key: str = "") -> int:
        """The number of the list that is open at a level, 1 the outermost; a new one when its key is another."""
        del self._open[level:]
        if len(self._open) == level and self._open[-1][0] != key:
            self._open.pop()
        while len(self._open) < level:
            self._open.append((key, self._into.new_list()))
        return self._open[-1][1]

    def close(self) -> None:
        """No list goes on after this."""
        self._open.clear()


def readable(name: str) -> str:
    """A file's name as a title: `02-git_setup.md` becomes "Git setup"."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem = stem.rsplit(".", 1)[0] if "." in stem[1:] else stem
    words = re.sub(r"^\d{1,3}[\s._-]+(?=\D)", "", stem).replace("_", " ").replace("-", " ")
    words = _plain(words) or stem
    return words[:1].upper() + words[1:]


def clean(text: str) -> str:
    """The text without characters that nobody sees."""
    return _INVISIBLE.sub("", text)


def _plain(text: str) -> str:
    return _SPACE.sub(" ", clean(text)).strip()


def _joined(runs: Sequence[Run], verbatim: bool) -> tuple[str, list[tuple[int, int, Run]]]:
    """The runs as one string, with where each one lies in it."""
    if verbatim:
        lines = clean("".join(run.text for run in runs).replace("\r\n", "\n").replace("\r", "\n")).split("\n")
        while lines and not lines[0].strip():
            lines.pop(0)
        return "\n".join(lines).rstrip(), []
    out, length, spaced, pieces = [], 0, True, []
    for run in runs:
        text = _SPACE.sub(" ", clean(run.text))
        if spaced:
            text = text.lstrip(" ")
        if not text:
            continue
        spaced = text.endswith(" ")
        out.append(text)
        pieces.append((length, length + len(text), run))
        length += len(text)
    return "".join(out).rstrip(" "), pieces


def _marks(pieces: list[tuple[int, int, Run]], text: str, offset: int) -> tuple[Mark, ...]:
    """The marks of the pieces in reading order; a mark that goes on in the next piece is one mark.

    Markup splits what people see as one ("**a [b](c) d**"), so equal neighbours are joined over a space. Code is
    joined only when nothing at all stands between: `a` `b` are two names.
    """
    found: list[Mark] = []
    last: dict[tuple[MarkKind, str], int] = {}
    for begin, end, run in pieces:
        piece = text[begin:end]
        start = offset + begin + len(piece) - len(piece.lstrip())
        stop = offset + begin + len(piece.rstrip())
        for kind, href in run.marks if start < stop else ():
            index = last.get((kind, href))
            gap = text[found[index].end - offset : start - offset] if index is not None else "?"
            if index is not None and (not gap or (gap == " " and kind != "code")):
                found[index] = found[index].model_copy(update={"end": stop})
            else:
                last[kind, href] = len(found)
                found.append(Mark(kind=kind, start=start, end=stop, href=href))
    return tuple(sorted(found, key=lambda mark: (mark.start, -mark.end)))
