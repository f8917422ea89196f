"""What a teacher struck out of generated courses stays out: each case is a general cause, on sentences of our own."""

from __future__ import annotations

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.authors.extractive.language.definitions import definition
from service.authors.extractive.language.narration import speak, speech_of
from service.authors.extractive.language.sentences import Sentence
from service.authors.extractive.language.slide_lines import slide_line
from service.authors.extractive.scenes.lists import UNSPEAKABLE
from service.domain.course import Brief
from service.domain.lesson import Lesson
from service.domain.source import Source
from service.domain.storyboard import BulletsScene, RecapScene, StepsScene, Storyboard
from tests.authors.test_author_contract import silent
from tests.authors.texts import SourceBuilder, evidence


def film(source: Source) -> tuple[Lesson, Storyboard]:
    author, given = ExtractiveAuthor(), evidence(source)
    plan = author.plan(Brief(), given, silent)
    lesson = author.write(Brief(), plan, plan.lessons[0].id, given, silent)
    return lesson, author.storyboard(Brief(), plan, lesson, given, silent)


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("Look into the .keep folder.", "Look into the dot keep folder."),
        ("This computer is ::1 there.", "This computer is double colon 1 there."),
        ("Press Enter or ↵ or Return.", "Press Enter or Return."),
        ("B - Faults that annoy", "B: Faults that annoy."),
        ("Select File > Save As.", "Select File, then Save As."),
        ("The ID was short, so let's try this.", "The ID was short."),
    ],
)
def test_signs_and_loose_ends_are_said_as_people_say_them(written: str, heard: str) -> None:
    assert speak(written) == heard


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("Below are three settings:", "Here are three settings."),
        ("Look at each hive for the following:", "Look at each hive for these points."),
        ("The following code snippet counts bees.", "The code snippet on screen counts bees."),
    ],
)
def test_what_points_along_the_page_points_at_the_screen(written: str, heard: str) -> None:
    assert speech_of(Sentence(written, ())) == heard


@pytest.mark.parametrize(
    "text",
    [
        "Skipping the wait is the usual mistake, and only patience cures it.",
        "Keeping one queue open is a way to save the time of opening it again.",
        "Noise is a signal as well as a nuisance for everybody in the hall.",
    ],
)
def test_an_act_or_a_judgement_is_no_term(text: str) -> None:
    assert definition(text) is None


def test_a_recommendation_keeps_its_verb_on_the_slide() -> None:
    line = slide_line(Sentence("It is recommended that every lid be closed before the rain comes.", ()))
    assert line.startswith("Every lid should be closed") or line.startswith("Close every lid")


@pytest.mark.parametrize("text", ["So let's do that now.", "Let's fix this:", "Now we can try it again."])
def test_a_sentence_that_only_says_that_something_is_done_is_not_told(text: str) -> None:
    assert not Sentence(text, ()).usable


def inspection() -> Source:
    page = SourceBuilder("Inspecting a hive").heading(2, "Inspect a hive")
    page.para("Every keeper looks into the hive in spring, because a weak colony needs help before May.")
    for n, text in enumerate(("Light the smoker.", "Look at each frame for the following:", "Close the lid slowly.")):
        page.add("item", text, level=1, list_id=1, ordered=True)
        if n == 1:
            for point in (
                "Eggs stand upright in their cells.",
                "Honey fills the upper third.",
                "No moth has left webs.",
            ):
                page.add("item", point, level=2, list_id=1)
    for n in range(8):
        page.para(f"A hive of size {n} holds {n + 3} frames, because the keeper adds one of them every year.")
    return page.source()


def test_no_step_of_a_procedure_is_lost_and_what_lies_below_it_is_no_step() -> None:
    _, board = film(inspection())
    steps = next(scene for scene in board.scenes if isinstance(scene, StepsScene))
    assert steps.items == ("Light the smoker", "Look at each frame", "Close the lid slowly")
    said = [cue.speech or cue.text for cue in steps.cues if cue.state]
    assert said[1] == "Step 2. Look at each frame for these points."


def test_remarks_on_a_picture_that_is_gone_are_left_out() -> None:
    page = SourceBuilder("Labels").heading(2, "Labels on jars")
    for n in range(12):
        page.para(f"A label of {n + 2} centimetres is read from {n + 1} metres away, because its letters are large.")
    page.heading(3, "Passes").para("The letters are dark.").heading(3, "Fails").para("The letters are pale.")
    lesson, _ = film(page.source())
    assert not any("letters are dark" in claim.text or "letters are pale" in claim.text for claim in lesson.claims())


def test_a_lesson_of_one_procedure_recaps_its_steps() -> None:
    recap = film(inspection())[1].scenes[-1]
    assert isinstance(recap, RecapScene)
    assert recap.items == ("Light the smoker", "Look at each frame", "Close the lid slowly")
    assert len(recap.cites) == 3


def test_an_order_is_announced_after_a_colon() -> None:
    page = SourceBuilder("Jars").heading(2, "Kinds of jars")
    for n in range(8):
        page.para(f"A jar of size {n} holds {n + 3} spoons of honey, because its walls are thick at the bottom.")
    page.heading(2, "Close the jars")
    for n in range(8):
        page.para(f"A lid of size {n} turns {n + 2} times, because its thread is longer than that of a bottle.")
    said = [cue.text for cue in film(page.source())[1].cues()]
    assert "Next: Close the jars." in said


def test_entries_of_code_that_nobody_can_say_are_left_to_be_read() -> None:
    page = SourceBuilder("Settings of a hive scale").heading(2, "Default values")
    for entry in ('"scale": {"start": "read every.js"}', '"scale":{"install": "weigh --all"}', '"keepers": [...]'):
        page.add("item", f"`{entry}`", level=1, list_id=1)
    page.heading(2, "Reading the scale")
    for n in range(12):
        page.para(f"A scale of size {n} reads {n + 3} kilograms, because its spring is longer than that of a clock.")
    silent = [scene for scene in film(page.source())[1].scenes if any(cue.text == UNSPEAKABLE for cue in scene.cues)]
    assert [len(scene.items) for scene in silent if isinstance(scene, BulletsScene)] == [3]
    assert silent[0].cues[0].pause > 0
