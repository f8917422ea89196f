"""What a team of agents reads and writes, foretold from the characters that its work is made from.

A token is about four characters. Each stage reads its instructions and its material, and again, for every further
draft, all that was said before; so does the critic, who has no part in the last of several drafts. The figures of the
stages were measured with the prompts as they are now (`scripts/bench quote --fit`), on replies drawn from the
distribution in tests/bench/reply_lengths.json; `scripts/bench quote` measures the error on other texts and draws.
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
    """What one agent reads beside what is said, and what a draft of it is long: tokens, and tokens for each token of
    material; and how many drafts its rules and its critic ask for on the average."""

    read: int
    read_share: float
    written: int
    written_share: float
    drafts: float


@dataclass(frozen=True)
class Habit:
    """How a model behaves: its drafts' length against what was measured, the share of its input that the provider had
    in its cache, and how many drafts it needs; 0: as was measured for each stage."""

    wordiness: float
    cached: float
    drafts: float = 0.0


@dataclass(frozen=True)
class Spent:
    """Tokens of some calls."""

    read: int
    cached: int
    written: int

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.read + other.read, self.cached + other.cached, self.written + other.written)


DESIGNER = Stage(716, 0.7, 120, 0.06, 1.1)  # of long passages it sees the first 60 words
WRITER = Stage(649, 1.28, 163, 2.41, 1.19)
STORYBOARDER = Stage(744, 0.88, 364, 1.55, 2.03)
QUIZ_MASTER = Stage(757, 0.77, 441, 0.0, 1.97)
LESSON = (WRITER, STORYBOARDER, QUIZ_MASTER)
RESEARCH_READ, RESEARCH_WRITTEN = 1_034, 58
CRITIC_READ, CRITIC_WRITTEN = 600, 25

# A piece of work mostly ends with its first draft or with its third, which reads one and then two drafts before it.
SAID_AGAIN = 1.5
# Satisfied at once and terse; as measured, in the median, which is below the mean that few long replies draw up; wordy,
# and needing every draft that a team may make.
TERSE, TYPICAL, WORDY = Habit(0.55, 0.5, 1), Habit(0.92, 0.2), Habit(1.35, 0.0, 3)


def outline_lines(model: str, characters: int) -> tuple[QuoteLine, ...]:
    """What drafting the outline from sources of so many characters costs on this chat model."""
    read = min(characters, MOST_DIGEST_CHARACTERS)
    return _lines(model, lambda habit: [_work((DESIGNER,), read, habit)])


def lesson_lines(model: str, lessons: Iterable[LessonPlan]) -> tuple[QuoteLine, ...]:
    """What text, storyboards and quizzes of these lessons cost with the agents on this chat model."""
    found = [characters_of(lesson) for lesson in lessons]
    return _lines(model, lambda habit: [_lesson(characters, habit) for characters in found])


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


def _lesson(characters: int, habit: Habit) -> Spent:
    return Spent(RESEARCH_READ, 0, RESEARCH_WRITTEN) + _work(LESSON, characters, habit)


def _work(stages: Sequence[Stage], characters: int, habit: Habit) -> Spent:
    made = [_stage(stage, characters / CHARACTERS_A_TOKEN, habit) for stage in stages]
    return sum(made, Spent(0, 0, 0))


def _stage(stage: Stage, material: float, habit: Habit) -> Spent:
    """What one maker and its critic read and write."""
    drafts, given = habit.drafts or stage.drafts, stage.read_share * material
    reviews = max(1.0, drafts - 1)
    draft = habit.wordiness * (stage.written + stage.written_share * material)
    read = drafts * (stage.read + given) + draft * SAID_AGAIN * (drafts - 1)
    read += reviews * (CRITIC_READ + given) + draft * reviews * (reviews + 1) / 2
    return Spent(round(read), round(read * habit.cached), round(drafts * draft + reviews * CRITIC_WRITTEN))
