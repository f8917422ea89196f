"""The author lane: reads, plans, writes and sets questions until nothing is left, or until it is told to stop."""

from __future__ import annotations

from functools import partial

from service.db import outbox
from service.db.lane import run_lane, stop_on_signals
from service.logs import configure_logging
from service.pipeline.handlers import HANDLERS
from service.settings import Settings
from service.traces import configure_traces, flush_traces
from service.wiring import open_services


def main(settings: Settings) -> int:
    """Work on the author lane; the exit code of `run_lane`.

    Raises:
        BadInput: a part cannot be opened as it is configured.
    """
    configure_logging(settings)
    configure_traces(settings, "author")
    stop = stop_on_signals()
    try:
        with open_services(settings) as services:
            handlers = {kind: partial(handler, services) for kind, handler in HANDLERS.items()}
            # A written lesson rings for its film.
            send = partial(outbox.try_to_send, services.engine, services.doorbell)
            return run_lane(services.engine, "author", handlers, settings=services.settings, stop=stop, after_job=send)
    finally:
        flush_traces()
