"""A question that one sentence answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Form = Literal["way", "do", "reason", "happens", "rule", "effect", "says"]
WORTH: dict[Form | Literal["term"], float] = {
    "way": 1.0, "do": 0.95, "reason": 0.95, "happens": 0.85, "rule": 0.75, "effect": 0.8, "says": 0.0, "term": 0.8,
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A question that a sentence answers. `given` stands in the question, `answer` is what is asked for.

    `opening`: the sentence up to its answer, for a choice among endings; '' where the question itself asks for it.
    """

    form: Form
    question: str
    given: str
    answer: str
    opening: str = ""
