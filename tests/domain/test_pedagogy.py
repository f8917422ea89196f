"""Pedagogy: a well-made course gives no warning, and each convention that is broken gives its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from service.domain.course import GlossaryEntry, Objective
from service.domain.item_flaws import absolute_terms, flaws
from service.domain.lesson import Lesson
from service.domain.pedagogy import pedagogy
from service.domain.quiz import Option, Quiz, QuizItem
from service.domain.readability import fourgrams, grade_level, syllables
from service.domain.report import Check, CourseDocuments, Report, Taught
from service.domain.source import Span
from service.domain.storyboard import BulletsScene, Cue, Scene, Storyboard
from tests.domain.handmade_course import HIVE, SECOND, SHA, SMOKER, cite, claim, cue, documents, second_lesson

Change = Callable[[CourseDocuments], CourseDocuments]


def found(course: CourseDocuments, check_id: str) -> Check:
    return Report(checks=pedagogy(course)).check(check_id)


def first(course: CourseDocuments, **changes: Any) -> CourseDocuments:
    return replace(course, lessons=(replace(course.lessons[0], **changes), *course.lessons[1:]))


def scenes(course: CourseDocuments, change: Callable[[tuple[Scene, ...]], tuple[Scene, ...]]) -> CourseDocuments:
    board = course.lessons[0].storyboard
    assert board is not None
    return first(course, storyboard=board.model_copy(update={"scenes": change(board.scenes)}))


def lesson(course: CourseDocuments, **changes: Any) -> CourseDocuments:
    return first(course, lesson=course.lessons[0].lesson.model_copy(update=changes))


def items(course: CourseDocuments, *made: QuizItem) -> CourseDocuments:
    return first(course, quiz=Quiz(lesson_id="x", items=made))


def objective(text: str) -> Change:
    return lambda course: lesson(course, objectives=(Objective(id="o1", text=text, bloom="understand"),))


def bullets(count: int = 2, *, said: str = "Quiet words.", shown: str = "Line", states: bool = True) -> BulletsScene:
    cues = (Cue(text=said, state=1 if states else None),)
    return BulletsScene(id="b", title="Points", items=tuple(f"{shown} {n}" for n in range(count)), cues=cues)


def with_slide(scene: Scene) -> Change:
    return lambda course: scenes(course, lambda old: (*old[:-1], scene, old[-1]))


def first_item(course: CourseDocuments) -> QuizItem:
    quiz = course.lessons[0].quiz
    assert quiz is not None
    return quiz.items[0]


def changed_item(**changes: Any) -> Change:
    return lambda course: items(course, first_item(course).model_copy(update=changes), first_item(course))


def test_a_well_made_course_gives_no_warning() -> None:
    warned = [(check.id, check.where or check.figure) for check in pedagogy(documents()) if check.outcome != "ok"]
    assert warned == []


@pytest.mark.parametrize(
    ("check_id", "change"),
    [
        ("P1", objective("Understand what a hive is")),
        ("P1", objective("Bees and their hives")),
        ("P1", objective("Define " + "word " * 25)),
        ("P1", lambda course: lesson(course, objectives=())),
        ("P2", lambda course: items(course, first_item(course).model_copy(update={"objective": "o9"}))),
        ("P2-orphans", changed_item(objective="o9")),
        ("P2-orphans", changed_item(reviews=SECOND)),
        ("P12-later", lambda course: replace(course, lessons=(course.lessons[0], without_review(course.lessons[1])))),
        ("P15-support", changed_item(kind="cloze", stem="A hive is a box that houses a _____.", key=(2,))),
        ("P3", lambda course: first(course, seconds=60 * 6.2)),
        ("P3", lambda course: first(course, seconds=60 * 1.5)),
        ("hook", lambda course: scenes(course, lambda old: old[1:])),
        ("recap", lambda course: scenes(course, lambda old: old[:-1])),
        ("P4", lambda course: first(course, seconds=5 * 91)),
        ("P6-lines", with_slide(bullets(7))),
        ("P6-words", with_slide(bullets(6, shown="one two three four five six"))),
        ("P6-overlap", with_slide(bullets(said="One two three four five six", shown="one two three four five six"))),
        ("P7", with_slide(bullets(states=False))),
        ("P8", with_slide(bullets(said="Quiet words.", shown="Loud sentences"))),
        ("P10", lambda course: scenes(course, lambda old: (impersonal(old[0]), *old[1:3], impersonal(old[3])))),
        ("P11", lambda course: scenes(course, lambda old: (old[0], *3 * (bullets(),), old[1], *old[3:]))),
        ("P12", lambda course: scenes(course, lambda old: (*old[:3], old[4]))),
        ("P13", changed_item(cites=())),
        ("P14", lambda course: replace(course, lessons=(course.lessons[0], without_exercise(course.lessons[1])))),
        ("P15", changed_item(options=tuple(Option(text=t, rationale="x") for t in ("hive", "hive")), key=(0,))),
        ("P15-absolute", changed_item(options=tuple(Option(text=t, rationale="x") for t in ("hive", "all lids")))),
        ("P17-slides", with_slide(bullets(said="word " * 200))),
        ("P17-slides", with_slide(bullets(said="Short."))),
        ("P18", lambda course: replace(course, brief=course.brief.model_copy(update={"audience": ""}))),
        ("P18", lambda course: first(course, quiz=None)),
        ("P14", lambda course: replace(course, lessons=(course.lessons[0], without_question(course.lessons[1])))),
        ("P19", lambda course: replace(course, plan=course.plan.model_copy(update={"summary": ""}))),
        ("twice", with_slide(bullets().model_copy(update={"cues": (cue("Again.", SMOKER),)}))),
    ],
)
def test_each_broken_convention_is_warned_of(check_id: str, change: Change) -> None:
    broken = found(change(documents()), check_id)
    assert broken.outcome == "warn"
    assert broken.where or check_id == "P11"


def impersonal(scene: Scene) -> Scene:
    return scene.model_copy(update={"cues": (Cue(text="What do bees live in, and why?"),)})


def without_exercise(taught: Taught) -> Taught:
    made = second_lesson()
    return replace(taught, lesson=made.model_copy(update={"blocks": made.blocks[:-1]}))


def without_question(taught: Taught) -> Taught:
    assert taught.storyboard is not None
    kept = tuple(scene for scene in taught.storyboard.scenes if scene.kind != "question")
    return replace(taught, storyboard=taught.storyboard.model_copy(update={"scenes": kept}))


def without_review(taught: Taught) -> Taught:
    assert taught.quiz is not None
    kept = tuple(item for item in taught.quiz.items if not item.reviews)
    return replace(taught, quiz=taught.quiz.model_copy(update={"items": kept}))


def test_a_question_that_is_asked_again_later_counts_for_the_lesson_that_it_reviews() -> None:
    course = documents()
    short = items(course, first_item(course))
    assert found(short, "P2").where == ()
    again = replace(short, lessons=(short.lessons[0], without_review(short.lessons[1])))
    assert found(again, "P2").where == ("01-lesson: “Define hive and smoker” has 1",)


def test_the_promise_of_a_lesson_may_be_read_from_its_slide() -> None:
    course = documents()
    aims = [aim.text for aim in course.plan.lessons[0].objectives]
    promise = bullets(said=" ".join(aims)).model_copy(update={"items": tuple(aims)})
    assert found(with_slide(promise)(course), "P6-overlap").outcome == "ok"
    told = promise.model_copy(update={"items": (*aims, "And bees fly in the rain")})
    assert found(with_slide(told)(course), "P6-overlap").outcome == "warn"


def test_a_recap_may_repeat_what_was_told() -> None:
    course = documents()
    board = course.lessons[0].storyboard
    assert board is not None
    recap = board.scenes[-1].model_copy(update={"cues": (cue("Again: " + HIVE, HIVE),)})
    assert found(scenes(course, lambda old: (*old[:-1], recap)), "twice").outcome == "ok"


def test_a_term_that_is_used_before_its_lesson_is_found() -> None:
    course = documents()
    span = cite("Lift out one frame.")
    entry = GlossaryEntry(term="smoker", meaning="…", cite=Span(source=SHA, start=span.start, end=span.end))
    late = replace(course, plan=course.plan.model_copy(update={"glossary": (entry,)}))
    assert found(late, "P9").where == ("“smoker” is used in 01-lesson, defined in 02-lesson",)


def test_keys_that_stand_in_one_place_are_found_and_few_questions_are_not_judged() -> None:
    course = documents()
    same = tuple(first_item(course).model_copy(update={"id": f"q{n}"}) for n in range(16))
    assert found(items(course, *same), "P15-positions").outcome == "warn"
    assert found(items(course, *same[:8]), "P15-positions").figure == "too few to judge"
    even = tuple(one.model_copy(update={"key": (n % 4,)}) for n, one in enumerate(same))
    assert found(items(course, *even), "P15-positions").outcome == "ok"


def test_a_jump_in_reading_level_inside_a_module_is_found() -> None:
    hard = "Considerable organisational responsibilities accompany international administrative collaboration."
    made: Lesson = documents().lessons[0].lesson
    blocks = tuple(
        block.model_copy(update={"claims": (claim(HIVE, factual=True).model_copy(update={"text": hard}),)})
        for block in made.blocks
        if block.kind == "paragraph"
    )
    assert found(lesson(documents(), blocks=blocks), "P16").outcome == "warn"


def test_other_languages_have_no_english_reading_level() -> None:
    course = documents()
    german = replace(course, plan=course.plan.model_copy(update={"language": "de"}))
    assert found(german, "P16").figure == "not measured for de"


def test_length_is_estimated_from_the_narration_until_the_film_is_there() -> None:
    board = Storyboard(lesson_id="x", title="T", scenes=(bullets(said="word " * 150),))
    taught = Taught("01-x", documents().lessons[0].lesson, board)
    assert taught.minutes == pytest.approx(1.0)
    assert replace(taught, seconds=90.0).minutes == pytest.approx(1.5)


def choice(stem: str, *texts: str, key: int = 0, kind: str = "single") -> QuizItem:
    options = tuple(Option(text=text, rationale="x") for text in texts)
    return QuizItem.model_validate(
        {"id": "q", "kind": kind, "stem": stem, "options": [one.model_dump() for one in options], "key": [key]}
    )


@pytest.mark.parametrize(
    ("item", "flaw"),
    [
        (choice("Which?", "hive", "lid", "All of the above"), "all of these"),
        (choice("Which is not a tool?", "hive", "lid"), "negative"),
        (choice("What is a hive?", "a box that houses a whole colony of bees", "a lid", "a can"), "longer"),
        (choice("Which hive houses bees?", "hive", "lid"), "holds its answer"),
        (choice("Bees collect an ___", "orange", "lid"), "article"),
    ],
)
def test_writing_flaws_are_named(item: QuizItem, flaw: str) -> None:
    assert any(flaw in said for said in flaws(item))


def test_a_quoted_negation_is_not_a_negative_question() -> None:
    assert list(flaws(choice("Which term fits “a box that is not open”?", "hive", "lid"))) == []
    assert list(flaws(choice("Never stand in front of the ____", "lid", "hive", kind="cloze"))) == []


def test_absolute_words_only_give_wrong_options_away() -> None:
    assert absolute_terms(choice("Which?", "bees fly", "bees never fly"))
    assert not absolute_terms(choice("Which?", "all bees fly", "no bees ever, never fly"))


def test_syllables_and_grades_are_plausible() -> None:
    assert [syllables(word) for word in ("bee", "hive", "table", "honey", "colony", "free")] == [1, 1, 2, 2, 3, 1]
    easy, hard = ["The cat sat on the mat."], ["Organisational responsibilities necessitate considerable deliberation."]
    assert grade_level(easy) < 2
    assert grade_level(hard) > 15
    assert grade_level([]) == 0.0


def test_four_words_in_a_row_make_a_run() -> None:
    assert fourgrams("A b c d e") == {("a", "b", "c", "d"), ("b", "c", "d", "e")}
    assert fourgrams("a b c") == set()
