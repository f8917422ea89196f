"""Somebody at the brief or the outline is known to the lanes for a while, and it changes nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from service.db.engine import session_scope
from service.db.shift import EDITED
from service.web.editing import PRESENT_SECONDS
from tests.web.conftest import Browser
from tests.web.world import World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]


def row(world: World, course: uuid.UUID) -> Any:
    query = "SELECT extract(epoch FROM editor_until - now()) AS ahead, version, updated_at, editor_until FROM courses"
    with session_scope(world.engine) as session:
        return session.execute(text(f"{query} WHERE id = :id"), {"id": course}).one()


def edited(world: World) -> bool:
    with session_scope(world.engine) as session:
        return bool(session.scalar(EDITED))


@pytest.mark.parametrize("page", ["brief", "outline"])
def test_opening_a_page_says_that_an_editor_is_there(browser_of: Browsers, world: World, page: str) -> None:
    browser, me = browser_of()
    course = world.course(me, "planned")
    before = row(world, course)
    assert before.ahead is None
    assert not edited(world)
    assert browser.get(f"/courses/{course}/{page}").status_code == 200
    after = row(world, course)
    assert PRESENT_SECONDS - 30 < after.ahead <= PRESENT_SECONDS
    assert (after.version, after.updated_at) == (before.version, before.updated_at)
    assert edited(world)


def test_the_page_says_it_again_and_writes_only_when_it_must(browser_of: Browsers, world: World) -> None:
    browser, me = browser_of()
    course = world.course(me, "planned")
    token = {"X-CSRF": browser.token(f"/courses/{course}/outline")}
    first = row(world, course).editor_until
    assert browser.post(f"/courses/{course}/editing", headers=token).status_code == 204
    assert row(world, course).editor_until == first
    with session_scope(world.engine) as session:
        session.execute(text("UPDATE courses SET editor_until = now() + interval '20 seconds'"))
    assert browser.post(f"/courses/{course}/editing", headers=token).status_code == 204
    assert row(world, course).ahead > PRESENT_SECONDS - 30


def test_without_the_pages_token_nobody_is_there(browser_of: Browsers, world: World) -> None:
    browser, me = browser_of()
    course = world.course(me, "planned")
    assert browser.post(f"/courses/{course}/editing").status_code == 403
    assert row(world, course).ahead is None


def test_a_page_does_not_wait_for_a_course_that_is_written_to(browser_of: Browsers, world: World) -> None:
    browser, me = browser_of()
    course = world.course(me, "planned")
    with session_scope(world.engine) as other:
        other.execute(text("SELECT FROM courses WHERE id = :id FOR UPDATE"), {"id": course})
        assert browser.get(f"/courses/{course}/outline").status_code == 200
    assert row(world, course).ahead is None
