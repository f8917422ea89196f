"""Accounts and sessions: who gets in, how long it lasts, and everything that ends it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Engine, select, update

from service.db.engine import session_scope
from service.db.tables import RateLimit, Session, User
from service.errors import BadInput
from service.ports import Services
from service.settings import Settings
from service.web.app import create_app
from service.web.auth import Sealer, hash_sid, open_sealer
from service.web.front import local_path
from service.web.passwords import check_new_password, hash_password, verify_password
from service.web.throttle import ACCOUNT_TRIES
from tests.web.conftest import ORIGIN, Browser
from tests.web.world import PASSWORD, World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]


def signed_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def change_sessions(engine: Engine, **values: object) -> None:
    with session_scope(engine) as session:
        session.execute(update(Session).values(**values))


def test_signing_up_makes_an_account_and_signs_in(stranger: Browser, engine: Engine) -> None:
    answer = stranger.submit("/sign-up", "/sign-up", name="Ada", email=" Ada@Example.org ", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "No courses yet" in stranger.get("/").text
    with session_scope(engine) as session:
        person = session.scalars(select(User)).one()
        assert (person.email, person.role) == ("ada@example.org", "instructor")
        assert person.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "  ", "Enter the name"),
        ("email", "nobody", "not an email address"),
        ("password", "elevenchars", "at least 12 characters"),
        ("password", "password1234", "first that people guess"),
        ("password", "aaaaaaaaaaaaaa", "first that people guess"),
        ("password", "ada@example.org", "is your email address"),
    ],
)
def test_a_sign_up_that_cannot_work_says_what_to_change(stranger: Browser, field: str, value: str, says: str) -> None:
    given = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD} | {field: value}
    answer = stranger.submit("/sign-up", "/sign-up", **given)
    assert answer.status_code == 422
    assert says in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert PASSWORD not in answer.text


def test_an_email_is_used_once(stranger: Browser, world: World) -> None:
    world.person("ada@example.org")
    answer = stranger.submit("/sign-up", "/sign-up", name="Eve", email="ADA@example.org", password=PASSWORD)
    assert answer.status_code == 422
    assert "There is an account with this email already" in answer.text


@pytest.mark.parametrize(("signup", "says"), [("invite", "by invitation"), ("closed", "takes no new accounts")])
def test_a_site_that_is_not_open_takes_no_accounts(
    settings: Settings, services: Services, engine: Engine, signup: str, says: str
) -> None:
    closed = settings.model_copy(update={"signup": signup})
    with Browser(create_app(closed, lambda _: nullcontext(services))) as browser:
        assert says in browser.get("/sign-up").text
        answer = browser.submit("/sign-up", "/sign-in", name="Ada", email="ada@example.org", password=PASSWORD)
        assert answer.status_code == 403
    with session_scope(engine) as session:
        assert session.scalar(select(User.id)) is None


def test_a_wrong_pair_does_not_tell_which_half_was_wrong(stranger: Browser, world: World) -> None:
    world.person("maren@example.org")
    unknown = stranger.submit("/sign-in", "/sign-in", email="nobody@example.org", password=PASSWORD)
    wrong = stranger.submit("/sign-in", "/sign-in", email="maren@example.org", password="not this one at all")
    assert unknown.status_code == wrong.status_code == 422
    for answer in (unknown, wrong):
        assert "That email and password do not match" in answer.text
    assert not signed_in(stranger)


def test_tries_run_out_for_an_account_and_the_answer_says_when_to_return(stranger: Browser, world: World) -> None:
    world.person("maren@example.org")
    page = {"email": "maren@example.org", "password": "not this one at all"}
    for _ in range(ACCOUNT_TRIES):
        assert stranger.submit("/sign-in", "/sign-in", **page).status_code == 422
    answer = stranger.submit("/sign-in", "/sign-in", email="maren@example.org", password=PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert "Too many tries" in answer.text


def test_old_windows_of_tries_are_swept(stranger: Browser, engine: Engine, world: World) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2)
    with session_scope(engine) as session:
        session.add(RateLimit(subject="sign-in:x", window_start=long_ago, tries=3))
    stranger.submit("/sign-in", "/sign-in", email="a@example.org", password="wrong wrong wrong")
    with session_scope(engine) as session:
        assert session.scalar(select(RateLimit).where(RateLimit.subject == "sign-in:x")) is None


def test_the_cookie_tells_nothing_and_changes_at_sign_in(stranger: Browser, world: World, engine: Engine) -> None:
    world.person("maren@example.org")
    stranger.get("/sign-in")
    before = stranger.cookies["session"]
    stranger.sign_in("maren@example.org")
    after = stranger.cookies["session"]
    assert after != before
    assert after.count(".") == 4, "a JWE in compact form"
    with session_scope(engine) as session:
        kept = session.scalars(select(Session.sid_hash)).one()
    assert kept not in after
    assert len(kept) == 64


def test_the_cookie_is_out_of_reach_of_scripts(stranger: Browser) -> None:
    header = stranger.get("/sign-in").headers["set-cookie"]
    assert "HttpOnly; SameSite=Lax" in header
    assert "Domain" not in header


@pytest.mark.parametrize(
    "ended",
    [
        {"revoked_at": datetime.now(UTC)},
        {"last_seen_at": datetime.now(UTC) - timedelta(hours=13)},
        {"expires_at": datetime.now(UTC) - timedelta(seconds=1)},
    ],
    ids=["revoked", "idle", "too old"],
)
def test_a_session_that_has_ended_opens_nothing(maren: Browser, engine: Engine, ended: dict[str, object]) -> None:
    assert signed_in(maren)
    change_sessions(engine, **ended)
    assert not signed_in(maren)


def test_a_disabled_person_is_out_at_once(maren: Browser, engine: Engine, stranger: Browser) -> None:
    with session_scope(engine) as session:
        session.execute(update(User).values(disabled_at=datetime.now(UTC)))
    assert not signed_in(maren)
    assert stranger.submit("/sign-in", "/sign-in", email="maren@example.org", password=PASSWORD).status_code == 422


def test_being_active_keeps_a_session_alive(maren: Browser, engine: Engine) -> None:
    change_sessions(engine, last_seen_at=datetime.now(UTC) - timedelta(hours=11))
    assert signed_in(maren)
    with session_scope(engine) as session:
        assert session.scalars(select(Session.last_seen_at)).one() > datetime.now(UTC) - timedelta(minutes=1)


def test_signing_out_ends_the_session_even_for_a_kept_cookie(maren: Browser) -> None:
    kept = maren.cookies["session"]
    answer = maren.submit("/sign-out")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    maren.cookies.set("session", kept)
    assert not signed_in(maren)


def test_signing_out_everywhere_ends_every_browser(app: FastAPI, maren: Browser) -> None:
    phone = Browser(app).sign_in("maren@example.org")
    maren.submit("/account/sessions/revoke-all")
    assert not signed_in(maren)
    assert not signed_in(phone)


def test_one_browser_can_be_signed_out_and_a_foreign_one_cannot(
    app: FastAPI, maren: Browser, engine: Engine, browser_of: Browsers
) -> None:
    phone = Browser(app).sign_in("maren@example.org")
    eve, _ = browser_of("eve@example.org")
    with session_scope(engine) as session:
        newest = session.scalars(
            select(Session.id).join(User).where(User.email == "maren@example.org").order_by(Session.created_at.desc())
        ).first()
    assert eve.submit(f"/account/sessions/{newest}/revoke").status_code == 303
    assert signed_in(phone)
    assert maren.submit(f"/account/sessions/{newest}/revoke").status_code == 303
    assert not signed_in(phone)
    assert signed_in(maren)


def test_a_new_password_needs_the_old_one_and_signs_the_others_out(app: FastAPI, maren: Browser) -> None:
    phone = Browser(app).sign_in("maren@example.org")
    new = "another four words here"
    wrong = maren.submit("/account/password", current="not the old one", password=new)
    assert (wrong.status_code, "not your present password" in wrong.text) == (422, True)
    weak = maren.submit("/account/password", current=PASSWORD, password="short")
    assert (weak.status_code, "too short" in weak.text) == (422, True)
    assert maren.submit("/account/password", current=PASSWORD, password=new).status_code == 303
    assert signed_in(maren)
    assert not signed_in(phone)
    assert Browser(app).sign_in("maren@example.org", new)


def test_a_name_can_be_changed_but_not_emptied(maren: Browser) -> None:
    maren.submit("/account/name", name="Maren O.")
    assert 'value="Maren O."' in maren.get("/account").text
    assert maren.submit("/account/name", name=" ").status_code == 422


def test_after_signing_in_one_is_where_one_wanted_to_be(stranger: Browser, world: World) -> None:
    course = world.course(world.person("maren@example.org"))
    asked = stranger.get(f"/courses/{course}/outline")
    assert asked.headers["location"] == f"/sign-in?next=/courses/{course}/outline"
    answer = stranger.submit(
        "/sign-in", asked.headers["location"], email="maren@example.org", password=PASSWORD, next=f"/courses/{course}"
    )
    assert answer.headers["location"] == f"/courses/{course}"
    assert stranger.get("/sign-in?next=/account").headers["location"] == "/account"


def test_whoever_sends_a_form_too_late_comes_back_to_its_page(stranger: Browser, world: World) -> None:
    page = f"/courses/{world.course(world.person('maren@example.org'))}/brief?from=mail"
    late = stranger.post("/account/name", headers={"Referer": f"{ORIGIN}{page}"})
    assert late.headers["location"] == f"/sign-in?next={quote(page)}&ended=1"
    assert "Your sign-in has ended" in stranger.get(late.headers["location"]).text
    elsewhere = stranger.post("/account/name", headers={"Referer": "https://evil.example/x"})
    assert elsewhere.headers["location"] == "/sign-in?next=/&ended=1"
    assert "Your sign-in has ended" not in stranger.get("/sign-in").text


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a\nb"])
def test_nobody_is_sent_to_another_site(path: str) -> None:
    assert local_path(path) == "/"


def test_a_cookie_opens_after_its_key_was_rotated_but_not_after_it_was_dropped() -> None:
    old, both, new = Sealer(["old"], secure=False), Sealer(["new", "old"], secure=False), Sealer(["new"], secure=False)
    sealed = old.seal("sid", "csrf")
    assert both.open(sealed) == ("sid", "csrf")
    assert new.open(sealed) is None
    assert new.open(both.seal("sid", "csrf")) == ("sid", "csrf")


@pytest.mark.parametrize("value", ["", "x", "a.b.c.d.e", "….….….….…"])
def test_a_damaged_cookie_is_nobody(value: str, stranger: Browser) -> None:
    sealer = Sealer(["key"], secure=False)
    assert sealer.open(value) is None
    sealed = sealer.seal("sid", "csrf")
    assert sealer.open(sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BB")) is None


def test_a_cookie_grows_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    sealer = Sealer(["key"], secure=False)
    sealed = sealer.seal("sid", "csrf")
    monkeypatch.setattr("service.web.auth.time.time", lambda: datetime.now(UTC).timestamp() + 7 * 24 * 3600 + 1)
    assert sealer.open(sealed) is None


def test_a_laptop_makes_a_key_of_its_own_and_keeps_it_private(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    sealed = open_sealer(settings).seal("sid", "csrf")
    assert open_sealer(settings).open(sealed) == ("sid", "csrf")
    assert (tmp_path / "new" / "cookie.key").stat().st_mode & 0o777 == 0o600
    given = settings.model_copy(update={"cookie_keys": SecretStr("one, two")})
    assert open_sealer(given).open(sealed) is None


def test_a_missing_hash_never_verifies() -> None:
    assert verify_password(hash_password("a long password"), "a long password")
    assert not verify_password(None, "nobody has this password")
    assert not verify_password("not a hash", "x")


def test_a_password_may_not_be_endless() -> None:
    with pytest.raises(BadInput, match="too long"):
        check_new_password("ab cd" * 50, email="a@b")
    check_new_password("four words in a row", email="a@b")


def test_a_session_id_is_kept_as_a_hash_only() -> None:
    assert hash_sid("a") != "a"
    assert len(hash_sid("a")) == 64
