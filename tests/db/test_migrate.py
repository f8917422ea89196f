"""A database that cannot be used is said in one sentence, not in a traceback."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, create_engine, make_url

from service.db.migrate import upgrade
from service.errors import BadInput, Unavailable


def test_a_server_that_does_not_answer_is_named_with_the_way_out() -> None:
    nobody = create_engine("postgresql+pg8000://app:secret@127.0.0.1:1/app")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1 and port 1\. Start the server") as raised:
        upgrade(nobody)
    assert "secret" not in str(raised.value)


def test_a_server_that_does_not_let_us_in_is_bad_input(engine: Engine) -> None:
    refused = create_engine(make_url(engine.url.render_as_string(hide_password=False)).set(database="nowhere"))
    with pytest.raises(BadInput, match='database "nowhere" does not exist'):
        upgrade(refused)
