"""Quiz items: the key is what the source says, wrong options are wrong, and no place is the usual place of the key."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.authors.extractive.quiz_facts import reversed_meaning
from service.authors.extractive.quiz_parts import Candidate, flawless, to_item
from service.domain.course import Brief
from service.domain.quiz import Option, Quiz, grade
from service.domain.source import Cite, Source
from tests.authors.test_author_contract import silent
from tests.authors.texts import SourceBuilder, backups, bees, evidence, sourdough


def quiz(source: Source) -> Quiz:
    author, given = ExtractiveAuthor(), evidence(source)
    plan = author.plan(Brief(), given, silent)
    lesson = author.write(Brief(), plan, plan.lessons[0].id, given, silent)
    return author.quiz(Brief(), plan, lesson, given, silent)


def candidate(**changes: object) -> Candidate:
    options = [Option(text=text, rationale="why") for text in ("salt", "sugar", "flour", "water")]
    cite = Cite(source="s", start=0, end=4, quote="salt")
    made = Candidate("term", "single", "Which one tastes of the sea?", options, ["salt"], (cite,))
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def test_the_right_option_is_what_the_cited_sentence_says() -> None:
    for source in (sourdough(), backups(), bees()):
        for item in quiz(source).items:
            if item.kind in ("single", "cloze"):
                key = item.options[item.key[0]]
                assert key.text.strip("`").lower() in " ".join(cite.quote for cite in item.cites).lower()
                assert grade(item, item.key)


def test_a_number_is_asked_with_wrong_numbers_beside_it() -> None:
    item = next(item for item in quiz(sourdough()).items if "every _____" in item.stem)
    assert item.options[item.key[0]].text == "12 hours"
    assert len({option.text for option in item.options}) == 4


def test_steps_are_asked_in_order() -> None:
    item = next(item for item in quiz(backups()).items if item.kind == "ordering")
    assert item.options[item.key[0]].text == "Open a terminal on the laptop"
    assert item.options[item.key[3]].text == "Check that the summary of the run names no skipped file"
    assert item.key != (0, 1, 2, 3)


def test_what_no_rule_can_ask_is_asked_openly_with_the_sources_answer() -> None:
    source = sourdough()
    items = [item for item in quiz(source).items if item.kind == "short"]
    assert items
    assert all(item.model_answer in source.text for item in items)


def test_what_a_walk_through_says_of_the_moment_is_no_model_answer() -> None:
    page = SourceBuilder("Keeping records")
    page.para("How do I record changes?", role="questions")
    page.heading(2, "Recording changes")
    page.para("The keeper now knows that the book changes, but it has not recorded the changes of today yet.")
    page.para("A page of the book holds the weather of one day, because the weather decides when bees fly out.")
    page.para("A page of the book is kept for three years, and a keeper reads the old pages in every spring.")
    for n in range(8):
        page.para(f"The shelf number {n} of the hut holds the books of the years before, in the order of the years.")
    answers = [item.model_answer for item in quiz(page.source()).items]
    assert answers
    assert not any("now knows" in answer for answer in answers)


def test_no_sentence_is_asked_for_twice() -> None:
    for source in (sourdough(), backups(), bees()):
        starts = Counter(cite.start for item in quiz(source).items for cite in item.cites)
        assert max(starts.values()) == 1


def test_the_place_of_the_key_goes_round() -> None:
    places = [to_item(candidate(), f"q{n}", n, "").key[0] for n in range(8)]
    assert Counter(places) == {0: 2, 1: 2, 2: 2, 3: 2}


def test_the_order_of_options_depends_on_the_item_alone() -> None:
    assert to_item(candidate(), "q1", 1, "") == to_item(candidate(), "q1", 1, "")


@pytest.mark.parametrize(
    "flawed",
    [
        candidate(stem="This one tastes of the sea?"),
        candidate(stem="As shown above, which one tastes of the sea?"),
        candidate(stem="Which one is the salt of the earth?"),
        candidate(options=[Option(text=t, rationale="why") for t in ("salt", "Salt", "sugar")]),
    ],
)
def test_a_flawed_item_is_not_asked(flawed: Candidate) -> None:
    assert flawless(candidate())
    assert not flawless(flawed)


@pytest.mark.parametrize(
    ("said", "reversed_"),
    [
        ("A salt must not be public", "A salt must be public"),
        ("The cold makes it slower", "The cold makes it faster"),
        ("Bread tastes of grain", ""),
        ("The local copy differs from the remote one", ""),
    ],
)
def test_a_statement_is_reversed_only_by_a_listed_opposite(said: str, reversed_: str) -> None:
    assert reversed_meaning(said) == reversed_
