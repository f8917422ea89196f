"""`coursewright serve`: the site; on a laptop with its database, its workers and, with --demo, the sample course."""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import nullcontext

import uvicorn
from fastapi import FastAPI
from rich.console import Console

from service.commands.arguments import parser
from service.errors import BadInput, CoursewrightError
from service.logs import configure_logging
from service.ports import Services
from service.settings import Settings, load_settings
from service.traces import configure_traces, flush_traces

PORTS_TO_TRY = 50


def main(argv: list[str]) -> int:
    """Serve until Ctrl-C or SIGTERM; everything that was started here ends with it."""
    options = parser("serve", "Serve the site.")
    options.add_argument("--port", type=int, help="the port; without it 8000 or the next free one")
    options.add_argument("--bind", help="the address to listen on; 127.0.0.1 unless told")
    options.add_argument("--demo", action="store_true", help="also make sample logins and the sample course")
    given = options.parse_args(argv)
    chosen = {name: getattr(given, name) for name in ("port", "bind") if getattr(given, name) is not None}
    settings = load_settings(**chosen)
    settings.refuse_for_the_site()
    configure_logging(settings)
    configure_traces(settings, "site")
    listener = listen(settings)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _serve(settings.model_copy(update={"port": listener.getsockname()[1]}), listener, demo=given.demo)
    finally:
        listener.close()
        flush_traces()


def listen(settings: Settings) -> socket.socket:
    """The listening socket: the asked-for port, or, when none was asked for, the first free one from the default on.

    Raises:
        BadInput: the asked-for port is taken, or the address is not this machine's.
    """
    asked = "port" in settings.model_fields_set
    last = settings.port if asked else settings.port + PORTS_TO_TRY
    for port in range(settings.port, last + 1):
        listener = socket.socket(socket.AF_INET6 if ":" in settings.bind else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.bind, port))
        except OSError as error:
            listener.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise BadInput(f"BIND={settings.bind} cannot be listened on: {error.strerror}.") from error
            continue
        return listener
    if asked:
        raise BadInput(f"Port {settings.port} is taken. Choose another: --port {settings.port + 1}, or PORT=0 for any.")
    raise BadInput(f"Ports {settings.port} to {last} are all taken. Choose one: --port NUMBER.")


def _serve(settings: Settings, listener: socket.socket, *, demo: bool) -> int:
    from service.db.migrate import upgrade
    from service.pipeline.sweep import sweeping
    from service.web.app import create_app
    from service.wiring import open_services

    stop = threading.Event()
    with open_services(settings) as services:
        if not settings.production:
            # In production the job `migrate` does it: the site may not change the schema, and an older site must also
            # start on a newer one, or nothing could be rolled back.
            upgrade(services.engine)
        # Opened here and not in the site's lifespan: the embedded database must be migrated before the workers start.
        app = create_app(services.settings, lambda _: nullcontext(services))
        server = Announcing(server_config(app, settings), lambda: _announce(services, demo, stop))
        # The server catches both signals, ends in order, and then raises them again; here they have done their work.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        try:
            with sweeping(services):
                server.run(sockets=[listener])
        finally:
            stop.set()
    return 0


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How the site is served. Behind trusted proxies a caller's address is the right-most one that no proxy of ours
    wrote: everything to its left came with the request and may be invented.
    """
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        lifespan="on",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
    )


def _interrupt(*_: object) -> None:
    """SIGTERM during the start ends it like Ctrl-C: in order."""
    raise KeyboardInterrupt


class Announcing(uvicorn.Server):
    """A server that says where it is once it answers."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


def _announce(services: Services, demo: bool, stop: threading.Event) -> None:
    settings = services.settings
    console = Console()
    host = "127.0.0.1" if settings.bind in ("0.0.0.0", "::") else settings.bind  # noqa: S104 - only shown
    console.print(f"Coursewright is at http://{host}:{settings.port}", highlight=False)
    if demo:
        threading.Thread(target=_make_demo, args=(services, console, stop), name="demo", daemon=True).start()


def _make_demo(services: Services, console: Console, stop: threading.Event) -> None:
    from service.commands.demo import make_demo

    try:
        make_demo(services, console, stop)
    except CoursewrightError as error:
        console.print(f"The sample course could not be made: {error}", highlight=False)
