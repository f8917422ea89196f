"""Words as a sparse vector: what keyword search compares. The store weighs rare words, we weigh frequent ones.

Each word is hashed to a number, so there is no dictionary to keep. The weight of a word in a passage is BM25's, without
the rarity that Qdrant's IDF modifier adds when it searches.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")
# Writing without spaces: every two neighbours make a term.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_SATURATION, _LENGTH_PENALTY = 1.2, 0.75
_COMMON_WORDS = (
    "a an and are as at be been but by can do does for from had has have how i if in into is it its may more most "
    "no not of on or our so such than that the their them then there these they this to was we were what when "
    "where which who why will with would you your"
)
_COMMON = frozenset(_COMMON_WORDS.split())

Sparse = dict[int, float]


def terms(text: str) -> list[str]:
    """The words that count, in order: lower case, without common ones, plurals as singulars."""
    found: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if _UNSPACED.search(word):
            found += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
        elif word not in _COMMON:
            found.append(_singular(word))
    return found


def query_weights(text: str) -> Sparse:
    """Each term of a question, once."""
    return {_number(term): 1.0 for term in terms(text)}


def passage_weights(text: str, usual_length: float) -> Sparse:
    """Each term of a passage with its weight; `usual_length` is the mean number of terms of the course's passages."""
    counts = Counter(terms(text))
    length = sum(counts.values())
    norm = _SATURATION * (1 - _LENGTH_PENALTY + _LENGTH_PENALTY * length / max(usual_length, 1))
    weights: Sparse = {}
    for term, count in counts.items():
        number = _number(term)
        weights[number] = weights.get(number, 0.0) + count * (_SATURATION + 1) / (count + norm)
    return weights


def mean_length(texts: Iterable[str]) -> float:
    """The mean number of terms of the texts, 1 at the least."""
    lengths = [len(terms(text)) for text in texts]
    return max(1.0, sum(lengths) / max(1, len(lengths)))


def _number(term: str) -> int:
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=4).digest(), "big")


def _singular(word: str) -> str:
    """The word without the s of an English plural; other languages lose little by it."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and re.search(r"(?:s|x|z|ch|sh)es$", word):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
