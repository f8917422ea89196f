"""What good teaching asks of the agents: objectives asked again later, slides that show, practice, and keys that hold;
where a draft falls short, its maker is told in the next round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.authors.agents.author import AgentAuthor
from service.domain.course import Brief, CoursePlan
from service.domain.lesson import Lesson
from service.domain.pedagogy import delayed_retrieval
from service.domain.quiz import Quiz
from service.domain.report import CourseDocuments, Taught
from service.domain.storyboard import Storyboard
from tests.authors.chat_server import Mind, Notebook, chat, model_at, question
from tests.authors.test_author_contract import made, silent
from tests.authors.texts import backups, bees, evidence, sourdough

GIVEN = evidence(sourdough(), backups(), bees())


@pytest.fixture(scope="module")
def plan() -> CoursePlan:
    with chat() as (server, _):
        return AgentAuthor(model_at(server), Notebook()).plan(Brief(), GIVEN, silent)


@pytest.fixture(scope="module")
def lesson(plan: CoursePlan) -> Lesson:
    """The last lesson."""
    with chat() as (server, _):
        author = AgentAuthor(model_at(server), Notebook())
        return author.write(Brief(), plan, plan.lessons[-1].id, GIVEN, silent)


def told(mind: Mind, work: Callable[[AgentAuthor], Any]) -> tuple[Any, list[str]]:
    """What the author makes with this mind, and every message that its model was sent."""
    with chat(mind) as (server, _):
        result = work(AgentAuthor(model_at(server), Notebook()))
        talk = [str(one["content"]) for body in server.bodies() for one in body["messages"]]
    return result, talk


def test_every_objective_is_asked_again_in_a_later_lesson_from_its_own_passages() -> None:
    with chat() as (server, _):
        course = made(AgentAuthor(model_at(server), Notebook()), GIVEN)
    taught = tuple(
        Taught(one.title, one, board, quiz)
        for one, board, quiz in zip(course.lessons, course.storyboards, course.quizzes, strict=True)
    )
    check = delayed_retrieval(CourseDocuments(Brief(), course.plan, taught, {}))
    assert check.outcome == "ok", check.where
    again = [(quiz, item) for quiz in course.quizzes for item in quiz.items if item.reviews]
    assert len(again) >= 4
    order = [planned.id for planned in course.plan.lessons]
    for quiz, item in again:
        assert order.index(item.reviews) < order.index(quiz.lesson_id)
        spans = course.plan.lesson(item.reviews).passages
        assert all(any(s.source == c.source and s.start <= c.start < s.end for s in spans) for c in item.cites)


def test_a_quiz_that_does_not_look_back_is_sent_back(plan: CoursePlan, lesson: Lesson) -> None:
    class Forgetful(Mind):
        def quiz(self, talk: str) -> dict[str, Any]:
            kept = super().quiz(talk)["questions"]
            return {"questions": [one for one in kept if not one["objective"].startswith("R")]}

    quiz, talk = told(Forgetful(), lambda author: author.quiz(Brief(), plan, lesson, GIVEN, silent))
    assert any("R1 of an earlier lesson is not asked again" in text for text in talk)
    assert all(not item.reviews for item in quiz.items)


def test_an_earlier_objective_is_proved_by_its_own_sentences_only(plan: CoursePlan, lesson: Lesson) -> None:
    class Mixing(Mind):
        def quiz(self, talk: str) -> dict[str, Any]:
            made = super().quiz(talk)
            options = [{"text": t, "right": t == "True", "why": "So it is told."} for t in ("True", "False")]
            wrong = question("true_false", "True or false: this is proved elsewhere.", "R1", "S1", options)
            return {"questions": [*made["questions"], wrong]}

    quiz, _ = told(Mixing(), lambda author: author.quiz(Brief(), plan, lesson, GIVEN, silent))
    assert not any("proved elsewhere" in item.stem for item in quiz.items)


def test_a_key_that_its_sentences_do_not_prove_is_sent_back(plan: CoursePlan, lesson: Lesson) -> None:
    class Liar(Mind):
        def quiz(self, talk: str) -> dict[str, Any]:
            made = super().quiz(talk)
            made["questions"][0]["stem"] = "True or false: Bees were invented by 44 engineers in Paris."
            return made

    quiz, talk = told(Liar(), lambda author: author.quiz(Brief(), plan, lesson, GIVEN, silent))
    assert isinstance(quiz, Quiz)
    assert any("does not support the statement that is called true" in text for text in talk)


class Drawing(Mind):
    """Draws its first slide as something else."""

    def __init__(self, **changes: Any) -> None:
        super().__init__()
        self._changes = changes

    def storyboard(self, talk: str) -> dict[str, Any]:
        made = super().storyboard(talk)
        made["scenes"][0] = {**made["scenes"][0], **self._changes}
        return made


def first_scene(mind: Mind, plan: CoursePlan, lesson: Lesson) -> tuple[Any, list[str]]:
    board, talk = told(mind, lambda author: author.storyboard(Brief(), plan, lesson, GIVEN, silent))
    assert isinstance(board, Storyboard)
    return next(scene for scene in board.scenes[2:]), talk


def test_a_subject_and_its_parts_become_a_map(plan: CoursePlan, lesson: Lesson) -> None:
    parts = ["Queen: lays the eggs", "Workers: gather and build"]
    scene, _ = first_scene(Drawing(kind="map", items=parts, text="Who lives in a hive"), plan, lesson)
    assert scene.kind == "map"
    assert scene.items == (("Queen", "lays the eggs"), ("Workers", "gather and build"))
    assert scene.text == "Who lives in a hive"
    states = [cue.state for cue in scene.cues]
    assert states == sorted(states)
    assert states[-1] == 2


def test_a_worked_example_has_its_problem_its_steps_and_its_result(plan: CoursePlan, lesson: Lesson) -> None:
    made = Drawing(kind="worked", text="The hive is full", items=["Look for cells", "Make room"], answer="They stay")
    scene, _ = first_scene(made, plan, lesson)
    assert (scene.kind, scene.problem, scene.answer) == ("worked", "The hive is full", "They stay")


def test_a_figure_that_no_sentence_has_becomes_lines(plan: CoursePlan, lesson: Lesson) -> None:
    scene, talk = first_scene(Drawing(kind="figure", term="umpteen", text="So many bees"), plan, lesson)
    assert scene.kind == "bullets"
    assert any("the figure “umpteen” stands in no sentence that the slide tells" in text for text in talk)
    word = scene.cues[0].text.split()[1]
    grounded, _ = first_scene(Drawing(kind="figure", term=word, text="So many bees"), plan, lesson)
    assert (grounded.kind, grounded.figure) == ("figure", word)


def test_a_lesson_that_teaches_a_skill_and_lets_nobody_try_is_sent_back(plan: CoursePlan) -> None:
    class Lecturer(Mind):
        def lesson(self, talk: str) -> dict[str, Any]:
            return super().lesson(talk.replace("(apply)", "(understand)"))

    last = plan.lessons[-1].id
    _, talk = told(Lecturer(), lambda author: author.write(Brief(), plan, last, GIVEN, silent))
    assert any("no exercise (the rule: skills shown and practised" in text for text in talk)


def test_a_video_is_not_asked_for_what_only_the_text_can_give(plan: CoursePlan, lesson: Lesson) -> None:
    bare = lesson.model_copy(update={"blocks": tuple(b for b in lesson.blocks if b.kind != "exercise")})
    _, talk = told(Mind(), lambda author: author.storyboard(Brief(), plan, bare, GIVEN, silent))
    assert not any("no exercise" in text for text in talk)
