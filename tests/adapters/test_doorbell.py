"""Rings: on a laptop nobody is rung; in the cloud one message each, which is taken or said not to be."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import grpc
import pytest

from service.adapters.doorbell import PubSubDoorbell, open_doorbell
from service.domain.ring import Ring
from service.errors import BadInput, Broken, Unavailable
from service.ports import Doorbell
from service.settings import Settings
from tests.adapters.pubsub_server import Topics, topics_here

RING = Ring(event_id=uuid.UUID(int=1), lane="render", run_id=uuid.UUID(int=2))
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> Iterator[Topics]:
    with topics_here() as topics:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", topics.address)
        yield topics


@pytest.fixture
def bell(topics: Topics, settings: Settings) -> Iterator[Doorbell]:
    bell = open_doorbell(settings.model_copy(update={"queue_url": "pubsub://some-project/doorbell"}))
    yield bell
    bell.close()


def test_ringing_on_postgresql_alone_is_harmless(settings: Settings) -> None:
    bell = open_doorbell(settings)
    assert not bell.heard
    bell.ring(RING)
    bell.close()


@pytest.mark.parametrize(
    "url",
    [
        "pubsub:",
        "pubsub://",
        "pubsub://some-project",
        "pubsub://some-project/",
        "pubsub://some-project/topics/doorbell",
        "pubsub://some-project/d",
        "pubsub://some-project/google-doorbell",
        "pubsub://Some_Project/doorbell",
        "pubsub://some-project/doorbell?x=1",
    ],
)
def test_an_address_that_names_no_topic_is_refused_by_name(settings: Settings, url: str) -> None:
    with pytest.raises(BadInput, match=r"QUEUE_URL=.*pubsub://PROJECT/TOPIC"):
        open_doorbell(settings.model_copy(update={"queue_url": url}))


def test_nothing_is_connected_before_the_first_ring(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere")
    bell = open_doorbell(settings.model_copy(update={"queue_url": "pubsub://example.com:some-project/doorbell"}))
    assert bell.heard
    bell.close()


def test_a_ring_is_one_message_that_says_where_to_look(bell: Doorbell, topics: Topics) -> None:
    bell.ring(RING, trace_parent=TRACE)
    bell.ring(RING)
    (topic, first), (_, second) = topics.taken
    assert topic == "projects/some-project/topics/doorbell"
    assert json.loads(first.data) == {
        "v": 1,
        "event_id": str(RING.event_id),
        "lane": "render",
        "run_id": str(RING.run_id),
    }
    assert dict(first.attributes) == {"traceparent": TRACE}
    assert dict(second.attributes) == {}
    assert topics.calls == 2


def test_a_hiccup_of_the_cloud_is_tried_again(bell: Doorbell, topics: Topics) -> None:
    topics.failures = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL]
    bell.ring(RING, patience_seconds=20)
    assert len(topics.taken) == 1
    assert topics.calls == 3


def test_a_cloud_that_stays_away_is_given_up_within_the_patience(bell: Doorbell, topics: Topics) -> None:
    topics.failures = [grpc.StatusCode.UNAVAILABLE] * 1000
    with pytest.raises(Unavailable, match="outbox"):
        bell.ring(RING, patience_seconds=0.5)
    assert not topics.taken


def test_a_cloud_that_does_not_answer_is_given_up_and_connected_anew(bell: Doorbell, topics: Topics) -> None:
    assert isinstance(bell, PubSubDoorbell)
    topics.silent.set()
    with pytest.raises(Unavailable, match="outbox"):
        bell.ring(RING, patience_seconds=0.5)
    # Not by the server's view of connections: gRPC closes one in its own time, and shares it until then.
    assert bell._publisher is None, "the channel that did not answer is kept"
    topics.silent.clear()
    bell.ring(RING, patience_seconds=20)
    assert topics.taken


@pytest.mark.parametrize("status", [grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED])
def test_a_topic_that_is_not_ours_is_named(bell: Doorbell, topics: Topics, status: grpc.StatusCode) -> None:
    topics.failures = [status]
    with pytest.raises(Broken, match=r"projects/some-project/topics/doorbell.*QUEUE_URL"):
        bell.ring(RING)
    assert topics.calls == 1


def test_nobody_to_sign_in_as_is_an_absence_that_the_log_explains(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    bell = PubSubDoorbell("some-project", "doorbell")
    with pytest.raises(Unavailable):
        bell.ring(RING)
    assert "/nowhere/key.json was not found" in caplog.text


def test_closing_twice_and_ringing_after_a_close_work(bell: Doorbell, topics: Topics) -> None:
    bell.ring(RING)
    bell.close()
    bell.close()
    bell.ring(RING)
    assert len(topics.taken) == 2
