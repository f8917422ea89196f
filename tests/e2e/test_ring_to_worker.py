"""From a ring to finished work as in the cloud: signed pushes, a real site, a Cloud Run over HTTP, workers by hand."""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text

from service.db.engine import session_scope
from service.db.tables import Course
from service.domain.ring import Ring
from service.pipeline import runs
from service.ports import StorageService
from service.settings import ROOT, Settings
from tests.adapters.cloud_run_server import CloudRun, serve_cloud_run
from tests.e2e.running_site import RunningSite
from tests.web.service_tokens import SCHEDULER, Issuer, serve_issuer
from tests.web.world import World

DELIVERIES, THREADS = 5, 2
DOCUMENT = "# Knots\n\nA bowline makes a loop that does not slip. A reef knot joins two ends of one rope.\n"


@pytest.fixture
def cloud() -> Iterator[CloudRun]:
    with serve_cloud_run() as cloud:
        yield cloud


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serve_issuer() as issuer:
        yield issuer


@pytest.fixture
def parts(settings: Settings) -> dict[str, str]:
    """What site and worker share: the database and the folder."""
    return {"DATABASE_URL": settings.database_url, "DATA_DIR": str(settings.data_dir), "SPEECH": "silent:"}


@pytest.fixture
def site(parts: dict[str, str], settings: Settings, cloud: CloudRun, issuer: Issuer) -> Iterator[RunningSite]:
    trusting = {name.upper(): value for name, value in issuer.settings().items()}
    jobs_url = f"cloudrun://a-project/europe-west1?endpoint={cloud.endpoint}"
    site = RunningSite(settings.data_dir, **parts, **trusting, JOBS_URL=jobs_url, SWEEP_SECONDS="0")
    yield site
    site.stop()


def add_document(engine: Engine, storage: StorageService, folder: Path) -> uuid.UUID:
    """A document that waits to be read: one job of the author lane."""
    world = World(engine, storage)
    course_id = world.draft(world.person("maren@example.org"))
    path = folder / "knots.md"
    path.write_text(DOCUMENT)
    with session_scope(engine) as session:
        return runs.add_source(session, storage, session.get_one(Course, course_id), path.name, path).id


def pushed() -> dict[str, Any]:
    ring = Ring(event_id=uuid.uuid4(), lane="author", run_id=uuid.uuid4())
    data = base64.b64encode(ring.model_dump_json().encode()).decode()
    return {"message": {"data": data, "messageId": "1", "attributes": {}}, "subscription": "s", "deliveryAttempt": 1}


def work(parts: dict[str, str]) -> dict[str, Any]:
    """One task of the job `author`, as Cloud Run starts it; what it says at its end."""
    environment = {
        "PATH": os.environ["PATH"],
        "JOBS_URL": "none:",
        "EMBEDDINGS": "none:",
        "POLL_SECONDS": "0.1",
        "IDLE_EXIT_SECONDS": "0.5",
        "TASK_TIMEOUT_SECONDS": "600",
        **parts,
    }
    command = [sys.executable, "-m", "service", "work"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    line: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return line


def test_a_ring_delivered_many_times_starts_one_execution_and_its_work_is_done_once(
    site: RunningSite,
    parts: dict[str, str],
    engine: Engine,
    storage: StorageService,
    cloud: CloudRun,
    issuer: Issuer,
    tmp_path: Path,
) -> None:
    source = add_document(engine, storage, tmp_path)
    body, headers, took = pushed(), issuer.headers(), []

    def deliver() -> list[int]:
        statuses = []
        for _ in range(DELIVERIES):
            began = time.monotonic()
            statuses.append(
                requests.post(f"{site.url}/internal/push", json=body, headers=headers, timeout=60).status_code
            )
            took.append(time.monotonic() - began)
        return statuses

    with ThreadPoolExecutor(THREADS) as pool:
        answers = [
            answer for delivery in [pool.submit(deliver) for _ in range(THREADS)] for answer in delivery.result()
        ]
    print(f"push: {len(took)} deliveries, median {statistics.median(took):.3f} s, longest {max(took):.3f} s")
    assert answers == [204] * DELIVERIES * THREADS
    assert cloud.calls == ["author:run"]
    with engine.connect() as connection:
        execution, tasks = connection.execute(text("SELECT execution, tasks FROM launches")).one()
    assert (execution, tasks) == ("author-00000", 1)

    first, second = work(parts), work(parts)
    assert (first["done"], second["done"], second["failed"]) == (1, 0, 0)
    with engine.connect() as connection:
        state = connection.scalar(text("SELECT state FROM sources WHERE id = :id"), {"id": source})
        attempts = connection.scalars(text("SELECT attempt FROM jobs")).all()
    assert state == "ready"
    assert attempts == [1]

    sweep = requests.post(f"{site.url}/internal/sweep", headers=issuer.headers(SCHEDULER), timeout=60)
    assert sweep.status_code == 200
    assert sweep.json()["oldest_unfinished_seconds"] == 0
    assert cloud.calls == ["author:run"]


def test_a_ring_that_was_lost_is_made_up_for_by_the_sweep(
    site: RunningSite,
    engine: Engine,
    storage: StorageService,
    cloud: CloudRun,
    issuer: Issuer,
    tmp_path: Path,
) -> None:
    add_document(engine, storage, tmp_path)
    for _ in range(2):
        sweep = requests.post(f"{site.url}/internal/sweep", headers=issuer.headers(SCHEDULER), timeout=60)
        assert sweep.status_code == 200
    assert cloud.calls == ["author:run"]
