"""Quizzes: each kind is graded by its own rule, every option gets its reason, and every attempt is kept."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, select

from service.db.engine import session_scope
from service.db.tables import QuizAttempt, QuizItem
from service.errors import BadInput
from service.web.quizzes import given_answer, shuffled
from tests.web.conftest import Browser
from tests.web.world import ITEMS, World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
BY_KIND = {item.kind: item for item in ITEMS}
RIGHT: dict[str, dict[str, Any]] = {
    "single": {"answer": "2"},
    "true_false": {"answer": "0"},
    "multiple": {"answer": ["0", "2"]},
    "ordering": {"place-0": "2", "place-1": "0", "place-2": "1"},
    "matching": {"place-0": "0", "place-1": "1", "place-2": "2"},
    "cloze": {"answer": "1"},
    "short": {"answer": "1", "words": "it is half as strong again"},
}
WRONG: dict[str, dict[str, Any]] = {
    "single": {"answer": "0"},
    "true_false": {"answer": "1"},
    "multiple": {"answer": ["0"]},
    "ordering": {"place-0": "0", "place-1": "1", "place-2": "2"},
    "matching": {"place-0": "1", "place-1": "0", "place-2": "2"},
    "cloze": {"answer": "0"},
    "short": {"answer": "0"},
}


@dataclass
class Asked:
    """A quiz that somebody takes."""

    browser: Browser
    quiz: str
    engine: Engine

    def answer(self, kind: str, fields: dict[str, Any], **headers: str) -> Any:
        token = self.browser.token(f"{self.quiz}?q=1")
        number = [item.kind for item in ITEMS].index(kind)
        address = re.search(rf'action="({self.quiz}/[^"]+)"', self.browser.get(f"{self.quiz}?q={number + 1}").text)
        assert address
        return self.browser.post(address.group(1), data={"csrf": token, **fields}, headers=headers)

    def attempts(self) -> list[tuple[list[int], bool]]:
        with session_scope(self.engine) as session:
            rows = session.execute(
                select(QuizAttempt.given, QuizAttempt.correct).order_by(QuizAttempt.created_at)
            ).all()
            return [(given, correct) for given, correct in rows]


@pytest.fixture
def asked(browser_of: Browsers, world: World, engine: Engine) -> Asked:
    course = world.course(world.person("owner@example.org"), "published")
    browser, _ = browser_of("learner@example.org", role="learner")
    return Asked(browser, f"/courses/{course}/lessons/{world.lessons[0]}/quiz", engine)


@pytest.mark.parametrize("kind", list(RIGHT))
def test_a_right_answer_is_right_and_is_kept(asked: Asked, kind: str) -> None:
    answer = asked.answer(kind, RIGHT[kind])
    assert answer.status_code == 303, answer.text
    page = asked.browser.get(answer.headers["location"]).text
    assert "<strong>Right.</strong>" in page
    assert [correct for _, correct in asked.attempts()] == [True]


@pytest.mark.parametrize("kind", list(WRONG))
def test_a_wrong_answer_is_kept_too_and_shows_what_was_right(asked: Asked, kind: str) -> None:
    answer = asked.answer(kind, WRONG[kind])
    page = asked.browser.get(answer.headers["location"]).text
    assert "<strong>Not this time.</strong>" in page
    assert "Try it again" in page
    assert [correct for _, correct in asked.attempts()] == [False]


@pytest.mark.parametrize("kind", ["single", "multiple", "ordering", "matching", "cloze", "true_false"])
def test_after_checking_every_option_says_why(asked: Asked, kind: str) -> None:
    before = asked.browser.get(f"{asked.quiz}?q={[item.kind for item in ITEMS].index(kind) + 1}").text
    after = asked.browser.get(asked.answer(kind, WRONG[kind]).headers["location"]).text
    for option in BY_KIND[kind].options:
        assert option.rationale not in before
        assert option.rationale in after


def test_a_miss_leads_back_to_the_second_that_says_it(asked: Asked) -> None:
    page = asked.browser.get(asked.answer("single", WRONG["single"]).headers["location"]).text
    assert "Hear it again at 1:40" in page
    assert "#t=100.0" in page


def test_a_short_answer_is_compared_first_then_judged_by_its_learner(asked: Asked) -> None:
    before = asked.browser.get(f"{asked.quiz}?q=7").text
    assert "half as strong again" not in before
    compared = asked.answer("short", {"words": "because <b>gusts</b>"})
    assert compared.status_code == 200
    assert "because &lt;b&gt;gusts&lt;/b&gt;" in compared.text
    assert "half as strong again" in compared.text
    assert "I had it" in compared.text
    assert asked.attempts() == []


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        ("single", {}, "Choose an answer first"),
        ("single", {"answer": "9"}, "Choose an answer first"),
        ("single", {"answer": "x"}, "Choose an answer first"),
        ("multiple", {}, "Choose an answer first"),
        ("ordering", {"place-0": "0", "place-1": "0", "place-2": "1"}, "Use each one once"),
        ("ordering", {"place-0": "0"}, "Choose one for each line"),
        ("matching", {"place-0": "1", "place-1": "1", "place-2": "2"}, "Use each one once"),
    ],
)
def test_an_unfinished_answer_is_not_graded(asked: Asked, kind: str, fields: dict[str, str], says: str) -> None:
    answer = asked.answer(kind, fields)
    assert answer.status_code == 422
    assert says in answer.text
    assert asked.attempts() == []


def test_a_review_says_which_lesson_it_comes_from_and_leads_back_to_it(
    browser_of: Browsers, world: World, engine: Engine
) -> None:
    course = world.course(world.person("owner@example.org"), "published")
    earlier, later = world.lessons[0], world.lessons[1]
    with session_scope(engine) as session:
        asked = select(QuizItem).where(QuizItem.lesson_id == later).order_by(QuizItem.position)
        row = session.scalars(asked).first()
        assert row is not None
        row.document = BY_KIND["single"].model_copy(update={"reviews": str(earlier)})
    browser, _ = browser_of("learner@example.org", role="learner")
    page = f"/courses/{course}/lessons/{later}/quiz"
    shown = browser.get(page).text
    assert "From an earlier lesson" in shown
    assert f'href="/courses/{course}/lessons/{earlier}"' in shown
    address = re.search(rf'action="({page}/[^"]+)"', shown)
    assert address
    missed = browser.post(address.group(1), data={"csrf": browser.token(page), "answer": "0"})
    after = browser.get(missed.headers["location"]).text
    assert f'href="/courses/{course}/lessons/{earlier}#t=100.0"' in after


def test_a_script_gets_the_checked_question_alone(asked: Asked) -> None:
    answer = asked.answer("single", RIGHT["single"], Accept="text/x-fragment")
    fragment = asked.browser.get(answer.headers["location"], headers={"Accept": "text/x-fragment"}).text
    assert fragment.lstrip().startswith("<h1")
    assert "data-verdict" in fragment


def test_the_end_counts_the_newest_answers(asked: Asked) -> None:
    asked.answer("single", WRONG["single"])
    asked.answer("single", RIGHT["single"])
    asked.answer("cloze", WRONG["cloze"])
    page = asked.browser.get(f"{asked.quiz}?q=8").text
    assert "1 of 7 questions right" in page
    assert len(asked.attempts()) == 3


def test_somebody_elses_attempt_is_not_shown(asked: Asked, browser_of: Browsers) -> None:
    shown = asked.answer("single", WRONG["single"]).headers["location"]
    other, _ = browser_of("other@example.org")
    assert "Not this time" not in other.get(shown).text


def test_a_question_of_another_lesson_is_not_answered_here(asked: Asked, world: World, engine: Engine) -> None:
    with session_scope(engine) as session:
        foreign = session.scalars(select(QuizItem.id).where(QuizItem.lesson_id == world.lessons[1])).first()
    assert asked.browser.submit(f"{asked.quiz}/{foreign}", answer="0").status_code == 404


def test_a_stranger_reads_the_question_and_is_asked_to_sign_in(asked: Asked, stranger: Browser) -> None:
    page = stranger.get(asked.quiz)
    assert page.status_code == 200
    assert "to check your answers and keep them" in page.text


def test_a_lesson_without_questions_goes_back_to_the_lesson(asked: Asked, world: World, engine: Engine) -> None:
    with session_scope(engine) as session:
        for item in session.scalars(select(QuizItem)):
            session.delete(item)
    assert asked.browser.get(asked.quiz).headers["location"] == asked.quiz.removesuffix("/quiz")


def test_the_order_shown_never_gives_the_answer_away() -> None:
    for item in ITEMS:
        if item.kind in ("ordering", "matching"):
            order = shuffled(item)
            assert sorted(order) == list(range(len(item.options)))
            assert tuple(order) != item.key
            assert order == shuffled(item)


def test_an_order_is_read_as_what_comes_first_second_third() -> None:
    item = BY_KIND["ordering"]
    assert given_answer(item, {"place-0": "2", "place-1": "0", "place-2": "1"}) == (1, 2, 0) == item.key
    with pytest.raises(BadInput):
        given_answer(item, {"place-0": "2", "place-1": "0", "place-2": "3"})
