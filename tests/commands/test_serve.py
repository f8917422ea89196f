"""How the site starts: its port, what it refuses, what it leaves alone, and whom it believes about addresses."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from service.commands import serve
from service.commands.serve import listen, main, server_config
from service.errors import BadInput
from service.settings import Settings

KEY = "a key that is long enough to be one"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        yield somebody.getsockname()[1]


def test_a_port_that_was_asked_for_and_is_taken_is_refused_with_the_way_out(taken: int) -> None:
    with pytest.raises(BadInput, match=f"{taken} is taken.*--port"):
        listen(Settings(port=taken))


def test_without_a_wish_the_next_free_port_is_taken(taken: int) -> None:
    settings = Settings().model_copy(update={"port": taken})
    settings.model_fields_set.discard("port")
    with listen(settings) as listener:
        assert taken < listener.getsockname()[1] <= taken + 50


def test_an_address_that_is_not_this_machines_is_refused() -> None:
    with pytest.raises(BadInput, match="BIND"):
        listen(Settings(bind="192.0.2.1"))


def production(**given: Any) -> Settings:
    told = {
        "environment": "production",
        "database_url": "postgresql://courses@127.0.0.1:1/courses",
        "storage_url": "gs://bucket",
        "jobs_url": "none:",
        "speech": "silent:",
        "mail_url": "smtps://courses@mail.test?from=courses@mail.test",
        "cookie_keys": KEY,
    }
    return Settings(**{**told, **given})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cookie_keys": ""}, "COOKIE_KEYS is empty"),
        ({"cookie_keys": " , "}, "COOKIE_KEYS is empty"),
        ({"cookie_keys": f"{KEY},too-short-to-be-a-key"}, "fewer than 32 characters"),
        ({"mail_url": "console:"}, "MAIL_URL=console: is for development"),
    ],
)
def test_the_site_in_production_refuses_what_only_it_needs(given: dict[str, str], said: str) -> None:
    settings = production(**given)  # a job starts with these
    with pytest.raises(BadInput, match=said):
        settings.refuse_for_the_site()
    production().refuse_for_the_site()


def test_a_short_key_is_refused_on_a_laptop_too_and_none_is_not() -> None:
    Settings(cookie_keys="").refuse_for_the_site()
    with pytest.raises(BadInput, match="openssl rand"):
        Settings(cookie_keys="short").refuse_for_the_site()


def test_serving_refuses_before_anything_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("COOKIE_KEYS", "short")
    with pytest.raises(BadInput, match="fewer than 32"):
        main(["--port", "0"])
    assert not (tmp_path / "var").exists()


def test_in_production_the_site_leaves_the_schema_alone(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It may not change it, and an older site must start on a newer schema, or nothing could be rolled back."""
    for environment, migrated in (("local", 1), ("production", 0)):
        calls: list[object] = []
        monkeypatch.setattr("service.db.migrate.upgrade", calls.append)
        monkeypatch.setattr(serve.Announcing, "run", lambda *_, **__: None)
        settings = Settings(
            environment="local", data_dir=tmp_path, database_url=database, jobs_url="none:", speech="silent:"
        ).model_copy(update={"environment": environment, "embeddings": "none:"})
        with listen(settings.model_copy(update={"port": 0})) as listener:
            serve._serve(settings, listener, demo=False)
        assert len(calls) == migrated


FORWARDED = [
    ("203.0.113.9", "203.0.113.9"),
    ("198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the left one was invented by the caller
    ("198.51.100.1, 203.0.113.9, 127.0.0.1", "203.0.113.9"),  # one more hop of ours
]


async def who_calls(scope: Scope, _receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await PlainTextResponse(scope["client"][0])(scope, _receive, send)


def answered(settings: Settings, forwarded: str) -> str:
    """What the application takes for its caller's address, over a real connection."""
    app = FastAPI()
    app.mount("/", who_calls)
    server = uvicorn.Server(server_config(app, settings))
    listener = listen(settings.model_copy(update={"port": 0}))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        # The socket listens already, so the request waits in its queue until the server takes it.
        return httpx.get(address, headers={"X-Forwarded-For": forwarded}, timeout=20, trust_env=False).text
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


@pytest.mark.parametrize(("forwarded", "caller"), FORWARDED)
def test_behind_a_trusted_proxy_the_caller_is_the_right_most_address(forwarded: str, caller: str) -> None:
    assert answered(Settings(trusted_proxies="169.254.0.0/16,127.0.0.0/8"), forwarded) == caller


@pytest.mark.parametrize("trusted", ["", "169.254.0.0/16"])
def test_nobody_else_may_say_where_a_call_comes_from(trusted: str) -> None:
    assert answered(Settings(trusted_proxies=trusted), "203.0.113.9") == "127.0.0.1"


def test_a_misspelt_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"169\.254"):
        Settings(trusted_proxies="169.254.0.0/99")
