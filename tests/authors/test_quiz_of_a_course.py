"""The quizzes of a whole course: each objective is asked twice, once later, and most questions grade themselves."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from service.authors.extractive import ExtractiveAuthor
from service.authors.extractive.quizzes.quiz import LATER, reviewed_in
from service.domain.course import Brief, CoursePlan, LessonPlan, ModulePlan
from service.domain.pedagogy import pedagogy
from service.domain.quiz import QuizItem
from service.domain.report import Check, CourseDocuments, Report, Taught, gates
from service.readers.limits import Limits
from service.readers.reading import read_bytes
from tests.authors.test_author_contract import silent
from tests.authors.texts import evidence

SAMPLES = Path(__file__).parents[2] / "samples"
GRADED = 0.85  # of the questions on our own samples: what the rules reached when this was written, less a margin


def made() -> CourseDocuments:
    pages = sorted(path for path in SAMPLES.glob("*.md") if path.name != "README.md")
    sources = tuple(read_bytes(path.read_bytes(), path.name, Limits()) for path in pages)
    given, author, brief = evidence(*sources), ExtractiveAuthor(), Brief()
    plan = author.plan(brief, given, silent)
    lessons = [author.write(brief, plan, planned.id, given, silent) for planned in plan.lessons]
    taught = tuple(
        Taught(lesson.title, lesson, None, author.quiz(brief, plan, lesson, given, silent)) for lesson in lessons
    )
    return CourseDocuments(brief, plan, taught, {source.sha256: source.text for source in sources})


@pytest.fixture(scope="module")
def course() -> CourseDocuments:
    return made()


@pytest.fixture(scope="module")
def items(course: CourseDocuments) -> list[QuizItem]:
    return [item for _, item in course.items()]


def check(course: CourseDocuments, check_id: str) -> Check:
    return Report(checks=(*gates(course), *pedagogy(course))).check(check_id)


@pytest.mark.parametrize(
    "check_id",
    [
        *("cites", "quiz", "P1", "P2", "P2-orphans", "P12-later", "P13"),
        *("P15", "P15-support", "P15-absolute", "P15-positions"),
    ],
)
def test_every_check_of_questions_and_objectives_passes(course: CourseDocuments, check_id: str) -> None:
    found = check(course, check_id)
    assert (found.outcome, found.where) == ("ok", ())


def test_most_questions_grade_themselves_and_in_many_ways(items: list[QuizItem]) -> None:
    kinds = Counter(item.kind for item in items)
    assert 1 - kinds["short"] / len(items) >= GRADED
    assert kinds.keys() >= {"single", "multiple", "ordering", "matching", "cloze", "short"}


def test_every_option_says_why(items: list[QuizItem]) -> None:
    assert [item.stem for item in items for option in item.options if not option.rationale] == []


def test_a_question_comes_back_in_a_later_lesson_and_names_the_one_it_reviews(course: CourseDocuments) -> None:
    place = {taught.lesson.id: n for n, taught in enumerate(course.lessons)}
    for taught in course.lessons:
        for item in taught.quiz.items if taught.quiz else ():
            if item.reviews:
                assert place[item.reviews] < place[taught.lesson.id]
                assert item.objective in {one.id for one in course.plan.lesson(item.reviews).objectives}


def test_a_quiz_does_not_ask_for_one_sentence_twice(course: CourseDocuments) -> None:
    for taught in course.lessons:
        own = [item for item in (taught.quiz.items if taught.quiz else ()) if not item.reviews]
        starts = Counter((cite.source, cite.start) for item in own for cite in item.cites)
        assert max(starts.values()) == 1


def test_the_same_sources_give_the_same_questions(course: CourseDocuments) -> None:
    assert [taught.quiz for taught in made().lessons] == [taught.quiz for taught in course.lessons]


def plan_of(count: int) -> CoursePlan:
    lessons = tuple(LessonPlan(id=f"l{n}", title=f"Lesson {n}") for n in range(count))
    return CoursePlan(title="Course", modules=(ModulePlan(id="m", title="All", lessons=lessons),))


@pytest.mark.parametrize(("count", "place", "later"), [(6, 0, LATER), (6, 3, 5), (6, 4, 5), (2, 0, 1)])
def test_reviews_keep_one_distance_as_far_as_the_course_goes(count: int, place: int, later: int) -> None:
    assert reviewed_in(plan_of(count), f"l{place}") == f"l{later}"


def test_the_last_lesson_is_reviewed_nowhere() -> None:
    assert reviewed_in(plan_of(3), "l2") == ""
    assert reviewed_in(plan_of(3), "unknown") == ""
