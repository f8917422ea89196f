"""What the reader tests share: read a text or bytes as a named document and look at the result."""

from __future__ import annotations

from service.domain.source import Block, MarkKind, Source
from service.readers.limits import Limits
from service.readers.reading import read_bytes


def read(content: str | bytes, name: str = "lesson.md", limits: Limits | None = None) -> Source:
    return read_bytes(content.encode() if isinstance(content, str) else content, name, limits or Limits())


def words_of(source: Source, block: Block) -> str:
    return source.text[block.start : block.end]


def outline(source: Source) -> list[tuple[str, str]]:
    """Kind and words of every block."""
    return [(block.kind, words_of(source, block)) for block in source.blocks]


def marked(source: Source, kind: MarkKind) -> list[str]:
    return [source.text[m.start : m.end] for block in source.blocks for m in block.marks if m.kind == kind]


def check_spans(source: Source) -> None:
    """Blocks in order, apart, inside the text and not empty; marks inside blocks; cells inside tables."""
    end = 0
    for block in source.blocks:
        assert end <= block.start < block.end <= len(source.text)
        assert words_of(source, block).strip()
        for mark in block.marks:
            assert block.start <= mark.start < mark.end <= block.end
            assert source.text[mark.start : mark.end] == source.text[mark.start : mark.end].strip()
        at = block.start
        for start, stop in (cell for row in block.rows for cell in row):
            assert at <= start <= stop <= block.end
            at = stop
        end = block.end
