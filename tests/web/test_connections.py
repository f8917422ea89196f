"""Many calls share few connections: whoever holds one needs neither a second one nor a thread that waits for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace

import pytest
from sqlalchemy import create_engine

from service.db.engine import session_scope
from service.db.tables import Course, User
from service.pipeline import runs
from service.ports import Services
from service.settings import Settings
from service.web.app import create_app
from tests.web.conftest import Browser
from tests.web.world import World

MAREN = "maren@example.org"


@pytest.fixture
def browser(settings: Settings, services: Services, database: str) -> Iterator[Browser]:
    """At a site with as many connections as it has in the cloud."""
    engine = create_engine(database, pool_size=3, max_overflow=0, pool_timeout=20)
    few = replace(services, engine=engine)
    with Browser(create_app(settings, lambda _: nullcontext(few))) as browser:
        yield browser
    engine.dispose()


def test_sixty_people_who_follow_a_run_share_three_connections(
    browser: Browser, services: Services, world: World
) -> None:
    me = world.person(MAREN)
    browser.sign_in(MAREN)
    course = world.course(me, "planned", made=False)
    with session_scope(services.engine) as session:
        run = runs.start_generate(session, session.get_one(Course, course), session.get_one(User, me))

    def look(_: int) -> int:
        return browser.get(f"/courses/{course}/runs/{run.id}/events?poll=1").status_code

    with ThreadPoolExecutor(60) as people:
        assert Counter(people.map(look, range(120))) == {200: 120}
