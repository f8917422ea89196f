"""Deliveries doubled, reordered, late, senseless and forged, at two sites at once: the work is done once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import replace

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from service.domain.ring import Ring
from service.settings import ROOT, Settings
from service.web.app import create_app
from service.wiring import open_services
from tests.engine.desk import Desk
from tests.faults.__main__ import HELD
from tests.web.conftest import Launched
from tests.web.service_tokens import serve_issuer
from tests.web.test_internal import pushed

AT_ONCE = 12


def test_a_storm_of_deliveries_has_no_effect_but_the_work_itself() -> None:
    command = [sys.executable, "-m", "tests.faults", "--deliveries", "1500", "--seed", "5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    print(done.stdout, done.stderr[-4000:])
    assert done.returncode == HELD, done.stdout + done.stderr[-4000:]


@pytest.fixture
def launcher() -> Launched:
    return Launched(standing=False)


@pytest.fixture
def sites(settings: Settings, launcher: Launched) -> Iterator[list[TestClient]]:
    """Two instances of the site, each with connections of its own."""
    with ExitStack() as stack:
        issuer = stack.enter_context(serve_issuer())
        trusting = settings.model_copy(update=issuer.settings())
        opened = []
        for _ in range(2):
            services = stack.enter_context(open_services(trusting))
            chosen = replace(services, settings=trusting, launcher=launcher)
            app = create_app(trusting, lambda _, chosen=chosen: nullcontext(chosen))
            client = stack.enter_context(TestClient(app))
            client.headers.update(issuer.headers())
            opened.append(client)
        yield opened


def test_of_many_rings_at_two_sites_at_once_one_starts_the_lane(
    sites: list[TestClient], launcher: Launched, engine: Engine
) -> None:
    desk = Desk(engine)
    run_id = desk.run()
    desk.enqueue(run_id)
    gate = threading.Barrier(AT_ONCE)

    def ring(number: int) -> int:
        said = Ring(event_id=uuid.uuid4(), lane="author", run_id=run_id).model_dump(mode="json")
        body = json.dumps(pushed(said))
        gate.wait(30)
        return sites[number % 2].post("/internal/push", content=body).status_code

    with ThreadPoolExecutor(AT_ONCE) as people:
        assert list(people.map(ring, range(AT_ONCE))) == [204] * AT_ONCE
    assert launcher.lanes == ["author"]
