"""Nobody but the platform's own accounts gets past the guard of /internal/, and no forged token does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from service.errors import Forbidden, Unavailable
from service.ports import Services
from service.settings import Settings
from service.web.app import create_app
from service.web.callers import FETCH_AGAIN_SECONDS, REFUSED, SKEW_SECONDS, Callers, Keys
from service.web.policy import Who
from tests.web.service_tokens import FORGERIES, PUBLIC_URL, PUSH, SCHEDULER, Issuer, serve_issuer, signing_key


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serve_issuer() as issuer:
        yield issuer


@pytest.fixture
def trusting(settings: Settings, issuer: Issuer) -> Settings:
    return settings.model_copy(update=issuer.settings())


@pytest.fixture
def program(trusting: Settings, services: Services) -> Iterator[TestClient]:
    """A program that calls the site: no cookie, no origin."""
    app: FastAPI = create_app(trusting, lambda _: nullcontext(services))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_is_refused_in_one_constant_line(program: TestClient, issuer: Issuer, forgery: str) -> None:
    given = FORGERIES[forgery](issuer)
    headers = {} if given is None else {"Authorization": given}
    answer = program.post("/internal/push", headers=headers, content=b"not even looked at")
    assert (answer.status_code, answer.text) == (403, f"{REFUSED}\n")
    assert "set-cookie" not in answer.headers


def test_a_true_token_passes_and_no_cookie_is_set(program: TestClient, issuer: Issuer) -> None:
    answer = program.post("/internal/push", headers=issuer.headers(), content=b"not a ring")
    assert answer.status_code == 204
    assert "set-cookie" not in answer.headers


def test_both_spellings_of_the_issuer_pass(trusting: Settings, issuer: Issuer) -> None:
    callers = Callers(trusting)
    for spelling in ("accounts.google.com", "https://accounts.google.com"):
        callers.check(Who.PUSH, f"Bearer {issuer.token(iss=spelling)}")


def test_each_path_has_its_own_account(program: TestClient, issuer: Issuer) -> None:
    for path, right, wrong in (
        ("/internal/push", PUSH, SCHEDULER),
        ("/internal/budget", PUSH, SCHEDULER),
        ("/internal/sweep", SCHEDULER, PUSH),
    ):
        assert program.post(path, headers=issuer.headers(wrong), content=b"").status_code == 403, path
        assert program.post(path, headers=issuer.headers(right), content=b"").status_code < 300, path


def test_a_body_is_not_read_before_the_token_is_verified(trusting: Settings, services: Services) -> None:
    import anyio

    app = create_app(trusting, lambda _: nullcontext(services))
    sent: list[Any] = []

    async def call() -> None:
        async def receive() -> Any:
            raise AssertionError("the body of a stranger was read")

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/internal/push",
            "raw_path": b"/internal/push",
            "query_string": b"",
            "headers": [(b"host", b"testserver"), (b"content-length", b"2000000")],
            "app": app,
        }
        async with app.router.lifespan_context(app):
            await app(scope, receive, send)

    anyio.run(call)
    assert sent[0]["status"] == 403


@pytest.mark.parametrize("empty", ["push_account", "public_url"])
def test_without_an_account_or_an_own_address_everything_is_refused(
    trusting: Settings, issuer: Issuer, empty: str
) -> None:
    callers = Callers(trusting.model_copy(update={empty: ""}))
    changes = {"email": ""} if empty == "push_account" else {"aud": ""}
    for token in (issuer.token(), issuer.token(**changes)):
        with pytest.raises(Forbidden):
            callers.check(Who.PUSH, f"Bearer {token}")
    assert issuer.asked == 0


def test_a_clock_may_differ_a_little_and_not_more(trusting: Settings, issuer: Issuer) -> None:
    callers, now = Callers(trusting), int(time.time())
    little, much = SKEW_SECONDS // 2, SKEW_SECONDS * 3
    callers.check(Who.PUSH, f"Bearer {issuer.token(iat=now - 3600, exp=now - little)}")
    callers.check(Who.PUSH, f"Bearer {issuer.token(iat=now + little, exp=now + 3600)}")
    for changes in ({"iat": now - 3600, "exp": now - much}, {"iat": now + much, "exp": now + 3600}):
        with pytest.raises(Forbidden):
            callers.check(Who.PUSH, f"Bearer {issuer.token(**changes)}")


def test_keys_are_fetched_once_and_again_when_their_time_is_over(issuer: Issuer) -> None:
    clock = Clock()
    keys = Keys(issuer.url, clock)
    for _ in range(5):
        assert keys.certificate("key-1")
    assert issuer.asked == 1
    clock.now += issuer.max_age + 1
    assert keys.certificate("key-1")
    assert issuer.asked == 2


def test_keys_that_may_not_be_kept_are_not_fetched_for_each_request_all_the_same(issuer: Issuer) -> None:
    issuer.max_age = 0
    clock = Clock()
    keys = Keys(issuer.url, clock)
    for _ in range(5):
        assert keys.certificate("key-1")
    assert issuer.asked == 1
    clock.now += FETCH_AGAIN_SECONDS
    assert keys.certificate("key-1")
    assert issuer.asked == 2


def test_a_new_key_is_fetched_at_once_but_an_unknown_one_not_at_every_request(issuer: Issuer) -> None:
    clock = Clock()
    keys = Keys(issuer.url, clock)
    assert keys.certificate("key-1")
    issuer.certificates["key-2"] = signing_key("second").certificate
    for _ in range(20):
        assert keys.certificate("key-3") is None
    assert issuer.asked == 1  # the first fetch is some instants old
    clock.now += FETCH_AGAIN_SECONDS
    assert keys.certificate("key-2") == signing_key("second").certificate
    assert issuer.asked == 2


def test_a_key_that_is_withdrawn_does_not_count_any_more(issuer: Issuer) -> None:
    clock = Clock()
    keys = Keys(issuer.url, clock)
    assert keys.certificate("key-1")
    issuer.certificates = {"key-2": signing_key("second").certificate}
    clock.now += issuer.max_age + 1
    assert keys.certificate("key-1") is None


@pytest.mark.parametrize(("status", "certificates"), [(500, {}), (200, {}), (200, {"key-1": 7}), (200, ["key-1"])])
def test_keys_that_cannot_be_fetched_are_a_503_and_not_a_403(
    program: TestClient, issuer: Issuer, status: int, certificates: Any
) -> None:
    issuer.status, issuer.certificates = status, certificates
    for _ in range(3):
        assert program.post("/internal/push", headers=issuer.headers(), content=b"").status_code == 503
    assert issuer.asked == 1  # not asked again at every request


def test_old_keys_hold_while_new_ones_cannot_be_fetched(issuer: Issuer) -> None:
    clock = Clock()
    keys = Keys(issuer.url, clock)
    assert keys.certificate("key-1")
    issuer.status = 500
    clock.now += FETCH_AGAIN_SECONDS
    with pytest.raises(Unavailable):
        keys.certificate("key-2")
    assert keys.certificate("key-1")
    clock.now += issuer.max_age
    with pytest.raises(Unavailable):
        keys.certificate("key-1")
    issuer.status = 200
    clock.now += FETCH_AGAIN_SECONDS
    assert keys.certificate("key-1")


def test_a_refusal_tells_the_log_why_and_nothing_of_the_token(
    trusting: Settings, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    token = issuer.token(email="somebody@elsewhere.example")
    with pytest.raises(Forbidden):
        Callers(trusting).check(Who.PUSH, f"Bearer {token}")
    assert "account" in caplog.text
    assert "somebody" not in caplog.text
    assert token not in caplog.text


def test_the_audience_is_the_sites_own_address(trusting: Settings, issuer: Issuer) -> None:
    other = Callers(trusting.model_copy(update={"public_url": "https://other.example.org"}))
    with pytest.raises(Forbidden):
        other.check(Who.PUSH, f"Bearer {issuer.token(aud=PUBLIC_URL)}")
    other.check(Who.PUSH, f"Bearer {issuer.token(aud='https://other.example.org')}")
