"""Quizzes: items whose key and reasons come from the sources, and how an answer is graded."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from service.domain.source import Cite, Document

ItemKind = Literal["single", "multiple", "true_false", "ordering", "matching", "cloze", "short"]


class Option(Document):
    """One choice, and why it is right or wrong. For matching, `match` is its partner."""

    text: str
    rationale: str
    match: str = ""


class QuizItem(Document):
    """One question.

    `key` holds the indices of the right options: one for single, true_false and cloze, any number for multiple, the
    right order for ordering, and 0…n-1 for matching (option i belongs to its own `match`). A short answer has no
    options: `model_answer` is shown beside the learner's own words, who then grades themselves.
    """

    id: str
    kind: ItemKind
    stem: str
    options: tuple[Option, ...] = ()
    key: tuple[int, ...] = ()
    model_answer: str = ""
    objective: str = Field(default="", description="id of the objective it checks")
    reviews: str = Field(
        default="", description="id of the earlier lesson whose objective it asks again; '' for its own"
    )
    cites: tuple[Cite, ...] = ()

    @model_validator(mode="after")
    def _key_names_options(self) -> QuizItem:
        if self.kind == "short":
            if not self.model_answer:
                raise ValueError("a short answer needs a model answer")
            return self
        if not self.key or any(not 0 <= k < len(self.options) for k in self.key):
            raise ValueError("the key must name options of the item")
        if len(set(self.key)) != len(self.key):
            raise ValueError("the key names an option twice")
        if self.kind in ("single", "true_false", "cloze") and len(self.key) != 1:
            raise ValueError(f"an item of kind {self.kind} has one right option")
        return self


class Quiz(Document):
    """The questions of one lesson."""

    version: Literal[1] = 1
    lesson_id: str
    items: tuple[QuizItem, ...] = ()


def grade(item: QuizItem, given: tuple[int, ...]) -> bool:
    """Whether the chosen option indices are the key: as a set, for ordering and matching as a sequence.

    A short answer is graded by its learner: `given` is (1,) for "I had it", anything else for "not yet".
    """
    if item.kind == "short":
        return given == (1,)
    if item.kind in ("ordering", "matching"):
        return given == item.key
    return set(given) == set(item.key)
