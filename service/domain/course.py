"""What a course is: the brief it starts from and the plan that people edit before anything is written."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from service.domain.source import Document, Span

Level = Literal["beginner", "intermediate", "advanced"]
Bloom = Literal["remember", "understand", "apply", "analyze", "evaluate", "create"]


class Brief(Document):
    """What the instructor asks for. `minutes` is the wished length of all videos, 0: as long as the sources carry."""

    title: str = Field(default="", max_length=160)
    audience: str = Field(default="", max_length=600)
    level: Level = "beginner"
    minutes: int = Field(default=0, ge=0, le=3000)
    language: str = Field(default="en", pattern=r"^[a-z]{2}(-[A-Za-z]{2,4})?$")


class Objective(Document):
    """What a learner can do afterwards: begins with a verb of its Bloom level."""

    id: str
    text: str = Field(min_length=1, max_length=200)
    bloom: Bloom


class LessonPlan(Document):
    """One lesson before it is written: its title, objectives, and the spans of the sources that it teaches.

    A lesson added by hand has no passages; they are found by retrieval when it is written. One of an outline that
    people brought was `searched` for at once: when it has none, the sources said nothing about it then.
    """

    id: str
    title: str = Field(min_length=1, max_length=160)
    objectives: tuple[Objective, ...] = ()
    passages: tuple[Span, ...] = ()
    minutes: float = 0.0
    prerequisites: tuple[str, ...] = Field(default=(), description="ids of lessons to take before")
    searched: bool = False


class ModulePlan(Document):
    """A group of lessons under one title."""

    id: str
    title: str = Field(min_length=1, max_length=160)
    lessons: tuple[LessonPlan, ...] = ()


class GlossaryEntry(Document):
    """A term of the course and the sentence that defines it, as cited by the lesson that teaches it."""

    term: str
    meaning: str
    cite: Span


class CoursePlan(Document):
    """The outline: modules of lessons in teaching order."""

    version: Literal[1] = 1
    title: str = Field(min_length=1, max_length=160)
    summary: str = ""
    language: str = "en"
    modules: tuple[ModulePlan, ...] = ()
    glossary: tuple[GlossaryEntry, ...] = ()

    @property
    def lessons(self) -> tuple[LessonPlan, ...]:
        """All lessons in teaching order."""
        return tuple(lesson for module in self.modules for lesson in module.lessons)

    @property
    def minutes(self) -> float:
        return sum(lesson.minutes for lesson in self.lessons)

    def lesson(self, lesson_id: str) -> LessonPlan:
        """The planned lesson with this id.

        Raises:
            KeyError: the plan has no such lesson.
        """
        for lesson in self.lessons:
            if lesson.id == lesson_id:
                return lesson
        raise KeyError(lesson_id)

    def module_of(self, lesson_id: str) -> ModulePlan:
        """The module that holds the lesson.

        Raises:
            KeyError: the plan has no such lesson.
        """
        for module in self.modules:
            if any(lesson.id == lesson_id for lesson in module.lessons):
                return module
        raise KeyError(lesson_id)
