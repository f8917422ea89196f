"""Words, stems and how alike two texts are; and which words keep their capital inside a sentence."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from service.authors.extractive.language.lexicon import STOPWORDS
from service.domain.source import Block, Source

TITLE_LENGTH = 90
_WORD = re.compile(r"[^\W_][\w'’+#.-]*[^\W_]|[^\W_][+#]?")
_SUFFIXES = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("edly", ""), ("ed", ""), ("es", "e"), ("s", ""), ("ly", ""))
# Above this share of capitals inside sentences a language writes its nouns so, and a heading's capitals say nothing.
NOUNS_IN_CAPITALS = 0.18
_CODED = re.compile(r"[a-z][A-Z]|\d|\w[._:<]\w|\+\+|[A-Z]{2}")  # Node.js, C++, LTS/stable: never in small letters
_INSIDE_SENTENCE = re.compile(r"(?<=[a-z,;] )([A-Za-z][\w’']+)")


def words(text: str) -> list[str]:
    """The words of a text as written; a number or a name like C++ is one word."""
    return _WORD.findall(text)


def content_words(text: str) -> list[str]:
    """The words that carry meaning, in lower case."""
    return [word.lower().strip("'’.") for word in words(text) if len(word) > 1 and word.lower() not in STOPWORDS]


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A crude stem: enough to see that "hashes", "hashing" and "hash" are one word."""
    word = re.sub(r"'s$", "", word.lower().replace("’", "'"))
    for suffix, replacement in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 4 and not word.endswith(("ss", "us", "is")):
            word = word[: -len(suffix)] + replacement
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word.rstrip("e") if len(word) > 4 else word


def stems(text: str) -> list[str]:
    """The stems of the content words, in order and with repeats."""
    return list(_stems(text))


@lru_cache(maxsize=10_000)
def _stems(text: str) -> tuple[str, ...]:
    """A sentence is compared with many others, by many rules: it is read once."""
    return tuple(stem(word) for word in content_words(text))


def bag(texts: Iterable[str]) -> Counter[str]:
    """How often each stem occurs in the texts together."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(_stems(text))
    return found


def cosine(one: Counter[str], other: Counter[str]) -> float:
    """How alike two bags are, 0 to 1."""
    norm = math.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values()))
    return sum(n * other[word] for word, n in one.items()) / norm if norm else 0.0


def overlap(text: str, other: Counter[str] | set[str]) -> float:
    """Share of the text's stems that the other one holds, 0 to 1."""
    own = set(stems(text))
    return sum(1 for found in own if found in other) / len(own) if own else 0.0


def fourgrams(text: str) -> set[tuple[str, ...]]:
    """All runs of four words, in lower case."""
    low = [word.lower() for word in words(text)]
    return {tuple(low[n : n + 4]) for n in range(len(low) - 3)}


def is_plural(phrase: str) -> bool:
    """Whether the phrase's last word looks like a plural."""
    last = phrase.rpartition(" ")[2]
    return last.endswith("s") and not last.endswith(("ss", "us", "is", "ics"))


def rank(seed: str, value: object) -> str:
    """A place in an order that looks random and is the same on every machine."""
    return hashlib.sha256(f"{seed}\x00{value}".encode()).hexdigest()


def shuffled(seed: str, values: Sequence[str]) -> list[str]:
    """The values in an order that depends only on them and on the seed."""
    return sorted(values, key=lambda value: rank(seed, value))


def shorten(text: str, limit: int) -> str:
    """The text within `limit` characters, cut at a word."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1].rsplit(None, 1)[0] if " " in text[: limit - 1] else text[: limit - 1]
    return cut.rstrip(" ,;:.–—-") + "…"


def capitalized(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def clean_title(title: str) -> str:
    """A document's or heading's title without file endings, numbering and stray marks."""
    title = re.sub(r"\.(?:md|markdown|txt|html?|pdf|docx|pptx)$", "", title.strip(), flags=re.IGNORECASE)
    title = re.sub(
        r"^(?:\d+(?:\.\d+)*[.)]?\s+|(?:chapter|lesson|unit|part|supplemental)\s*\d*\s*[:.]\s*)", "", title, flags=re.I
    )
    if " " not in title and re.search(r"[-_]", title):
        title = re.sub(r"[-_]+", " ", title).strip()
    title = re.sub(r"[`*]", "", title).rstrip(":;,. ")
    return shorten(capitalized(title), TITLE_LENGTH) if title else ""


class Casing:
    """Knows which words keep their capital inside a sentence, from how the sources write them there."""

    def __init__(self, sources: Iterable[Source]) -> None:
        upper: Counter[str] = Counter()
        lower: Counter[str] = Counter()
        sources = list(sources)
        self._written = " ".join(source.text for source in sources)
        self._text = self._written.lower()
        for source in sources:
            for block in source.blocks:
                if block.kind in ("paragraph", "item", "quote"):
                    for word in _words_inside(source, block):
                        (upper if word[0].isupper() else lower)[word.lower()] += 1
        self._common = frozenset(lower)
        self._proper = frozenset(word for word, n in upper.items() if n > lower[word] + lower[_other(word)]) | {"i"}
        seen = upper.total() + lower.total()
        self._keeps_capitals = upper.total() > NOUNS_IN_CAPITALS * seen and upper.total() > 5

    def is_proper(self, word: str) -> bool:
        """Whether the word is a name or an abbreviation."""
        if self._keeps_capitals:
            return True
        core = re.sub(r"\W", "", word)
        if (core.removesuffix("s").isupper() and len(core) > 1) or _CODED.search(word):
            return True
        return re.sub(r"[’']s$", "", word.strip("\"'“”‘’().,:;!?").lower()) in self._proper

    def inside(self, title: str) -> str:
        """The title as it reads in the middle of a sentence, without its end mark."""
        bare = re.sub(r"[:?!.]+$", "", title)
        return " ".join(word if self.is_proper(word) else word.lower() for word in bare.split())

    def in_sentence_case(self, title: str) -> str:
        """A Title Written So in sentence case; as it is when it holds a word of which the sources give no hint."""
        first, *rest = title.split(" ")
        if sum(word[:1].isupper() for word in rest) * 2 < sum(len(word) > 3 for word in rest):
            return title
        if not all(self.is_proper(word) or self._is_common(word) for word in rest):
            return title
        return " ".join([first, *(word if self.is_proper(word) else word.lower() for word in rest)])

    def _is_common(self, word: str) -> bool:
        bare = word.strip("\"'“”‘’().,:;!?").lower()
        return bare in STOPWORDS or bare in self._common or _other(bare) in self._common

    def spelled(self, word: str) -> str:
        """The word in the letters that the sources write it with most often."""
        found = Counter(re.findall(rf"\b{re.escape(word)}\b", self._written, re.IGNORECASE))
        return found.most_common(1)[0][0] if found else word

    def lowered(self, sentence: str) -> str:
        """The sentence with its first letter in lower case, unless the first word is a name."""
        first = sentence.split(" ", 1)[0]
        return sentence if not first or self.is_proper(first) else sentence[:1].lower() + sentence[1:]

    def is_named(self, phrase: str) -> bool:
        """Whether the sources use the phrase as a name: "the build script", "in a commit queue"."""
        one = phrase[:-1] if is_plural(phrase) else phrase
        before = r"(?:the|an?|each|every|this|these|its|of|with|in|by|for|from|as)"
        return bool(re.search(rf"\b{before} {re.escape(one.lower())}s?\b", self._text))

    def count(self, phrase: str) -> int:
        """How often the sources use the phrase, in whatever letters."""
        return self._text.count(phrase.lower())

    def with_article(self, topic: str) -> str:
        """The topic with "the", if it is a word that the sources use with an article, or a name that they use so."""
        if is_plural(topic) or self.is_proper(topic) or re.match(r"(?:the|an?|your|each) |.*\w(?:ing|s) ", topic):
            return topic
        if " " in topic:
            names = re.search(r"^\w+ (?:of|for) (?:the|an?) ", topic) or len(topic.split()) <= 3
            known = " of " in topic or f"the {topic.lower()}" in self._text
            return f"the {topic}" if names and known and not re.search(r" and |,", topic) else topic
        if not topic.isalpha():
            return topic
        uses = len(re.findall(rf"\b{topic}\b", self._text))
        pointed = len(re.findall(rf"\b(?:the|this|an?|your|each) {topic}\b", self._text))
        return f"the {topic}" if pointed * 2 > uses > 1 else topic


def _other(word: str) -> str:
    """The singular of a plural, and the plural of a singular: "Landmarks" in a list is no name beside "landmark"."""
    return word[:-1] if is_plural(word) else f"{word}s"


def _words_inside(source: Source, block: Block) -> list[str]:
    """The words of a block that open no sentence and are no code."""
    code = [(mark.start, mark.end) for mark in block.marks if mark.kind == "code"]
    return [
        match[1]
        for match in _INSIDE_SENTENCE.finditer(source.text, block.start, block.end)
        if not any(start <= match.start(1) < end for start, end in code)
    ]
