"""What a sentence can be asked for, and which questions and statements are not asked at all."""

from __future__ import annotations

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.words import Casing
from service.authors.extractive.quizzes.judge import altered
from service.authors.extractive.quizzes.reference import entries
from service.authors.extractive.quizzes.shapes import asked_of, term_asked
from service.authors.extractive.sources.library import Library, ReadingCache
from service.domain.course import Brief
from service.domain.quiz import Quiz
from service.domain.source import Cite, Source
from tests.authors.test_author_contract import silent
from tests.authors.texts import SourceBuilder, evidence

CASING = Casing([])


def sentence(text: str) -> Sentence:
    return Sentence(text, (Cite(source="s", start=0, end=len(text), quote=text),))


@pytest.mark.parametrize(
    ("text", "form", "question"),
    [
        (
            "To feed a young starter, add fresh flour and water to it every day.",
            "way",
            "How do you feed a young starter?",
        ),
        ("Use a clean jar to keep wild yeast alive for a week.", "way", "How do you keep wild yeast alive for a week?"),
        ("You can slow a starter down by putting it into a cold room.", "way", "How can you slow a starter down?"),
        (
            "If the jar smells of varnish, throw most of the mixture away.",
            "do",
            "What should you do if the jar smells of varnish?",
        ),
        ("Before closing the lid, leave a small gap for the gas.", "do", "What should you do before closing the lid?"),
        ("When we feed a colony, you can add a second box.", "do", "What can you do when you feed a colony?"),
        ("When a queen gets old, the workers raise a young one.", "happens", "What happens when a queen gets old?"),
        (
            "When a hive has no queen, a keeper must buy a young one.",
            "happens",
            "What is required when a hive has no queen?",
        ),
        ("When a loaf is cut hot, the crumb is torn by the knife.", "happens", "What happens when a loaf is cut hot?"),
        (
            "When a jar is full, the mixture can flow over its rim.",
            "happens",
            "What is possible when a jar is full?",
        ),
        (
            "If opening a hive in the rain, a keeper must be quick and calm.",
            "happens",
            "What is required when opening a hive in the rain?",
        ),
        (
            "If you bake on a stone, make sure that it is hot enough.",
            "do",
            "What should you do if you bake on a stone?",
        ),
        (
            "Hungry starters smell of glue because the yeast runs out of sugar.",
            "reason",
            "Why is this so? “Hungry starters smell of glue.”",
        ),
        (
            "Page titles are important because they help people find a page.",
            "reason",
            "Why is this so? “Page titles are important.”",
        ),
        (
            "Leave a gap under the lid, because the gas can break the glass.",
            "reason",
            "Why should you leave a gap under the lid?",
        ),
        ("A closed jar must never stand in the sun for a day.", "rule", "Complete the rule: “A closed jar must …”"),
        ("The lid of the jar keeps dust away from the dough.", "effect", "What does the lid of the jar do?"),
        ("Wooden frames contain the combs that bees fill with honey.", "effect", "What do wooden frames contain?"),
        ("A smoker is used to calm the bees before the hive is opened.", "effect", "What is a smoker used for?"),
    ],
)
def test_a_sentence_is_asked_for_what_it_says(text: str, form: str, question: str) -> None:
    asked = asked_of(sentence(text), CASING)
    assert asked is not None
    assert (asked.form, asked.question) == (form, question)
    assert asked.answer in text


@pytest.mark.parametrize(
    "text",
    [
        "If a flour, a salt or a spice is old, throw it away at once.",  # an enumeration is no condition
        "When it gets warm, the yeast makes gas faster than in winter.",  # "it" is nothing by itself
        "After ten years of work, the book of the keepers was printed.",  # no case that comes back
        "Unless somebody feeds the starter, the yeast dies in the cold jar.",  # "what happens unless" is no question
        "When a jar is open, it’s important that no dust falls into it.",  # says nothing of the case
        "As Figure 3 shows, the yeast makes gas when the dough is warm.",  # points at what is not there
        "Breaking changes to the hive can occur in the last days of autumn.",  # "changes" is no verb here
        "If you roll s1 and s2 together, the loaf is flat and heavy today.",  # of a moment
        "Anna decides that she keeps the jar in the cold room of the house.",  # a story
        "The lid keeps this away from the dough that stands in the jar",  # no sentence
        "Damage to the whole hive if the lid is not closed in the night.",  # "damage" is no order
        "If at the time of the harvest the hive is cold, the honey gets thick.",  # the case begins later
        "If a keeper moves it into the sun, the wax melts within an hour.",  # moves what?
        "The output is cryptic because it was written for another tool.",  # which output?
        "If you keep bees, especially many of them, wear gloves and a veil.",  # an aside, and no order
        "If a keeper opens a hive, a box or a frame, lids and tools get sticky.",  # still the list
        "After the keepers decided, the old book of the hives was given away.",  # decided what?
        "After the first overview, there are more hints on the care of bees.",  # no case
        "If you had two starters, one could stand in the warm room for a week.",  # only imagined
        "If either one is missing, the lid of the jar closes badly in the cold.",  # either of what?
        "If you open a jar, tilt a glass, or pour out a bowl, the dough gets wet.",  # more of the list
        "If the scale is on, gives the weight of the flour in the bowl on top.",  # who does?
        "If you don’t believe me, put your hand on the side of the warm jar.",  # a word to the reader
        "The lid of the jar shows the lid of a jar.",  # says nothing new of it
        "Yeast is interesting because most of the people never see it at work.",  # an opinion
        "To bake a better loaf of bread, you need to do a few extra things by hand.",  # which things?
        "Honey provides more energy to the bees in the months of winter.",  # of the whole matter too much could be said
    ],
)
def test_a_sentence_that_needs_more_than_itself_is_not_asked(text: str) -> None:
    assert asked_of(sentence(text), CASING) is None


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("A starter is a mixture of flour and water with wild yeast.", "In your own words: what is a starter?"),
        ("Drones are the male bees that mate with a queen.", "In your own words: what are drones?"),
        ("Five minutes is the smallest time that the oven can count.", ""),
        ("The output is a list of the loaves that are ready to sell.", ""),
        ("Preferred: Add the salt after the first rest of the dough.", ""),
        ("However types of flour are a different story: each one needs its own amount of water.", ""),
        ("Starters are a fundamental concept of all the bakers in the world.", ""),
        ("The variable b refers to a bag of the finest flour.", ""),
    ],
)
def test_only_a_term_is_asked_for_its_meaning(text: str, question: str) -> None:
    assert term_asked(sentence(text), CASING) == question


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ("The oven does not keep the heat of the night", "The oven keeps the heat of the night"),
        ("Loaves do not rise in a cold room", "Loaves rise in a cold room"),
        ("A keeper looks after the hive", None),
        ("The keeper sold the hive after losing the queen", None),  # "before losing": nobody would say so
        ("Bakers salt the dough after the first rest", "Bakers salt the dough before the first rest"),
    ],
)
def test_a_statement_is_turned_around_in_good_english(said: str, changed: str | None) -> None:
    assert next(altered(said), None) == changed


def reference() -> Source:
    page = SourceBuilder("The hive tool").heading(2, "Commands of the tool")
    told = {
        "hive.tally()": "Returns the bees that came home before sunset.",
        "hive.warm()": "The `hive.warm()` method heats all frames to a given degree.",
        "hive.split()": "Moves half of the colony into an empty box.",
        "hive.mark()": "Paints a dot in the colour of the year on a queen.",
        "hive.rest()": "This is an old name that nobody needs.",
    }
    for name, says in told.items():
        page.heading(3, f"`{name}`").para(says)
        page.para(
            "A keeper calls the method once a week, and writes the result into the book of the hive for the year."
        )
    return page.source()


def quiz(source: Source) -> Quiz:
    author, given = ExtractiveAuthor(), evidence(source)
    plan = author.plan(Brief(), given, silent)
    lesson = author.write(Brief(), plan, plan.lessons[0].id, given, silent)
    return author.quiz(Brief(), plan, lesson, given, silent)


def test_entries_of_a_reference_are_known_by_what_they_do() -> None:
    source = reference()
    library = Library(evidence(source), ReadingCache())
    found = {pair.name: pair.says for pair in entries(library.readings[0].root.flat(), library)}
    assert found == {
        "`hive.tally()`": "Returns the bees that came home before sunset",
        "`hive.warm()`": "Heats all frames to a given degree",
        "`hive.split()`": "Moves half of the colony into an empty box",
        "`hive.mark()`": "Paints a dot in the colour of the year on a queen",
    }


def test_a_reference_is_asked_by_matching_and_by_what_a_name_does() -> None:
    source = reference()
    items = quiz(source).items
    matching = next(item for item in items if item.kind == "matching")
    assert {option.text for option in matching.options} <= {f"`hive.{n}()`" for n in ("tally", "warm", "split", "mark")}
    assert all(option.rationale for item in items for option in item.options)


def test_what_belongs_to_the_example_code_is_no_model_answer() -> None:
    page = SourceBuilder("Structures").heading(2, "Grouping values")
    page.para("A structure groups values that belong together, and each value in it has a name and a type of its own.")
    page.code("struct Loaf {\n    weight: u32,\n}", lang="rust")
    page.para("When a Loaf leaves the oven, the baker writes its weight into the book of the day.")
    for n in range(8):
        page.para(f"The shelf number {n} of the bakery holds the loaves of one day, in the order of the hours.")
    answers = [item.model_answer for item in quiz(page.source()).items if "struct Loaf" not in item.model_answer]
    assert answers
    assert not any("Loaf" in answer for answer in answers)


def test_an_objective_that_nothing_else_checks_is_asked_for_its_passage_and_again_later() -> None:
    page = SourceBuilder("The village oven").heading(2, "The oven of the village")
    for n in range(9):
        page.para(
            f"House number {n} of the upper street bakes on the morning of day {n}, and then it sweeps the hearth."
        )
    items = quiz(page.source()).items
    assert [item.kind for item in items if item.cites] == [item.kind for item in items]
    assert {item.objective for item in items} == {"l1o1"}
