"""The database behind DATABASE_URL: an embedded PostgreSQL, any PostgreSQL, or Cloud SQL; one Engine to all others.

Timeouts stand on the server's side and are shorter than the socket's: a client that gives up alone would leave its
query running.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from service.adapters.embedded_postgres import EmbeddedPostgres
from service.adapters.postmaster import running
from service.errors import BadInput
from service.settings import Settings
from service.traces import trace_engine

DRIVER = "postgresql+pg8000"
DATABASE_FOLDER = "postgres"  # of an embedded server, within DATA_DIR
SERVER_TIMEOUTS = {
    "statement_timeout": "20s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
}
# In the cloud nobody should wait for a page longer than this; the lanes' tasks keep the limits above.
SITE_TIMEOUTS = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
}
# What a server that hangs cannot cut short itself; a person should be told within six seconds.
SOCKET_TIMEOUT_SECONDS, SITE_SOCKET_TIMEOUT_SECONDS = 30.0, 5.2
# On a laptop requests may queue up; in the cloud another instance is started for them, so being told "503" is quicker.
POOL_WAIT_SECONDS, CLOUD_POOL_WAIT_SECONDS = 10, 3
RECYCLE_SECONDS = 1800
TLS = ("require", "verify-ca", "verify-full")
NO_TLS = ("disable", "allow", "prefer")


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """An engine for `settings.database_url`, closed at the end together with the server when that one is ours.

    Call it from the main thread: an embedded server dies with the thread that started it.

    Raises:
        BadInput: the address cannot be used, or the embedded server cannot run here or runs already.
    """
    scheme = urlsplit(settings.database_url).scheme
    if scheme == "embedded":
        with EmbeddedPostgres(settings.data_dir / DATABASE_FOLDER) as server:
            yield from _disposing(_engine(settings, make_url(server.url)))
    elif scheme == "cloudsql":
        yield from _cloud_sql(settings)
    else:
        url, options = _address(settings.database_url)
        yield from _disposing(_engine(settings, url, options))


def resolved(settings: Settings, engine: Engine) -> Settings:
    """Settings for a child process: the embedded server is named by its socket, so that the child starts no second."""
    if urlsplit(settings.database_url).scheme != "embedded":
        return settings
    return settings.model_copy(update={"database_url": engine.url.render_as_string(hide_password=False)})


def beside_the_site(settings: Settings) -> Settings:
    """Settings for a command that may work while the site runs: an embedded server that runs already is named by its
    socket, so that no second one is started; and without one nothing is changed.
    """
    if urlsplit(settings.database_url).scheme != "embedded":
        return settings
    found = running((settings.data_dir / DATABASE_FOLDER).resolve())
    return settings.model_copy(update={"database_url": found}) if found else settings


def _disposing(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    finally:
        engine.dispose()


def _connect_arguments(settings: Settings) -> dict[str, Any]:
    chosen = SITE_TIMEOUTS if settings.k_service else SERVER_TIMEOUTS  # Cloud Run names a service so, and no job
    limits = " ".join(f"-c {name}={value}" for name, value in chosen.items())
    return {
        "startup_params": {"options": f"{limits} -c timezone=UTC"},
        "application_name": f"coursewright-{settings.environment}",
        "timeout": _socket_timeout(settings),
        "tcp_keepalive": True,
    }


def _socket_timeout(settings: Settings) -> float:
    return SITE_SOCKET_TIMEOUT_SECONDS if settings.k_service else SOCKET_TIMEOUT_SECONDS


def _engine(settings: Settings, url: URL, options: Mapping[str, Any] | None = None, **more: Any) -> Engine:
    # A local socket carries no TLS; asking for it would cost a round trip at every connect.
    local = {"ssl_context": False} if "unix_sock" in {**url.query, **(options or {})} else {}
    engine = create_engine(
        url,
        connect_args={**_connect_arguments(settings), **local, **(options or {})},
        pool_size=settings.database_pool,
        max_overflow=settings.database_overflow,
        pool_timeout=CLOUD_POOL_WAIT_SECONDS if settings.production or settings.k_service else POOL_WAIT_SECONDS,
        pool_pre_ping=True,
        pool_recycle=RECYCLE_SECONDS,
        hide_parameters=True,  # an error's message may end in a log
        **more,
    )
    trace_engine(engine, settings)
    return engine


def _address(written: str) -> tuple[URL, dict[str, Any]]:
    """The usual forms of a PostgreSQL address (`?host=/socket/folder`, `?sslmode=`) in pg8000's own terms.

    Raises:
        BadInput: a part of the address is not understood.
    """
    try:
        url = make_url(written).set(drivername=DRIVER)
    except (ArgumentError, ValueError) as error:
        raise BadInput("DATABASE_URL is not understood. It looks like postgresql://USER:PASSWORD@HOST/NAME.") from error
    if not url.username:
        raise BadInput("DATABASE_URL names no user. It looks like postgresql://USER:PASSWORD@HOST/NAME.")
    options: dict[str, Any] = {}
    query = dict(url.query)
    host, mode = query.pop("host", None), query.pop("sslmode", None)
    if host is not None:
        options["unix_sock"] = f"{host}/.s.PGSQL.{url.port or 5432}"
    if mode in TLS:
        options["ssl_context"] = _tls(verified=mode != "require")
    elif mode == "disable":
        options["ssl_context"] = False
    elif mode is not None and mode not in NO_TLS:
        raise BadInput(f"DATABASE_URL: sslmode may be {', '.join(NO_TLS + TLS)}.")
    unknown = set(query) - {"unix_sock"}
    if unknown:
        raise BadInput(f"DATABASE_URL: {', '.join(sorted(unknown))} is not understood; leave it out.")
    return url.set(query=query), options


def _tls(*, verified: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verified:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def bounded(connection: Any, seconds: float | None = None) -> Any:
    """Give a connection whose socket somebody else opened the socket timeout that pg8000 gives to its own.

    Without it a server that vanished without a word would hold a worker for ever: no statement timeout reaches it.
    """
    opened: socket.socket = connection._usock
    opened.settimeout(seconds or SOCKET_TIMEOUT_SECONDS)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return connection


def _cloud_sql(settings: Settings) -> Iterator[Engine]:
    """Cloud SQL by IAM: no password, no address list. `cloudsql://PROJECT:REGION:INSTANCE/DATABASE`."""
    _, _, rest = settings.database_url.partition("://")
    instance, _, database = rest.partition("/")
    if instance.count(":") < 2 or not database or not settings.database_user:
        raise BadInput(
            "DATABASE_URL for Cloud SQL is cloudsql://PROJECT:REGION:INSTANCE/DATABASE, and DATABASE_USER names the "
            "IAM user (a service account without .gserviceaccount.com)."
        )
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud.sql.connector import Connector, RefreshStrategy

    try:
        # Lazy: Cloud Run takes the CPU away between requests, so a refresh in the background would miss its time.
        opened = Connector(refresh_strategy=RefreshStrategy.LAZY, enable_iam_auth=True)
    except DefaultCredentialsError as error:
        raise BadInput(
            "DATABASE_URL=cloudsql:// needs Google credentials and there are none. "
            "Run `gcloud auth application-default login`, or use embedded:."
        ) from error
    with opened as connector:

        def connect() -> Any:
            arguments = _connect_arguments(settings)
            # The connector opens the socket itself, and would take `timeout` for its own.
            del arguments["timeout"], arguments["tcp_keepalive"]
            with connecting():
                made = connector.connect(instance, "pg8000", user=settings.database_user, db=database, **arguments)
            return bounded(made, _socket_timeout(settings))

        yield from _disposing(_engine(settings, make_url(f"{DRIVER}://"), creator=connect))


@contextmanager
def connecting() -> Iterator[None]:
    """What the connector throws when Google's side does not answer, as the lost connection that it is: it asks an HTTP
    service for a certificate first, and that fails in shapes that no database driver knows.

    Raises:
        ConnectionError: Cloud SQL cannot be reached now; the transaction is worth another try.
    """
    from aiohttp import ClientError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.sql.connector.exceptions import DnsResolutionError, RefreshNotValidError

    try:
        yield
    except (ClientError, GoogleAuthError, DnsResolutionError, RefreshNotValidError) as error:
        raise ConnectionError(f"Cloud SQL does not answer: {error}") from error
