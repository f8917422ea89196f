"""Carries a change of a source's sentence over to what was made from it, with every other word left as it is.

“Bake it for 30 minutes” became “Bake it for 45 minutes”: then a slide's “Bake: 30 minutes” becomes “Bake: 45 minutes”.
Whoever asks must judge the answer: words that the made text does not hold cannot be changed in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|\w+|[^\w\s]")
_END = re.compile(r"[.!?…:;,]+[\"”’')\]]*$")
CONTEXT = 3  # words on each side by which one of several places is told from the others


@dataclass(frozen=True)
class _Text:
    text: str
    keys: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    def raw(self, first: int, end: int) -> str:
        """The tokens of the range as written, with what stands between them."""
        return self.text[self.spans[first][0] : self.spans[end - 1][1]] if first < end else ""


@dataclass(frozen=True)
class _Splice:
    start: int
    end: int
    text: str


def reworded(made: str, old: str, new: str) -> str:
    """`made`, which was made from `old`, with the words changed in it that differ in `new`."""
    whole = _END.sub("", old)
    if len(whole) > 3 and whole in made:
        return made.replace(whole, _END.sub("", new))
    target, before, after = _read(made), _read(old), _read(new)
    codes = SequenceMatcher(None, before.keys, after.keys, autojunk=False).get_opcodes()
    opens_large = made[:1].isupper()
    splices = [
        splice
        for kind, a, b, c, d in codes
        if kind != "equal" and (splice := _splice(target, before, after, (a, b, c, d))) is not None
    ]
    for splice in sorted(splices, key=lambda one: -one.start):
        made = made[: splice.start] + splice.text + made[splice.end :]
    made = _tidy(made)
    return made[:1].upper() + made[1:] if opens_large else made


def verbatim(made: str, old: str) -> bool:
    """Whether the text is the sentence itself, but for its end mark and the case of its first letter."""
    one, other = _END.sub("", made.strip()), _END.sub("", old.strip())
    return one[1:] == other[1:] and one[:1].lower() == other[:1].lower()


def like(made: str, new: str) -> str:
    """The new sentence with the first letter's case and the end mark of what was made from the old one."""
    found, mark = _END.search(made.strip()), _END.search(new.strip())
    bare = new.strip()
    if made[:1].isupper() and bare[:1].islower():
        bare = bare[:1].upper() + bare[1:]
    if found and not mark:
        return bare + found[0]
    return bare


def _read(text: str) -> _Text:
    found = list(_TOKEN.finditer(text))
    return _Text(text, tuple(match[0].lower() for match in found), tuple(match.span() for match in found))


def _splice(target: _Text, old: _Text, new: _Text, at: tuple[int, int, int, int]) -> _Splice | None:
    """Where in the target the words change that `at` names in the old text and in the new one; None: nowhere."""
    a, b, c, d = at
    place = _place(target, old.keys, a, b)
    if place is None:
        return None
    end = place + b - a
    if a < b and c < d:
        start = target.spans[place][0]
        return _Splice(start, target.spans[end - 1][1], _cased(target.text[start : start + 1], new.raw(c, d), at))
    if a < b:
        return _without(target, place, end)
    if place == 0:
        return _before(target, new, c, d)
    after = target.spans[place - 1][1]
    left = new.spans[c - 1][1] if c else new.spans[c][0]
    return _Splice(after, after, new.text[left : new.spans[d - 1][1]])


def _before(target: _Text, new: _Text, c: int, d: int) -> _Splice:
    """Words that now open the sentence; the one that did is written as inside of it, as the new sentence has it."""
    if d < len(new.keys) and target.keys[:1] == new.keys[d : d + 1]:
        return _Splice(0, target.spans[0][1], new.raw(c, d + 1))
    return _Splice(0, 0, new.raw(c, d) + " ")


def _cased(first: str, words: str, at: tuple[int, int, int, int]) -> str:
    """A sentence's first word keeps a capital; inside, a word is written as in the new sentence."""
    return words[:1].upper() + words[1:] if first.isupper() and at[0] == 0 else words


def _without(target: _Text, place: int, end: int) -> _Splice:
    start = target.spans[place - 1][1] if place else 0
    after = target.spans[end][0] if end < len(target.spans) else len(target.text)
    return _Splice(start, target.spans[end - 1][1] if place else after, "")


def _place(target: _Text, old: Sequence[str], a: int, b: int) -> int | None:
    """The one place in the target where the old words stand with the most of their neighbours; None when it is open."""
    count = b - a
    found = [
        (_context(target.keys, place, place + count, old, a, b), place)
        for place in range(len(target.keys) - count + 1)
        if target.keys[place : place + count] == tuple(old[a:b])
    ]
    least = 0 if count and _telling(old[a:b]) else 1 if count else 2
    found = [(score, place) for score, place in found if score >= least]
    if not found:
        return None
    best = max(score for score, _ in found)
    places = [place for score, place in found if score == best]
    return places[0] if len(places) == 1 else None


def _telling(tokens: Sequence[str]) -> bool:
    return any(len(token) > 2 or token[0].isdigit() for token in tokens)


def _context(keys: Sequence[str], start: int, end: int, old: Sequence[str], a: int, b: int) -> int:
    """How many neighbours on both sides are the same, the edges of both texts counted as one."""
    score = int(start == 0 and a == 0) + int(end == len(keys) and b == len(old))
    for step in range(1, CONTEXT + 1):
        if a - step < 0 or start - step < 0 or keys[start - step] != old[a - step]:
            break
        score += 1
    for step in range(CONTEXT):
        if b + step >= len(old) or end + step >= len(keys) or keys[end + step] != old[b + step]:
            break
        score += 1
    return score


def _tidy(text: str) -> str:
    return re.sub(r"[ \t]{2,}", " ", re.sub(r" +([.,;:!?])", r"\1", text)).strip()
