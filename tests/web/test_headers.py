"""What every answer tells the browser to refuse, errors included."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from service.ports import Services
from service.settings import Settings
from service.web import courses
from service.web.app import create_app
from tests.web.conftest import HTML, Browser
from tests.web.world import World


def nonce_of(answer: Any) -> str:
    found = re.search(r"'nonce-([^']+)'", answer.headers["content-security-policy"])
    assert found
    return found.group(1)


@pytest.mark.parametrize(
    ("address", "status"),
    [("/", 200), ("/sign-in", 200), ("/nothing", 404), ("/healthz", 200), ("/courses/x", 404), ("/account", 303)],
)
def test_every_answer_carries_the_headers(stranger: Browser, address: str, status: int) -> None:
    answer = stranger.get(address)
    assert answer.status_code == status
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self' 'nonce-")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["cache-control"] == "no-store"


def test_the_nonce_is_new_each_time_and_the_scripts_carry_it(stranger: Browser) -> None:
    first, second = stranger.get("/"), stranger.get("/")
    assert nonce_of(first) != nonce_of(second)
    assert re.findall(r"<script[^>]*nonce=\"([^\"]+)\"", first.text) == [nonce_of(first)]


def test_a_page_that_breaks_keeps_its_headers_and_gives_a_reference(
    stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError("secret of the house")

    monkeypatch.setattr(courses, "overviews", breaks)
    answer = stranger.get("/catalogue")
    assert answer.status_code == 500
    assert "Your work is saved" in answer.text
    assert re.search(r"mention <span class=\"mono\">[0-9a-f]{8}</span>", answer.text)
    assert "secret of the house" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    script = stranger.get("/catalogue", headers={"Accept": "application/json"})
    assert script.json()["error"].startswith("Your work is saved")


def test_production_asks_for_https_and_a_locked_cookie(
    settings: Settings, services: Services, engine: Engine, world: World
) -> None:
    production = settings.model_copy(update={"environment": "production"})
    app = create_app(production, lambda _: nullcontext(services))
    with Browser(app) as browser:
        answer = browser.get("/sign-in")
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        assert cookie.endswith("Path=/; HttpOnly; SameSite=Lax; Max-Age=604800; Secure")
        assert browser.get("/docs").status_code == browser.get("/openapi.json").status_code == 404


def test_a_failing_database_is_said_and_survived(
    app: FastAPI, stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.errors import Unavailable

    def away(*_: object) -> None:
        raise Unavailable("The database does not answer now.")

    monkeypatch.setattr(courses, "overviews", away)
    answer = stranger.get("/catalogue")
    assert answer.status_code == 503
    assert "A part of the site does not answer" in answer.text


def test_no_page_holds_an_inline_handler_or_style(maren: Browser, world: World) -> None:
    for address in ("/", "/account", "/catalogue", "/courses/new"):
        page = maren.get(address, headers={"Accept": HTML}).text
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page), address


def test_an_answer_is_as_small_as_the_limit_says(maren: Browser) -> None:
    answer = maren.post("/account/name", data={"csrf": maren.token(), "name": "x" * 1_100_000})
    assert answer.status_code == 413
    assert "too large" in answer.text


def test_static_files_are_kept_for_ever_under_their_hash(stranger: Browser) -> None:
    page = stranger.get("/").text
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = stranger.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
    assert stranger.get("/static/x/../../app.py").status_code == 404
    assert stranger.get("/static/x/%2e%2e/app.py").status_code == 404
