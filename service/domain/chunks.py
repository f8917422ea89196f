"""Passages for retrieval: runs of blocks under one heading, cut only where a reader could stop."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from service.domain.source import Block, Chunk, Source

LEAST_WORDS = 80
MOST_WORDS = 220

_STOP = re.compile(r"[.!?…。！？؟।]+[\"”’»)\]]*(?:\s+|(?<=[。！？]))")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|cf|vs|etc|approx|no|fig|eq|ch|sec|p|pp|dr|mr|mrs|ms|st|prof|[A-Z])\.$", re.I
)
_LONGEST_ABBREVIATION = 8


@dataclass(frozen=True)
class _Piece:
    """What is never cut: a sentence, an item, a listing, a table. `leads`: the next piece belongs right after it."""

    start: int
    end: int
    words: int
    leads: bool = False


def chunks_of(source: Source) -> tuple[Chunk, ...]:
    """The source's passages in order: 80 to 220 words where its sections and sentences allow, each an exact span.

    A passage never reaches over a heading. A section below 80 words is a passage of its own; a sentence, a listing or
    a table longer than 220 words stays whole. What the source's author marked as not for learners is left out.
    """
    sha256 = source.sha256
    return tuple(
        Chunk(source=sha256, start=run[0].start, end=run[-1].end, heading=heading, text=_text(source, run))
        for heading, pieces in _sections(source)
        for run in _runs(pieces)
    )


def _text(source: Source, run: list[_Piece]) -> str:
    return source.text[run[0].start : run[-1].end]


def _sections(source: Source) -> Iterator[tuple[str, list[_Piece]]]:
    """Each stretch between headings with its path of headings, the source's title first."""
    path: dict[int, str] = {}
    pieces: list[_Piece] = []
    for block in source.blocks:
        if block.kind == "heading" or block.role == "skip":
            if pieces:
                yield _path(source, path), pieces
            pieces = []
        if block.kind == "heading":
            path = {level: words for level, words in path.items() if level < block.level}
            path[block.level] = source.text[block.start : block.end]
        elif block.role != "skip":
            pieces += _pieces(source, block)
    if pieces:
        yield _path(source, path), pieces


def _path(source: Source, path: dict[int, str]) -> str:
    names = [source.title, *(path[level] for level in sorted(path))]
    return " › ".join(name for number, name in enumerate(names) if name and name not in names[:number])


def _pieces(source: Source, block: Block) -> list[_Piece]:
    if block.kind in ("paragraph", "quote", "item"):
        spans = sentences_of(source.text, block)
    else:
        spans = [(block.start, block.end)]
    return [
        _Piece(start, end, len(source.text[start:end].split()), source.text[end - 1] == ":") for start, end in spans
    ]


def sentences_of(text: str, block: Block) -> list[tuple[int, int]]:
    """The block's sentences as spans without the space between them. Code marks and abbreviations end none."""
    code = [(mark.start, mark.end) for mark in block.marks if mark.kind == "code"]
    spans: list[tuple[int, int]] = []
    start = block.start
    for match in _STOP.finditer(text, block.start, block.end):
        inside = any(begin <= match.start() < end for begin, end in code)
        follows = text[match.end() : match.end() + 1]
        if (
            inside
            or follows.islower()
            or _ABBREVIATION.search(text[max(start, match.start() - _LONGEST_ABBREVIATION) : match.start() + 1])
        ):
            continue
        end = match.start() + len(match[0].rstrip())
        spans.append((start, end))
        start = match.end()
    if start < block.end:
        spans.append((start, block.end))
    return spans


def _runs(pieces: list[_Piece]) -> Iterator[list[_Piece]]:
    """The section's pieces in passages of about equal length, so that no crumb is left at its end."""
    total = sum(piece.words for piece in pieces)
    target = total / max(1, math.ceil(total / MOST_WORDS))
    run: list[_Piece] = []
    words = 0
    left = total
    for piece in pieces:
        over = words + piece.words > MOST_WORDS and words >= LEAST_WORDS
        full = words >= max(target - piece.words / 2, LEAST_WORDS) and left >= LEAST_WORDS
        if run and (over or full) and not (run[-1].leads and len(run) > 1 and words < MOST_WORDS):
            yield run
            run, words = [], 0
        run.append(piece)
        words += piece.words
        left -= piece.words
    if run:
        yield run
