"""A course about a topic, without a document: what the model tells is a course, and nothing pretends to be proved."""

from __future__ import annotations

from typing import Any

import pytest

from service.authors.agents.author import AgentAuthor
from service.authors.extractive import ExtractiveAuthor
from service.domain.agent_tokens import lesson_lines, outline_lines
from service.domain.course import Brief
from service.domain.lesson import Lesson
from service.domain.money import chat_micro_dollars
from service.domain.pedagogy import pedagogy
from service.domain.quote import total
from service.domain.report import CourseDocuments, Taught, gates
from service.domain.revision import Change, LessonDocuments
from service.errors import BadInput, Broken
from service.pipeline.verify import check_cites
from tests.authors.chat_server import MODEL, Mind, Notebook, chat, model_at
from tests.authors.test_author_contract import Course, made, silent
from tests.authors.texts import evidence, sourdough

NOTHING = evidence()
BRIEF = Brief(title="Garden trees")


@pytest.fixture(scope="module")
def course() -> Course:
    with chat() as (server, _):
        return made(AgentAuthor(model_at(server), Notebook()), NOTHING, BRIEF)


def test_every_fact_is_unsupported_and_cites_nothing(course: Course) -> None:
    assert course.plan.title == "Garden trees"
    assert len(course.lessons) == 2
    assert course.cites() == []
    for lesson in course.lessons:
        facts = [claim for claim in lesson.claims() if claim.factual]
        assert len(facts) > 10
        assert {claim.state for claim in facts} == {"unsupported"}
        assert all(claim.text.endswith("?") for claim in lesson.claims() if not claim.factual)
        assert lesson.unsourced


def test_its_videos_and_questions_tell_what_the_lesson_tells(course: Course) -> None:
    for lesson, board, quiz in zip(course.lessons, course.storyboards, course.quizzes, strict=True):
        said = {claim.text for claim in lesson.claims()}
        assert sum(cue.text in said for cue in board.cues()) > 10
        assert quiz.items
        assert all(not item.cites for item in quiz.items)
        assert all(option.rationale for item in quiz.items for option in item.options)
        assert check_cites(lesson, board, quiz, ()) == 0


def test_the_gates_say_that_nothing_can_be_looked_up(course: Course) -> None:
    taught = tuple(
        Taught(lesson.title, lesson, board, quiz)
        for lesson, board, quiz in zip(course.lessons, course.storyboards, course.quizzes, strict=True)
    )
    documents = CourseDocuments(BRIEF, course.plan, taught, {})
    outcomes = {check.id: check.outcome for check in gates(documents)}
    assert outcomes == {
        "sources": "warn", "cites": "unchecked", "claims": "fail", "support": "fail", "review": "ok", "quiz": "ok",
    }  # fmt: skip
    count = sum(claim.factual for lesson in course.lessons for claim in lesson.claims())
    claims = next(check for check in gates(documents) if check.id == "claims")
    assert claims.figure == f"0 of {count}"
    assert next(check for check in pedagogy(documents) if check.id == "P13").outcome == "warn"


def test_as_soon_as_there_is_one_source_nothing_is_told_without_it(course: Course) -> None:
    with chat() as (server, _):
        author = AgentAuthor(model_at(server), Notebook())
        with pytest.raises(BadInput, match="The sources say nothing about “Parts of Garden trees”"):
            author.write(BRIEF, course.plan, course.plan.lessons[0].id, evidence(sourdough()), silent)
    with pytest.raises(Broken, match="states without a cite"):
        check_cites(course.lessons[0], course.storyboards[0], course.quizzes[0], (sourdough(),))


def test_a_fact_must_say_itself_that_it_has_no_source(course: Course) -> None:
    def honest(lesson: Lesson, state: str) -> Lesson:
        blocks = [block.model_dump() for block in lesson.blocks]
        blocks[1]["claims"][1]["state"] = state
        return Lesson.model_validate({**lesson.model_dump(), "blocks": blocks})

    with pytest.raises(Broken, match="states without a cite"):
        check_cites(honest(course.lessons[0], "supported"), course.storyboards[0], course.quizzes[0], ())


def test_neither_document_nor_title_nor_model_is_refused_with_the_way_out() -> None:
    with chat() as (server, _):
        with pytest.raises(BadInput, match="Add a document, or name the topic in the title"):
            AgentAuthor(model_at(server), Notebook()).plan(Brief(), NOTHING, silent)
        assert server.calls() == 0
    with pytest.raises(BadInput, match="Add a document"):
        ExtractiveAuthor().plan(BRIEF, NOTHING, silent)


def test_the_team_is_told_that_there_are_no_passages_and_none_can_be_claimed() -> None:
    class Sure(Mind):
        def topic_lesson(self, title: str, words: int) -> dict[str, Any]:
            made = super().topic_lesson(title, words)
            for sentence in made["blocks"][1]["sentences"]:
                sentence.update(passage="P1", quote="Proved by everybody who ever looked at it.")
            return made

    with chat(Sure()) as (server, _):
        course = made(AgentAuthor(model_at(server), Notebook()), NOTHING, BRIEF)
        systems = [str(body["messages"][0]["content"]) for body in server.bodies()]
    assert course.cites() == []
    assert sum("There are no sources." in text for text in systems) >= 3
    assert not any("$" in text for text in systems)


def test_a_wished_length_bounds_the_course() -> None:
    class Eager(Mind):
        def topic_outline(self, topic: str) -> dict[str, Any]:
            made = super().topic_outline(topic)
            lessons = made["modules"][0]["lessons"]
            made["modules"][0]["lessons"] = [{**lessons[0], "title": f"Part {n}"} for n in range(30)]
            return made

    with chat(Eager()) as (server, _):
        author = AgentAuthor(model_at(server), Notebook())
        assert author.plan(BRIEF.model_copy(update={"minutes": 10}), NOTHING, silent).minutes <= 12.5
        assert len(author.plan(BRIEF, NOTHING, silent).lessons) <= 12


def test_a_block_of_it_can_be_revised_and_stays_unsupported(course: Course) -> None:
    documents = LessonDocuments(text=course.lessons[0], storyboard=course.storyboards[0])
    old = course.lessons[0].blocks[1]
    with chat() as (server, _):
        author = AgentAuthor(model_at(server), Notebook())
        change = Change(part="block", id=old.id, wish="shorter")
        new = author.revise(BRIEF, course.plan, documents, change, NOTHING, silent).text
        system = str(server.bodies()[0]["messages"][0]["content"])
    assert "There are no sources." in system
    assert sum(1 for _ in new.claims()) < sum(1 for _ in course.lessons[0].claims())
    assert {claim.state for claim in new.claims() if claim.factual} == {"unsupported"}


def test_what_is_held_for_a_topic_holds_what_is_paid() -> None:
    drafting, writing = Notebook(), Notebook()
    with chat() as (server, _):
        plan = AgentAuthor(model_at(server), drafting).plan(BRIEF, NOTHING, silent)
        author = AgentAuthor(model_at(server), writing)
        for planned in plan.lessons:
            lesson = author.write(BRIEF, plan, planned.id, NOTHING, silent)
            author.storyboard(BRIEF, plan, lesson, NOTHING, silent)
            author.quiz(BRIEF, plan, lesson, NOTHING, silent)
    assert 0 < paid(drafting) <= total(line.micro_dollars for line in outline_lines(MODEL, 0)).high
    assert 0 < paid(writing) <= total(line.micro_dollars for line in lesson_lines(MODEL, plan.lessons)).high


def paid(notes: Notebook) -> int:
    calls = notes.kept.values()
    return sum(chat_micro_dollars(MODEL, c.input_tokens, c.cached_tokens, c.output_tokens) for c in calls)
