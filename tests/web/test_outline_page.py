"""The outline: every edit is saved at once, a stale one is told what it collided with, and generation starts once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select

from service.db.engine import session_scope
from service.db.plans import read_plan
from service.db.tables import Course, Job, Lesson, Run, Source
from tests.web.conftest import Browser
from tests.web.world import World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
JSON = {"Accept": "application/json"}


@pytest.fixture
def planned(browser_of: Browsers, world: World) -> tuple[Browser, uuid.UUID]:
    browser, me = browser_of()
    return browser, world.course(me, "planned", made=False)


def edit(browser: Browser, course: uuid.UUID, version: int, *edits: dict[str, Any]) -> Any:
    headers = {**JSON, "X-CSRF": browser.token(), "If-Match": f'"{version}"'}
    return browser.patch(f"/courses/{course}/outline", json={"edits": edits}, headers=headers)


def shape(engine: Engine, course: uuid.UUID) -> list[tuple[str, list[str]]]:
    with session_scope(engine) as session:
        plan = read_plan(session, course)
        return [(module.title, [lesson.title for lesson in module.lessons]) for module in plan.modules]


def test_the_outline_shows_units_lessons_objectives_and_passages(planned: tuple[Browser, uuid.UUID]) -> None:
    browser, course = planned
    page = browser.get(f"/courses/{course}/outline").text
    for text in ("The air above the map", "Go, wait or change the plan", "Estimate wind strength", "3 passages"):
        assert text in page
    assert page.count("Your sources say little about this") == 1
    assert "Generate the course" in page


def test_the_outline_of_a_topic_says_that_there_is_no_source(
    planned: tuple[Browser, uuid.UUID], engine: Engine
) -> None:
    browser, course = planned
    with session_scope(engine) as session:
        session.execute(delete(Source).where(Source.course_id == course))
    page = browser.get(f"/courses/{course}/outline").text
    assert "There is no source: every sentence will wait for your signature." in page
    assert "Passages are found when it is written" not in page


def test_renaming_is_saved_at_once(planned: tuple[Browser, uuid.UUID], world: World, engine: Engine) -> None:
    browser, course = planned
    answer = edit(browser, course, 1, {"do": "rename_lesson", "id": str(world.lessons[0]), "title": " Wind "})
    assert answer.json()["version"] == 2
    assert (
        edit(browser, course, 2, {"do": "rename_module", "id": str(world.modules[0]), "title": "Air"}).status_code
        == 200
    )
    assert shape(engine, course)[0] == ("Air", ["Wind", "The Beaufort scale"])


def test_a_lesson_moves_into_the_next_unit(planned: tuple[Browser, uuid.UUID], world: World, engine: Engine) -> None:
    browser, course = planned
    move = {"do": "move_lesson", "id": str(world.lessons[0]), "module": str(world.modules[1]), "index": 0}
    answer = edit(browser, course, 1, move)
    assert [lessons for _, lessons in shape(engine, course)] == [
        ["The Beaufort scale"],
        ["Fronts and pressure", "Go, wait or change the plan"],
    ]
    order = re.findall(r'data-lesson="([^"]+)"', answer.json()["html"])
    assert order == [str(world.lessons[n]) for n in (1, 0, 2)]


def test_a_removed_lesson_comes_back_with_its_passages(
    planned: tuple[Browser, uuid.UUID], world: World, engine: Engine
) -> None:
    browser, course = planned
    removed = edit(browser, course, 1, {"do": "remove_lesson", "id": str(world.lessons[1])}).json()
    assert shape(engine, course)[0][1] == ["Fronts and pressure"]
    back = edit(browser, course, removed["version"], *removed["undo"])
    assert back.status_code == 200
    assert shape(engine, course)[0][1] == ["Fronts and pressure", "The Beaufort scale"]
    with session_scope(engine) as session:
        lesson = session.scalars(select(Lesson).where(Lesson.title == "The Beaufort scale")).one()
        assert lesson.id != world.lessons[1]
        assert len(lesson.plan.passages) == 2


def test_a_removed_unit_comes_back_with_its_lessons(
    planned: tuple[Browser, uuid.UUID], world: World, engine: Engine
) -> None:
    browser, course = planned
    before = shape(engine, course)
    removed = edit(browser, course, 1, {"do": "remove_module", "id": str(world.modules[0])}).json()
    assert len(shape(engine, course)) == 1
    edit(browser, course, 2, *removed["undo"])
    assert shape(engine, course) == before


def test_units_lessons_and_objectives_can_be_added(
    planned: tuple[Browser, uuid.UUID], world: World, engine: Engine
) -> None:
    browser, course = planned
    edit(browser, course, 1, {"do": "add_module", "id": "x", "title": "Fog", "index": 2})
    with session_scope(engine) as session:
        fog = read_plan(session, course).modules[2].id
    edit(browser, course, 2, {"do": "add_lesson", "id": "x", "module": fog, "title": "Seeing it come", "index": 0})
    assert shape(engine, course)[2] == ("Fog", ["Seeing it come"])
    lesson = str(world.lessons[0])
    edit(browser, course, 3, {"do": "set_objective", "lesson": lesson, "id": "new", "text": "Name the lines"})
    answer = edit(browser, course, 4, {"do": "remove_objective", "lesson": lesson, "id": "o1"})
    assert "Name the lines" in answer.json()["html"]
    assert "Estimate wind strength" not in answer.json()["html"]


def test_an_added_lesson_cannot_take_the_id_of_another_courses_lesson(
    planned: tuple[Browser, uuid.UUID], world: World, engine: Engine
) -> None:
    browser, course = planned
    unit = str(world.modules[0])
    foreign = world.course(world.person("owner@example.org"), "planned", made=False)
    theirs = str(world.lessons[0])
    answer = edit(
        browser, course, 1, {"do": "add_lesson", "id": theirs, "module": unit, "title": "Mine now", "index": 0}
    )
    assert answer.status_code == 200
    assert shape(engine, foreign)[0][1][0] == "Fronts and pressure"
    assert edit(browser, course, 2, {"do": "rename_lesson", "id": theirs, "title": "x"}).status_code == 422


def test_a_stale_edit_is_a_conflict_that_shows_both_sides(
    planned: tuple[Browser, uuid.UUID], world: World, engine: Engine
) -> None:
    browser, course = planned
    lesson = str(world.lessons[0])
    edit(browser, course, 1, {"do": "rename_lesson", "id": lesson, "title": "Theirs"})
    answer = edit(browser, course, 1, {"do": "rename_lesson", "id": lesson, "title": "Mine"})
    assert answer.status_code == 409
    assert answer.json()["current"] == {
        "version": 2,
        "differences": [{"what": "Lesson title", "yours": "Mine", "theirs": "Theirs"}],
    }
    assert shape(engine, course)[0][1][0] == "Theirs"


@pytest.mark.parametrize(
    "wrong",
    [
        {"do": "rename_lesson", "id": "x", "title": "x"},
        {"do": "dance"},
        {"do": "rename_module", "id": "x", "title": " "},
    ],
)
def test_an_edit_that_makes_no_sense_changes_nothing(
    planned: tuple[Browser, uuid.UUID], engine: Engine, wrong: dict[str, str]
) -> None:
    browser, course = planned
    before = shape(engine, course)
    assert edit(browser, course, 1, wrong).status_code == 422
    assert shape(engine, course) == before


def test_a_course_at_work_is_not_edited(browser_of: Browsers, world: World) -> None:
    browser, me = browser_of()
    course = world.course(me, "generating", made=False)
    answer = edit(browser, course, 1, {"do": "rename_lesson", "id": str(world.lessons[0]), "title": "x"})
    assert answer.status_code == 409
    assert "Stop that first" in answer.json()["error"]
    assert browser.get(f"/courses/{course}/outline").headers["location"].endswith("/generating")


def test_a_draft_has_no_outline_yet(browser_of: Browsers, world: World) -> None:
    browser, me = browser_of()
    course = world.draft(me)
    assert browser.get(f"/courses/{course}/outline").headers["location"].endswith("/brief")


def test_generating_starts_once_however_often_it_is_pressed(planned: tuple[Browser, uuid.UUID], engine: Engine) -> None:
    browser, course = planned
    for _ in range(2):
        answer = browser.submit(f"/courses/{course}/generate")
        assert answer.headers["location"] == f"/courses/{course}/generating"
    with session_scope(engine) as session:
        assert len(session.scalars(select(Run)).all()) == 1
        assert len(session.scalars(select(Job)).all()) == 6
        assert session.get_one(Course, course).state == "generating"


def test_a_finished_course_says_that_nothing_is_left_to_make(browser_of: Browsers, world: World) -> None:
    browser, me = browser_of()
    course = world.course(me)
    answer = browser.submit(f"/courses/{course}/generate")
    assert answer.status_code == 422
    assert "Every lesson is completed" in answer.text


def test_an_outline_of_which_everything_is_made_offers_nothing_to_generate_until_it_is_changed(
    browser_of: Browsers, world: World
) -> None:
    browser, me = browser_of()
    course = world.course(me)
    page = browser.get(f"/courses/{course}/outline").text
    assert "Every lesson is made" in page
    assert "Generate the course" not in page
    assert "Generating starts" not in page
    changed = edit(browser, course, 1, {"do": "rename_lesson", "id": str(world.lessons[0]), "title": "Wind"}).json()
    assert "Generate the course" in changed["to_generate"]
    assert "2 stay as they are" in changed["to_generate"]
    assert "1 lesson<" in changed["to_generate"]
