"""A text that PostgreSQL cannot keep is the sender's to mend, whichever column it was meant for."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import Engine

from service.db.engine import session_scope, transaction
from service.db.events import say
from service.db.tables import Course, Role, User
from service.domain.course import Brief
from service.errors import BadInput


def test_a_nul_character_in_a_text_is_bad_input(engine: Engine) -> None:
    with pytest.raises(BadInput, match="NUL"), session_scope(engine) as session:
        session.add(
            User(id=uuid.uuid4(), email="a@example.org", name="A\x00da", password_hash="!", role=Role.INSTRUCTOR)
        )


def test_a_nul_character_in_a_transaction_is_bad_input_and_not_tried_again(engine: Engine) -> None:
    with pytest.raises(BadInput, match="NUL"):
        transaction(engine, lambda session: say(session, uuid.uuid4(), "progress", {"what": "a\x00b"}))


def test_a_nul_character_in_a_document_is_bad_input(engine: Engine) -> None:
    with session_scope(engine) as session:
        owner = User(id=uuid.uuid4(), email="a@example.org", name="Ada", password_hash="!", role=Role.INSTRUCTOR)
        session.add(owner)
    with pytest.raises(BadInput, match="NUL"), session_scope(engine) as session:
        session.add(Course(id=uuid.uuid4(), owner_id=owner.id, title="Knots", brief=Brief(audience="\x00")))
