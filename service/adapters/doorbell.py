"""Says "look at the job table" to a lane's workers. On PostgreSQL alone nobody needs to be told: workers look by
themselves; the cloud's doorbell starts workers that are not there yet."""

from __future__ import annotations

from urllib.parse import urlsplit

from service.errors import BadInput
from service.ports import Doorbell, Lane
from service.settings import Settings


def open_doorbell(settings: Settings) -> Doorbell:
    """The doorbell behind QUEUE_URL.

    Raises:
        BadInput: this version has no such doorbell.
    """
    if urlsplit(settings.queue_url).scheme == "postgres":
        return NoDoorbell()
    raise BadInput("QUEUE_URL=pubsub:// is not available in this version yet. Use postgres:, the default.")


class NoDoorbell:
    """Workers look at the job table every POLL_SECONDS, so there is nothing to ring."""

    def ring(self, lane: Lane) -> None:
        """Nothing happens: the lane's workers will look."""
