"""Texts as long as a test asks for: every sentence is another one, and they are the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice

from tests.authors.texts import SourceBuilder

_THINGS = ("kettle", "valve", "bridge", "ledger", "sensor", "mirror", "furnace", "cable", "archive", "canal", "lens")
_DEEDS = ("stores", "carries", "warms", "checks", "cools", "lifts", "filters", "records", "joins", "guides")
_KINDS = ("copper", "wooden", "silent", "narrow", "remote", "public", "steady", "hollow", "bright", "shallow")
_SHAPES = (
    "A {0} is a {kind} {1} that {deed} the {2} of number {n}.",
    "If the {0} {deed} the {kind} {1}, the {2} waits {n} minutes for the next {3}.",
    "The {kind} {0} {deed} the {1} because number {n} of the {2} needs no {3}.",
    "Each {0} near the {kind} {1} {deed} the {2}, and {n} of them hold a {3}.",
    "You must never open the {0} before the {1} {deed} the {kind} {2} at {n} degrees.",
    "In the {kind} {0} the {1} of the {2} reached {n} metres last year.",
)


def sentences() -> Iterator[str]:
    """Sentences of ten to fifteen words without end: definitions, rules, causes, facts."""
    for n in count(2):
        things = [_THINGS[(n * step + n // 7) % len(_THINGS)] for step in (1, 2, 4, 7)]
        deed, kind = _DEEDS[(n // 3) % len(_DEEDS)], _KINDS[(n // 5) % len(_KINDS)]
        yield _SHAPES[n % len(_SHAPES)].format(*things, n=n, kind=kind, deed=deed)


def one_section(words: int) -> SourceBuilder:
    """So many words of prose under the title and no heading."""
    page, told, written = SourceBuilder("A long story"), sentences(), 0
    while written < words:
        paragraph = " ".join(islice(told, 5))
        page.para(paragraph)
        written += len(paragraph.split())
    return page
