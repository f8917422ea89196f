"""Whether a sentence is supported by the passages that it cites: numbers, units, names, negation, order, words.

Deterministic and offline. It compares what can be compared without understanding, and says what it found in words that
an instructor can act on. It can be fooled by a paraphrase that shares no word with its passage ("weak"), and by an
error that changes none of what it looks at; `scripts/bench authoring` measures both on planted errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Literal

from service.domain.lesson import (
    Claim,
    ClaimState,
    DefinitionBlock,
    ExerciseBlock,
    Lesson,
    LessonBlock,
    ListBlock,
    NoteBlock,
    ParagraphBlock,
    QuoteBlock,
)
from service.domain.support_words import Word, alike, around, listed, read, stem

State = Literal["supported", "weak", "unsupported"]
Contradiction = Callable[[str, str], float]  # how probable it is that a passage contradicts a claim, 0 to 1

# Shares of a claim's words that its passages hold. Tuned on tests/bench/claims/seen.tsv.
ENOUGH, LITTLE = 0.5, 0.25
NEARLY = 0.9
VERDICTS_KEPT = 8192  # about 5 MB: a long course is judged when it is written, checked, shown and published
CONTRADICTED = 0.9  # a model of inference is a second opinion: it must be sure, because its no blocks publishing
NEGATORS = frozenset(("not", "no", "never", "neither", "none", "nor", "without", "hardly", "nobody", "nothing"))
NEGATION_REACH = 4
UNITS = (
    "second minute hour day week month year decade century millisecond microsecond",
    "millimetre centimetre metre kilometre mile foot inch yard feet",
    "gram kilogram tonne ton pound ounce milligram",
    "litre millilitre gallon pint",
    "dollar euro pound cent franc yen",
    "percent permille degree point",
    "byte kilobyte megabyte gigabyte bit",
    "watt kilowatt volt ampere joule bar pascal hertz kilohertz megahertz",
)  # fmt: skip
OPPOSITES = (
    ("first", "last"), ("more", "less"), ("more", "fewer"), ("above", "below"), ("over", "under"), ("higher", "lower"),
    ("faster", "slower"), ("older", "younger"), ("cooler", "warmer"), ("colder", "hotter"), ("atleast", "atmost"),
    ("rise", "fall"), ("rise", "drop"), ("rise", "sink"),
    ("raise", "lower"), ("increase", "decrease"), ("grow", "shrink"), ("open", "close"),
    ("larger", "smaller"), ("longer", "shorter"), ("earlier", "later"), ("heavier", "lighter"), ("most", "few"),
    ("all", "none"), ("all", "some"), ("always", "never"), ("always", "sometimes"), ("every", "some"),
    ("everybody", "nobody"), ("maximum", "minimum"), ("inside", "outside"), ("left", "right"), ("gain", "lose"),
    ("allow", "forbid"), ("must", "may"), ("expand", "contract"), ("tighten", "loosen"),
)  # fmt: skip
UPWARD = listed("more over above atleast exceed exceeds beyond older heavier longer higher larger greater")
DOWNWARD = listed("less fewer under below atmost upto younger lighter shorter lower smaller within")
TURNS = ("before", "after")

_UNITS = frozenset(stem(unit) for kin in UNITS for unit in kin.split())


STATES: tuple[ClaimState, ...] = ("supported", "weak", "unsupported", "edited")


@dataclass(frozen=True)
class Verdict:
    """`faults` says what speaks against the sentence; `share` is the part of its words that the passages hold."""

    state: State
    share: float
    faults: tuple[str, ...] = ()


def judge(claim: str, passages: Iterable[str]) -> Verdict:
    """Whether the passages support the claim.

    Unsupported when something in it contradicts them or is not in them, or hardly a word is; weak when so few words
    are that only a person can tell.
    """
    return _verdict(claim, " . ".join(passages))


@lru_cache(maxsize=VERDICTS_KEPT)
def _verdict(claim: str, passage: str) -> Verdict:
    said, known = read(claim), read(passage)
    faults = tuple(dict.fromkeys(fault for look in LOOKS for fault in look(said, known)))
    share = _shared(said, known)
    if faults or share < LITTLE:
        return Verdict("unsupported", share, faults or ("Hardly a word of it is in the passage.",))
    return Verdict("supported" if share >= ENOUGH else "weak", share)


def judged(claim: Claim, contradiction: Contradiction | None = None) -> Claim:
    """The claim with the state that its cites earn it, never a better one than it had.

    What was edited since the check stays so, what states nothing needs no support, and a fact without a cite has none.
    A model of inference may only raise doubts: what the comparison has found stays found.
    """
    if not claim.factual or claim.state == "edited":
        return claim
    if not claim.cites:
        return claim.model_copy(update={"state": "unsupported"})
    quotes = [cite.quote for cite in claim.cites]
    found: ClaimState = judge(claim.text, quotes).state
    if contradiction is not None and found != "unsupported":
        found = "unsupported" if contradiction(" ".join(quotes), claim.text) >= CONTRADICTED else found
    return claim.model_copy(update={"state": max(claim.state, found, key=STATES.index)})


def judged_lesson(lesson: Lesson, contradiction: Contradiction | None = None) -> Lesson:
    """The lesson with every claim judged."""

    def each(claims: Iterable[Claim]) -> tuple[Claim, ...]:
        return tuple(judged(claim, contradiction) for claim in claims)

    return lesson.model_copy(update={"blocks": tuple(_judged_block(block, each) for block in lesson.blocks)})


def _judged_block(block: LessonBlock, each: Callable[[Iterable[Claim]], tuple[Claim, ...]]) -> LessonBlock:
    match block:
        case ParagraphBlock() | DefinitionBlock() | QuoteBlock() | NoteBlock():
            return block.model_copy(update={"claims": each(block.claims)})
        case ListBlock():
            return block.model_copy(update={"items": tuple(each(item) for item in block.items)})
        case ExerciseBlock():
            return block.model_copy(update={"task": each(block.task), "solution": each(block.solution)})
    return block


def _shared(said: Sequence[Word], known: Sequence[Word]) -> float:
    wanted = [word for word in said if word.content and not word.breaks]
    have = {word.stem for word in known}
    return sum(word.stem in have for word in wanted) / len(wanted) if wanted else 1.0


def unknown_numbers(said: Sequence[Word], known: Sequence[Word]) -> list[str]:
    """A number that the passages do not hold. "One" and "two" may be grammar rather than a count."""
    have = {word.stem for word in known if word.number}
    missing = [word for word in said if word.number and word.stem not in have]
    return [f"The number {word.text} is not in the passage." for word in missing if word.text.lower() != "one"]


def other_units(said: Sequence[Word], known: Sequence[Word]) -> list[str]:
    """The same number with another unit."""
    faults = []
    for number, unit in _measures(said):
        theirs = [measure for other, measure in _measures(known) if other.stem == number.stem]
        if theirs and unit.stem not in {their.stem for their in theirs}:
            faults.append(f"The passage says {number.text} {theirs[0].text}, not {unit.text}.")
    return faults


def _measures(words: Sequence[Word]) -> list[tuple[Word, Word]]:
    return [
        (word, after)
        for word, after in pairwise(words)
        if word.number and after.stem in _UNITS
    ]  # fmt: skip


def unknown_names(said: Sequence[Word], known: Sequence[Word]) -> list[str]:
    """A name that the passages do not hold."""
    have = {word.stem for word in known}
    return [f"The name {word.text} is not in the passage." for word in said if word.name and word.stem not in have]


def unknown_codes(said: Sequence[Word], known: Sequence[Word]) -> list[str]:
    """A word with a digit in it (x509, h1, log_01) that the passages do not hold."""
    have = {word.text.lower() for word in known}
    codes = [word for word in said if not word.number and any(letter.isdigit() for letter in word.text)]
    return [f"{word.text} is not in the passage." for word in codes if word.text.lower() not in have]


def changed_places(said: Sequence[Word], known: Sequence[Word]) -> list[str]:
    """Two numbers, two names, or two opposites that have changed places: each stands where the other belongs."""
    faults = []
    for kind in (_numbers, _names, _contrasts):
        mine, theirs = kind(said), kind(known)
        for one, other in combinations(mine, 2):
            if one.stem != other.stem and _crossed(said, known, one, other, theirs):
                faults.append(f"{one.text} and {other.text} seem to have changed places.")
    return faults


def _numbers(words: Sequence[Word]) -> list[Word]:
    return [word for word in words if word.number]


def _names(words: Sequence[Word]) -> list[Word]:
    return [word for word in words if word.name]


def _contrasts(words: Sequence[Word]) -> list[Word]:
    return [word for word in words if word.stem in _OPPOSITES]


def _crossed(said: Sequence[Word], known: Sequence[Word], one: Word, other: Word, theirs: Sequence[Word]) -> bool:
    both = (one.stem, other.stem)
    here = (around(said, one.at, both), around(said, other.at, both))
    places = [[around(known, word.at, both) for word in theirs if word.stem == mine] for mine in both]
    if not all(places):
        return False
    straight = max(alike(here[0], place) for place in places[0]) + max(alike(here[1], place) for place in places[1])
    crossed = max(alike(here[0], place) for place in places[1]) + max(alike(here[1], place) for place in places[0])
    return crossed > straight + 0.3


def turned_negations(said: Sequence[Word], known: Sequence[Word]) -> list[str]:
    """Denied here and said there, or said here and denied there."""
    mine, theirs = _denied(said), _denied(known)
    faults = []
    have = {word.stem for word in known}
    for denied in mine:
        shared = [word for word in denied if word in have]
        if not theirs or (shared and not any(word in scope for word in shared for scope in theirs)):
            faults.append("The sentence denies what the passage says.")
    stated = {word.stem for word in said}
    for denied in theirs:
        shared = [word for word in denied if word in stated]
        if shared and not any(word in scope for word in shared for scope in mine):
            faults.append("The passage denies what the sentence says.")
    return faults


def other_count_of_negations(said: Sequence[Word], known: Sequence[Word]) -> list[str]:
    """In what is nearly a copy of the passage, one negation more or less turns the sense around."""
    mine, theirs = _stems(said), _stems(known)
    if not mine or len(mine & theirs) < NEARLY * max(len(mine), len(theirs)):
        return []
    return [] if len(_denied(said)) == len(_denied(known)) else ["The sentence has another negation than the passage."]


def _denied(words: Sequence[Word]) -> list[list[str]]:
    """The stems in the reach of each negation: the content words that follow it in its clause."""
    scopes = []
    for place, word in enumerate(words):
        if word.text.lower() not in NEGATORS or word.name:
            continue
        scope: list[str] = []
        for after in words[place + 1 :]:
            if (after.breaks and after.text not in ",(") or len(scope) == NEGATION_REACH:
                break
            if after.content and not after.breaks:
                scope.append(after.stem)
        scopes.append(scope)
    return scopes


def opposites(said: Sequence[Word], known: Sequence[Word]) -> list[str]:
    """A word whose opposite stands in the passages, while it does not itself."""
    have = {word.stem for word in known}
    faults = []
    for word in said:
        against = _OPPOSITES.get(word.stem, ())
        if word.stem not in have and any(other in have for other in against) and _same_matter(said, known, word):
            faults.append(f"The passage says the opposite of “{word.text}”.")
    return faults


def _same_matter(said: Sequence[Word], known: Sequence[Word], word: Word) -> bool:
    here = around(said, word.at)
    return any(
        alike(here, around(known, other.at)) > 0.3 for other in known if other.stem in _OPPOSITES.get(word.stem, ())
    )


def other_direction(said: Sequence[Word], known: Sequence[Word]) -> list[str]:
    """The same number as an upper bound here and as a lower one there."""
    theirs = {word.stem: _direction(known, word.at) for word in known if word.number}
    return [
        f"The passage has {word.text} as the other bound."
        for word in said
        if word.number and _direction(said, word.at) * theirs.get(word.stem, 0) < 0
    ]


def _direction(words: Sequence[Word], place: int) -> int:
    before = [word.text.lower() for word in words[max(0, place - 2) : place]]
    return any(word in UPWARD for word in before) - any(word in DOWNWARD for word in before)


def turned_time(said: Sequence[Word], known: Sequence[Word]) -> list[str]:
    """Before and after exchanged, unless the two sides are exchanged as well."""
    theirs = [word for word in known if word.text.lower() in TURNS]
    faults = []
    for word in said:
        if word.text.lower() in TURNS:
            agreeing = [_agreement(said, word, known, other) for other in theirs]
            if agreeing and max(agreeing) < 0:
                faults.append(f"“{word.text}” turns the order of the passage around.")
    return faults


def _agreement(said: Sequence[Word], word: Word, known: Sequence[Word], other: Word) -> int:
    """How much better the two sides of the connectives fit as they stand than turned around."""
    mine, theirs = _sides(said, word.at), _sides(known, other.at)
    straight = len(mine[0] & theirs[0]) + len(mine[1] & theirs[1])
    crossed = len(mine[0] & theirs[1]) + len(mine[1] & theirs[0])
    return straight - crossed if word.text.lower() == other.text.lower() else crossed - straight


def _sides(words: Sequence[Word], place: int) -> tuple[set[str], set[str]]:
    """What comes on the two sides of a connective, the earlier clause first where it opens the sentence."""
    first = next((n for n in range(place - 1, -1, -1) if words[n].text in ".!?;:"), -1) + 1
    end = next((n for n in range(place, len(words)) if words[n].text in ".!?;"), len(words))
    comma = next((n for n in range(place, end) if words[n].text == ","), end)
    before = {word.stem for word in words[first:place] if word.content and not word.breaks}
    if not before and comma == end:
        return (set(), set())  # "Before ten nobody sings": without a comma nobody knows where the side ends
    if not before:
        return (_stems(words[comma:end]), _stems(words[place + 1 : comma]))
    return (before, _stems(words[place + 1 : comma]))


def _stems(words: Sequence[Word]) -> set[str]:
    return {word.stem for word in words if word.content and not word.breaks}


def _opposites() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one, other in OPPOSITES:
        for here, there in ((stem(one), stem(other)), (stem(other), stem(one))):
            found[here] = (*found.get(here, ()), there)
    return found


_OPPOSITES = _opposites()
LOOKS: tuple[Callable[[Sequence[Word], Sequence[Word]], list[str]], ...] = (
    unknown_numbers,
    other_units,
    unknown_names,
    unknown_codes,
    changed_places,
    turned_negations,
    other_count_of_negations,
    opposites,
    other_direction,
    turned_time,
)
