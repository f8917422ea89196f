"""Which passage of an old text is which of the new one: the same words, other words, or none any more.

Equal passages that stand once in each text are paired first, wherever they are, then equal neighbours of pairs, then
equal ones that are left, in order. What is left of the old text is compared with what stands in the same gap of the
new one; what is still left is looked for everywhere by its rarer words. So the work grows with the length of the texts:
only short gaps are compared each with each.

Pairing what is unique first is Bram Cohen's patience diff, without its demand that order is kept: sections move.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence

from service.domain.passages import Passage

LIKE = 0.5  # Dice coefficient of their words from which on two passages of one gap are the same one, changed
LIKE_ANYWHERE = 0.65  # the same, when they stand at different places
VERY_LIKE = 0.85  # the same, before gaps are looked at: hardly another sentence, wherever it stands
INSIDE = 0.8  # share of a passage's words that its neighbour holds into which it was merged
MOST_PAIRS = 4_000  # of passages compared each with each in one gap
MOST_COPIES = 10_000  # of pairs of equal passages that are brought into order by their places
RARE = 20  # a word that stands in at most so many passages helps to find one
WORDS_OF_A_COPY = 4  # a passage of fewer words that also stands elsewhere proves nothing about its own place
FEW_WORDS = 3  # passages so short share no words when they change; their place alone pairs them


class Pairing:
    """The pairs of two texts' passages, each known by its number."""

    def __init__(self, old: Sequence[Passage], new: Sequence[Passage]) -> None:
        self._old, self._new = old, new
        self._equal = [-1] * len(old)
        self._now: list[tuple[int, int] | None] = [None] * len(old)
        self._taken = [False] * len(new)
        self._pair_equal()
        self._pair_anywhere(VERY_LIKE)
        for first, end in self._gaps():
            self._pair_gap(first, end)
        self._pair_copies()
        self._pair_anywhere(LIKE_ANYWHERE)
        self._join_neighbours()

    def equal(self, place: int) -> bool:
        """Whether the passage stands in the new text with the same words."""
        return self._equal[place] >= 0

    def now(self, place: int) -> tuple[int, int] | None:
        """The range of new passages that the old one is now; None when it is gone."""
        return self._now[place]

    def is_new(self, place: int) -> bool:
        """Whether the passage of the new text was not in the old one in any form."""
        return not self._taken[place]

    # --- equal passages ---

    def _pair_equal(self) -> None:
        old, new = _places(self._old), _places(self._new)
        both = [(old[key], new[key]) for key in old if key in new]
        self._spread((mine[0], theirs[0]) for mine, theirs in both if len(mine) == len(theirs) == 1)
        for mine, theirs in both:
            self._in_order(mine, theirs)

    def _spread(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Pair these, and what is equal beside a pair."""
        waiting = deque(pairs)
        for one, other in waiting:
            self._match(one, other)
        while waiting:
            one, other = waiting.popleft()
            for step in (1, -1):
                mine, theirs = one + step, other + step
                if self._free(mine, theirs) and self._old[mine].key == self._new[theirs].key:
                    self._match(mine, theirs)
                    waiting.append((mine, theirs))

    def _free(self, mine: int, theirs: int) -> bool:
        inside = 0 <= mine < len(self._old) and 0 <= theirs < len(self._new)
        return inside and self._now[mine] is None and not self._taken[theirs]

    def _match(self, one: int, other: int) -> None:
        self._equal[one], self._now[one], self._taken[other] = other, (other, other + 1), True

    def _in_order(self, mine: Sequence[int], theirs: Sequence[int]) -> None:
        """Pair the copies of one passage that are left, the nearest to their places first."""
        mine = [place for place in mine if self._now[place] is None]
        theirs = [place for place in theirs if not self._taken[place]]
        if not mine or not theirs:
            return
        if len(mine) == len(theirs) or len(mine) * len(theirs) > MOST_COPIES:
            self._spread(zip(mine, theirs, strict=False))
            return
        near = sorted((abs(self._expected(one) - other), one, other) for one in mine for other in theirs)
        for _, one, other in near:
            if self._free(one, other):
                self._spread([(one, other)])

    def _expected(self, place: int) -> int:
        """Where the passage would stand if nothing moved since its nearest neighbour that is paired."""
        for far in range(1, max(place, len(self._old) - place) + 1):
            for near in (place - far, place + far):
                if 0 <= near < len(self._old) and self._equal[near] >= 0:
                    return self._equal[near] + place - near
        return place

    # --- passages that changed ---

    def _gaps(self) -> list[tuple[int, int]]:
        """The runs of old passages that are not paired yet."""
        found, at = [], 0
        while at < len(self._old):
            end = at
            while end < len(self._old) and self._now[end] is None:
                end += 1
            if end > at:
                found.append((at, end))
            at = end + 1
        return found

    def _pair_gap(self, first: int, end: int) -> None:
        """Compare a run of old passages with the new ones after its left neighbour and before its right one."""
        open_ones = self._opposite(first, end)
        if not open_ones or (end - first) * len(open_ones) > MOST_PAIRS:
            return
        if end - first == len(open_ones) == 1 and self._few(first) and self._few_new(open_ones[0]):
            self._change(first, open_ones[0])
            return
        for one, other in _best_in_order(self._old[first:end], [self._new[place] for place in open_ones]):
            self._change(first + one, open_ones[other])

    def _opposite(self, first: int, end: int) -> list[int]:
        left = self._equal[first - 1] if first else -1
        right = self._equal[end] if end < len(self._old) else len(self._new)
        after: list[int] = []
        before: list[int] = []
        place = left + 1
        while place < len(self._new) and not self._taken[place]:
            after.append(place)
            place += 1
        place = right - 1
        while place >= 0 and not self._taken[place]:
            before.insert(0, place)
            place -= 1
        return after if after == before else [*after, *(place for place in before if place not in set(after))]

    def _few(self, place: int) -> bool:
        return self._old[place].words.total() <= FEW_WORDS

    def _few_new(self, place: int) -> bool:
        return self._new[place].words.total() <= FEW_WORDS

    def _change(self, one: int, other: int) -> None:
        self._now[one], self._taken[other] = (other, other + 1), True

    def _pair_copies(self) -> None:
        """A passage whose own place is gone, but whose words stand elsewhere, in a copy that has its own pair."""
        places = _places(self._new)
        for place, passage in enumerate(self._old):
            if self._now[place] is None and passage.key in places and passage.words.total() >= WORDS_OF_A_COPY:
                expected = self._expected(place)
                nearest = min(places[passage.key], key=lambda other: abs(other - expected))
                self._match(place, nearest)

    def _pair_anywhere(self, likeness: float) -> None:
        """What changed and moved: the likest of the new passages that share a rare word."""
        holders: dict[str, list[int]] = defaultdict(list)
        for place, passage in enumerate(self._new):
            if not self._taken[place]:
                for word in passage.words:
                    holders[word].append(place)
        for place, passage in enumerate(self._old):
            if self._now[place] is not None:
                continue
            rare = (holders[word] for word in passage.words if len(holders.get(word, ())) in range(1, RARE + 1))
            found = {other for others in rare for other in others if not self._taken[other]}
            best = max(sorted(found), key=lambda other: _alike(passage, self._new[other]), default=-1)
            if best >= 0 and _alike(passage, self._new[best]) >= likeness:
                self._change(place, best)

    def _join_neighbours(self) -> None:
        """A passage that was merged into its neighbour, and one that was cut in two."""
        for place, passage in enumerate(self._old):
            if self._now[place] is None:
                self._now[place] = self._merged(place, passage)
            elif not self.equal(place):
                self._now[place] = self._grown(place, passage)

    def _merged(self, place: int, passage: Passage) -> tuple[int, int] | None:
        for near in (place - 1, place + 1):
            now = self._now[near] if 0 <= near < len(self._old) else None
            if now is not None and not self.equal(near) and _held(passage, self._new[now[0]]) >= INSIDE:
                return now
        return None

    def _grown(self, place: int, passage: Passage) -> tuple[int, int] | None:
        now = self._now[place]
        if now is None:
            return None
        first, end = now
        while end < len(self._new) and not self._taken[end] and _held(self._new[end], passage) >= INSIDE:
            self._taken[end], end = True, end + 1
        while first > 0 and not self._taken[first - 1] and _held(self._new[first - 1], passage) >= INSIDE:
            first -= 1
            self._taken[first] = True
        return first, end


def _places(passages: Sequence[Passage]) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for place, passage in enumerate(passages):
        found.setdefault(passage.key, []).append(place)
    return found


def _alike(one: Passage, other: Passage) -> float:
    """The Dice coefficient of the two bags of words."""
    size = one.words.total() + other.words.total()
    return 2 * (one.words & other.words).total() / size if size else 0.0


def _held(one: Passage, other: Passage) -> float:
    """The share of the words of the one that the other holds."""
    return (one.words & other.words).total() / one.words.total() if one.words else 0.0


def _best_in_order(old: Sequence[Passage], new: Sequence[Passage]) -> list[tuple[int, int]]:
    """The pairs that are alike and keep their order, of the greatest likeness in sum."""
    alike = [[_alike(one, other) for other in new] for one in old]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            pair = alike[i][j] + best[i + 1][j + 1] if alike[i][j] >= LIKE else 0.0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], pair)
    return list(_walked(alike, best))


def _walked(alike: Sequence[Sequence[float]], best: Sequence[Sequence[float]]) -> Iterable[tuple[int, int]]:
    i = j = 0
    while i < len(alike) and j < len(alike[0]):
        if alike[i][j] >= LIKE and best[i][j] == alike[i][j] + best[i + 1][j + 1]:
            yield i, j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
