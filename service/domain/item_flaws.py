"""Flaws by which a question can be answered without knowing, or missed in spite of knowing. Rules only."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.domain.quiz import QuizItem

_ALL_OR_NONE = re.compile(r"^(?:all|none|both|neither) of (?:the|these|those)\b", re.I)
_NEGATIVE = re.compile(r"\b(?:not|except|least)\b", re.I)
_ABSOLUTE = re.compile(r"\b(?:always|never|every|only|none|all|completely|impossible)\b", re.I)
_CHOICES = ("single", "multiple", "cloze")
LONGER = 1.5


def flaws(item: QuizItem) -> Iterator[str]:
    """The writing flaws of a question, in plain words."""
    if item.kind not in _CHOICES:
        return
    texts = [option.text.strip().lower() for option in item.options]
    if any(_ALL_OR_NONE.match(text) for text in texts):
        yield "“all of these” or “none of these”"
    if len(set(texts)) < len(texts):
        yield "two options are the same"
    if _negative(item):
        yield "the question is negative"
    if item.kind != "multiple" and len(item.key) == 1:
        yield from _key_flaws(item, texts)


def _negative(item: QuizItem) -> bool:
    """A cloze quotes its source, which may well say "not"."""
    return item.kind != "cloze" and "_" not in item.stem and bool(_NEGATIVE.search(_unquoted(item.stem)))


def _unquoted(stem: str) -> str:
    return re.sub(r"“[^”]*”|\"[^\"]*\"", "", stem)


def _key_flaws(item: QuizItem, texts: list[str]) -> Iterator[str]:
    key = texts[item.key[0]]
    others = [text for position, text in enumerate(texts) if position != item.key[0]]
    if len(key) > 24 and others and len(key) >= LONGER * max(len(text) for text in others):
        yield "the right option is much longer than the others"
    if len(key) > 3 and re.search(rf"\b{re.escape(key)}\b", item.stem.lower()):
        yield "the question holds its answer"
    if re.search(r"\ban\s*_*\??:?$", item.stem.strip()) and any(text[:1] not in "aeiou" for text in others):
        yield "the article before the gap gives the answer away"


def absolute_terms(item: QuizItem) -> bool:
    """Whether only wrong options say "always", "never" and the like."""
    if item.kind not in _CHOICES:
        return False
    wrong = [option.text for position, option in enumerate(item.options) if position not in item.key]
    right = [item.options[position].text for position in item.key]
    return any(_ABSOLUTE.search(text) for text in wrong) and not any(_ABSOLUTE.search(text) for text in right)
