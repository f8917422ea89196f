"""What the support check sees in a sentence: its words in order, with stems, numbers, names and what stands around.

English only, as are the lists; for another language only numbers and names are compared (see `support`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer


def listed(words: str) -> frozenset[str]:
    """A set of words, written as a text."""
    return frozenset(words.split())


TOKEN = re.compile(r"\d[\d,]*(?:\.\d+)?|[^\W\d_](?:[\w+#]|[-'’](?=\w))*|[.,;:!?()—–]")
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")  # a raised digit is none
BREAKS = frozenset(".,;:!?()—–")
COUNTING = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty
"""
NUMBER_WORDS = {word: str(value) for value, word in enumerate(COUNTING.split())} | {
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "ninety": "90",
    "hundred": "100",
    "half": "0.5",
}
NUMBER_WORDS |= {"twice": "2", "double": "2"}
IRREGULAR = {
    "rose": "rise", "risen": "rise", "fell": "fall", "fallen": "fall", "built": "build", "gave": "give",
    "given": "give", "kept": "keep", "held": "hold", "took": "take", "taken": "take", "wrote": "write",
    "written": "write", "saw": "see", "seen": "see", "began": "begin", "begun": "begin", "grew": "grow",
    "grown": "grow", "grows": "grow", "sold": "sell", "froze": "freeze", "frozen": "freeze", "dug": "dig",
    "found": "find", "lost": "lose", "made": "make", "ran": "run", "led": "lead", "left": "leave", "met": "meet",
    "paid": "pay", "read": "read", "said": "say", "sank": "sink", "sent": "send", "shown": "show", "spoke": "speak",
    "spoken": "speak", "stood": "stand", "thought": "think", "told": "tell", "went": "go", "gone": "go", "won": "win",
    "women": "woman", "men": "man", "children": "child", "feet": "foot", "denser": "dense", "steeper": "steep",
}  # fmt: skip
FUNCTION_WORDS = listed("""
    a an the this that these those it its they them their he she his her him we us our you your i my me one ones
    is are was were be been being am do does did done has have had having will would shall should can could may might
    must let lets get gets got become becomes and or but so yet if then than as of in on at to from by for with into
    onto up down out off over under above below about between among through during before after until while when
    where which who whom whose what how why there here also too very just only not no nor never neither none without
    cannot because since although though however therefore thus such same other another each every all any some most
    many few more less least much both either own per use used uses using way via again still even ever always often
    now first last later afterwards once thing things
""")


@dataclass(frozen=True)
class Word:
    """One word at its place. `stem` compares; a number's stem is its value, written plainly."""

    text: str
    stem: str
    at: int
    number: bool = False
    name: bool = False
    begins: bool = False

    @property
    def content(self) -> bool:
        return self.number or (self.text.lower() not in FUNCTION_WORDS and len(self.text) > 1)

    @property
    def breaks(self) -> bool:
        return self.text in BREAKS


def read(text: str) -> list[Word]:
    """The words and the marks of a text, in order."""
    plain = text.replace("n’t", " not").replace("n't", " not").replace("cannot", "can not")
    for phrase, instead in PHRASES:
        plain = re.sub(rf"\b{phrase}\b", instead, plain, flags=re.IGNORECASE)
    found: list[Word] = []
    begins = True
    for at, written in enumerate(TOKEN.findall(plain)):
        found.append(_word(written, at, begins))
        begins = written in ".!?" or (begins and written in BREAKS)
    return found


# Said with a negation and meant without one, or the other way about.
PHRASES = (
    ("no more than", "at most"), ("not more than", "at most"), ("no (?:less|fewer) than", "at least"),
    ("not (?:less|fewer) than", "at least"), ("not only", "also"), ("no longer", "not"),
    ("free (?:of|from)", "without"), ("per mille", "permille"), ("per cent", "percent"), ("up to", "upto"),
    ("at most", "atmost"), ("at least", "atleast"), ("fails? to", "not"), ("failed to", "not"),
)  # fmt: skip


def _word(written: str, at: int, begins: bool) -> Word:
    low = written.lower().replace("’", "'").removesuffix("'s")
    value = NUMBER_WORDS.get(low) or (_plain(written) if NUMBER.fullmatch(written) else "")
    if value:
        return Word(written, value, at, number=True, begins=begins)
    name = written[0].isupper() and written not in BREAKS and not (begins and written[1:].islower())
    return Word(written, stem(low), at, name=name and written != "I", begins=begins)


def _plain(number: str) -> str:
    value = float(number.replace(",", ""))
    return f"{value:.10g}"


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem of a lower-case word; the common strong verbs have their infinitive's."""
    return str(_STEMMER.stemWord(IRREGULAR.get(word, word)))


_STEMMER = snowballstemmer.stemmer("english")


def around(words: Sequence[Word], place: int, without: Collection[str] = ()) -> dict[str, float]:
    """The stems near a word, within its sentence, each with a weight that falls with the distance and at each mark.

    What follows a number is what it counts, so it weighs more than what stands before. A preposition only counts on
    its own side: "from 3" is not "3 from".
    """
    near: dict[str, float] = {}
    for step, side, weight in ((1, ">", 1.0), (-1, "<", 0.6)):
        for distance in range(1, REACH + 1):
            index = place + step * distance
            if not 0 <= index < len(words) or words[index].text in ".!?;":
                break
            word = words[index]
            if word.breaks:
                weight *= 0.4  # noqa: PLW2901 - what lies behind a comma is further away
            elif word.text.lower() in LINKS:
                near[side + word.stem] = weight / distance
            elif word.content and word.stem not in without:
                near[word.stem] = max(near.get(word.stem, 0.0), weight / (1 + 0.3 * (distance - 1)))
    return near


REACH = 7
LINKS = listed("""
    from to until between above below under over before after than per by within in at on most few some more less
""")


def alike(one: dict[str, float], other: dict[str, float]) -> float:
    """How much two surroundings share."""
    return sum(min(weight, other[found]) for found, weight in one.items() if found in other)
