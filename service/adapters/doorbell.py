"""Says "look at the job table" to a lane's workers. On PostgreSQL alone nobody needs to be told: workers look by
themselves; the cloud's doorbell starts workers that are not there yet."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from service.domain.ring import Ring
from service.errors import BadInput, Broken, Unavailable
from service.ports import Doorbell
from service.settings import Settings
from service.traces import provider_call, work_span

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient

log = logging.getLogger(__name__)

# Google's rules for names: https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
TOPIC = re.compile(r"(?!goog)[A-Za-z][A-Za-z0-9._~%+-]{2,254}")
QUIET = "The doorbell does not answer. The ring stays in the outbox; the next sweep sends it."


def open_doorbell(settings: Settings) -> Doorbell:
    """The doorbell behind QUEUE_URL; nothing is connected before the first ring.

    Raises:
        BadInput: QUEUE_URL names no topic.
    """
    url = urlsplit(settings.queue_url)
    if url.scheme == "postgres":
        return NoDoorbell()
    project, topic = url.netloc, url.path.removeprefix("/")
    if not PROJECT.fullmatch(project) or not TOPIC.fullmatch(topic) or url.query or url.fragment:
        raise BadInput(f"QUEUE_URL={settings.queue_url} names no topic. Write pubsub://PROJECT/TOPIC.")
    return PubSubDoorbell(project, topic)


class NoDoorbell:
    """Workers look at the job table every POLL_SECONDS, so there is nothing to ring."""

    heard = False

    def ring(self, ring: Ring, *, trace_parent: str = "", patience_seconds: float = 2.0) -> None:
        """Nothing happens: the lane's workers will look."""

    def close(self) -> None:
        """Nothing is open."""


class PubSubDoorbell:
    """One topic of Google Cloud Pub/Sub, or of its emulator when PUBSUB_EMULATOR_HOST says so to the library.

    Every ring is a message of its own and is waited for: Cloud Run takes the processor away when a request is answered,
    so a batch that waits for company in a background thread might leave much later, or never.
    """

    heard = True

    def __init__(self, project: str, topic: str) -> None:
        self._topic = f"projects/{project}/topics/{topic}"
        self._opening = threading.Lock()
        self._publisher: PublisherClient | None = None

    def ring(self, ring: Ring, *, trace_parent: str = "", patience_seconds: float = 2.0) -> None:
        """Publish the ring and return when the topic has it.

        Raises:
            Unavailable: it has not within `patience_seconds`.
            Broken: there is no such topic, or we may not publish to it.
        """
        from google.api_core.exceptions import Forbidden, GoogleAPIError, InvalidArgument, NotFound
        from google.api_core.retry import Retry
        from google.auth.exceptions import GoogleAuthError

        attributes = {"traceparent": trace_parent} if trace_parent else {}
        try:
            with self._span(ring, trace_parent):
                told = self._open().publish(
                    self._topic,
                    ring.model_dump_json().encode(),
                    retry=Retry(initial=0.1, maximum=1.0, timeout=patience_seconds),
                    timeout=patience_seconds,
                    **attributes,
                )
                told.result(timeout=patience_seconds)
        except (NotFound, Forbidden, InvalidArgument) as error:
            raise Broken(f"The topic {self._topic} takes no messages: {error.message}. Check QUEUE_URL.") from error
        except (GoogleAPIError, GoogleAuthError, Late) as error:
            log.warning("the topic %s does not answer: %s", self._topic, str(error) or type(error).__name__)
            self._disconnect()
            raise Unavailable(QUIET) from error

    def close(self) -> None:
        """Send what was published and close the connection; rings after this are refused by the library."""
        with self._opening:
            publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.stop()
            publisher.transport.close()

    @contextmanager
    def _span(self, ring: Ring, trace_parent: str) -> Iterator[None]:
        topic = {"messaging.system": "gcp_pubsub", "messaging.destination.name": self._topic.rpartition("/")[2]}
        with (
            work_span(f"ring {ring.lane}", run_id=ring.run_id, trace_parent=trace_parent),
            provider_call("gcp.pubsub", "publish", SpanKind.PRODUCER, **topic),
        ):
            yield

    def _disconnect(self) -> None:
        """Connect anew for the next ring: a channel that rested without a processor may be dead and not know it. Closed
        and not only forgotten, because gRPC shares connections between clients; another thread's ring then fails too,
        and stays in the outbox like this one.
        """
        with self._opening:
            publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.transport.close()

    def _open(self) -> PublisherClient:
        """The client, made at the first ring: its import takes a second that the site's start need not wait for."""
        with self._opening:
            if self._publisher is None:
                from google.cloud.pubsub_v1 import PublisherClient
                from google.cloud.pubsub_v1.types import BatchSettings

                self._publisher = PublisherClient(batch_settings=BatchSettings(max_messages=1))
            return self._publisher
