"""The hard gates: each goes red for the one thing that it guards, and names the place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.domain.lesson import Claim, Lesson, ParagraphBlock
from service.domain.quiz import Option, Quiz, QuizItem
from service.domain.report import Check, CourseDocuments, Report, gates, item_faults
from service.domain.source import Cite, Span
from tests.domain.handmade_course import HIVE, HONEY, SHA, SOURCE, STEPS, cite, claim, documents


def gate(course: CourseDocuments, check_id: str) -> Check:
    return Report(checks=gates(course)).check(check_id)


def with_lesson(course: CourseDocuments, **changes: Any) -> CourseDocuments:
    """The course with its first lesson's files replaced."""
    return replace(course, lessons=(replace(course.lessons[0], **changes), *course.lessons[1:]))


def with_claims(*claims: Claim) -> CourseDocuments:
    course = documents()
    lesson: Lesson = course.lessons[0].lesson
    return with_lesson(course, lesson=lesson.model_copy(update={"blocks": (ParagraphBlock(id="p", claims=claims),)}))


def test_a_sound_course_passes_every_gate_and_every_cite_is_counted() -> None:
    report = Report(checks=gates(documents()))
    assert not report.failed
    assert not report.warned
    # lesson texts 3 + 7, videos 3 + 3, questions 2 + 2, glossary 1
    assert report.check("cites").figure == "22 of 22"


def test_a_cite_that_is_shifted_by_one_character_fails_with_both_readings() -> None:
    right = cite(HIVE)
    shifted = Cite(source=SHA, start=right.start + 1, end=right.end + 1, quote=HIVE)
    found = gate(with_claims(Claim(text=HIVE, cites=(shifted,))), "cites")
    assert found.outcome == "fail"
    assert "01-lesson, text" in found.where[0]
    assert " hive is a box" in found.where[0]


def test_a_cite_of_a_source_that_is_not_there_fails() -> None:
    foreign = Cite(source="f" * 64, start=0, end=4, quote="Bees")
    assert gate(with_claims(Claim(text="Bees.", cites=(foreign,))), "cites").outcome == "fail"


def test_a_cite_in_a_question_is_checked_like_any_other() -> None:
    course = documents()
    items = course.lessons[0].quiz.items if course.lessons[0].quiz else ()
    wrong = items[0].model_copy(update={"cites": (cite(HIVE).model_copy(update={"quote": "A hive is a bag"}),)})
    found = gate(with_lesson(course, quiz=Quiz(lesson_id="x", items=(wrong,))), "cites")
    assert found.where
    assert "question q1" in found.where[0]


def test_a_cite_on_a_slide_is_checked_like_any_other() -> None:
    course = documents()
    board = course.lessons[0].storyboard
    assert board is not None
    title = board.scenes[0].model_copy(update={"cites": (cite(HIVE).model_copy(update={"end": cite(HIVE).end - 1}),)})
    board = board.model_copy(update={"scenes": (title, *board.scenes[1:])})
    assert "01-lesson, video" in gate(with_lesson(course, storyboard=board), "cites").where[0]


def test_a_glossary_entry_must_point_into_a_source() -> None:
    course = documents()
    entry = course.plan.glossary[0].model_copy(update={"cite": Span(source=SHA, start=5, end=len(SOURCE) + 1)})
    broken = replace(course, plan=course.plan.model_copy(update={"glossary": (entry,)}))
    assert gate(broken, "cites").where == ("glossary, hive: its cite lies outside the sources",)


def test_one_changed_character_in_a_source_fails_its_name() -> None:
    course = replace(documents(), texts={SHA: SOURCE.replace("20 kilograms", "30 kilograms")})
    assert gate(course, "sources").outcome == "fail"
    assert gate(course, "cites").outcome == "fail"


def test_a_fact_without_a_cite_fails_and_a_signpost_does_not() -> None:
    bare, signpost = Claim(text="Bees fly."), Claim(text="Now look.", factual=False)
    assert gate(with_claims(bare, signpost), "claims").where == ("01-lesson: “Bees fly.”",)


def test_an_unsupported_claim_fails_and_a_weak_one_asks_for_review() -> None:
    course = with_claims(claim(HIVE, state="unsupported"), claim(HONEY, state="weak"))
    assert gate(course, "support").outcome == "fail"
    assert gate(course, "review").outcome == "warn"
    assert "is weak" in gate(course, "review").where[0]


def question(**changes: Any) -> QuizItem:
    """A right question, then spoiled past its own validation, as a file from elsewhere may be."""
    right = QuizItem(
        id="q1",
        kind="single",
        stem="How much honey does a colony need?",
        options=tuple(Option(text=f"{n} kilograms", rationale="Told in the source.") for n in (5, 10, 20)),
        key=(2,),
        cites=(cite(HONEY),),
    )
    return right.model_copy(update=changes)


def options(*texts: str) -> tuple[Option, ...]:
    return tuple(Option(text=text, rationale="Because.") for text in texts)


def test_a_right_question_has_no_faults() -> None:
    assert list(item_faults(question())) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"key": (3,)}, "names no option"),
        ({"key": ()}, "names no option"),
        ({"options": options("20 kilograms"), "key": (0,)}, "nothing to choose"),
        (
            {"options": (*options("5 kilograms", "10 kilograms"), Option(text="20 kilograms", rationale=" "))},
            "rationale",
        ),
        ({"kind": "matching", "key": (0, 2, 1)}, "0 to n-1"),
        ({"kind": "ordering", "key": (0, 1)}, "place every option once"),
        ({"kind": "short", "model_answer": " "}, "model answer"),
    ],
)
def test_each_fault_of_a_question_is_found(changes: dict[str, Any], fault: str) -> None:
    found = list(item_faults(question(**changes)))
    assert found
    assert fault in found[0]


def test_a_key_that_the_cited_number_contradicts_is_wrong() -> None:
    found = list(item_faults(question(key=(1,))))
    assert found == ["the cite says “20 kilograms”, and the key is “10 kilograms”"]


def test_a_key_that_the_cited_words_contradict_is_wrong() -> None:
    terms = {"stem": "Which of these houses bees?", "options": options("Lid", "Hive", "Frame"), "cites": (cite(HIVE),)}
    assert list(item_faults(question(**terms, key=(1,)))) == []
    assert "the cite says “Hive”" in next(item_faults(question(**terms, key=(0,))))


def test_a_sentence_of_the_source_cannot_be_keyed_false() -> None:
    flip = {"kind": "true_false", "options": options("True", "False"), "cites": (cite(HIVE),)}
    stem = f"True or false? {HIVE}"
    assert list(item_faults(question(**flip, stem=stem, key=(0,)))) == []
    assert list(item_faults(question(**flip, stem=stem, key=(1,))))


def test_an_order_that_differs_from_the_source_is_wrong() -> None:
    whole = SOURCE[SOURCE.index(STEPS[0]) : SOURCE.index(STEPS[2]) + len(STEPS[2])]
    order = {"kind": "ordering", "options": options(STEPS[1], STEPS[0], STEPS[2]), "cites": (cite(whole),)}
    assert list(item_faults(question(**order, key=(1, 0, 2)))) == []
    assert list(item_faults(question(**order, key=(0, 1, 2)))) == ["the source gives the steps in another order"]


def test_an_unknown_check_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Report().check("cites")
