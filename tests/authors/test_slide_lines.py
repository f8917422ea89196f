"""Slide lines are short, grammatical and still true; the voice says what the eye reads otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.authors.extractive.language.narration import speak, speech_of, towards_screen
from service.authors.extractive.language.sentences import Inline, Sentence
from service.authors.extractive.language.slide_lines import compress, item_line, slide_line, telegraph
from service.authors.extractive.language.words import shorten, words
from service.domain.source import Cite


def sentence(text: str, *marks: Inline, kind: str = "paragraph") -> Sentence:
    return Sentence(text, (Cite(source="s", start=0, end=len(text), quote=text),), marks, kind)


@pytest.mark.parametrize(
    ("long", "short"),
    [
        (
            "However, steam keeps the crust soft while the loaf expands, which is why bakers cover the pot.",
            "Steam keeps the crust soft while the loaf expands",
        ),
        ("Bread must cool (for an hour or two) before it is cut.", "Bread must cool before it is cut"),
    ],
)
def test_a_long_sentence_is_cut_at_its_tail(long: str, short: str) -> None:
    assert compress(long).startswith(short)


@pytest.mark.parametrize(
    "text",
    [
        "Often, screen reader users won't read through an entire page to find what they are looking for in it.",
        "If an interaction of any kind reveals content that was hidden before somebody came to it.",
        "Check each time that the focus is always visible when moving through the page with the tab key of the board.",
        "A quick test of the whole is to tab through the page quickly and ensure you can get back to the bar.",
        "The dough of a whole-grain loaf may stand in the cold for up to sixteen hours of the night "
        "unless the kitchen is warm.",
        "You may open the lid of the pot after the first part of the baking has come to an end only if it is brown.",
    ],
)
def test_a_condition_is_never_cut_off(text: str) -> None:
    line = compress(text)
    assert not line or "unless" in line or "only if" in line


def test_a_line_is_no_claim_that_the_sentence_does_not_make() -> None:
    text = "We work to ensure that the process is there to enable the delivery of software to real users every day."
    assert "process is there" not in compress(text)


def test_a_word_for_an_example_does_not_stand_for_the_example() -> None:
    assert slide_line(sentence("Live maps of the roads are one example.")) == ""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("The salt must be added to the dough", "Add the salt to the dough"),
        ("A starter is a mixture of flour and water", "Starter: a mixture of flour and water"),
        ("Skipping the wait is the usual mistake", "Skipping the wait: the usual mistake"),
        ("You should wait at least 5 minutes", "Wait ≥ 5 minutes"),
    ],
)
def test_slides_are_told_in_telegraph_style(text: str, line: str) -> None:
    assert telegraph(text) == line


def test_code_on_a_slide_is_set_as_code_and_keeps_its_small_letter() -> None:
    text = "keep init creates an encrypted store."
    assert slide_line(sentence(text, Inline("code", 0, 9))) == "`keep init` creates an encrypted store"


def test_a_list_entry_is_shown_by_its_bold_opening() -> None:
    text = "Queen: the only bee that lays fertilized eggs in the hive."
    assert item_line(sentence(text, Inline("strong", 0, 5), kind="item")) == "Queen"


def test_a_name_set_off_by_a_dash_is_told_from_what_it_is() -> None:
    assert speak("Partner - The agency with whom we work.") == "Partner: the agency with whom we work."
    assert speak("Definition of done – a working agreement") == "Definition of done: a working agreement."
    assert speak("The bread - a dark one - is done.") == "The bread, a dark one, is done."


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_no_text_breaks_the_short_form(text: str) -> None:
    line = compress(text)
    assert len(words(line)) <= 15 + text.lower().count("the ") + text.lower().count("a ") + text.lower().count("an ")
    telegraph(text)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("The ratio is 4.5:1, i.e. enough.", "The ratio is 4.5 to 1, that is, enough."),
        ("Use salt, sugar, etc.", "Use salt, sugar, and so on."),
        ("Bake for 20–25 minutes (see Table 3)", "Bake for 20 to 25 minutes."),
        ("It takes 70 % of the time", "It takes 70 percent of the time."),
    ],
)
def test_signs_and_abbreviations_are_said_as_words(text: str, spoken: str) -> None:
    assert speak(text) == spoken


def test_code_is_said_by_its_name_or_left_to_the_screen() -> None:
    named = "Open notes.md now."
    unsayable = "Type {a}=>[b];{c}=>[d] now."
    assert speech_of(sentence(named, Inline("code", 5, 13))) == "Open notes dot md now."
    assert speech_of(sentence(unsayable, Inline("code", 5, 22))) == "Type the code shown on screen now."


def test_a_tag_is_said_by_its_name() -> None:
    text = "Use <h1> once."
    assert speech_of(sentence(text, Inline("code", 4, 8))) == "Use h1 once."
    assert speak("Put pictures into <img> tags.") == "Put pictures into img tags."


def test_a_long_identifier_is_not_read_out_letter_by_letter() -> None:
    text = "The commit f22b25e3233b4645dabd is the first."
    assert "f22b" not in speech_of(sentence(text, Inline("code", 11, 31)))


def test_what_follows_below_is_heard_as_on_the_screen() -> None:
    assert towards_screen("Choose one of the following loaves.") == "Choose one of these loaves."
    assert towards_screen("Type the text below.") == "Type the text on screen."
    assert towards_screen("It stays below the limit.") == "It stays below the limit."


@given(st.text(max_size=300))
def test_no_text_breaks_the_voice(text: str) -> None:
    speak(text)


@given(st.text(min_size=1, max_size=300), st.integers(min_value=5, max_value=100))
def test_a_shortened_text_fits(text: str, limit: int) -> None:
    assert len(shorten(text, limit)) <= limit
