"""What a team of agents will cost, before it begins: a range, from the characters that a lesson is made from.

A token is about four characters. How much each stage reads and writes beside its material was measured with the
prompts as they are now, on a scripted model; tests/authors/test_agents_quote.py measures it again. The low end is a
terse model that satisfies rules and critic at once and reads half of its input from the provider's cache; the high end
is a wordy one that needs every round that the team may take.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from service.domain.course import LessonPlan
from service.domain.money import chat_micro_dollars

CHARACTERS_A_TOKEN = 4
UNKNOWN_CHARACTERS = 9_000  # of a lesson that was added by hand: research may bring it up to eight passages
RESEARCH_READ, RESEARCH_WRITTEN = 1_900, 120
CRITIC_READ, CRITIC_WRITTEN = 600, 100
TERSE, WORDY = 0.55, 1.35
FEWEST_ROUNDS, MOST_ROUNDS = 1, 3


@dataclass(frozen=True)
class Stage:
    """What one agent reads beside its material, and writes: tokens, and tokens for each token of material."""

    read: int
    written: int
    written_share: float


STAGES = (Stage(850, 100, 3.0), Stage(700, 200, 2.8), Stage(580, 250, 0.4))  # text, storyboard, quiz


@dataclass(frozen=True)
class Range:
    """From the least to the most, in micro-dollars."""

    low: int = 0
    high: int = 0

    @property
    def likely(self) -> int:
        """The middle that is as many times the low end as the high end is times it."""
        return round(math.sqrt(self.low * self.high))

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)


def authoring_range(model: str, lessons: Iterable[LessonPlan]) -> Range:
    """What text, storyboards and quizzes of these lessons cost with the agents on this chat model."""
    total = Range()
    for lesson in lessons:
        characters = sum(span.end - span.start for span in lesson.passages) or UNKNOWN_CHARACTERS
        read, written = _tokens(characters, FEWEST_ROUNDS, TERSE)
        low = chat_micro_dollars(model, read, read // 2, written)
        read, written = _tokens(characters, MOST_ROUNDS, WORDY)
        total += Range(low, chat_micro_dollars(model, read, 0, written))
    return total


def _tokens(characters: int, rounds: int, wordiness: float) -> tuple[int, int]:
    """Tokens read and written for one lesson. Each round reads again all that was said before, and so does the critic,
    who has no part in the last of several rounds."""
    material = characters / CHARACTERS_A_TOKEN
    read, written = float(RESEARCH_READ), float(RESEARCH_WRITTEN)
    for stage in STAGES:
        draft = wordiness * (stage.written + stage.written_share * material)
        critics = max(1, rounds - 1)
        read += rounds * (stage.read + material) + draft * rounds * (rounds - 1) / 2
        read += critics * (CRITIC_READ + material) + draft * critics * (critics + 1) / 2
        written += rounds * draft + critics * CRITIC_WRITTEN
    return round(read), round(written)
