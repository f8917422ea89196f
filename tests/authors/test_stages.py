"""Procedures as stages and as worked examples, words before they are used, own practice: on texts of our own."""

from __future__ import annotations

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.domain.course import Brief, CoursePlan
from service.domain.lesson import DefinitionBlock, ExerciseBlock, HeadingBlock, Lesson
from service.domain.source import Source
from service.domain.storyboard import CodeScene, ProcessScene, QuestionScene, Scene, StepsScene, Storyboard, WorkedScene
from tests.authors.test_author_contract import silent
from tests.authors.texts import SourceBuilder, evidence
from tests.bench.made import own_courses

STEPS = (
    "Read the card at the gate.",
    "Look for the card in the register.",
    "Open the gate for ten seconds.",
    "Write the time into the log.",
)


def course(*sources: Source) -> tuple[CoursePlan, list[Lesson], list[Storyboard]]:
    author, given, brief = ExtractiveAuthor(), evidence(*sources), Brief()
    plan = author.plan(brief, given, silent)
    lessons = [author.write(brief, plan, planned.id, given, silent) for planned in plan.lessons]
    return plan, lessons, [author.storyboard(brief, plan, lesson, given, silent) for lesson in lessons]


def procedure(lead: str, heading: str = "At the gate") -> Source:
    page = SourceBuilder("Car parks").heading(2, heading)
    page.para("A barrier keeps cars out of a yard. The barrier moves when the register knows the card of a driver.")
    page.para(lead)
    page.items(STEPS, ordered=True)
    for n in range(6):
        page.para(f"A yard of size {n} has room for {n + 20} cars, because every car needs about twelve square metres.")
    return page.source()


@pytest.mark.parametrize(
    ("lead", "kind"),
    [
        ("The barrier lets a driver in through four steps:", ProcessScene),
        ("To let a driver in, follow these steps:", StepsScene),
        ("The barrier lets the driver with the card `A-417` in through four steps:", WorkedScene),
    ],
)
def test_who_acts_decides_how_a_procedure_is_drawn(lead: str, kind: type) -> None:
    _, _, boards = course(procedure(lead))
    drawn = [scene for scene in boards[0].scenes if isinstance(scene, StepsScene | ProcessScene | WorkedScene)]
    assert [type(scene) for scene in drawn] == [kind]
    assert [cue.state for cue in drawn[0].cues if cue.state][:4] == [1, 2, 3, 4]
    assert len(drawn[0].items) == 4
    assert drawn[0].cites


def test_the_stages_of_a_process_have_names_and_say_what_happens_alike() -> None:
    _, _, boards = course(procedure("The barrier lets a driver in through four steps:"))
    process = next(scene for scene in boards[0].scenes if isinstance(scene, ProcessScene))
    assert process.items[0][0].startswith("Read the card")
    told = [bool(text) for _, text in process.items]
    assert sum(told) in (0, len(told)) or sum(told) * 2 > len(told)


def test_a_worked_example_names_its_case() -> None:
    _, _, boards = course(procedure("The barrier lets the driver with the card `A-417` in through four steps:"))
    worked = next(scene for scene in boards[0].scenes if isinstance(scene, WorkedScene))
    assert "`A-417`" in worked.problem
    assert "steps" not in worked.problem


def words_used_early() -> tuple[Source, Source]:
    first = SourceBuilder("Locks", "01.md").heading(2, "How a lock works")
    first.para("A spring presses five pins into the plug. The plug turns when the shear line is free.")
    for n in range(30):
        first.para(f"A lock with {n + 4} pins has a shear line that is checked by hand after {n + 2} years of use.")
    second = SourceBuilder("Inside the plug", "02.md").heading(2, "Where pins meet")
    second.para("A shear line is the gap at which the pins of a lock must part before the plug can turn.")
    for n in range(30):
        second.para(f"A plug of {n + 10} millimetres is drilled {n + 3} times, because each pin needs a chamber.")
    return first.source(), second.source()


def test_a_word_that_a_later_lesson_explains_is_told_before_it_is_used() -> None:
    sources = words_used_early()
    _, lessons, boards = course(*sources)
    assert len(lessons) == 2
    heading, term = lessons[0].blocks[:2]
    assert isinstance(heading, HeadingBlock)
    assert heading.text == "Words to know first"
    assert isinstance(term, DefinitionBlock)
    assert term.term == "Shear line"
    cite = term.claims[0].cites[0]
    assert cite.exact(sources[1].text)
    assert cite.quote.startswith("the gap at which")
    said = [cue for cue in boards[0].cues() if cue.cites == (cite,)]
    assert said[0].speech.startswith("Shear line: the gap")
    assert isinstance(lessons[0].blocks[2], HeadingBlock)
    assert not any(isinstance(block, HeadingBlock) and block.text == heading.text for block in lessons[1].blocks)


def test_one_plain_word_may_mean_much_else_and_is_not_told_before() -> None:
    first = SourceBuilder("Ledgers", "01.md").heading(2, "Writing things down")
    for n in range(30):
        first.para(f"The clerks keep a record of {n + 3} years, because buyers ask for prices of old times.")
    second = SourceBuilder("Music on discs", "02.md").heading(2, "Discs")
    second.para("A record is a flat disc of black plastic with a groove that holds the sound of an evening.")
    for n in range(30):
        second.para(f"A shop with {n + 10} shelves sells {n + 3} discs a day, since collectors look for old music.")
    _, lessons, _ = course(first.source(), second.source())
    assert not any(isinstance(block, DefinitionBlock) for block in lessons[0].blocks)


def test_a_skill_without_an_exercise_ends_with_own_practice() -> None:
    page = SourceBuilder("Grafting", "graft.md").heading(2, "Objectives", role="objectives")
    page.items(["Prepare a twig for grafting."], role="objectives")
    page.heading(2, "Prepare the twig").para("To prepare a twig for grafting, follow these steps:")
    page.items(("Cut the twig below a bud.", "Peel off the bark.", "Wrap the cut with tape."), ordered=True)
    for n in range(8):
        page.para(f"A twig of {n + 5} centimetres takes {n + 2} weeks, because its cells must join those of the trunk.")
    _, lessons, boards = course(page.source())
    exercise = lessons[0].blocks[-1]
    assert isinstance(exercise, ExerciseBlock)
    assert exercise.task[0].text == "Now do it on your own, without looking back: prepare a twig for grafting."
    assert exercise.solution[0].text == "Compare what you did with the steps under “Prepare the twig”."
    assert not any(claim.factual for claim in exercise.task + exercise.solution)
    asked = [scene for scene in boards[0].scenes if isinstance(scene, QuestionScene) and scene.kicker == "Practice"]
    assert [scene.text for scene in asked] == [exercise.task[0].text]


def test_the_check_asks_only_for_what_was_told(sample_boards: list[Storyboard]) -> None:
    asked = 0
    for board in sample_boards:
        for place, scene in enumerate(board.scenes):
            if isinstance(scene, QuestionScene) and scene.options:
                told = [n for n, other in enumerate(board.scenes) if n != place and tells(other, scene)]
                assert not told or min(told) < place, scene.text
                asked += bool(told)
    assert asked >= 3


def tells(scene: Scene, question: QuestionScene) -> bool:
    spans = [(cite.source, cite.start, cite.end) for cue in scene.cues for cite in cue.cites]
    return any(
        source == cite.source and start < cite.end and cite.start < end
        for source, start, end in spans
        for cite in question.cites
    )


@pytest.fixture(scope="module")
def sample_boards() -> list[Storyboard]:
    sample = next(own_courses())
    return [taught.storyboard for taught in sample.course.lessons if taught.storyboard]


def test_code_that_is_hardly_spoken_of_stays_long_enough_to_be_read() -> None:
    page = SourceBuilder("Loops").heading(2, "Squares")
    for n in range(12):
        page.para(f"A loop of kind {n} repeats its body {n + 2} times, because the counter starts at zero.")
    page.para("This program prints the squares:")
    page.code("\n".join(f"print({n} * {n})" for n in range(6)), lang="python")
    page.heading(2, "After it").para("A loop that never ends needs a second program that stops it from outside.")
    _, _, boards = course(page.source())
    scene = next(scene for scene in boards[0].scenes if isinstance(scene, CodeScene))
    assert 3 <= scene.cues[-1].pause <= 8
