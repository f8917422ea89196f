"""Scenes that a teacher would draw: the right kind for each passage, revealed as it is spoken."""

from __future__ import annotations

import re

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.authors.extractive.scenes.draft import Line, Said, SceneDraft
from service.authors.extractive.scenes.splitting import split_full
from service.domain.course import Brief
from service.domain.lesson import Lesson
from service.domain.source import Source
from service.domain.storyboard import (
    BulletsScene,
    CodeScene,
    ComparisonScene,
    DefinitionScene,
    MapScene,
    QuestionScene,
    RecapScene,
    StepsScene,
    Storyboard,
    TitleScene,
    WarningScene,
)
from tests.authors.test_author_contract import silent
from tests.authors.texts import SourceBuilder, backups, bees, evidence, sourdough

COUNTS = ("lowest", "second", "third", "fourth", "highest")


def film(source: Source) -> tuple[Lesson, Storyboard]:
    author, given = ExtractiveAuthor(), evidence(source)
    plan = author.plan(Brief(), given, silent)
    lesson = author.write(Brief(), plan, plan.lessons[0].id, given, silent)
    return lesson, author.storyboard(Brief(), plan, lesson, given, silent)


@pytest.fixture(scope="module")
def bread() -> Storyboard:
    return film(sourdough())[1]


@pytest.fixture(scope="module")
def laptop() -> Storyboard:
    return film(backups())[1]


def test_it_opens_with_a_question_and_says_what_learners_will_be_able_to_do(bread: Storyboard) -> None:
    title, aims = bread.scenes[0], bread.scenes[1]
    assert isinstance(title, TitleScene)
    assert isinstance(aims, BulletsScene)
    assert title.cues[0].text.endswith("?")
    assert [cue.state for cue in aims.cues] == [1, 2, 3, 4]
    assert aims.cues[1].text == f"You can also {aims.items[1][0].lower()}{aims.items[1][1:]}."
    assert re.fullmatch(r"The lesson has (?:two|three|four|five) parts: .+, and [^,]+\.", aims.cues[-1].text)


def test_the_sources_own_question_opens_the_lesson(laptop: Storyboard) -> None:
    assert laptop.scenes[0].cues[0].text == "What happens to my files when the disk dies?"


def test_a_definition_has_a_card(bread: Storyboard) -> None:
    cards = [scene for scene in bread.scenes if isinstance(scene, MapScene | DefinitionScene)]
    assert {"Starter", "Hydration", "Proofing"} <= {card.title for card in cards}
    assert cards[0].text == "Mixture of flour and water in which wild yeast and bacteria live together"


def test_a_table_of_two_things_is_a_comparison_told_row_by_row(bread: Storyboard) -> None:
    scene = next(scene for scene in bread.scenes if isinstance(scene, ComparisonScene))
    assert scene.heads == ("Warm proofing", "Cold proofing")
    rows = [cue for cue in scene.cues if cue.state]
    assert [cue.state for cue in rows] == [1, 2, 3, 4]
    assert all(f" for {head}" in cue.text for cue in rows[:3] for head in scene.heads)


def test_a_warning_stands_out(bread: Storyboard, laptop: Storyboard) -> None:
    assert any("Never keep a starter" in s.text for s in bread.scenes if isinstance(s, WarningScene))
    assert any("Do not pull out" in s.text for s in laptop.scenes if isinstance(s, WarningScene))


def test_steps_appear_one_by_one_and_are_counted_aloud(laptop: Storyboard) -> None:
    scene = next(scene for scene in laptop.scenes if isinstance(scene, StepsScene))
    assert len(scene.items) == 4
    assert [cue.state for cue in scene.cues if cue.state] == [1, 2, 3, 4]
    assert [cue.speech[:7] for cue in scene.cues if cue.state] == ["Step 1.", "Step 2.", "Step 3.", "Step 4."]
    assert scene.cues[-1].text == "Check that the summary of the run names no skipped file."


def test_code_is_shown_with_its_output_and_said_by_name(laptop: Storyboard) -> None:
    scene = next(scene for scene in laptop.scenes if isinstance(scene, CodeScene))
    assert scene.lines == ("$ keep init /media/disk/store",)
    assert scene.output == ("Store created. Password set.",)
    assert any("keep init" in (cue.speech or cue.text) for cue in scene.cues)


def test_long_code_is_shown_up_to_fourteen_lines() -> None:
    page = SourceBuilder("Loops")
    for n in range(12):
        page.para(f"A loop of kind {n} repeats its body {n + 2} times, because the counter starts at zero.")
    page.para("This program prints all the squares:")
    page.code("\n".join(f"print({n} * {n})" for n in range(40)), lang="python")
    scene = next(scene for scene in film(page.source())[1].scenes if isinstance(scene, CodeScene))
    assert len(scene.lines) <= 14
    assert scene.lines[-1] == "…"


def test_an_exercise_asks_and_then_answers(laptop: Storyboard) -> None:
    scene = next(s for s in laptop.scenes if isinstance(s, QuestionScene) and s.kicker == "Practice")
    assert scene.answer.startswith("All but one copy")
    answer = next(cue for cue in scene.cues if cue.state == 1)
    assert answer.text.startswith("All but one copy")


def test_the_check_question_shows_its_answer_only_after_the_pause(bread: Storyboard) -> None:
    scene = next(s for s in bread.scenes if isinstance(s, QuestionScene))
    assert [cue.state for cue in scene.cues] == [0, 1]
    assert scene.answer == " ".join(scene.cites[0].quote.split())
    assert scene.cues[1].cites


def test_the_recap_shows_the_key_points_of_the_source(laptop: Storyboard) -> None:
    recap = laptop.scenes[-1]
    assert isinstance(recap, RecapScene)
    assert recap.items[0] == "`keep init` creates an encrypted store"


def test_a_list_shows_every_entry_that_is_spoken() -> None:
    scene = next(s for s in film(bees())[1].scenes if s.title == "Who lives in a hive")
    assert isinstance(scene, MapScene)
    assert [name for name, _ in scene.items] == ["Queen", "Worker", "Drone", "Brood"]
    assert dict(scene.items)["Worker"] == "female bee"
    assert dict(scene.items)["Queen"] == ""  # “the only bee” would not be true without the rest


def test_a_list_with_too_many_words_for_a_slide_goes_on_on_a_second_one() -> None:
    lines = [Line(f"Set the {n} shelf so that no pot touches the wall", keep=True) for n in COUNTS]
    scenes = [SceneDraft("steps", "Load the kiln", lines, [Said(line.text, shows=line) for line in lines])]
    split_full(scenes)
    first = scenes[0]
    assert [line.text.split()[2] for line in first.lines] == ["lowest", "second", "third"]
    assert [(scene.kind, scene.fields.get("first", 1)) for scene in scenes] == [("steps", 1), ("steps", 4)]
    assert [len(scene.said) for scene in scenes] == [3, 2]


def test_a_list_that_a_slide_can_hold_is_not_parted() -> None:
    scenes = [SceneDraft("list", "Kilns", [Line(f"The {n} shelf holds four pots") for n in COUNTS])]
    split_full(scenes)
    assert len(scenes) == 1


def test_a_sentence_that_cannot_be_shortened_truly_leaves_no_line_of_its_subject_alone() -> None:
    page = SourceBuilder("Agile").heading(2, "Why")
    page.para(
        "Agile projects allow the government to measure success at more regular intervals and if necessary make course "
        "corrections. The ability to measure and adapt reduces the overall risk to the project."
    )
    page.para(
        "Unlike waterfall, agile accepts that the unknowns will lead to change. Agile treats change as an integral "
        "part of the process, as opposed to exceptions that need to be resolved via change control mechanisms."
    )
    page.heading(2, "Sizes")
    for n in range(6):
        page.para(f"A team of size {n} needs {n + 2} weeks, because each of its members has to know the others.")
    lines = [item for scene in film(page.source())[1].scenes if isinstance(scene, BulletsScene) for item in scene.items]
    assert "The ability to measure and adapt reduces the overall risk to the project" in lines
    assert not {"Agile projects", "Agile treats", "The ability"} & set(lines)


def test_two_short_pieces_of_code_under_one_heading_share_a_slide() -> None:
    page = SourceBuilder("Stores").heading(2, "First steps").para("The tool keeps every file twice on two disks.")
    page.para("Create the store:").code("$ keep init /media/disk")
    page.para("The store is empty after that. Put the first file in:").code("$ keep add letter.txt")
    page.heading(2, "After it")
    for n in range(8):
        page.para(f"A store of kind {n} needs {n + 2} disks, because every disk fails at some time of its life.")
    code = [scene for scene in film(page.source())[1].scenes if isinstance(scene, CodeScene)]
    assert [scene.lines for scene in code] == [("$ keep init /media/disk", "$ keep add letter.txt")]
    assert code[0].focus == ((1, 1), (2, 2))
    assert [cue.state for cue in code[0].cues if cue.state] == [1, 2]


def test_captions_are_the_sources_own_words(bread: Storyboard) -> None:
    text = sourdough().text
    for cue in bread.cues():
        if cue.cites and not cue.text.startswith(("The answer is", "Time:", "Taste:", "Risk:")):
            assert cue.text[1:] in text


def test_the_lesson_text_holds_more_than_the_video_and_nothing_else() -> None:
    lesson, board = film(sourdough())
    written = " ".join(claim.text for claim in lesson.claims())
    told = [cue.text for cue in board.cues() if cue.cites and cue.text in sourdough().text]
    assert told
    assert all(text in written for text in told)


def test_the_wording_of_an_example_is_nothing_to_remember() -> None:
    page = SourceBuilder("Language of a page").heading(2, "Language")
    page.para("A page names its language in the first line.")
    page.para("A foreign sentence has a mark of its own.")
    page.heading(3, "Failure").para("Mi casa es azul y verde.").para("Los ojos de Ana son negros.")
    for n in range(3):
        page.heading(2, f"Voice {n + 1}")
        for k in range(5):
            page.para(f"The voice {n + 1} reads a page of kind {k} within {n + k + 2} minutes.")
    recap = next(scene for scene in film(page.source())[1].scenes if isinstance(scene, RecapScene))
    assert recap.items
    assert not any("Ana" in item or "casa" in item for item in recap.items)
