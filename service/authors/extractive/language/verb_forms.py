"""The forms of English verbs, from the lemminflect tables; loaded on first use, which takes half a second."""

from __future__ import annotations

import re
from functools import lru_cache

_IRREGULAR = {"be": "is", "have": "has", "do": "does", "go": "goes"}


@lru_cache(maxsize=20_000)
def base_verb(word: str) -> str:
    """The base form of the word read as a verb ("hashing" → "hash"); empty when the tables do not know it."""
    from lemminflect import getLemma

    forms = getLemma(word, "VERB")
    return str(forms[0]) if forms else ""


@lru_cache(maxsize=20_000)
def word_classes(word: str) -> frozenset[str]:
    """The classes that the word can have: NOUN, VERB, ADJ, ADV, AUX, PROPN; empty when it is not known."""
    from lemminflect import getAllLemmas

    return frozenset(getAllLemmas(word))


def is_imperative(text: str) -> bool:
    """Whether the text begins with the base form of a verb, as an instruction does."""
    first = text.split(" ", 1)[0].strip("*_`“\"'(,.:;").lower()
    return first.isalpha() and base_verb(first) == first and "VERB" in word_classes(first)


def third_person(verb: str) -> str:
    """The verb as it follows "it": "watches"."""
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if re.search(r"(?:s|x|z|ch|sh)$", verb):
        return verb + "es"
    return verb[:-1] + "ies" if re.search(r"[^aeiou]y$", verb) else verb + "s"
