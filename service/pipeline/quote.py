"""What a generation may cost at the worst, said before it begins: the sum that is held in the budgets."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from service.domain.course import LessonPlan
from service.domain.money import speech_micro_dollars
from service.domain.quote import authoring_range
from service.settings import Settings

SPOKEN_WORDS_A_MINUTE, CHARACTERS_A_WORD = 150, 6
# A plan that does not tell how long a lesson is, and what a lesson may become longer than its plan, or is spoken again.
UNKNOWN_MINUTES, WORST = 10.0, Decimal("1.5")


def generation_micro_dollars(settings: Settings, lessons: Iterable[LessonPlan], *, film: bool) -> int:
    """The worst price of writing and, with `film`, filming these lessons; 0 with the offline author and a local voice.

    Speech is paid by the planned minutes, in characters; agents by what they read and write.
    """
    lessons = list(lessons)
    author, _, model = settings.model.partition(":")
    written = authoring_range(model, lessons).high if author == "openai" else 0
    return written + (_speech_micro_dollars(settings, lessons) if film else 0)


def _speech_micro_dollars(settings: Settings, lessons: Iterable[LessonPlan]) -> int:
    minutes = Decimal(str(sum(lesson.minutes or UNKNOWN_MINUTES for lesson in lessons)))
    characters = int(minutes * SPOKEN_WORDS_A_MINUTE * CHARACTERS_A_WORD * WORST)
    return speech_micro_dollars(settings.speech, characters)
