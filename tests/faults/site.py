"""The real site on a port of this machine, for the length of a block."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import uvicorn

from service.commands.serve import server_config
from service.ports import Services
from service.settings import Settings
from service.web.app import create_app

START_SECONDS, STOP_SECONDS = 30.0, 15.0


@contextmanager
def serving(settings: Settings, services: Services) -> Iterator[str]:
    """Serve the site with these parts; its address."""
    running = uvicorn.Server(server_config(create_app(settings, lambda _: nullcontext(services)), settings))
    running.config.port = 0
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    until = time.monotonic() + START_SECONDS
    while not running.started:
        assert time.monotonic() < until, "the site does not start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(STOP_SECONDS)
