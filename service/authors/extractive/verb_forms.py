"""The base forms of English words, from the lemminflect tables; loaded on first use, which takes half a second."""

from __future__ import annotations

from functools import lru_cache


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
