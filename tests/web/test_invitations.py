"""A link lets one person sign up, once, with the address and the role that it was made for."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from html import unescape

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, func, select, update
from starlette.testclient import TestClient

from service.db.engine import session_scope
from service.db.invitations import hash_secret, invite, new_secret
from service.db.tables import Invitation, Role, User
from service.ports import Services
from service.settings import Settings
from service.web.app import create_app
from tests.web.conftest import Browser
from tests.web.world import PASSWORD, World


@pytest.fixture
def by_invitation(settings: Settings, services: Services) -> Iterator[FastAPI]:
    app = create_app(settings.model_copy(update={"signup": "invite"}), lambda _: nullcontext(services))
    with TestClient(app):
        yield app


@pytest.fixture
def guest(by_invitation: FastAPI) -> Browser:
    return Browser(by_invitation)


def invited(engine: Engine, email: str = "ada@example.org", role: Role = Role.ADMIN) -> str:
    """The path of a fresh link."""
    secret = new_secret()
    with session_scope(engine) as session:
        invite(session, email, role, hash_secret(secret))
    return f"/sign-up?invitation={secret}"


def fill_in(guest: Browser, link: str, **over: str) -> tuple[int, str]:
    """Open the link and send its own form, as a browser does."""
    page = guest.get(link).text
    fields = {name: unescape(value) for name, value in re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', page)}
    answer = guest.post("/sign-up", data={**fields, "name": "Ada", "password": PASSWORD, **over})
    return answer.status_code, answer.text


def people(engine: Engine) -> list[tuple[str, str]]:
    with session_scope(engine) as session:
        return [(person.email, person.role) for person in session.scalars(select(User))]


@pytest.mark.parametrize("role", list(Role))
def test_an_invited_person_signs_up_with_the_role_of_the_invitation(guest: Browser, engine: Engine, role: Role) -> None:
    assert fill_in(guest, invited(engine, role=role))[0] == 303
    assert people(engine) == [("ada@example.org", role)]
    assert guest.get("/account").status_code == 200


def test_the_address_is_the_invitations_whatever_the_form_says(guest: Browser, engine: Engine) -> None:
    assert fill_in(guest, invited(engine), email="eve@example.org")[0] == 303
    assert people(engine) == [("ada@example.org", "admin")]


def test_a_role_cannot_be_asked_for(guest: Browser, engine: Engine) -> None:
    assert fill_in(guest, invited(engine, role=Role.LEARNER), role="admin")[0] == 303
    assert people(engine) == [("ada@example.org", "learner")]


def test_without_an_invitation_there_is_no_form(guest: Browser) -> None:
    page = guest.get("/sign-up")
    assert (page.status_code, "This site is by invitation. Open the link" in page.text) == (403, True)
    assert "<form" not in page.text.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("secret", ["nothing-we-drew", "%00", "x" * 400])
def test_a_wrong_link_says_so(guest: Browser, engine: Engine, secret: str) -> None:
    page = guest.get(f"/sign-up?invitation={secret}")
    assert (page.status_code, "This invitation is not known here." in page.text) == (422, True)
    answer = guest.submit("/sign-up", "/sign-in", name="Eve", email="eve@x.org", password=PASSWORD, invitation=secret)
    assert (answer.status_code, people(engine)) == (422, [])


def test_a_link_is_good_once(guest: Browser, by_invitation: FastAPI, engine: Engine) -> None:
    link = invited(engine)
    assert fill_in(guest, link)[0] == 303
    second = Browser(by_invitation)
    page = second.get(link)
    assert (page.status_code, "was used already. Sign in" in page.text) == (422, True)
    secret = link.partition("=")[2]
    assert second.submit("/sign-up", "/sign-in", name="E", password=PASSWORD, invitation=secret).status_code == 422
    assert len(people(engine)) == 1


def test_two_at_once_make_one_account(by_invitation: FastAPI, engine: Engine) -> None:
    link = invited(engine)
    browsers = [Browser(by_invitation) for _ in range(4)]
    tokens = [browser.token("/sign-in") for browser in browsers]
    statuses: list[int] = []
    start = threading.Barrier(len(browsers))

    def post(browser: Browser, token: str) -> None:
        start.wait(20)
        fields = {"csrf": token, "name": "Ada", "password": PASSWORD, "invitation": link.partition("=")[2]}
        statuses.append(browser.post("/sign-up", data=fields).status_code)

    threads = [threading.Thread(target=post, args=pair) for pair in zip(browsers, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(statuses) == [303, 422, 422, 422]
    assert len(people(engine)) == 1


def test_a_link_of_last_week_is_too_old(guest: Browser, engine: Engine) -> None:
    link = invited(engine)
    with session_scope(engine) as session:
        row = session.scalars(select(Invitation)).one()
        assert row.expires_at - row.created_at == timedelta(days=7)
        session.execute(update(Invitation).values(expires_at=func.now() - timedelta(seconds=1)))
    page = guest.get(link)
    assert (page.status_code, "is too old: a link is good for seven days" in page.text) == (422, True)
    assert fill_in(guest, link)[0] in (403, 422)
    assert people(engine) == []


def test_a_new_link_ends_the_one_before(guest: Browser, engine: Engine) -> None:
    first, second = invited(engine), invited(engine)
    assert guest.get(first).status_code == 422
    assert fill_in(guest, second)[0] == 303


def test_a_refused_password_does_not_use_the_link_up(guest: Browser, engine: Engine) -> None:
    link = invited(engine)
    status, page = fill_in(guest, link, password="short")
    assert (status, "at least 12 characters" in page) == (422, True)
    assert fill_in(guest, link)[0] == 303


def test_an_account_that_came_first_is_told_and_the_link_is_kept(guest: Browser, engine: Engine, world: World) -> None:
    link = invited(engine)
    world.person("ada@example.org")
    status, page = fill_in(guest, link)
    assert (status, "There is an account with this email already. Sign in" in page) == (422, True)
    with session_scope(engine) as session:
        assert session.scalars(select(Invitation.accepted_at)).one() is None


def test_a_closed_site_takes_no_invitation(settings: Settings, services: Services, engine: Engine) -> None:
    app = create_app(settings.model_copy(update={"signup": "closed"}), lambda _: nullcontext(services))
    with Browser(app) as browser:
        page = browser.get(invited(engine))
    assert (page.status_code, "takes no new accounts" in page.text) == (403, True)


def test_an_open_site_takes_the_role_of_an_invitation_too(stranger: Browser, engine: Engine) -> None:
    assert fill_in(stranger, invited(engine))[0] == 303
    assert people(engine) == [("ada@example.org", "admin")]


def test_the_table_holds_nothing_that_opens_a_door(engine: Engine) -> None:
    secret = invited(engine).partition("=")[2]
    with session_scope(engine) as session:
        row = session.scalars(select(Invitation)).one()
        assert secret not in repr([getattr(row, column.name) for column in Invitation.__table__.columns])
        assert len(secret) >= 43
