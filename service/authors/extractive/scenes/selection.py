"""Which units of a lesson its video tells: the weakest go until the narration fits, and nothing is told twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from service.authors.extractive.language.words import cosine
from service.authors.extractive.sources.library import same
from service.authors.extractive.sources.material import Idea, Section, Unit

NARRATION_WORDS = 820
OVERHEAD_WORDS = 130
CODE_WORDS = 25
LIST_ITEMS_ALWAYS_TOLD = 6
_MayGo = tuple[float, int, Unit, Section, Idea]


def left_out(sections: Sequence[Section]) -> set[int]:
    """The ids of the units that are not told: over the budget, narrative asides, and near repeats."""
    pool: list[_MayGo] = [
        (unit.score, place, unit, section, idea)
        for place, (section, idea, unit) in enumerate(
            (section, idea, unit) for section in sections for idea in section.ideas for unit in idea.units
        )
    ]
    dropped = _over_budget(pool, sections)
    return dropped | _repeats(pool, dropped)


def _over_budget(pool: Sequence[_MayGo], sections: Sequence[Section]) -> set[int]:
    budget = NARRATION_WORDS - OVERHEAD_WORDS
    total = sum(entry[2].words for entry in pool)
    total += CODE_WORDS * sum(idea.kind == "code" for section in sections for idea in section.ideas)
    left = Counter(id(entry[3]) for entry in pool)
    dropped: set[int] = set()
    before_code = {
        id(idea) for section in sections for idea, following in pairwise(section.ideas) if following.kind == "code"
    }
    for worth, _, unit, section, idea in sorted(pool, key=lambda entry: entry[:2]):
        told_for_code = id(idea) in before_code and idea.units[-1] is unit
        aside = worth < 0.28 and idea.kind == "text" and "narrative" in unit.roles and not told_for_code
        if left[id(section)] > 1 and (aside or (total > budget and _may_go(unit, idea))):
            dropped.add(id(unit))
            total -= unit.words
            left[id(section)] -= 1
    return dropped


def _may_go(unit: Unit, idea: Idea) -> bool:
    if idea.kind in ("text", "quote"):
        return idea.tone != "warning"
    place = next(n for n, own in enumerate(idea.units) if own is unit)
    return idea.kind == "list" and place >= LIST_ITEMS_ALWAYS_TOLD


def _repeats(pool: Sequence[_MayGo], dropped: set[int]) -> set[int]:
    repeats: set[int] = set()
    told: list[Counter[str]] = []
    verbatim: set[str] = set()
    for _, _, unit, _, idea in pool:
        if id(unit) in dropped:
            continue
        found = unit.bag
        again = any(same(s.text) in verbatim and s.length > 3 for s in unit.sentences)
        alike = len(found) > 3 and any(cosine(found, other) > 0.8 for other in told)
        if idea.kind != "steps" and (again or alike):
            repeats.add(id(unit))
        else:
            told.append(found)
            verbatim.update(same(s.text) for s in unit.sentences)
    return repeats
