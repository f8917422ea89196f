"""A database that cannot be used is said in one sentence, not in a traceback."""

from __future__ import annotations

from typing import NoReturn

import pytest
from pg8000.exceptions import DatabaseError
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from service.db.migrate import head, is_behind, upgrade
from service.errors import BadInput, Unavailable


def test_a_server_that_does_not_answer_is_named_with_the_way_out() -> None:
    nobody = create_engine("postgresql+pg8000://app:secret@127.0.0.1:1/app")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1 and port 1\. Start the server") as raised:
        upgrade(nobody)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("number", ["28P01", "3D000"])
def test_a_server_that_does_not_let_us_in_is_bad_input(number: str) -> None:
    # Thrown by hand: over a local socket pg8000 at times sees the cut before it reads the server's last words.
    def refuse() -> NoReturn:
        raise DatabaseError({"C": number, "M": "you may not enter"})

    with pytest.raises(BadInput, match="you may not enter"):
        upgrade(create_engine("postgresql+pg8000://", creator=refuse))


@pytest.mark.parametrize(
    ("revision", "behind"),
    [(head(), False), ("newer-than-anybody-here-knows", False), ("2026_11_23_first_schema", True), (None, True)],
)
def test_only_an_older_schema_is_behind(session: Session, revision: str | None, behind: bool) -> None:
    """Migrations only expand, so an older program goes on beside a newer schema: that is how a release goes back."""
    session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision or ""})
    if revision is None:
        session.execute(text("DELETE FROM alembic_version"))
    assert is_behind(session.connection()) is behind
