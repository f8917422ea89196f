"""The range that is quoted before holds what is paid after, for models that differ in words and in obstinacy."""

from __future__ import annotations

import random
from statistics import median
from typing import Any

import pytest

from service.authors.agents.author import AgentAuthor
from service.domain.course import Brief, LessonPlan
from service.domain.money import chat_micro_dollars
from service.domain.quote import Range, authoring_range
from service.domain.source import Span
from service.pipeline.quote import generation_micro_dollars
from service.settings import Settings
from tests.authors.chat_server import MODEL, Mind, Notebook, chat, model_at
from tests.authors.test_author_contract import silent
from tests.authors.texts import backups, bees, evidence, sourdough

SEEDS = range(12)
TOLD_SHARE = (0.6, 1.0)  # of the sentences, drawn evenly
OBSTINATE = 0.35  # how often the critic asks for another round


class Varied(Mind):
    """A model whose answers differ in length and whose critic is pleased or not, by its seed."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._lot = random.Random(seed)
        self._share = self._lot.uniform(*TOLD_SHARE)

    def lesson(self, talk: str) -> dict[str, Any]:
        made = super().lesson(talk)
        for part in made["blocks"]:
            part["sentences"] = part["sentences"][: max(1, round(len(part["sentences"]) * self._share))]
        return made

    def review(self, _: str) -> dict[str, Any]:
        return {"good": self._lot.random() > OBSTINATE, "changes": ["Say it more simply."]}


def paid_and_quoted(seed: int) -> tuple[int, int, int]:
    source = (sourdough, backups, bees)[seed % 3]()
    given = evidence(source)
    with chat(Varied(seed)) as (server, _):
        plan = AgentAuthor(model_at(server), Notebook()).plan(Brief(), given, silent)
        notes = Notebook()
        author = AgentAuthor(model_at(server), notes)
        for planned in plan.lessons:
            lesson = author.write(Brief(), plan, planned.id, given, silent)
            author.storyboard(Brief(), plan, lesson, given, silent)
            author.quiz(Brief(), plan, lesson, given, silent)
    calls = notes.kept.values()
    paid = sum(chat_micro_dollars(MODEL, c.input_tokens, c.cached_tokens, c.output_tokens) for c in calls)
    quoted = authoring_range(MODEL, plan.lessons)
    return quoted.low, paid, quoted.high


@pytest.fixture(scope="module")
def runs() -> list[tuple[int, int, int]]:
    return [paid_and_quoted(seed) for seed in SEEDS]


def test_what_is_paid_lies_in_the_quoted_range(runs: list[tuple[int, int, int]]) -> None:
    assert [(low, paid, high) for low, paid, high in runs if not low <= paid <= high] == []


def test_the_range_is_of_use(runs: list[tuple[int, int, int]]) -> None:
    """Neither end is far from what happens: the low one within a third of it, the high one within five times of it."""
    assert median(low / paid for low, paid, _ in runs) > 1 / 3
    assert median(high / paid for _, paid, high in runs) < 5


def test_what_is_likely_is_off_by_15_percent_at_most_in_half_of_the_runs(runs: list[tuple[int, int, int]]) -> None:
    assert median(abs(Range(low, high).likely - paid) / paid for low, paid, high in runs) <= 0.15


def test_a_lesson_without_passages_is_quoted_too_and_longer_ones_cost_more() -> None:
    def planned(*lengths: int) -> LessonPlan:
        spans = tuple(Span(source="a", start=0, end=length) for length in lengths)
        return LessonPlan(id="l", title="T", passages=spans)

    assert authoring_range(MODEL, []).high == 0
    assert 0 < authoring_range(MODEL, [planned()]).low < authoring_range(MODEL, [planned()]).high
    assert authoring_range(MODEL, [planned(2000)]).high < authoring_range(MODEL, [planned(2000, 2000)]).high
    two = authoring_range(MODEL, [planned(2000), planned(3000)])
    assert two == authoring_range(MODEL, [planned(2000)]) + authoring_range(MODEL, [planned(3000)])


def test_what_is_held_before_a_generation_is_the_high_end(settings: Settings) -> None:
    lessons = [LessonPlan(id="l", title="T", passages=(Span(source="a", start=0, end=4000),), minutes=3.0)]
    paid = settings.model_copy(update={"llm": "openai:gpt-4o-mini"})
    assert generation_micro_dollars(paid, lessons, film=True) == authoring_range(MODEL, lessons).high > 0
    assert generation_micro_dollars(settings, lessons, film=True) == 0
