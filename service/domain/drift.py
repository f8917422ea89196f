"""Where the words of a document stand in its newer version: kept, changed or gone.

Sentences are matched whole first, wherever they moved to, then with what stands in their place (see `pairing`); inside
a sentence that changed, `difflib` says which words stayed. White space, line ends and the look of quotation marks and
dashes are no change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

from service.domain.pairing import Pairing
from service.domain.passages import Words
from service.domain.source import Source

STRAY = 80  # tokens that may stand between two parts of a quote for it to count as one passage still


@dataclass(frozen=True)
class Fate:
    """What became of a span: kept or changed it stands from `start` to `end` of the new text now."""

    state: Literal["kept", "changed", "gone"]
    start: int = 0
    end: int = 0


GONE = Fate("gone")


@dataclass(frozen=True)
class _Piece:
    """A part of a span that lies in one passage, as tokens of the new text."""

    kept: bool
    first: int
    end: int


class Drift:
    """How an old text became a new one. Building it costs the most; asking is quick."""

    def __init__(self, old: Source, new: Source) -> None:
        self._old, self._new = Words(old), Words(new)
        self._pairs = Pairing(self._old.passages, self._new.passages)
        self._changes: dict[int, Sequence[tuple[str, int, int, int, int]]] = {}

    def of(self, start: int, end: int) -> Fate:
        """What became of a span of the old text."""
        first, stop = self._old.tokens(start, end)
        if first >= stop:
            return GONE
        touched = list(self._old.touching(first, stop))
        pieces = [self._piece(place, first, stop) for place in touched]
        there = [piece for piece in pieces if piece is not None]
        if not there:
            return GONE
        whole = len(there) == len(pieces) and all(piece.kept for piece in there)
        if whole and all(one.end == other.first for one, other in pairwise(there)):
            return self._kept(start, end, (first, stop), (there[0].first, there[-1].end))
        left, right = _longest(there, max(STRAY, stop - first))
        return Fate("changed", self._new.starts[left], self._new.ends[right - 1])

    def spans(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """Where a longer stretch stands now, with what was put in between; several when it was taken apart."""
        first, stop = self._old.tokens(start, end)
        found: list[tuple[int, int]] = []
        for place in self._old.touching(first, stop):
            now = self._pairs.now(place)
            if now is None:
                continue
            if found and self._follows(found[-1][1], now[0]):
                found[-1] = (found[-1][0], max(found[-1][1], now[1]))
            elif not any(left <= now[0] and now[1] <= right for left, right in found):
                found.append(now)
        passages = self._new.passages
        return tuple(
            (self._new.starts[passages[left].first], self._new.ends[passages[right - 1].end - 1])
            for left, right in found
        )

    def _follows(self, end: int, start: int) -> bool:
        """Whether from one passage to the next there are only new ones."""
        return end - 1 <= start and all(self._pairs.is_new(place) for place in range(end, start))

    def _kept(self, start: int, end: int, old: tuple[int, int], new: tuple[int, int]) -> Fate:
        """The span at its new place; one that begins or ends inside a word does so there too."""
        into = max(0, start - self._old.starts[old[0]])
        short = max(0, self._old.ends[old[1] - 1] - end)
        return Fate("kept", self._new.starts[new[0]] + into, self._new.ends[new[1] - 1] - short)

    def _piece(self, place: int, first: int, stop: int) -> _Piece | None:
        passage = self._old.passages[place]
        left, right = max(first, passage.first) - passage.first, min(stop, passage.end) - passage.first
        now = self._pairs.now(place)
        if now is None:
            return None
        at = self._new.passages[now[0]].first
        if self._pairs.equal(place):
            return _Piece(True, at + left, at + right)
        return self._changed(place, left, right, (at, self._new.passages[now[1] - 1].end))

    def _changed(self, place: int, left: int, right: int, now: tuple[int, int]) -> _Piece | None:
        """The part from `left` to `right` of a passage that became other words."""
        passage = self._old.passages[place]
        if place not in self._changes:
            fresh = self._new.keys[now[0] : now[1]]
            codes = SequenceMatcher(None, passage.key, fresh, autojunk=False).get_opcodes()
            self._changes[place] = codes
        starts, ends = now[0], now[1]
        for kind, a, b, c, d in self._changes[place]:
            if kind == "equal" and a <= left and right <= b:
                return _Piece(True, now[0] + c + left - a, now[0] + c + right - a)
            if left > 0 and a <= left < b:
                starts = now[0] + (c + left - a if kind == "equal" else c)
            if right < len(passage.key) and a < right <= b:
                ends = now[0] + (c + right - a if kind == "equal" else d)
        return _Piece(False, starts, ends) if starts < ends else None


def _longest(pieces: Sequence[_Piece], stray: int) -> tuple[int, int]:
    """The token range of the longest run of pieces that still follow each other."""
    runs: list[tuple[int, int]] = []
    for piece in pieces:
        if runs and 0 <= piece.first - runs[-1][1] <= stray:
            runs[-1] = (runs[-1][0], piece.end)
        else:
            runs.append((piece.first, piece.end))
    return max(runs, key=lambda run: run[1] - run[0])
