"""Sentences: where they end, whether they stand alone, and what they define."""

from __future__ import annotations

import pytest

from service.authors.extractive.language.definitions import definition
from service.authors.extractive.language.sentences import Inline, Sentence, split
from service.domain.source import Cite


def parts(text: str, code: tuple[tuple[int, int], ...] = ()) -> list[str]:
    return [text[start:end] for start, end in split(text, code)]


def sentence(text: str, *marks: Inline, kind: str = "paragraph") -> Sentence:
    return Sentence(text, (Cite(source="s", start=0, end=len(text), quote=text),), marks, kind)


def test_a_sentence_ends_at_its_mark_and_not_at_an_abbreviation() -> None:
    assert parts("Salt helps, e.g. Sea salt. It keeps the dough firm! Does it? Yes, says Dr. Weber.") == [
        "Salt helps, e.g. Sea salt.",
        "It keeps the dough firm!",
        "Does it?",
        "Yes, says Dr. Weber.",
    ]


def test_no_sentence_ends_inside_code_or_an_open_bracket() -> None:
    text = "Run keep. Then copy it now. Done (as said. Really) today."
    start = text.index("keep")
    assert parts(text, ((start, start + len("keep. Then")),)) == [
        "Run keep. Then copy it now.",
        "Done (as said. Really) today.",
    ]


@pytest.mark.parametrize(
    "text", ["It rises.", "This helps the dough.", "However, it is slow.", "If so, wait.", "The former is cheaper."]
)
def test_a_sentence_that_opens_with_a_pointer_does_not_stand_alone(text: str) -> None:
    assert not sentence(text).alone


@pytest.mark.parametrize("text", ["Yeast makes gas.", "In general, ovens lie.", "It is important to wait an hour."])
def test_a_sentence_that_says_its_own_subject_stands_alone(text: str) -> None:
    assert sentence(text).alone


@pytest.mark.parametrize(
    "text",
    [
        "As shown above, the dough sticks to the table.",
        "For more information, read the manual of the oven.",
        "Click here to see a list of all the ovens.",
        "The page at https://example.org lists every oven.",
    ],
)
def test_a_sentence_that_points_at_something_that_is_not_there_is_not_told(text: str) -> None:
    assert not sentence(text).usable


def test_a_temperature_below_ten_degrees_points_at_nothing() -> None:
    assert sentence("Bees cannot dry the syrup below 10 degrees.").usable


def test_the_verb_note_is_no_connective() -> None:
    assert sentence("Note the date and the number of combs.").plain == "Note the date and the number of combs."
    assert sentence("Note, the oven is hot.").plain == "The oven is hot."


@pytest.mark.parametrize(
    ("text", "marks", "term"),
    [
        ("A starter is a mixture of flour and water that rises.", (), "starter"),
        ("Hydration refers to the weight of the water in a dough.", (), "Hydration"),
        ("Drone: a male bee that mates with a young queen.", (("strong", 0, 5),), "Drone"),
    ],
)
def test_a_definition_names_its_term(text: str, marks: tuple[tuple[str, int, int], ...], term: str) -> None:
    found = definition(text, marks)
    assert found is not None
    assert found[0] == term
    assert found[1]


@pytest.mark.parametrize(
    "text",
    [
        "This is a mixture of flour and water in a jar.",
        "The best way is a slow rise in the cold of the night.",
        "Note: a male bee mates with a young queen in the air.",
        "Baking is a good idea on a cold day in the winter.",
        "Drone: a male bee that mates with a young queen.",
    ],
)
def test_a_sentence_that_only_looks_like_a_definition_is_none(text: str) -> None:
    assert definition(text) is None
