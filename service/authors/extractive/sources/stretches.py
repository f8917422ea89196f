"""A long course in stretches: what a lesson is compared with stays as much, however long the sources are."""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from service.authors.extractive.sources.material import Reading, Section

# Enough for three wrong answers of any kind, as the longest of the measured courses shows; and little enough that the
# time for a lesson does not grow with the course.
STRETCH_WORDS = 20_000


class Stretches:
    """The readings' sections in runs of about equal length, one run for sources of less than one and a half."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        total = sum(section.words for reading in readings for section in reading.root.flat())
        self._most = total / max(1, round(total / STRETCH_WORDS))
        self._runs: list[list[Section]] = [[]]
        self._begins: list[tuple[int, int]] = [(0, -1)]
        self._order = {reading.sha256: number for number, reading in enumerate(readings)}
        self._words = 0
        for number, reading in enumerate(readings):
            for section in reading.root.flat():
                self._add(number, section)

    def _add(self, number: int, section: Section) -> None:
        """The section goes into the open run; one that is too long for it is cut between two ideas."""
        first = 0
        for place, idea in enumerate(section.ideas):
            if self._words >= self._most:
                self._close(number, section, first, place)
                first = place
            self._words += idea.words
        self._runs[-1].append(section if first == 0 else dataclasses.replace(section, ideas=section.ideas[first:]))

    def _close(self, number: int, section: Section, first: int, place: int) -> None:
        if place > first:
            self._runs[-1].append(dataclasses.replace(section, ideas=section.ideas[first:place]))
        self._runs.append([])
        self._begins.append((number, section.ideas[place].start))
        self._words = 0

    def __len__(self) -> int:
        return len(self._runs)

    def holding(self, places: Iterable[tuple[str, int]]) -> tuple[int, ...]:
        """The numbers of the runs that hold these places (source, offset); all places unknown: the first."""
        known = {(self._order[source], start) for source, start in places if source in self._order}
        return tuple(sorted({bisect_right(self._begins, place) - 1 for place in known})) or (0,)

    def sections(self, numbers: Iterable[int]) -> list[Section]:
        """The sections of these runs, in the order of the sources."""
        return [section for number in numbers for section in self._runs[number]]
