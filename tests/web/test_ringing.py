"""A request that queued work rings as soon as it is committed, and never fails because nobody hears."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from service.db.engine import session_scope
from service.ports import Services
from tests.pipeline.cloud import Bell
from tests.web.conftest import Browser
from tests.web.world import World

Browsers = Callable[..., tuple[Browser, uuid.UUID]]


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def services(services: Services, bell: Bell) -> Services:
    """Takes the place of the conftest's: with a doorbell that somebody hears."""
    return replace(services, doorbell=bell)


@pytest.fixture
def generate(browser_of: Browsers, world: World) -> Callable[[], int]:
    browser, me = browser_of()
    course = world.course(me, "planned", made=False)
    return lambda: int(browser.submit(f"/courses/{course}/generate").status_code)


def unsent(engine: Engine) -> int:
    with session_scope(engine) as session:
        return int(session.scalar(text("SELECT count(*) FROM outbox WHERE sent_at IS NULL")) or 0)


def test_a_request_that_queued_work_rings_when_it_is_committed(
    generate: Callable[[], int], bell: Bell, engine: Engine
) -> None:
    committed: list[int] = []
    take = bell.ring

    def look(*given: object, **more: object) -> None:
        with session_scope(engine) as session:
            committed.append(int(session.scalar(text("SELECT count(*) FROM jobs")) or 0))
        take(*given, **more)  # type: ignore[arg-type]

    bell.ring = look  # type: ignore[method-assign, assignment]
    assert generate() == 303
    assert bell.lanes == ["author"]
    assert committed[0] > 0
    assert committed[0] == max(committed)
    assert unsent(engine) == 0


def test_a_request_whose_ring_nobody_takes_is_answered_all_the_same(
    generate: Callable[[], int], bell: Bell, engine: Engine
) -> None:
    bell.deaf_to = {"author"}
    assert generate() == 303
    assert unsent(engine) == 1


def test_a_request_that_queues_nothing_asks_no_outbox(browser_of: Browsers, bell: Bell, engine: Engine) -> None:
    browser, _ = browser_of()
    with session_scope(engine) as session:
        session.execute(text("INSERT INTO outbox (id, key, payload) VALUES (gen_random_uuid(), 'a', '{}')"))
    assert browser.get("/account").status_code == 200
    assert not bell.rings
    assert unsent(engine) == 1
