"""Rings through Google's own Pub/Sub emulator and client: published, pushed, repeated, dead, and read by the site."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

import httpx
import pytest
import uvicorn
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1.types import DeadLetterPolicy, PushConfig, RetryPolicy
from sqlalchemy import Engine

from service.adapters.doorbell import PubSubDoorbell
from service.db import outbox
from service.domain.ring import Ring
from service.errors import Broken
from service.pipeline.sweep import sweep
from service.ports import Services, StorageService
from service.settings import Settings
from service.web.app import create_app
from service.web.internal import NOT_A_RING, Envelope
from tests.adapters.pubsub_emulator import Endpoint, emulator, listening, missing
from tests.engine.desk import Desk
from tests.pipeline.cloud import Platform
from tests.web.service_tokens import Issuer, serve_issuer

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

PROJECT = "some-project"
RING = Ring(event_id=uuid.UUID(int=1), lane="render", run_id=uuid.UUID(int=2))
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ATTEMPTS = 5  # the fewest that a dead-letter policy takes


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulator(tmp_path_factory.mktemp("pubsub")) as address:
        yield address


@dataclass
class Topic:
    """A topic of the test's own with its doorbell, and the clients that set it up."""

    name: str
    bell: PubSubDoorbell
    publisher: PublisherClient
    subscriber: SubscriberClient

    def push_to(self, endpoint: Endpoint, dead_letters: str = "") -> None:
        """Push to this endpoint as infra does: 60 s to answer, and dead letters when they are given a topic."""
        policy = DeadLetterPolicy(dead_letter_topic=dead_letters, max_delivery_attempts=ATTEMPTS)
        self.subscriber.create_subscription(
            request={
                "name": f"projects/{PROJECT}/subscriptions/push-{uuid.uuid4().hex}",
                "topic": self.name,
                "push_config": PushConfig(push_endpoint=endpoint.url),
                "ack_deadline_seconds": 60,
                "retry_policy": RetryPolicy(minimum_backoff=Duration(), maximum_backoff=Duration(seconds=1)),
                **({"dead_letter_policy": policy} if dead_letters else {}),
            }
        )


@pytest.fixture
def topic(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Topic]:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    bell = PubSubDoorbell(PROJECT, f"doorbell-{uuid.uuid4().hex}")
    name = bell._topic
    with SubscriberClient() as subscriber:
        publisher = PublisherClient()
        publisher.create_topic(name=name)
        yield Topic(name, bell, publisher, subscriber)
        bell.close()
        publisher.transport.close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with listening(Endpoint()) as endpoint:
        yield endpoint


def until(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.05)


def ring(topic: Topic, trace_parent: str = "") -> None:
    topic.bell.ring(RING, trace_parent=trace_parent, patience_seconds=30)


def test_a_ring_is_pushed_in_an_envelope_that_the_site_reads(topic: Topic, endpoint: Endpoint) -> None:
    topic.push_to(endpoint)
    ring(topic, TRACE)
    until(lambda: bool(endpoint.bodies))
    message = Envelope.model_validate_json(endpoint.bodies[0]).message
    assert Ring.model_validate_json(message.carried()) == RING
    assert message.attributes == {"traceparent": TRACE}


def test_a_ring_that_the_site_could_not_take_comes_again(topic: Topic, endpoint: Endpoint) -> None:
    endpoint.statuses = [500, 503]
    topic.push_to(endpoint)
    ring(topic)
    until(lambda: len(endpoint.bodies) == 3)
    messages = {Envelope.model_validate_json(body).message.data for body in endpoint.bodies}
    assert len(messages) == 1
    time.sleep(3)  # it is acknowledged now: several backoffs later nothing more has come
    assert len(endpoint.bodies) == 3


def test_a_ring_that_nobody_takes_ends_among_the_dead_letters(topic: Topic, endpoint: Endpoint) -> None:
    dead, kept = f"{topic.name}-dead", f"projects/{PROJECT}/subscriptions/dead-{uuid.uuid4().hex}"
    topic.publisher.create_topic(name=dead)
    topic.subscriber.create_subscription(name=kept, topic=dead)
    endpoint.statuses = [500] * 100
    topic.push_to(endpoint, dead_letters=dead)
    ring(topic)
    until(lambda: len(endpoint.bodies) == ATTEMPTS)
    (received,) = topic.subscriber.pull(subscription=kept, max_messages=10, timeout=60).received_messages
    assert Ring.model_validate_json(received.message.data) == RING
    assert received.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == str(ATTEMPTS)
    assert len(endpoint.bodies) == ATTEMPTS


def test_a_topic_that_is_not_there_is_named(topic: Topic) -> None:
    bell = PubSubDoorbell(PROJECT, "nowhere")
    with pytest.raises(Broken, match=r"projects/some-project/topics/nowhere.*QUEUE_URL"):
        bell.ring(RING, patience_seconds=30)
    bell.close()
    assert topic.name != "nowhere"


# --- the whole way: outbox, Pub/Sub, the site's own handler, the platform ---


class Gate(Endpoint):
    """Stands for Google's front: adds the token that the emulator cannot sign, and delivers each push several times."""

    def __init__(self, site: str, issuer: Issuer, times: int) -> None:
        super().__init__()
        self._site, self._issuer, self._times = site, issuer, times
        self.answers: list[int] = []

    def answer(self, body: bytes) -> int:
        headers = {"Content-Type": "application/json", **self._issuer.headers()}
        for _ in range(self._times):
            answer = httpx.post(f"{self._site}/internal/push", content=body, headers=headers, timeout=60)
            self.answers.append(answer.status_code)
        # What the site did is done; whether the cloud hears of it is another matter.
        return self.statuses.pop(0) if self.statuses else self.answers[-1]


@contextmanager
def serving(settings: Settings, services: Services) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = create_app(settings, lambda _: nullcontext(services))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            until(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)


@dataclass
class Cloud:
    """A site with its database behind a real topic."""

    desk: Desk
    services: Services
    platform: Platform
    gate: Gate


@pytest.fixture
def cloud(topic: Topic, engine: Engine, settings: Settings, storage: StorageService) -> Iterator[Cloud]:
    unused = cast(Any, None)
    platform = Platform()
    with serve_issuer() as issuer:
        settings = settings.model_copy(update=issuer.settings())
        services = Services(
            settings=settings,
            engine=engine,
            storage=storage,
            doorbell=topic.bell,
            launcher=platform,
            author=unused,
            vectors=unused,
            embedder=None,
            speech=unused,
            stills=unused,
            mailer=unused,
        )
        with serving(settings, services) as site, listening(Gate(site, issuer, times=3)) as gate:
            topic.push_to(gate)
            yield Cloud(Desk(engine), services, platform, cast(Gate, gate))


def test_a_ring_delivered_many_times_starts_its_lane_once(cloud: Cloud) -> None:
    cloud.gate.statuses = [500, 500]  # the cloud delivers it anew, and each of its deliveries arrives three times
    cloud.desk.enqueue(cloud.desk.run())
    assert outbox.send(cloud.services.engine, cloud.services.doorbell, patience_seconds=30) == 1
    until(lambda: len(cloud.gate.answers) == 9)
    assert set(cloud.gate.answers) == {204}
    assert cloud.platform.started == [("author", 1)]
    assert cloud.desk.scalar("SELECT execution FROM launches") == "author-1"
    assert cloud.desk.scalar("SELECT count(*) FROM tallies WHERE name = :name", name=NOT_A_RING) == 0


def test_work_whose_sender_died_is_rung_by_the_sweep_and_started_once(cloud: Cloud) -> None:
    cloud.desk.enqueue(cloud.desk.run(), kind="film", lane="render")  # committed, and nobody lived to send it
    sweep(cloud.services)
    until(lambda: len(cloud.gate.answers) >= 3)
    assert set(cloud.gate.answers) == {204}
    assert cloud.platform.started == [("render", 1)]
    assert cloud.desk.scalar("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == 0
