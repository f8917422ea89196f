"""How hard a text is to read, and the runs of words that two texts share."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W_](?:[\w'’+#.-]*[^\W_])?[+#]?")
_VOWELS = re.compile(r"[aeiouy]+")


def words(text: str) -> list[str]:
    """The words of a text as written; a number, an address or a name like C++ is one word."""
    return _WORD.findall(text)


def fourgrams(text: str) -> set[tuple[str, ...]]:
    """All runs of four words, in lower case."""
    low = [word.lower() for word in words(text)]
    return {tuple(low[start : start + 4]) for start in range(len(low) - 3)}


def syllables(word: str) -> int:
    """About how many syllables an English word has: groups of vowels, less a silent e at the end."""
    low = word.lower()
    count = len(_VOWELS.findall(low))
    if count > 1 and low.endswith("e") and not low.endswith(("le", "ee")):
        count -= 1
    return max(1, count)


def grade_level(sentences: Sequence[str]) -> float:
    """The Flesch-Kincaid grade of English sentences; words with digits or dots inside, such as code, don't count."""
    split = [
        [word for word in words(sentence) if word.replace("'", "").replace("’", "").isalpha()] for sentence in sentences
    ]
    kept = [sentence for sentence in split if sentence]
    total = sum(len(sentence) for sentence in kept)
    if not total:
        return 0.0
    spoken = sum(syllables(word) for sentence in kept for word in sentence)
    return max(0.0, 0.39 * total / len(kept) + 11.8 * spoken / total - 15.59)
