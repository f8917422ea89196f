"""What a question cites proves its key and none of its wrong options, as far as rules can tell."""

from __future__ import annotations

import pytest

from service.domain.item_support import entailed, statement_with, support_faults
from service.domain.quiz import ItemKind, Option, QuizItem
from service.domain.source import Cite

HIVE = "A hive is a box that houses a colony of bees."
HONEY = "A colony needs at least 20 kilograms of honey to survive the winter."


def item(kind: ItemKind, stem: str, options: tuple[str, ...], key: int, quote: str) -> QuizItem:
    return QuizItem(
        id="q1",
        kind=kind,
        stem=stem,
        options=tuple(Option(text=text, rationale="why") for text in options),
        key=(key,),
        cites=(Cite(source="s", start=0, end=len(quote), quote=quote),),
    )


@pytest.mark.parametrize(
    ("stem", "option", "statement"),
    [
        ("Fill the gap: A hive is a _____.", "box", "A hive is a box."),
        ("Which term fits this description: “a box that houses bees”?", "Hive", "Hive is a box that houses bees"),
        ("What blows cool smoke?", "Smoker", ""),
    ],
)
def test_a_question_becomes_a_statement_where_it_makes_one(stem: str, option: str, statement: str) -> None:
    assert statement_with(stem, option) == statement


def test_an_option_whose_words_the_passage_does_not_hold_is_not_proven_by_it() -> None:
    assert entailed("A hive is a box that houses a colony of bees.", "hive", [HIVE])
    assert not entailed("A smoker is a box that houses a colony of bees.", "smoker", [HIVE])


@pytest.mark.parametrize(
    "good",
    [
        item("cloze", "Fill the gap: A _____ is a box that houses a colony of bees.", ("hive", "smoker"), 0, HIVE),
        item(
            "cloze", "Fill the gap: A colony needs at least _____ of honey.", ("5 kilograms", "20 kilograms"), 1, HONEY
        ),
        item(
            "true_false", "True or false? A colony needs at least 20 kilograms of honey.", ("True", "False"), 0, HONEY
        ),
        item(
            "true_false", "True or false? A colony needs at least 40 kilograms of honey.", ("True", "False"), 1, HONEY
        ),
    ],
)
def test_a_key_that_the_cite_proves_passes(good: QuizItem) -> None:
    assert list(support_faults(good)) == []


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (item("cloze", "Fill the gap: A _____ is a box.", ("smoker", "frame"), 0, HIVE), "does not prove “smoker”"),
        (
            item("cloze", "Fill the gap: A hive houses a colony of _____.", ("bees", "box"), 0, HIVE),
            "also proves “box”",
        ),
        (
            item("true_false", "True or false? A colony needs 40 kilograms of honey.", ("True", "False"), 0, HONEY),
            "does not support",
        ),
        (
            item("true_false", "True or false? A colony needs honey to survive.", ("True", "False"), 1, HONEY),
            "does not contradict",
        ),
        (item("single", "What is lit first?", ("smoker", "lid"), 0, HIVE), "does not speak of “smoker”"),
    ],
)
def test_a_key_that_the_cite_does_not_prove_is_named(bad: QuizItem, says: str) -> None:
    assert says in " ".join(support_faults(bad))
