"""What a team of agents reads and writes, foretold from the characters that its work is made from.

A token is about four characters. Each stage reads its instructions and its material, and again, in every further round,
all that was said before; so does the critic, who has no part in the last of several rounds. The figures of the stages
were measured with the prompts as they are now (`scripts/bench quote --fit`), on replies drawn from the distribution in
tests/bench/reply_lengths.json; `scripts/bench quote` measures the error on other texts and other draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from service.domain.course import LessonPlan
from service.domain.money import chat_micro_dollars
from service.domain.quote import QuoteLine, Range

CHARACTERS_A_TOKEN = 4
UNKNOWN_CHARACTERS = 9_000  # of a lesson that was added by hand: research may bring it up to eight passages
MOST_DIGEST_CHARACTERS = 300_000  # the designer sees at most 20,000 words of all sources, the starts of passages
READ, WRITTEN = "read by the agents", "written by the agents"


@dataclass(frozen=True)
class Stage:
    """What one agent reads beside what is said, and what it writes: tokens, and tokens for each token of material."""

    read: int
    read_share: float
    written: int
    written_share: float


@dataclass(frozen=True)
class Habit:
    """How a model behaves: drafts for each piece of work, its length against what was measured, and the share of its
    input that the provider had in its cache."""

    rounds: float
    wordiness: float
    cached: float


@dataclass(frozen=True)
class Spent:
    """Tokens of some calls."""

    read: int
    cached: int
    written: int


RESEARCH = Stage(1_900, 0.0, 120, 0.0)
CRITIC = Stage(600, 0.0, 100, 0.0)
DESIGNER = Stage(900, 0.4, 150, 0.1)
WRITER, STORYBOARDER, QUIZ_MASTER = Stage(850, 1.0, 100, 3.0), Stage(700, 1.0, 200, 2.8), Stage(580, 1.0, 250, 0.4)
LESSON = (WRITER, STORYBOARDER, QUIZ_MASTER)

# Satisfied at once and terse; as measured on the average; wordy, and needing every round that a team may take.
TERSE, TYPICAL, WORDY = Habit(1, 0.55, 0.5), Habit(1.35, 1.0, 0.25), Habit(3, 1.35, 0.0)


def outline_lines(model: str, characters: int) -> tuple[QuoteLine, ...]:
    """What drafting the outline from sources of so many characters costs on this chat model."""
    read = min(characters, MOST_DIGEST_CHARACTERS)
    return _lines(model, lambda habit: [_work((DESIGNER,), read, habit)])


def lesson_lines(model: str, lessons: Iterable[LessonPlan]) -> tuple[QuoteLine, ...]:
    """What text, storyboards and quizzes of these lessons cost with the agents on this chat model."""
    found = [characters_of(lesson) for lesson in lessons]
    return _lines(model, lambda habit: [_work((RESEARCH, *LESSON), characters, habit) for characters in found])


def change_lines(model: str, lesson: LessonPlan, stages: Sequence[Stage]) -> tuple[QuoteLine, ...]:
    """What making these parts of one lesson anew costs."""
    return _lines(model, lambda habit: [_work(stages, characters_of(lesson), habit)])


def characters_of(lesson: LessonPlan) -> int:
    """The characters that a lesson is made from."""
    return sum(span.end - span.start for span in lesson.passages) or UNKNOWN_CHARACTERS


def _lines(model: str, works: Callable[[Habit], list[Spent]]) -> tuple[QuoteLine, ...]:
    """Two lines, for what is read and what is written."""
    ways = [works(habit) for habit in (TERSE, TYPICAL, WORDY)]
    read = [sum(one.read for one in way) for way in ways]
    written = [sum(one.written for one in way) for way in ways]
    for_read = [sum(chat_micro_dollars(model, one.read, one.cached, 0) for one in way) for way in ways]
    for_written = [sum(chat_micro_dollars(model, 0, 0, one.written) for one in way) for way in ways]
    named = ((READ, read, for_read), (WRITTEN, written, for_written))
    return tuple(
        QuoteLine(
            what=f"{what} ({model})", unit="tokens", quantity=Range.from_ends(n), micro_dollars=Range.from_ends(p)
        )
        for what, n, p in named
    )


def _work(stages: Sequence[Stage], characters: int, habit: Habit) -> Spent:
    material = characters / CHARACTERS_A_TOKEN
    read = written = 0.0
    for stage in stages:
        if stage is RESEARCH:
            read, written = read + stage.read, written + stage.written
            continue
        more_read, more_written = _stage(stage, material, habit)
        read, written = read + more_read, written + more_written
    return Spent(round(read), round(read * habit.cached), round(written))


def _stage(stage: Stage, material: float, habit: Habit) -> tuple[float, float]:
    """Tokens read and written by one maker and its critic."""
    rounds, given = habit.rounds, stage.read_share * material
    critics = max(1.0, rounds - 1)
    draft = habit.wordiness * (stage.written + stage.written_share * material)
    read = rounds * (stage.read + given) + draft * rounds * (rounds - 1) / 2
    read += critics * (CRITIC.read + given) + draft * critics * (critics + 1) / 2
    return read, rounds * draft + critics * CRITIC.written
