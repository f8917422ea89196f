"""Changing a part of a finished lesson: what is to be changed, and the documents before and after."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from service.domain.lesson import Lesson
from service.domain.quiz import Quiz
from service.domain.source import Document
from service.domain.storyboard import Storyboard

Part = Literal["block", "scene", "lesson"]


class Change(Document):
    """One part of a lesson that is to be made anew: a block of its text, a scene of its video, or all of its text.

    `id` names the block or the scene and is empty for the whole lesson. `wish` is what the instructor asks for in
    their own words, such as “shorter”; empty: the same again, in another way. `turn` counts how often the same was
    wished for the same text before: another turn may give another answer.
    """

    part: Part
    id: str = ""
    wish: str = Field(default="", max_length=400)
    turn: int = Field(default=0, ge=0)


class LessonDocuments(Document):
    """All that is made for one lesson, as it stood at one moment."""

    text: Lesson
    storyboard: Storyboard | None = None
    quiz: Quiz | None = None
