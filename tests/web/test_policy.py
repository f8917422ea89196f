"""The policy is the routes and the routes are the policy, and what it says is what happens."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from service.web.policy import POLICY, Who
from tests.web.conftest import Browser
from tests.web.world import SHA, World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]
COUNTED = 84


def walk(router: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every (method, path) of an application, also inside included routers, which `app.routes` does not flatten."""
    for route in router.routes:
        if hasattr(route, "original_router"):
            inside = getattr(route.include_context, "prefix", "") or ""
            yield from walk(route.original_router, prefix + inside)
        elif getattr(route, "methods", None):
            yield from ((method, prefix + route.path) for method in route.methods)
        elif hasattr(route, "routes"):
            yield from walk(route, prefix + getattr(route, "path", ""))
        else:
            yield "?", prefix + str(getattr(route, "path", route))


def unlisted(app: FastAPI) -> set[tuple[str, str]]:
    return set(walk(app)) ^ {(method, rule.path) for rule in POLICY for method in rule.methods}


def test_every_route_has_a_row_and_every_row_a_route(app: FastAPI) -> None:
    assert unlisted(app) == set()
    assert len(set(walk(app))) == COUNTED


def test_a_route_without_a_row_is_found_and_refused(app: FastAPI, maren: Browser) -> None:
    router, inner = APIRouter(prefix="/backdoor"), APIRouter()
    inner.get("/open")(lambda: "come in")
    router.include_router(inner)
    app.include_router(router)
    assert unlisted(app) == {("GET", "/backdoor/open")}
    assert maren.get("/backdoor/open").status_code == 404


def filled(path: str, **ids: object) -> str:
    """The path with its parameters filled in."""
    known = {"path": "x/css/app.css", "key": "films/x.mp4", "sha256": SHA} | ids
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: str(known.get(found.group(1), uuid.uuid4())), path)


def call(browser: Browser, method: str, address: str, token: str) -> Any:
    return browser.request(method, address, headers={"X-CSRF": token}, data=None if method in ("GET", "HEAD") else {})


@pytest.mark.parametrize("rule", [rule for rule in POLICY if rule.needs_sign_in], ids=lambda rule: rule.path)
def test_nobody_gets_past_a_row_that_needs_a_person(rule: Any, stranger: Browser, world: World) -> None:
    course = world.course(world.person("owner@example.org"))
    token = stranger.token("/sign-in")
    for method in rule.methods:
        answer = call(stranger, method, filled(rule.path, course_id=course, lesson_id=world.lessons[0]), token)
        assert answer.status_code == 303, (method, rule.path)
        assert answer.headers["location"].startswith("/sign-in")


COURSE_ROWS = [rule for rule in POLICY if "{course_id" in rule.path]


@pytest.mark.parametrize("rule", COURSE_ROWS, ids=lambda rule: f"{rule.path}")
def test_a_foreign_course_looks_exactly_like_a_missing_one(rule: Any, browser_of: Browsers, world: World) -> None:
    foreign = world.course(world.person("owner@example.org"))
    lesson = world.lessons[0]
    other, _ = browser_of("other@example.org")
    token = other.token()
    for method in rule.methods:
        answers = [
            call(other, method, filled(rule.path, course_id=course, lesson_id=lesson), token)
            for course in (foreign, uuid.uuid4())
        ]
        assert [answer.status_code for answer in answers] == [404, 404], (method, rule.path)
        first, second = (without_chance(answer.text) for answer in answers)
        assert first == second


def without_chance(page: str) -> str:
    """A page without what differs on every answer: the nonce, and the address it was asked by."""
    return re.sub(r'nonce="[^"]*"|/courses/[^"]*', "", page)


@pytest.mark.parametrize(
    "rule", [rule for rule in COURSE_ROWS if "{lesson_id" in rule.path], ids=lambda rule: f"{rule.path}"
)
def test_a_lesson_is_not_reached_through_another_course(rule: Any, browser_of: Browsers, world: World) -> None:
    foreign = world.course(world.person("owner@example.org"))
    lesson = world.lessons[0]
    browser, me = browser_of("me@example.org")
    mine = world.course(me)
    assert mine != foreign
    for method in rule.methods:
        address = filled(rule.path, course_id=mine, lesson_id=lesson)
        assert call(browser, method, address, browser.token()).status_code == 404


def test_a_published_course_may_be_read_but_not_changed_by_others(browser_of: Browsers, world: World) -> None:
    course = world.course(world.person("owner@example.org"), "published")
    other, _ = browser_of("other@example.org")
    token = other.token()
    assert other.get(f"/courses/{course}").status_code == 200
    for rule in COURSE_ROWS:
        if rule.who is Who.OWNER:
            for method in rule.methods:
                assert call(other, method, filled(rule.path, course_id=course), token).status_code == 404, rule.path


SERVICE_ROWS = [rule for rule in POLICY if rule.is_service]


def test_the_cloud_calls_three_addresses() -> None:
    assert {rule.path: rule.who for rule in SERVICE_ROWS} == {
        "/internal/push": Who.PUSH,
        "/internal/budget": Who.PUSH,
        "/internal/sweep": Who.SCHEDULER,
    }


@pytest.mark.parametrize("rule", SERVICE_ROWS, ids=lambda rule: rule.path)
def test_no_person_gets_past_a_row_of_the_clouds(rule: Any, browser_of: Browsers, stranger: Browser) -> None:
    admin, _ = browser_of("admin@example.org", role="admin")
    for browser, token in ((admin, admin.token()), (stranger, stranger.token("/sign-in"))):
        for method in rule.methods:
            answer = call(browser, method, rule.path, token)
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers


def test_a_learner_cannot_make_courses(browser_of: Browsers) -> None:
    learner, _ = browser_of("learner@example.org", role="learner")
    assert learner.get("/courses/new").status_code == 404
    assert learner.submit("/courses/new").status_code == 404


def test_an_administrator_reaches_what_is_not_theirs(browser_of: Browsers, world: World) -> None:
    course = world.course(world.person("owner@example.org"))
    admin, _ = browser_of("admin@example.org", role="admin")
    assert admin.get(f"/courses/{course}").status_code == 200


def test_a_known_path_with_another_method_is_not_a_page(maren: Browser) -> None:
    answer = maren.delete("/account")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
