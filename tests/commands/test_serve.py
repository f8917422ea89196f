"""Which port the site takes, and what it says when it cannot."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from service.commands.serve import listen
from service.errors import BadInput
from service.settings import Settings


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
