"""Requests that another site makes a browser send are refused on every route that changes something."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from service.web.policy import POLICY
from tests.web.conftest import ORIGIN, Browser
from tests.web.test_policy import filled
from tests.web.world import World

UNSAFE = [(method, rule.path) for rule in POLICY for method in sorted(rule.methods - {"GET", "HEAD"})]
FORGED = {
    "another origin": {"Origin": "https://evil.example"},
    "the null origin": {"Origin": "null"},
    "no origin": {"Origin": ""},
    "cross-site": {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
    "a sister site": {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
}


@pytest.mark.parametrize(("method", "path"), UNSAFE)
def test_every_change_needs_our_own_origin_and_the_token(
    method: str, path: str, browser_of: Callable[..., tuple[Browser, uuid.UUID]], world: World
) -> None:
    browser, me = browser_of()
    course = world.course(me)
    token = browser.token()
    address = filled(path, course_id=course, lesson_id=world.lessons[0])
    for name, headers in FORGED.items():
        answer = browser.request(method, address, headers={**headers, "X-CSRF": token})
        assert answer.status_code == 403, name
    for wrong in ("", "x" * 32, "ü"):
        answer = browser.request(method, address, data={"csrf": wrong})
        assert answer.status_code == 403, wrong
    assert browser.request(method, address, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 403


def test_a_token_of_another_sign_in_is_refused(browser_of: Callable[..., tuple[Browser, uuid.UUID]]) -> None:
    one, _ = browser_of("one@example.org")
    other, _ = browser_of("other@example.org")
    assert one.post("/courses/new", data={"csrf": other.token()}).status_code == 403
    assert one.post("/courses/new", data={"csrf": one.token()}).status_code == 303


def test_the_browsers_own_word_is_enough_when_it_sends_no_origin(maren: Browser) -> None:
    answer = maren.post(
        "/courses/new", data={"csrf": maren.token()}, headers={"Origin": "", "Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 403, "an empty Origin is another site's"
    del maren.headers["Origin"]
    answer = maren.post("/courses/new", data={"csrf": maren.token()}, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303


def test_reading_a_page_changes_nothing(maren: Browser, world: World) -> None:
    for _ in range(3):
        maren.get("/courses/new")
    assert "No courses yet" in maren.get("/").text
