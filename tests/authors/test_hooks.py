"""A lesson opens with a question that its objectives answer, in grammatical English."""

from __future__ import annotations

import pytest

from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.words import Casing
from service.authors.extractive.scenes.hooks import hook_question
from service.domain.course import Objective
from tests.authors.texts import bees

CASING = Casing([bees()])


def hook(title: str, *objectives: str) -> str:
    aims = [Objective(id=f"o{n}", text=text, bloom="understand") for n, text in enumerate(objectives)]
    return hook_question(title, aims, (), CASING)


@pytest.mark.parametrize(
    ("objective", "question"),
    [
        ("Explain what starters are", "What exactly are starters?"),
        ("Explain what a drone is and when it leaves", "What exactly is a drone?"),
        ("Compare honey with syrup", "How do honey and syrup differ, and why does it matter?"),
        ("Distinguish a drone from a worker", "What sets a drone apart from a worker?"),
        ("Follow the steps for feeding in autumn", "What are the steps of feeding in autumn?"),
        ("Apply the rules for images", "Which rules hold for images?"),
        ("Define sprints and standups", "What do sprints and standups mean?"),
        ("Explain what to check in spring", "What should you check in spring?"),
        ("Explain why a backup must be tested", "Why must a backup be tested?"),
        ("Explain how packets travel from router to router", "How do packets travel from router to router?"),
        ("Explain how a cookie lets a server know you", "How does a cookie let a server know you?"),
        ("Describe the purpose of the hive", "What is the purpose of the hive?"),
        ("Identify the parts of a comb", "What are the parts of a comb?"),
        ("Test headings", "How do you test headings?"),
    ],
)
def test_an_objective_is_asked_the_other_way_round(objective: str, question: str) -> None:
    assert hook("A year with bees", objective) == question


def test_the_first_objective_that_can_be_asked_is_asked() -> None:
    assert hook("Design", "Discuss bees", "Test headings") == "How do you test headings?"


@pytest.mark.parametrize("title", ["Introduction to bees", "A year with bees", "Hives", "Feeding in autumn"])
def test_a_lesson_without_such_an_objective_asks_about_its_topic(title: str) -> None:
    question = hook(title, "Discuss bees")
    assert question.endswith("?")
    assert title.removeprefix("Introduction to ").lower() in question.lower()
    assert "need to know" not in question


def test_a_title_that_is_a_sentence_is_asked_as_it_stands() -> None:
    assert hook("Honey is no sugar") == "What does it mean to say: “Honey is no sugar”?"
    assert hook("Why bees swarm") == "Why bees swarm?"


def test_the_sources_own_question_goes_first() -> None:
    own = Sentence("What do bees need?", ())
    assert hook_question("Bees", (), (own,), CASING) == "What do bees need?"
