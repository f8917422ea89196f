"""Somebody's own outline on the site: pasted or uploaded, refused by its line, and taken away again as Markdown."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select

from service.db.engine import session_scope
from service.db.plans import read_plan, write_plan
from service.db.tables import Course, Run
from service.domain.course import LessonPlan
from service.domain.outline_text import read_outline
from tests.web.conftest import Browser
from tests.web.world import World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
TEXT = "# Sailing\n\n## Weather\n\n### Lines on the map\n\n- Read a surface chart\n"


@pytest.fixture
def draft(browser_of: Browsers, world: World) -> tuple[Browser, uuid.UUID]:
    browser, me = browser_of()
    course = world.draft(me)
    world.source(course)
    return browser, course


def post(browser: Browser, course: uuid.UUID, text: str = "", file: bytes | None = None) -> Any:
    address = f"/courses/{course}/own-outline"
    files = {"file": ("mine.md", file or b"", "text/markdown")} if file is not None else {"file": ("", b"")}
    return browser.post(address, data={"csrf": browser.token(address), "text": text}, files=files)


@pytest.mark.parametrize("way", ["pasted", "uploaded"])
def test_an_outline_is_kept_word_for_word_and_its_passages_are_looked_for(
    draft: tuple[Browser, uuid.UUID], engine: Engine, way: str
) -> None:
    browser, course = draft
    assert "Start from your own outline" in browser.get(f"/courses/{course}/brief").text
    crlf = TEXT.replace("\n", "\r\n")
    answer = post(browser, course, crlf) if way == "pasted" else post(browser, course, "", TEXT.encode())
    assert (answer.status_code, answer.headers["location"]) == (303, f"/courses/{course}/generating")
    with session_scope(engine) as session:
        row = session.get_one(Course, course)
        assert row.own_outline == read_outline(TEXT)
        assert (row.title, row.brief.title, row.state) == ("Sailing", "Sailing", "planning")
        assert session.scalars(select(Run.kind).where(Run.course_id == course, Run.kind == "plan")).one()


def test_a_refused_outline_names_its_line_and_nothing_of_it_is_lost(
    draft: tuple[Browser, uuid.UUID], engine: Engine
) -> None:
    browser, course = draft
    answer = post(browser, course, TEXT + "<b>Prose</b> about the sea.\n")
    assert answer.status_code == 422
    assert "Line 8: “&lt;b&gt;Prose&lt;/b&gt; about the sea.” is neither" in answer.text
    assert "- Read a surface chart\n&lt;b&gt;Prose" in answer.text
    assert "no text in UTF-8" in post(browser, course, "", b"\xff\xfe\x00").text
    assert "is empty" in post(browser, course).text
    with session_scope(engine) as session:
        row = session.get_one(Course, course)
        assert (row.own_outline, row.state) == (None, "draft")


def test_without_a_source_it_says_so_and_keeps_the_text(browser_of: Browsers, world: World) -> None:
    browser, me = browser_of()
    answer = post(browser, world.draft(me), TEXT)
    assert answer.status_code == 422
    assert "Add at least one document" in answer.text
    assert "### Lines on the map" in answer.text


def test_the_present_outline_is_given_as_markdown_and_is_what_the_page_opens_with(
    browser_of: Browsers, world: World, engine: Engine
) -> None:
    browser, me = browser_of()
    course = world.course(me, "planned", made=False)
    answer = browser.get(f"/courses/{course}/outline.md")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert 'filename="' in answer.headers["content-disposition"]
    with session_scope(engine) as session:
        plan = read_plan(session, course)
    back = read_outline(answer.text)
    assert [lesson.title for lesson in back.lessons] == [lesson.title for lesson in plan.lessons]
    assert "\n### " in browser.get(f"/courses/{course}/own-outline").text
    stranger, _ = browser_of("someone-else@example.org")
    assert stranger.get(f"/courses/{course}/outline.md").status_code == 404


def test_a_lesson_that_the_sources_say_nothing_about_is_flagged_not_dropped(
    browser_of: Browsers, world: World, engine: Engine
) -> None:
    browser, me = browser_of()
    course = world.course(me, "planned", made=False)
    with session_scope(engine) as session:
        plan = read_plan(session, course)
        module = plan.modules[0]
        alone = LessonPlan(id="own", title="Knitting", searched=True)
        modules = (module.model_copy(update={"lessons": (*module.lessons, alone)}), *plan.modules[1:])
        write_plan(session, session.get_one(Course, course), plan.model_copy(update={"modules": modules}))
    page = browser.get(f"/courses/{course}/outline").text
    assert page.count("Your sources say nothing about this") == 1
    assert "Your sources say nothing about “Knitting”. Add a source about it, or remove the lesson." in page


def test_drafting_anew_forgets_the_own_outline(draft: tuple[Browser, uuid.UUID], engine: Engine) -> None:
    browser, course = draft
    with session_scope(engine) as session:
        session.get_one(Course, course).own_outline = read_outline(TEXT)
    assert browser.submit(f"/courses/{course}/brief", title="Sea").status_code == 303
    with session_scope(engine) as session:
        assert session.get_one(Course, course).own_outline is None
