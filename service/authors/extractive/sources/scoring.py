"""How much a unit matters where it stands. Scores only decide what is left out; source order is always kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from service.authors.extractive.language.words import bag, stems
from service.authors.extractive.sources.material import Idea, Section, Unit

_ROLE_WORTH = {"definition": 0.3, "rule": 0.16, "cause": 0.12, "warning": 0.1, "number": 0.08, "narrative": -0.25}


def score(sections: Sequence[Section], title: str, key_texts: Sequence[str] = ()) -> None:
    """Sets `score` of every unit: closeness to its section (BM25), to headings and key texts, place, and roles."""
    units = [(section, idea, unit, unit.bag) for section in sections for idea in section.ideas for unit in idea.units]
    rarity = _rarity([found for *_, found in units])
    key = set(bag(key_texts))
    centres: dict[int, Counter[str]] = {}
    for section, _, _, found in units:
        centres.setdefault(id(section), Counter()).update(found)
    title_stems = set(stems(title))
    for section, idea, unit, found in units:
        close = _closeness(found, centres[id(section)], rarity)
        heading = len(set(stems(section.title)) & set(found)) + 0.5 * len(title_stems & set(found))
        unit.score = 0.9 * min(close, 1.2) + 0.22 * min(heading, 2) + _worth(section, idea, unit)
        unit.score += 0.5 * min(1.0, sum(1 for stem in found if stem in key) / 5)


def _rarity(bags: Sequence[Counter[str]]) -> dict[str, float]:
    seen = Counter(stem for found in bags for stem in found)
    return {stem: math.log(1 + max(1, len(bags)) / (n + 0.5)) for stem, n in seen.items()}


def _closeness(found: Counter[str], centre: Counter[str], rarity: dict[str, float]) -> float:
    length = sum(found.values()) or 1
    weight = 0.0
    for stem, n in found.items():
        elsewhere = min(centre[stem] - n, 3) / 3
        weight += rarity[stem] * elsewhere * (2.2 * n / (n + 1.2 * (0.25 + 0.75 * length / 18)))
    return float(weight / (4 + length**0.7))


def _worth(section: Section, idea: Idea, unit: Unit) -> float:
    opens = idea.units[0] is unit
    worth = sum(value for role, value in _ROLE_WORTH.items() if role in unit.roles)
    worth += (0.18 if opens else 0) + (0.12 if opens and section.ideas[0] is idea else 0)
    return worth - (0.15 if unit.words < 7 else 0) - (0.1 if unit.words > 50 else 0)
