"""Whether what a question cites proves its key and none of its wrong options, as far as rules can tell.

A gap filled, a true-or-false statement and a term with its description are statements; the support check judges them.
Of other questions there is no statement to make, so only the words of the options are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.domain.quiz import QuizItem
from service.domain.support import judge
from service.domain.support_words import read

GAP = "_____"
# At least this share of a right option's words stands in what the question cites.
ENOUGH_OF_THE_KEY = 0.5
_FRAME = re.compile(r"^(?:Fill the gap|True or false)\W+\s*", re.IGNORECASE)
_DESCRIPTION = re.compile(r"^Which term fits this description: “(?P<meaning>.+)”\?$")


def entailed(statement: str, option: str, quotes: list[str]) -> bool:
    """Whether the quotes support the statement and hold every telling word of the option that was put into it."""
    known = {word.stem for word in read(" . ".join(quotes))}
    own = [word for word in read(option) if (word.content or word.number) and not word.breaks]
    return all(word.stem in known for word in own) and judge(statement, quotes).state == "supported"


def statement_with(stem: str, option: str) -> str:
    """The question as a statement that has the option in it; '' when it makes none."""
    described = _DESCRIPTION.match(stem)
    if described:
        return f"{option} is {described['meaning']}"
    return _FRAME.sub("", stem).replace(GAP, option) if GAP in stem else ""


def support_faults(item: QuizItem) -> Iterator[str]:
    """What the cited words do not bear out, in plain words."""
    quotes = [cite.quote for cite in item.cites]
    if not quotes or item.kind in ("short", "ordering", "matching"):
        return
    if item.kind == "true_false":
        yield from _judged_statement(item, quotes)
        return
    for place, option in enumerate(item.options):
        statement = statement_with(item.stem, option.text)
        right = place in item.key
        if statement and entailed(statement, option.text, quotes) != right:
            yield f"the cite does not prove “{option.text}”" if right else f"the cite also proves “{option.text}”"
        elif not statement and right and _share(option.text, quotes) < ENOUGH_OF_THE_KEY:
            yield f"the cite does not speak of “{option.text}”"


def _judged_statement(item: QuizItem, quotes: list[str]) -> Iterator[str]:
    state = judge(_FRAME.sub("", item.stem), quotes).state
    says = item.options[item.key[0]].text.lower()
    if says == "true" and state != "supported":
        yield "the cite does not support the statement that is called true"
    if says == "false" and state != "unsupported":
        yield "the cite does not contradict the statement that is called false"


def _share(text: str, quotes: list[str]) -> float:
    known = {word.stem for word in read(" . ".join(quotes))}
    own = [word.stem for word in read(text) if word.content and not word.breaks]
    return sum(stem in known for stem in own) / len(own) if own else 1.0
