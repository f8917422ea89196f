"""A Pub/Sub publisher in this process, over real gRPC: it takes messages, or fails in the ways that a cloud does.

The client that talks to it is Google's own, pointed here by PUBSUB_EMULATOR_HOST. What only the whole of Pub/Sub can
show (push, retry, dead letters) is tested against Google's emulator instead.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.pubsub_v1.types import PublishRequest, PublishResponse, PubsubMessage

PUBLISH = "/google.pubsub.v1.Publisher/Publish"


@dataclass
class Topics:
    """What was published, and the answers that the next calls get instead of success."""

    address: str = ""
    calls: int = 0
    taken: list[tuple[str, PubsubMessage]] = field(default_factory=list)
    failures: list[grpc.StatusCode] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def publish(self, request: PublishRequest, context: grpc.ServicerContext) -> PublishResponse:
        with self._lock:
            self.calls += 1
            failure = self.failures.pop(0) if self.failures else None
        while self.silent.is_set() and context.is_active():
            threading.Event().wait(0.05)
        if failure is not None:
            context.abort(failure, "said so by the test")
        with self._lock:
            self.taken += [(request.topic, message) for message in request.messages]
            return PublishResponse(message_ids=[str(len(self.taken)) for _ in request.messages])


class _Service(grpc.GenericRpcHandler):
    def __init__(self, topics: Topics) -> None:
        self._handler = grpc.unary_unary_rpc_method_handler(
            topics.publish,
            request_deserializer=PublishRequest.deserialize,
            response_serializer=PublishResponse.serialize,
        )

    def service(self, details: Any) -> Any:
        return self._handler if details.method == PUBLISH else None


@contextmanager
def topics_here() -> Iterator[Topics]:
    """The service on a free port of this machine, until the end of the block."""
    topics = Topics()
    server = grpc.server(ThreadPoolExecutor(4), handlers=(_Service(topics),))
    topics.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield topics
    finally:
        topics.silent.clear()
        server.stop(grace=None).wait(10)
