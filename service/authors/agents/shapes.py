"""What the agents answer with: small, flat models made for a language model's side, never stored as they are.

Every field is required and unknown ones are refused, which is what strict structured output asks for. Evidence is named
by ids that our code gave out; there is no field in which a model could write an offset, an address or a file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.domain.course import Bloom


class Shape(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ObjectiveShape(Shape):
    text: str = Field(description="begins with a verb of the level, in the imperative")
    bloom: Bloom


class LessonShape(Shape):
    title: str
    objectives: list[ObjectiveShape] = Field(max_length=3)
    passages: list[str] = Field(max_length=24, description="ids of the passages that the lesson teaches, like P3")


class ModuleShape(Shape):
    title: str
    lessons: list[LessonShape] = Field(max_length=40)


class TermShape(Shape):
    term: str
    passage: str = Field(description="id of the passage that defines it")
    quote: str = Field(description="the defining sentence, copied word for word")


class OutlineShape(Shape):
    """The curriculum designer's answer."""

    title: str
    summary: str
    modules: list[ModuleShape] = Field(max_length=30)
    glossary: list[TermShape] = Field(max_length=40)


class FindingsShape(Shape):
    """The researcher's answer."""

    passages: list[str] = Field(max_length=12, description="ids of passages that teach the lesson, best first")
    note: str = Field(description="one sentence on what they cover and what is missing")


class SentenceShape(Shape):
    text: str
    passage: str = Field(description="id of the passage that proves it; empty for a signpost or a question")
    quote: str = Field(description="the sentence of that passage that proves it, copied word for word; else empty")


BlockKind = Literal["heading", "paragraph", "steps", "bullets", "definition", "warning", "note", "exercise", "exhibit"]


class BlockShape(Shape):
    kind: BlockKind
    title: str = Field(description="of a heading, note or exercise; the term of a definition; else empty")
    sentences: list[SentenceShape] = Field(max_length=16, description="of steps and bullets: one for each item")
    solution: list[SentenceShape] = Field(max_length=8, description="of an exercise; else empty")
    exhibit: str = Field(description="id of the code or table that an exhibit shows, like X2; else empty")


class LessonTextShape(Shape):
    """The writer's answer."""

    blocks: list[BlockShape] = Field(max_length=60)


class BlockRevisionShape(Shape):
    """The writer's answer when one block is to be made anew."""

    block: BlockShape


SceneKind = Literal[
    "bullets",
    "steps",
    "definition",
    "exhibit",
    "comparison",
    "figure",
    "process",
    "map",
    "warning",
    "worked",
    "question",
]


class CueShape(Shape):
    text: str = Field(description="one spoken sentence")
    item: int = Field(description="the line of the slide that it speaks of, from 1; 0 for none")
    sentences: list[str] = Field(max_length=4, description="ids of the lesson's sentences that it tells, like S4")


class SceneShape(Shape):
    kind: SceneKind
    title: str
    items: list[str] = Field(max_length=8, description="the lines of the slide")
    text: str = Field(description="meaning of a definition, warning, question, problem, map, or what a figure says")
    term: str = Field(description="of a definition; the figure of a figure; else empty")
    heads: list[str] = Field(max_length=2, description="the two things that a comparison compares")
    rows: list[list[str]] = Field(max_length=8, description="of a comparison: label, left, right")
    correct: int = Field(description="of a question with items as options: the right one, from 1; else 0")
    answer: str = Field(description="of a question or a worked example; else empty")
    exhibit: str = Field(description="id of the code or table that an exhibit shows, like X2; else empty")
    cues: list[CueShape] = Field(max_length=14)


class StoryboardShape(Shape):
    """The storyboarder's answer."""

    hook: str = Field(description="the question that opens the video")
    scenes: list[SceneShape] = Field(max_length=24)
    recap: list[str] = Field(max_length=5, description="what to remember, in short lines")


class SceneRevisionShape(Shape):
    """The storyboarder's answer when one slide is to be made anew."""

    scene: SceneShape


class ChoiceShape(Shape):
    text: str
    right: bool
    why: str = Field(description="why it is right or wrong, in one sentence")


class QuestionShape(Shape):
    kind: Literal["single", "multiple", "true_false", "ordering", "short"]
    stem: str
    options: list[ChoiceShape] = Field(max_length=7, description="of ordering: in the right order, all right")
    answer: str = Field(description="the model answer of a short question; else empty")
    objective: str = Field(description="id of the objective that it checks, like O1, or R1 of an earlier lesson")
    sentences: list[str] = Field(max_length=4, description="ids of the sentences that prove it, like S4, or E2")


class QuizShape(Shape):
    """The quiz master's answer."""

    questions: list[QuestionShape] = Field(max_length=16)


class VerdictShape(Shape):
    """The critic's answer."""

    good: bool
    changes: list[Annotated[str, Field()]] = Field(max_length=8, description="what to change, most important first")
