"""From what a model says it quotes to an exact cite: the model copies words, this module finds the place.

First the words as they stand; then with white space, quotation marks and dashes evened out; then the nearest sentence
of the passages, which is quoted instead of what the model wrote. What is near to nothing is no quote and cites nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from service.authors.agents.shelf import Passage
from service.domain.source import Cite

NEAR = 0.75  # share of equal characters (Ratcliff and Obershelp) from which two sentences are taken for the same
LEAST_CHARACTERS = 8
_EVEN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " ", "\u00ad": ""})
_MARKUP = re.compile(r"[*_`]")


def resolve(quote: str, passages: Iterable[Passage]) -> Cite | None:
    """The exact cite of what the model says it quotes, from the first passage that holds it; None when none does."""
    wanted = quote.strip().strip('“”"…').strip()
    if len(wanted) < LEAST_CHARACTERS:
        return None
    shelf = list(passages)
    for way in (_as_written, _evened):
        for passage in shelf:
            found = way(wanted, passage)
            if found is not None:
                return _whole_words(found, passage)
    return _nearest(wanted, shelf)


def _as_written(wanted: str, passage: Passage) -> Cite | None:
    at = passage.source.text.find(wanted, passage.chunk.start, passage.chunk.end)
    return passage.source.cite(at, at + len(wanted)) if at >= 0 else None


def _evened(wanted: str, passage: Passage) -> Cite | None:
    """The quote with any white space between its words, and any kind of quotation mark, dash or emphasis."""
    text = passage.source.text[passage.chunk.start : passage.chunk.end]
    plain, places = _flattened(text)
    needle, _ = _flattened(wanted)
    at = plain.find(needle.strip())
    if at < 0 or not needle.strip():
        return None
    start, end = places[at], places[at + len(needle.strip()) - 1] + 1
    return passage.source.cite(passage.chunk.start + start, passage.chunk.start + end)


def _flattened(text: str) -> tuple[str, list[int]]:
    """The text in lower case with single spaces and plain marks, and where each of its characters came from."""
    plain: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        even = character.translate(_EVEN)
        if not even or _MARKUP.match(even):
            continue
        if even.isspace():
            if plain and plain[-1] == " ":
                continue
            even = " "
        low = even.lower()
        plain.append(low if len(low) == 1 else even)
        places.append(place)
    return "".join(plain), places


def _whole_words(cite: Cite, passage: Passage) -> Cite:
    """A quote that begins or ends inside a word is widened to the word's end."""
    text, start, end = passage.source.text, cite.start, cite.end
    while start > passage.chunk.start and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while end < passage.chunk.end and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return passage.source.cite(start, end)


def _nearest(wanted: str, passages: list[Passage]) -> Cite | None:
    best, found = NEAR, None
    low = _flattened(wanted)[0]
    for passage in passages:
        for sentence in passage.sentences:
            matcher = SequenceMatcher(None, low, _flattened(sentence.quote)[0], autojunk=False)
            if matcher.real_quick_ratio() < best or matcher.quick_ratio() < best:
                continue
            ratio = matcher.ratio()
            if ratio >= best:
                best, found = ratio, sentence
    return found
