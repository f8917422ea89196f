"""Choices and pairs of how sentences end, and passages that answer an open question."""

from __future__ import annotations

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.authors.extractive.quizzes.parts import Exam
from service.authors.extractive.quizzes.predicates import mood, predicate_asked
from service.authors.extractive.quizzes.summaries import gist, name_of, to_sum_up
from service.authors.extractive.sources.library import Library, ReadingCache
from service.authors.extractive.sources.material import Section
from service.domain.course import Brief
from service.domain.quiz import Quiz, QuizItem
from service.domain.source import Source
from tests.authors.test_author_contract import silent
from tests.authors.test_quiz_rules import quiz
from tests.authors.test_quiz_shapes import sentence
from tests.authors.texts import SourceBuilder, evidence

ENDING = "How does this sentence end?"


TOLD = """
Ovens: An oven stone is a slab of clay that gives its heat back slowly. When the door is left open, the steam escapes.
Doughs: A wet dough is a mixture with four parts of water in five. If the flour is too coarse, bubbles tear the loaf.
Knives: A scoring knife is a blade that cuts the skin before baking. If the blade is blunt, the cut closes again.
Baskets: A proofing basket is a bowl of cane that holds the shape. When the cane is damp, mould grows in its strands.
"""


def workshop() -> Source:
    """Each section has a statement on its matter and a case, and enough around them to stand far from the others."""
    page = SourceBuilder("The workshop of a baker")
    for line in TOLD.strip().splitlines():
        title, _, told = line.partition(": ")
        statement, _, case = told.partition(". ")
        page.heading(2, title).para(f"{statement}.").para(case)
        for n in range(5):
            page.para(f"The {title.lower()} of shelf {n} were bought from a trader in the old town beside the river.")
    return page.source()


def asked_for_an_ending(made: Quiz) -> list[QuizItem]:
    return [item for item in made.items if item.stem.startswith(ENDING)]


def test_the_wrong_endings_are_those_of_other_sentences_and_the_right_one_is_cited() -> None:
    items = asked_for_an_ending(quiz(workshop()))
    assert items
    for item in items:
        key = item.options[item.key[0]].text
        assert item.kind == "single" and len(item.options) >= 3
        assert key in item.cites[0].quote
        assert all(option.text not in item.cites[0].quote for option in item.options if option.text != key)


@pytest.mark.parametrize(
    ("text", "subject", "said"),
    [
        (
            "A proofing basket is a bowl of cane that holds the shape.",
            "A proofing basket",
            "is a bowl of cane that holds the shape",
        ),
        (
            "A wooden spoon is used by bakers for the sticky parts.",
            "A wooden spoon",
            "is used by bakers for the sticky parts",
        ),
    ],
)
def test_a_statement_is_split_before_its_verb(text: str, subject: str, said: str) -> None:
    asked = predicate_asked(sentence(text))
    assert asked is not None
    assert (asked.given, asked.answer) == (subject, said)


@pytest.mark.parametrize(
    "text",
    [
        "This basket is a bowl of cane that holds the shape.",  # which one?
        "A proofing basket is free to choose whatever shape it likes.",  # how it is, not what it is
        "A proofing basket is an important part of every good bakery.",  # an opinion
        "The second basket is a bowl of cane that holds the shape.",  # counted on from somewhere
        "The basket was made in 1897 by a trader who lived in the town.",  # when it took place
    ],
)
def test_a_statement_that_needs_its_place_is_not_split(text: str) -> None:
    assert predicate_asked(sentence(text)) is None


def test_endings_of_one_mood_fit_the_same_beginnings() -> None:
    moods = [mood(said) for said in ("is a bowl of cane", "keep the bubbles", "keeps the bubbles", "kneaded the dough")]
    assert moods == ["is", "plural", "singular", "past"]


def section(title: str, text: str) -> tuple[Section, Exam]:
    given = evidence(SourceBuilder("The book of the hives").heading(2, title).para(text).para(text).source())
    library = Library(given, ReadingCache())
    part = next(one for one in library.readings[0].root.flat() if one.title == title)
    plan = ExtractiveAuthor().plan(Brief(), evidence(workshop()), silent)
    return part, Exam([part], [], [], [], plan, library, plan.lessons[0].id)


GOOD = "Keepers open a hive when the sun is high, because most of the bees are out in the fields and the rest are calm."


@pytest.mark.parametrize(
    ("title", "text", "answered"),
    [
        ("Opening a hive", GOOD, True),
        ("When to open a hive", GOOD, True),
        ("How to open a hive", GOOD, False),  # it tells when, not how
        ("Opening a hive", "In the sun, keepers open such a hive and close it within a quarter of an hour.", False),
        ("Opening a hive", "How keepers open a hive is described in the second manual of the union of keepers.", False),
        ("Feeding a colony", GOOD, False),  # about something else
    ],
)  # fmt: skip
def test_a_passage_is_a_model_answer_only_where_it_answers_its_heading(title: str, text: str, answered: bool) -> None:
    part, exam = section(title, text)
    assert bool(gist(exam, part, set())) is answered


def test_a_number_before_a_heading_is_no_part_of_its_name() -> None:
    assert name_of(section("Example 11.3. Opening a hive", GOOD)[0]) == "Opening a hive"
    assert to_sum_up(section("A.1. What is a hive?", GOOD)[0]) == "What is a hive? Answer in a sentence or two."
