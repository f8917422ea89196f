"""What a run will cost with the settings that are in force, said before it begins.

The likely and the high end of money come from prices and from what models and voices were seen to use; the high end is
what is held in the budgets. Processor seconds and bytes of videos are said too, also where nobody pays for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from service.authors.agents.work import ChatModel
from service.domain.agent_tokens import QUIZ_MASTER, STORYBOARDER, WRITER, change_lines, lesson_lines, outline_lines
from service.domain.course import LessonPlan
from service.domain.money import chat_micro_dollars, embedding_micro_dollars, speech_micro_dollars
from service.domain.quote import Quote, QuoteLine, Range
from service.domain.revision import Part
from service.settings import Settings

CHARACTERS_A_MINUTE = 963  # of a planned minute, as measured by `scripts/bench quote --fit`
# A plan that does not tell how long a lesson is; what a lesson may become shorter or longer than its plan, or is spoken
# again.
UNKNOWN_MINUTES, SHORTER, LONGER = 10.0, 0.7, 1.5
LONGEST_REQUEST = 32_000  # bytes of the longest of 675 requests of the team, seen in 2026-11 on the texts of its tests
SPOKEN, EMBEDDED = "spoken", "embedded"

# Measured in 2026-11 with `coursewright build` on two documents of samples/ (7.1 minutes of video, a local voice, two
# processors): a minute of video takes 14.6 processor seconds, voice included, and 6.1 MB, kept segments included.
RENDER_SECONDS_A_MINUTE = Range(low=8, likely=15, high=40)
BYTES_A_MINUTE = Range(low=4_000_000, likely=6_100_000, high=12_000_000)
# A model that is paid for writes about so many tokens a second: what providers publish for small models in 2026-11,
# not measured here; the quickest gives the least time. The author without a model takes seconds.
TOKENS_A_SECOND = Range(low=120, likely=70, high=35)

STAGES_OF = {
    "block": (WRITER,),
    "lesson": (WRITER, STORYBOARDER, QUIZ_MASTER),
    "scene": (STORYBOARDER,),
}


def reading_quote(settings: Settings, characters: int) -> Quote:
    """Giving vectors to sources of so many characters."""
    name = settings.embeddings.replace(":", "-")
    price = Range.of(embedding_micro_dollars(name, characters))
    line = QuoteLine(what=EMBEDDED, unit="characters", quantity=Range.of(characters), micro_dollars=price)
    return Quote(lines=(line,))


def drafting_quote(settings: Settings, characters: int) -> Quote:
    """Drafting the outline from sources of so many characters."""
    model = paid_model(settings)
    return _with_time(outline_lines(model, characters)) if model else Quote()


def generation_quote(settings: Settings, lessons: Iterable[LessonPlan], *, film: bool) -> Quote:
    """Writing and, with `film`, filming these lessons; no money with the offline author and a local voice.

    Speech is counted by the planned minutes, in characters; agents by what they read and write.
    """
    lessons, model = list(lessons), paid_model(settings)
    written = _with_time(lesson_lines(model, lessons)) if model and lessons else Quote()
    return written + _film_quote(settings, lessons) if film and lessons else written


def revision_quote(settings: Settings, lesson: LessonPlan, part: Part) -> Quote:
    """Making one part of a lesson anew. Its film is made anew only when the proposal is accepted."""
    model = paid_model(settings)
    return _with_time(change_lines(model, lesson, STAGES_OF[part])) if model else Quote()


def next_call(settings: Settings) -> int:
    """What a call of the model may cost at the most, about: so much is held before it is made, so a cap has to leave
    that much beyond what is to be spent. 0 where no model is paid."""
    model = paid_model(settings)
    return chat_micro_dollars(model, LONGEST_REQUEST, 0, ChatModel.most_tokens) if model else 0


def paid_model(settings: Settings) -> str:
    """The chat model that is paid for; empty: the author needs none."""
    author, _, model = settings.model.partition(":")
    return model if author == "openai" else ""


def spoken_characters(lessons: Iterable[LessonPlan]) -> Range:
    """The characters that the voice of these lessons' videos speaks."""
    return Range.from_ends([minutes * CHARACTERS_A_MINUTE for minutes in _minutes(lessons)])


def _minutes(lessons: Iterable[LessonPlan]) -> tuple[float, float, float]:
    planned = sum(lesson.minutes or UNKNOWN_MINUTES for lesson in lessons)
    return planned * SHORTER, planned, planned * LONGER


def _film_quote(settings: Settings, lessons: Sequence[LessonPlan]) -> Quote:
    minutes, characters = _minutes(lessons), spoken_characters(lessons)
    prices = Range.from_ends([speech_micro_dollars(settings.speech, number) for number in characters.ends])
    line = QuoteLine(what=SPOKEN, unit="characters", quantity=characters, micro_dollars=prices)
    seconds = _each(minutes, RENDER_SECONDS_A_MINUTE)
    return Quote(
        lines=(line,),
        render_seconds=seconds,
        storage_bytes=_each(minutes, BYTES_A_MINUTE),
        seconds=seconds.times(1 / _render_workers(settings)),
    )


def _each(minutes: Sequence[float], rate: Range) -> Range:
    return Range.from_ends([length * each for length, each in zip(minutes, rate.ends, strict=True)])


def _with_time(lines: tuple[QuoteLine, ...]) -> Quote:
    """The calls of a team follow each other, so writing takes as long as its tokens."""
    written = lines[-1].quantity.ends
    seconds = [tokens / speed for tokens, speed in zip(written, TOKENS_A_SECOND.ends, strict=True)]
    return Quote(lines=lines, seconds=Range.from_ends(seconds))


def _render_workers(settings: Settings) -> int:
    return settings.render_tasks if settings.jobs_url.startswith("cloudrun") else settings.render_workers
