"""A source as passages: sentences, lines of code and rows of tables, each as tokens to be compared.

White space, line ends and the look of quotation marks, dashes and ligatures make no difference between two tokens.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from service.domain.source import Block, Source

_TOKEN = re.compile(r"\w+|[^\w\s]")
_ENDS = frozenset(".!?…。！？")
_CLOSES = frozenset("\"'”’)]»")
_SIGNS = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "‑": "-", "−": "-"})
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl"})
_BY_LINES = ("code", "output", "table")


@dataclass(frozen=True)
class Passage:
    """A sentence, a line of code or a row of a table: its tokens from `first` up to `end`."""

    first: int
    end: int
    key: tuple[str, ...]

    @cached_property
    def words(self) -> Counter[str]:
        return Counter(token.lower() for token in self.key if token[0].isalnum())


class Words:
    """A text as tokens with their places, and its passages in order."""

    def __init__(self, source: Source) -> None:
        self.text = source.text
        found = list(_TOKEN.finditer(source.text))
        self.starts = [match.start() for match in found]
        self.ends = [match.end() for match in found]
        self.keys = [_key(match[0]) for match in found]
        self.passages = [
            Passage(first, end, tuple(self.keys[first:end])) for first, end in self._cut(source.blocks) if first < end
        ]
        self._firsts = [passage.first for passage in self.passages]

    def _cut(self, blocks: Sequence[Block]) -> Iterator[tuple[int, int]]:
        """Token ranges of the passages; what no block holds belongs to none."""
        for block in sorted(blocks, key=lambda one: one.start) or [
            Block(kind="paragraph", start=0, end=len(self.text))
        ]:
            at, stop = bisect_left(self.starts, block.start), bisect_left(self.starts, block.end)
            for place in range(at, stop):
                if self._ends_after(place, stop, lines=block.kind in _BY_LINES):
                    yield at, place + 1
                    at = place + 1
            yield at, stop

    def _ends_after(self, place: int, stop: int, *, lines: bool) -> bool:
        if place + 1 >= stop:
            return True
        gap = self.text[self.ends[place] : self.starts[place + 1]]
        if lines:
            return "\n" in gap
        if "\n\n" in gap:
            return True
        back = place
        while back > 0 and self.keys[back] in _CLOSES and self.keys[back] not in _ENDS:
            back -= 1
        sign = self.text[self.starts[back] : self.ends[back]]
        return sign in _ENDS and (bool(gap) or sign in "。！？")

    def tokens(self, start: int, end: int) -> tuple[int, int]:
        """The range of the tokens that the span touches."""
        return bisect_right(self.ends, start), bisect_left(self.starts, end)

    def touching(self, first: int, end: int) -> Iterator[int]:
        """The passages that hold tokens of the range."""
        place = max(0, bisect_right(self._firsts, first) - 1)
        while place < len(self.passages) and self.passages[place].first < end:
            if self.passages[place].end > first:
                yield place
            place += 1


def _key(token: str) -> str:
    if token.isascii():
        return token
    return unicodedata.normalize("NFC", token).translate(_LIGATURES if len(token) > 1 else _LIGATURES | _SIGNS)
