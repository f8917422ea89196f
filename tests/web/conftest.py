"""The site as its tests meet it: the real application on a real database, and browsers that sign in."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any, cast

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from service.adapters.doorbell import NoDoorbell
from service.adapters.stills import SlideStills
from service.adapters.vectors import open_vectors
from service.authors.extractive import ExtractiveAuthor
from service.ports import Lane, Services, StorageService
from service.settings import Settings
from service.web.app import create_app
from tests.web.world import PASSWORD, World

ORIGIN = "http://testserver"
HTML = "text/html,application/xhtml+xml"


class Launched:
    """A launcher that only notes which lanes were started."""

    def __init__(self, *, standing: bool = True) -> None:
        self.standing = standing
        self.lanes: list[Lane] = []

    def launch(self, lane: Lane, tasks: int = 1) -> str:
        self.lanes.append(lane)
        return f"{lane}-{len(self.lanes)}-{tasks}"

    def close(self) -> None:
        """Nothing to end."""


class Browser(TestClient):
    """A client that behaves like a browser: says where it comes from, and sends the token that the page gave it."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            app, headers={"Origin": ORIGIN, "Accept": HTML}, follow_redirects=False, raise_server_exceptions=False
        )

    def token(self, page: str = "/account") -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(page).text)
        assert found, f"{page} has no form"
        return found.group(1)

    def submit(self, address: str, page: str = "/account", **fields: Any) -> Any:
        """Post a form as the page's own button would."""
        return self.post(address, data={"csrf": self.token(page), **fields})

    def sign_in(self, email: str, password: str = PASSWORD) -> Browser:
        answer = self.submit("/sign-in", "/sign-in", email=email, password=password)
        assert answer.status_code == 303, answer.text
        return self


@pytest.fixture
def launcher() -> Launched:
    return Launched()


@pytest.fixture
def services(settings: Settings, engine: Engine, storage: StorageService, launcher: Launched) -> Iterator[Services]:
    """What the site needs of the world; the parts that no page touches are left out."""
    unused, vectors = cast(Any, None), open_vectors("memory:")
    yield Services(
        settings=settings,
        engine=engine,
        storage=storage,
        doorbell=NoDoorbell(),
        launcher=launcher,
        author=ExtractiveAuthor(),
        vectors=vectors,
        embedder=None,
        speech=unused,
        stills=SlideStills(),
        mailer=unused,
    )
    vectors.close()


@pytest.fixture
def app(settings: Settings, services: Services) -> Iterator[FastAPI]:
    app = create_app(settings, lambda _: nullcontext(services))
    with TestClient(app):
        yield app


@pytest.fixture
def world(engine: Engine, storage: StorageService) -> World:
    return World(engine, storage)


@pytest.fixture
def stranger(app: FastAPI) -> Browser:
    """A browser that nobody has signed in with."""
    return Browser(app)


@pytest.fixture
def browser_of(app: FastAPI, world: World) -> Callable[..., tuple[Browser, uuid.UUID]]:
    """Makes a person and gives their signed-in browser and id."""

    def make(email: str = "maren@example.org", **facts: str) -> tuple[Browser, uuid.UUID]:
        person = world.person(email, **facts)
        return Browser(app).sign_in(email), person

    return make


@pytest.fixture
def maren(browser_of: Callable[..., tuple[Browser, uuid.UUID]]) -> Browser:
    """An instructor who is signed in."""
    return browser_of()[0]
