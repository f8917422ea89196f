"""Errors planted into true sentences, to measure the support check: what it catches, and what it cries over.

Texts, operators and seed were committed before the checker was tuned. The checker may be tuned on the claims of
`claims/seen.tsv`; `claims/unseen.tsv` is only for the figure at the end.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

SEED = 20261123
CLAIMS = Path(__file__).parent / "claims"
Operator = Callable[[str, random.Random], str | None]

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
NUMBER_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve")
NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][a-z]{2,}")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "Tuesdays", "Thursdays")
OTHER_NAMES = ("Halden", "Brisby", "Torvald", "Marun", "Eskild", "Pavona", "Lindow", "Quentin")
UNITS = (
    ("metres", "kilometres", "feet"),
    ("minutes", "hours", "seconds"),
    ("days", "weeks", "months", "years"),
    ("litres", "millilitres"),
    ("tonnes", "kilograms"),
    ("dollars", "euros", "pounds"),
    ("percent", "per mille"),
    ("degrees", "percent"),
    ("degrees Celsius", "degrees Fahrenheit"),
)
AUXILIARY = re.compile(
    r"\b(is|are|was|were|may|must|can|could|should|has|have|had|does|do|did|will|would)\b(?! not)", re.IGNORECASE
)
NEGATION = re.compile(r"\b(?:(?<=do )not|(?<=does )not|not|never|no|neither|none)\b", re.IGNORECASE)
ORDER = (
    ("before", "after"),
    ("first", "last"),
    ("more", "less"),
    ("above", "below"),
    ("higher", "lower"),
    ("faster", "slower"),
    ("older", "younger"),
    ("cooler", "warmer"),
    ("at least", "at most"),
    ("under", "over"),
    ("rises", "falls"),
    ("rose", "fell"),
    ("most", "few"),
)


@dataclass(frozen=True)
class Planted:
    """One sentence with an error in it, the kind of error, and the passage that it should be checked against."""

    kind: str
    passage: str
    honest: str
    claim: str


def claims(half: str) -> list[tuple[str, str]]:
    """Passage and honest claim of each line of a half: `seen` or `unseen`."""
    lines = (CLAIMS / f"{half}.tsv").read_text(encoding="utf-8").splitlines()
    return [(passage, claim) for passage, _, claim in (line.partition("\t") for line in lines)]


def planted(half: str) -> Iterator[Planted]:
    """Every error that the operators can plant into the claims of a half, the same ones each time."""
    for number, (passage, honest) in enumerate(claims(half)):
        for kind, operator in OPERATORS.items():
            wrong = operator(honest, random.Random(f"{SEED}:{half}:{number}:{kind}"))
            if wrong is not None and wrong.lower() != honest.lower():
                yield Planted(kind, passage, honest, wrong)


def other_number(claim: str, rng: random.Random) -> str | None:
    """One number becomes another one."""
    found = [*NUMBER.finditer(claim), *re.finditer(rf"\b({'|'.join(NUMBER_WORDS)})\b", claim)]
    if not found:
        return None
    one = rng.choice(found)
    if one.group() in NUMBER_WORDS:
        return _put(claim, one, rng.choice([word for word in NUMBER_WORDS if word != one.group()]))
    value = float(one.group().replace(",", ""))
    wrong = rng.choice([value * 10, value + 1, value + 7, value * 2])
    return _put(claim, one, f"{wrong:,.0f}" if "," in one.group() else f"{wrong:g}")


def other_name(claim: str, rng: random.Random) -> str | None:
    """A name becomes another name: of the same sentence when there is one, else a stranger's."""
    found = list(NAME.finditer(claim))
    if not found:
        return None
    one = rng.choice(found)
    kin = next((names for names in (MONTHS, DAYS) if one.group() in names), OTHER_NAMES)
    return _put(claim, one, rng.choice([name for name in kin if name != one.group()]))


def other_unit(claim: str, rng: random.Random) -> str | None:
    """A quantity is given in another unit, the number stays."""
    choices = []
    for kin in UNITS:
        for unit in kin:
            for one in re.finditer(rf"(?<=\d ){unit}\b|(?<=\b\w\w\w ){unit}\b", claim):
                choices += [_put(claim, one, other) for other in kin if other != unit]
    return rng.choice(choices) if choices else None


def turned_negation(claim: str, rng: random.Random) -> str | None:
    """What was said is denied, or what was denied is said."""
    denials = list(NEGATION.finditer(claim))
    if denials:
        one = rng.choice(denials)
        word = one.group().lower()
        return _put(
            claim, one, {"no": "a", "none": "some", "neither": "each", "never": "always"}.get(word, "")
        ).replace("  ", " ")
    verbs = list(AUXILIARY.finditer(claim))
    if not verbs:
        return None
    one = rng.choice(verbs)
    return _put(claim, one, f"{one.group()} not")


def turned_order(claim: str, rng: random.Random) -> str | None:
    """A direction, an order or a comparison is turned around."""
    choices = []
    for one, other in ORDER:
        for here, there in ((one, other), (other, one)):
            choices += [_put(claim, found, there) for found in re.finditer(rf"\b{here}\b", claim)]
    return rng.choice(choices) if choices else None


def swapped_sides(claim: str, rng: random.Random) -> str | None:
    """Two numbers, or two names, of the sentence change places."""
    numbers = list(NUMBER.finditer(claim))
    names = [one for one in NAME.finditer(claim) if one.group() not in MONTHS + DAYS]
    pairs = [(a, b) for kind in (numbers, names) for a, b in pairwise(kind)]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    return claim[: a.start()] + b.group() + claim[a.end() : b.start()] + a.group() + claim[b.end() :]


def _put(claim: str, at: re.Match[str], word: str) -> str:
    if at.group()[0].isupper() and word:
        word = word[0].upper() + word[1:]
    return claim[: at.start()] + word + claim[at.end() :]


OPERATORS: dict[str, Operator] = {
    "number": other_number,
    "name": other_name,
    "unit": other_unit,
    "negation": turned_negation,
    "order": turned_order,
    "swap": swapped_sides,
}
