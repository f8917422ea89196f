"""What the cloud's messages do: a ring starts a lane once, an alert stops spending once, and nonsense only counts."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import create_engine
from starlette.testclient import TestClient

from service.adapters.cloud_run import open_cloud_run
from service.db.alone import alone
from service.domain.ring import Ring
from service.errors import Broken, CoursewrightError, Unavailable
from service.ports import Lane, Services
from service.settings import Settings
from service.web.app import create_app
from service.web.internal import LONGEST_BYTES, NOT_A_BUDGET, NOT_A_RING
from tests.adapters.cloud_run_server import Mode, serve_cloud_run
from tests.engine.desk import Desk
from tests.web.conftest import Launched
from tests.web.service_tokens import SCHEDULER, Issuer, serve_issuer

Opens = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serve_issuer() as issuer:
        yield issuer


@pytest.fixture
def launcher() -> Launched:
    """Takes the place of the conftest's: the cloud's workers do not stand."""
    return Launched(standing=False)


@pytest.fixture
def opened(settings: Settings, services: Services, issuer: Issuer) -> Opens:
    """Opens the site to programs, with other parts when given."""

    @contextmanager
    def opening(**parts: Any) -> Iterator[TestClient]:
        trusting = settings.model_copy(update=issuer.settings())
        chosen = replace(services, settings=trusting, **parts)
        with TestClient(create_app(trusting, lambda _: nullcontext(chosen)), raise_server_exceptions=False) as client:
            client.headers.update(issuer.headers())
            yield client

    return opening


@pytest.fixture
def cloud(opened: Opens) -> Iterator[TestClient]:
    with opened() as client:
        yield client


@pytest.fixture
def desk(services: Services) -> Desk:
    return Desk(services.engine)


def pushed(document: object, **attributes: str) -> dict[str, Any]:
    """A push as Pub/Sub sends it, both spellings of what it repeats."""
    said = document if isinstance(document, bytes) else json.dumps(document).encode()
    return {
        "subscription": "projects/a-project/subscriptions/doorbell-push",
        "deliveryAttempt": 1,
        "message": {
            "data": base64.b64encode(said).decode(),
            "messageId": "2070443601311540",
            "message_id": "2070443601311540",
            "publishTime": "2026-11-23T05:00:00.000Z",
            "publish_time": "2026-11-23T05:00:00.000Z",
            "attributes": attributes,
        },
    }


def ring(**changes: Any) -> dict[str, Any]:
    written = Ring(event_id=uuid.uuid4(), lane="author", run_id=uuid.uuid4()).model_dump(mode="json")
    return pushed(written | changes, traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


def tally(desk: Desk, name: str) -> int:
    return int(desk.scalar("SELECT count FROM tallies WHERE name = :name", name=name) or 0)


def test_a_ring_starts_its_lane_once(cloud: TestClient, launcher: Launched, desk: Desk) -> None:
    desk.enqueue(desk.run())
    for _ in range(3):
        assert cloud.post("/internal/push", json=ring()).status_code == 204
    assert launcher.lanes == ["author"]
    assert desk.scalar("SELECT execution FROM launches") == "author-1-1"
    assert tally(desk, NOT_A_RING) == 0


def test_three_hundred_rings_are_one_start_and_quickly_answered(
    cloud: TestClient, launcher: Launched, desk: Desk
) -> None:
    run = desk.run()
    for _ in range(20):
        desk.enqueue(run)

    def deliver(count: int) -> list[float]:
        took = []
        for _ in range(count):
            began = time.monotonic()
            assert cloud.post("/internal/push", json=ring()).status_code == 204
            took.append(time.monotonic() - began)
        return took

    with ThreadPoolExecutor(3) as pool:
        took = sorted(seconds for delivered in pool.map(deliver, [100] * 3) for seconds in delivered)
    print(f"push with a stub launcher: median {took[150]:.3f} s, p99 {took[297]:.3f} s, longest {took[-1]:.3f} s")
    assert launcher.lanes == ["author"]


def test_a_ring_for_a_lane_without_work_starts_nothing(cloud: TestClient, launcher: Launched, desk: Desk) -> None:
    desk.enqueue(desk.run())
    assert cloud.post("/internal/push", json=ring(lane="render")).status_code == 204
    assert launcher.lanes == []


def test_a_newer_ring_with_more_fields_is_understood(cloud: TestClient, launcher: Launched, desk: Desk) -> None:
    desk.enqueue(desk.run())
    assert cloud.post("/internal/push", json=ring(reason="an edit")).status_code == 204
    assert launcher.lanes == ["author"]


NONSENSE: dict[str, Any] = {
    "no body": b"",
    "no JSON": b"{",
    "not text": b"\xff\xfe\x00",
    "no envelope": b"[]",
    "no message": b'{"subscription": "x"}',
    "no data": json.dumps({"message": {"messageId": "1"}}).encode(),
    "data that is no base64": json.dumps({"message": {"data": "*" * 40}}).encode(),
    "data that is no JSON": json.dumps(pushed(b"hello")).encode(),
    "data that is no text": json.dumps(pushed(b"\xff\x00")).encode(),
    "data of many brackets": json.dumps(pushed(b"[" * 40_000)).encode(),
    "an unknown lane": json.dumps(ring(lane="kitchen")).encode(),
    "an unknown version": json.dumps(ring(v=2)).encode(),
    "attributes that are none": json.dumps({"message": {"data": "", "attributes": [1]}}).encode(),
    "somewhat too long": json.dumps(ring(padding="x" * LONGEST_BYTES)).encode(),
    "a ring in far too many words": json.dumps({**ring(), "why": "x" * LONGEST_BYTES}).encode(),
    "far too long": b" " * 5_000_000,
}


@pytest.mark.parametrize("path", ["/internal/push", "/internal/budget"])
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_what_nobody_understands_is_acknowledged_and_counted(
    cloud: TestClient, launcher: Launched, desk: Desk, path: str, nonsense: str
) -> None:
    desk.enqueue(desk.run())
    for _ in range(2):
        assert cloud.post(path, content=NONSENSE[nonsense]).status_code == 204
    assert launcher.lanes == []
    assert tally(desk, NOT_A_RING if path.endswith("push") else NOT_A_BUDGET) == 2


@pytest.mark.parametrize(
    ("failure", "status"), [(Unavailable("It does not answer. Wait."), 503), (Broken("No such job. Make it."), 500)]
)
def test_a_platform_that_does_not_start_the_lane_lets_the_ring_come_again(
    opened: Opens, desk: Desk, failure: CoursewrightError, status: int
) -> None:
    class Down(Launched):
        def launch(self, lane: Lane, tasks: int = 1) -> str:
            super().launch(lane, tasks)
            raise failure

    desk.enqueue(desk.run())
    with opened(launcher=Down(standing=False)) as cloud:
        answer = cloud.post("/internal/push", json=ring())
    assert answer.status_code == status
    assert tally(desk, NOT_A_RING) == 0


@pytest.mark.parametrize("body", [ring(), {"nonsense": True}], ids=["a ring", "nonsense"])
def test_a_database_that_does_not_answer_lets_the_message_come_again(opened: Opens, body: dict[str, Any]) -> None:
    nowhere = create_engine("postgresql+pg8000://nobody@127.0.0.1:9/nothing")
    with opened(engine=nowhere) as cloud:
        assert cloud.post("/internal/push", json=body).status_code == 503


def alert(threshold: float | None, **changes: Any) -> dict[str, Any]:
    """A budget's message as Cloud Billing publishes it, about this month."""
    start = datetime.now(UTC).replace(day=1, hour=8, minute=0, second=0, microsecond=0)
    said = {
        "budgetDisplayName": "coursewright",
        "costAmount": 14.2,
        "costIntervalStart": start.isoformat().replace("+00:00", "Z"),
        "budgetAmount": 14.0,
        "budgetAmountType": "SPECIFIED_AMOUNT",
        "currencyCode": "USD",
    } | changes
    if threshold is not None:
        said["alertThresholdExceeded"] = threshold
    return pushed(said, billingAccountId="01D4EE-079462-DFD6EC", budgetId="de72f49d-779b", schemaVersion="1.0")


def test_an_alert_stops_spending_once_however_often_it_is_told(cloud: TestClient, desk: Desk) -> None:
    for threshold in (None, 0.5, 0.8):
        assert cloud.post("/internal/budget", json=alert(threshold)).status_code == 204
    assert desk.scalar("SELECT count(*) FROM switches") == 0
    for _ in range(3):
        assert cloud.post("/internal/budget", json=alert(1.0)).status_code == 204
    assert desk.scalar("SELECT count(*) FROM switches WHERE name = 'spending'") == 1
    desk.scalar("DELETE FROM switches RETURNING name")  # somebody allows it again
    assert cloud.post("/internal/budget", json=alert(1.0)).status_code == 204
    assert desk.scalar("SELECT count(*) FROM switches") == 0
    assert tally(desk, NOT_A_BUDGET) == 0


def test_an_alert_of_no_budget_or_of_wrong_sums_counts_as_nonsense(cloud: TestClient, desk: Desk) -> None:
    nameless = alert(1.0)
    del nameless["message"]["attributes"]["budgetId"]
    months = ("soon", "9999-12-15T00:00:00Z", "0001-01-01T00:00:00+14:00")
    wrong = [alert(1.0, costIntervalStart=month) for month in months]
    for body in (nameless, *wrong, alert(1.0, costAmount="NaN"), alert(1.0, budgetDisplayName="a\x00b")):
        assert cloud.post("/internal/budget", json=body).status_code == 204
    assert tally(desk, NOT_A_BUDGET) == 6
    assert desk.scalar("SELECT count(*) FROM switches") == 0


def test_a_sweep_starts_what_waits_and_answers_the_gauges(
    cloud: TestClient, issuer: Issuer, launcher: Launched, desk: Desk
) -> None:
    desk.enqueue(desk.run())
    answer = cloud.post("/internal/sweep", headers=issuer.headers(SCHEDULER))
    assert answer.status_code == 200
    assert answer.json().keys() >= {"oldest_unfinished_seconds", "outbox_lag_seconds", "dead_jobs", "budget_share"}
    assert launcher.lanes == ["author"]
    assert desk.scalar("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == 0


def test_a_sweep_beside_another_one_leaves_the_work_to_it(
    cloud: TestClient, issuer: Issuer, launcher: Launched, desk: Desk
) -> None:
    desk.enqueue(desk.run())
    with alone(desk.engine, "sweep") as mine:
        assert mine
        answer = cloud.post("/internal/sweep", headers=issuer.headers(SCHEDULER))
    assert answer.status_code == 200
    assert "dead_jobs" in answer.json()
    assert launcher.lanes == []


def test_a_sweep_without_its_database_is_a_503(opened: Opens, issuer: Issuer) -> None:
    nowhere = create_engine("postgresql+pg8000://nobody@127.0.0.1:9/nothing")
    with opened(engine=nowhere) as cloud:
        assert cloud.post("/internal/sweep", headers=issuer.headers(SCHEDULER)).status_code == 503


@pytest.mark.parametrize(
    ("mode", "answers", "executions"),
    [
        ("ok", [204, 204, 204], 1),
        ("error after accept", [503, 204, 204], 1),
        ("garbage after accept", [503, 204, 204], 1),
        ("twice", [204, 204, 204], 2),
        ("429", [503, 503, 503], 0),
        ("403", [500, 500, 500], 0),
    ],
)
def test_a_ring_that_comes_again_starts_nothing_that_may_be_under_way(
    opened: Opens, settings: Settings, desk: Desk, mode: Mode, answers: list[int], executions: int
) -> None:
    desk.enqueue(desk.run())
    with serve_cloud_run() as jobs:
        jobs.mode = mode
        url = f"cloudrun://a-project/europe-west1?endpoint={jobs.endpoint}"
        with (
            closing(open_cloud_run(settings.model_copy(update={"jobs_url": url}))) as launcher,
            opened(launcher=launcher) as cloud,
        ):
            assert [cloud.post("/internal/push", json=ring()).status_code for _ in range(3)] == answers
        assert len(jobs.executions) == executions
