"""Engines by address: what the server is told, and how an address may be written."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import aiohttp
import pg8000
import pytest
from google.auth.exceptions import RefreshError
from google.cloud.sql.connector.exceptions import RefreshNotValidError
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from service.adapters.database import _address, bounded, connecting, open_engine, resolved
from service.db import faults
from service.db.faults import worth_again
from service.errors import BadInput
from service.settings import Settings


def test_an_embedded_database_is_opened_and_named_by_its_socket_for_children(settings: Settings) -> None:
    embedded = settings.model_copy(update={"database_url": "embedded:"})
    with open_engine(embedded) as engine:
        child = resolved(embedded, engine)
        assert child.database_url.startswith("postgresql+pg8000://app@/postgres?unix_sock=")
        with open_engine(Settings(database_url=child.database_url)) as second, second.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
    assert (settings.data_dir / "postgres" / "PG_VERSION").exists()


def test_another_server_keeps_its_address_for_children(settings: Settings) -> None:
    with open_engine(settings) as engine:
        assert resolved(settings, engine) is settings


def test_the_server_ends_what_takes_too_long(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.adapters.database.SERVER_TIMEOUTS", {"statement_timeout": "50ms"})
    with open_engine(settings) as engine, engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT pg_sleep(5)"))
    assert faults.code(caught.value) == "57014"
    assert not faults.worth_again(caught.value)


def test_every_timeout_reaches_the_server(settings: Settings) -> None:
    with open_engine(settings) as engine, engine.connect() as connection:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "TimeZone")
        assert [connection.scalar(text(f"SHOW {name}")) for name in names] == ["20s", "5s", "30s", "UTC"]


@pytest.mark.parametrize(
    ("service", "limits"), [("site", ["5s", "2s", "10s"]), ("", ["20s", "5s", "30s"])], ids=["site", "job"]
)
def test_in_the_cloud_the_site_waits_less_than_a_job(settings: Settings, service: str, limits: list[str]) -> None:
    cloud = settings.model_copy(update={"environment": "production", "k_service": service})
    with open_engine(cloud) as engine, engine.connect() as connection:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        assert [connection.scalar(text(f"SHOW {name}")) for name in names] == limits
        assert engine.pool.timeout() == 3  # type: ignore[attr-defined]


def test_a_connection_over_a_given_socket_does_not_wait_for_ever(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.adapters.database.SOCKET_TIMEOUT_SECONDS", 0.2)
    url = make_url(settings.database_url)
    with socket.socket(socket.AF_UNIX) as given:
        given.connect(str(url.query["unix_sock"]))
        made = pg8000.dbapi.connect(
            url.username or "", database=url.database, password=url.password, sock=given, ssl_context=False
        )
        with pytest.raises(TimeoutError) as caught:
            bounded(made).cursor().execute("SELECT pg_sleep(5)")
    assert faults.lost_connection(caught.value)


def test_the_pool_is_as_large_as_the_settings_say(settings: Settings) -> None:
    with open_engine(settings.model_copy(update={"database_pool": 2, "database_overflow": 0})) as engine:
        assert engine.pool.size() == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("written", "host", "options"),
    [
        ("postgresql://a:b@db.example.org/course", "db.example.org", {}),
        ("postgresql://a@/course?host=/run/postgresql", None, {"unix_sock": "/run/postgresql/.s.PGSQL.5432"}),
        ("postgresql://a@:5433/course?host=/run/pg", "", {"unix_sock": "/run/pg/.s.PGSQL.5433"}),
        ("postgresql://a@db/course?sslmode=disable", "db", {"ssl_context": False}),
        ("postgresql://a@db/course?sslmode=prefer", "db", {}),
    ],
)
def test_the_usual_forms_of_an_address_are_understood(written: str, host: str | None, options: object) -> None:
    url, found = _address(written)
    assert (url.drivername, url.host or "", found) == ("postgresql+pg8000", host or "", options)
    assert "sslmode" not in url.query


def test_tls_is_verified_where_that_is_asked_for() -> None:
    full = _address("postgresql://a@db/c?sslmode=verify-full")[1]["ssl_context"]
    some = _address("postgresql://a@db/c?sslmode=require")[1]["ssl_context"]
    assert (full.verify_mode, some.verify_mode) == (ssl.CERT_REQUIRED, ssl.CERT_NONE)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://", "names no user"),
        ("postgresql://a@db:port/c", "postgresql://USER:PASSWORD@HOST/NAME"),
        ("postgresql://a@db/c?sslmode=maybe", "sslmode may be"),
        ("postgresql://a@db/c?target_session_attrs=any", "target_session_attrs is not understood"),
        ("cloudsql://project:region:instance", "cloudsql://PROJECT:REGION:INSTANCE/DATABASE"),
        ("cloudsql://project:region:instance/db", "DATABASE_USER"),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_the_right_form(settings: Settings, url: str, said: str) -> None:
    with pytest.raises(BadInput, match=said), open_engine(settings.model_copy(update={"database_url": url})):
        pass


def test_cloud_sql_without_credentials_says_how_to_get_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    cloud = {"database_url": "cloudsql://project:region:instance/db", "database_user": "site@project.iam"}
    with pytest.raises(BadInput, match="needs Google credentials"), open_engine(settings.model_copy(update=cloud)):
        pass


def test_the_cloud_connector_is_not_loaded_on_a_laptop(tmp_path: Path) -> None:
    import subprocess
    import sys

    program = "import sys, service.adapters.database; assert not any(m.startswith('google.cloud') for m in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    "thrown",
    [
        aiohttp.ClientConnectionError("reset by peer"),
        aiohttp.ClientPayloadError("short"),
        RefreshError("the metadata server says 500"),
        RefreshNotValidError("no certificate"),
    ],
)
def test_a_cloud_that_gives_no_certificate_is_a_lost_connection(thrown: Exception) -> None:
    with pytest.raises(ConnectionError, match="Cloud SQL does not answer") as raised, connecting():
        raise thrown
    assert worth_again(raised.value)
