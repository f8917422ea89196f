"""`coursewright reindex`: passages get vectors of today's embedder, and whoever owns the course pays for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select

from service.__main__ import main
from service.db.engine import session_scope
from service.db.tables import Chunk, LedgerEntry, Source, SourceState
from service.settings import Settings
from tests.adapters.openai_server import ScriptedOpenAI, scripted_openai
from tests.engine.desk import Desk

PASSAGES = 19  # three batches


@pytest.fixture
def server() -> Iterator[ScriptedOpenAI]:
    with scripted_openai() as server:
        yield server


@pytest.fixture
def course_id(engine: Engine, settings: Settings, server: ScriptedOpenAI, monkeypatch: pytest.MonkeyPatch) -> uuid.UUID:
    """A course without vectors, and an operator's shell that names a paid embedder."""
    desk = Desk(engine)
    given = {"embeddings": "openai:text-embedding-3-small", "openai_api_key": "k", "openai_base_url": server.url}
    for name, value in settings.environ().items():
        monkeypatch.setenv(name, value)
    for name, value in given.items():
        monkeypatch.setenv(name.upper(), value)
    source_id = uuid.uuid4()
    with session_scope(engine) as session:
        upload = {"name": "knots.md", "upload_key": "uploads/knots", "upload_bytes": 5}
        session.add(Source(id=source_id, course_id=desk.course_id, state=SourceState.READY, **upload))
        session.flush()
        for number in range(PASSAGES):
            place = {
                "position": number,
                "start": number,
                "end": number + 1,
                "heading": "Knots",
                "body": f"Knot {number}.",
            }
            session.add(Chunk(course_id=desk.course_id, source_id=source_id, **place))
    return desk.course_id


def embedded(engine: Engine) -> int:
    with session_scope(engine) as session:
        return len(session.scalars(select(Chunk.id).where(Chunk.embedder == "openai-text-embedding-3-small")).all())


def paid(engine: Engine) -> list[tuple[str, int]]:
    with session_scope(engine) as session:
        return [(line.run_kind, line.micro_dollars) for line in session.scalars(select(LedgerEntry))]


def test_every_batch_is_booked_and_a_second_time_costs_nothing(
    engine: Engine, course_id: uuid.UUID, server: ScriptedOpenAI
) -> None:
    assert main(["reindex", str(course_id)]) == 0
    assert embedded(engine) == PASSAGES
    assert [kind for kind, _ in paid(engine)] == ["reindex"] * 3
    calls = server.calls("/embeddings")
    assert calls == 3
    assert main(["reindex"]) == 0
    assert server.calls("/embeddings") == calls
    assert len(paid(engine)) == 3


def test_without_money_it_stops_in_one_line_keeps_what_is_paid_and_goes_on_from_there(
    engine: Engine,
    course_id: uuid.UUID,
    server: ScriptedOpenAI,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("USER_DAY_USD", "0.000002")
    assert main(["reindex", str(course_id)]) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert "its owner's budget for today has" in told
    assert "raise USER_DAY_USD" in told
    done, lines = embedded(engine), paid(engine)
    assert 0 < done < PASSAGES
    assert sum(micro for _, micro in lines) <= 2
    monkeypatch.setenv("USER_DAY_USD", "1")
    assert main(["reindex", str(course_id)]) == 0
    assert embedded(engine) == PASSAGES
    assert len(paid(engine)) == server.calls("/embeddings") == 3
