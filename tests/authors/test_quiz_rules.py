"""Quiz items: the key is what the source says, wrong options are wrong, and no place is the usual place of the key."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.authors.extractive.quizzes.judge import altered, reversed_meaning
from service.authors.extractive.quizzes.parts import Candidate, flawless, to_item
from service.domain.course import Brief
from service.domain.quiz import Option, Quiz, grade
from service.domain.source import Cite, Source
from service.domain.support import judge
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
    item = next(item for item in quiz(sourdough()).items if "a hydration of _____" in item.stem)
    assert item.options[item.key[0]].text == "72 percent"
    assert len({option.text for option in item.options}) == 4


def test_steps_are_asked_in_order() -> None:
    item = next(item for item in quiz(backups()).items if item.kind == "ordering")
    assert item.options[item.key[0]].text == "Open a terminal on the laptop"
    assert item.options[item.key[3]].text == "Check that the summary of the run names no skipped file"
    assert item.key != (0, 1, 2, 3)


def test_what_no_rule_can_ask_is_asked_openly_with_the_sources_answer() -> None:
    source = backups()
    items = [item for item in quiz(source).items if item.kind == "short"]
    assert items
    for item in items:
        assert [cite.quote.rstrip(".") in item.model_answer for cite in item.cites] == [True] * len(item.cites)


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


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        ("A record lasts 300 seconds", ["A record lasts 600 seconds", "A record lasts 300 minutes"]),
        ("A key must not be public", ["A key must be public"]),
        (
            "A hive needs at least 20 kilograms",
            ["A hive needs at least 40 kilograms", "A hive needs at most 20 kilograms"],
        ),
        ("Bread tastes of grain", []),
    ],
)
def test_a_statement_is_made_false_by_one_typed_change(said: str, changes: list[str]) -> None:
    found = list(altered(said))
    assert [change for change in changes if change not in found] == []
    assert bool(found) == bool(changes)
    assert all(judge(change, [said + "."]).state == "unsupported" for change in found)


def test_true_and_false_take_turns() -> None:
    items = [item for source in (sourdough(), bees()) for item in quiz(source).items if item.kind == "true_false"]
    assert items
    statement = candidate(
        form="judge",
        kind="true_false",
        options=[Option(text="True", rationale="why"), Option(text="False", rationale="why")],
        right=["True"],
        sorted_options=True,
    )
    both = dataclasses.replace(statement, twin=dataclasses.replace(statement, right=["False"]))
    assert [to_item(both, "q", place, "").key for place in range(4)] == [(0,), (1,), (0,), (1,)]


def test_the_place_of_a_number_among_its_wrong_ones_goes_round() -> None:
    options = [Option(text=f"{n} hours", rationale="why") for n in (2, 4, 6, 8, 10, 12, 14)]
    number = candidate(form="number", kind="cloze", options=options, right=["8 hours"], sorted_options=True)
    made = [to_item(number, "q", place, "") for place in range(4)]
    assert [item.key for item in made] == [(0,), (1,), (2,), (3,)]
    for item in made:
        assert [option.text for option in item.options] == sorted(
            (option.text for option in item.options), key=lambda text: int(text.split()[0])
        )


def procedure(*steps: str) -> list[str]:
    page = SourceBuilder("Working with jars").heading(2, "Filling a jar")
    page.para("A jar is filled in a clean kitchen, because dust spoils what is inside of it within a few days.")
    page.items(steps, ordered=True)
    for n in range(8):
        page.para(f"The shelf number {n} of the cellar holds the jars of one year, in the order of the months.")
    return [item.kind for item in quiz(page.source()).items]


def test_checks_that_could_change_places_are_not_asked_in_order() -> None:
    bound = ("Open the jar.", "Pour the fruit into the jar.", "Close the jar with its lid.", "Label the lid.")
    assert "ordering" in procedure(*bound)
    loose = ("Open the jar.", "Check the jar for cracks.", "Check the jar for dust.", "Check the jar for damp.")
    assert "ordering" not in procedure(*loose)


def test_code_is_matched_with_what_it_does() -> None:
    item = next(item for item in quiz(backups()).items if item.kind == "matching")
    assert {option.text: option.match for option in item.options}["`keep init`"] == "Creates an encrypted store"


def test_a_table_is_asked_by_its_rows() -> None:
    item = next(item for item in quiz(sourdough()).items if item.kind == "matching")
    assert {option.text: option.match for option in item.options}["Taste"] == "mild"
    assert all(option.match in cite.quote for option, cite in zip(item.options, item.cites, strict=True))
