"""What our code makes of an agent's answer: a document as far as it can be used, and what the agent should change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from service.domain.report import Check

T = TypeVar("T")
MOST_FAULTS = 12


@dataclass(frozen=True)
class Draft(Generic[T]):
    """A document, None when nothing of the answer can be used; and its faults in the agents' words."""

    document: T | None
    faults: tuple[str, ...] = ()

    def better_than(self, other: Draft[T] | None) -> bool:
        """Whether this one is to be kept: the later draft wins unless it has more faults or is no document."""
        if other is None or other.document is None:
            return True
        return self.document is not None and len(self.faults) <= len(other.faults)


def broken_rules(checks: Iterable[Check]) -> list[str]:
    """Where a draft falls short of the checks that the course's report is made of."""
    return [
        f"{place} (the rule: {check.title}, {check.wanted})"
        for check in checks
        if check.outcome in ("warn", "fail")
        for place in check.where or (check.figure,)
    ]


def shortened(text: str, words: int, characters: int) -> str:
    """The text with at most so many words and characters; cut text says so."""
    split = text.split()
    cut = " ".join(split[:words]) + ("…" if len(split) > words else "")
    return cut if len(cut) <= characters else cut[: characters - 1].rstrip() + "…"
