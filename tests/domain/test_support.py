"""The support check finds planted errors and leaves honest paraphrases alone."""

from __future__ import annotations

import pytest

from service.domain.lesson import Claim, Lesson, ListBlock, ParagraphBlock
from service.domain.source import Cite
from service.domain.support import judge, judged_lesson
from tests.bench.planted_errors import claims, planted

PUMP = "The pump delivers 12 litres per minute at a pressure of 3 bar."


@pytest.mark.parametrize(
    ("claim", "passage", "fault"),
    [
        ("The pump delivers 14 litres per minute.", PUMP, "The number 14 is not in the passage."),
        ("The pump delivers 12 gallons per minute.", PUMP, "The passage says 12 litres, not gallons."),
        ("At 12 bar the pump gives 3 litres per minute.", PUMP, "12 and 3 seem to have changed places."),
        ("In Kalmar the pump delivers 12 litres.", PUMP, None),
        ("Wait for the pump in Kalmar.", PUMP, "The name Kalmar is not in the passage."),
        ("The pump does not deliver 12 litres per minute.", PUMP, "The sentence denies what the passage says."),
        ("Salt is added before the dough rests.", "Salt is added after the dough rests.", "“before” turns the order"),
        ("At most three people sign.", "At least three people sign.", "The passage has three as the other bound."),
        ("The h2 tag comes first.", "The h1 tag comes first.", "h2 is not in the passage."),
        ("Doors may be opened.", "Doors must not be opened.", "The passage denies what the sentence says."),
        ("Chalk dissolves.", "The moon rose over an empty field.", "Hardly a word of it is in the passage."),
    ],
)
def test_an_error_is_named(claim: str, passage: str, fault: str | None) -> None:
    verdict = judge(claim, [passage])
    assert verdict.state == "unsupported"
    assert fault is None or any(found.startswith(fault) for found in verdict.faults), verdict.faults


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("Stir before you add the salt.", "Add the salt after you have stirred."),
        ("Two loaves need 300 grams each.", "Each of the 2 loaves needs 300 grams."),
        (
            "A function that has no return statement returns None.",
            "Without a return statement a function returns None.",
        ),
        ("Use no more than 5 grams.", "At most 5 grams are used."),
    ],
)
def test_a_paraphrase_is_supported(claim: str, passage: str) -> None:
    assert judge(claim, [passage]).state == "supported"


def test_a_sentence_in_words_of_its_own_is_weak_and_not_condemned() -> None:
    verdict = judge("Gates keep water and boats level.", ["A lock raises boats between two stretches of a canal."])
    assert verdict.state in ("weak", "unsupported")
    assert judge("A lock lifts ships from one canal reach to another.", [
        "A lock raises boats between two stretches of a canal.",
    ]).state == "weak"  # fmt: skip


def test_several_passages_support_together() -> None:
    claim, passages = (
        "Skerrow was lit in 1862 and rebuilt in 1911.",
        ["Skerrow was lit in 1862.", "It was rebuilt in 1911."],
    )
    assert judge(claim, passages).state == "supported"
    assert judge(claim, passages[:1]).state == "unsupported"


@pytest.mark.parametrize("half", ["seen", "unseen"])
def test_nine_of_ten_planted_errors_are_caught_and_one_in_ten_alarms_is_false_at_most(half: str) -> None:
    errors, honest = list(planted(half)), claims(half)
    caught = sum(judge(error.claim, [error.passage]).state == "unsupported" for error in errors)
    cried = sum(judge(claim, [passage]).state == "unsupported" for passage, claim in honest)
    assert len(errors) > 80
    assert caught >= 0.9 * len(errors)
    assert cried <= 0.1 * len(honest)


def test_a_lesson_carries_the_state_of_each_claim() -> None:
    cite = Cite(source="0" * 64, start=0, end=len(PUMP), quote=PUMP)
    wrong = Claim(text="The pump delivers 40 litres per minute.", cites=(cite,))
    right = Claim(text=PUMP, cites=(cite,))
    asked = Claim(text="How much does it deliver?", factual=False)
    edited = wrong.model_copy(update={"state": "edited"})
    lesson = Lesson(
        id="l",
        title="Pumps",
        blocks=(
            ParagraphBlock(id="a", claims=(right, wrong, asked)),
            ListBlock(id="b", items=((wrong,), (edited,))),
        ),
    )
    states = [claim.state for claim in judged_lesson(lesson).claims()]
    assert states == ["supported", "unsupported", "supported", "unsupported", "edited"]


def test_a_raised_digit_is_no_number() -> None:
    assert (
        judge("The oven¹s door is 40 cm wide, see ¹s.", ["The oven¹s door is 40 cm wide, see ¹s."]).state == "supported"
    )
