"""Fixtures that every test may use.

    database   the address of one embedded PostgreSQL for the whole test session, its schema made by the migrations
    engine     an engine on it; what the test commits is removed afterwards
    session    an ORM session whose transaction is rolled back: the cheapest way to rows that nobody else needs to see
    settings   everything offline, in a folder of the test's own, whatever the shell's environment holds
    storage    a file storage in that folder
    gcs        the address of an emulated Cloud Storage with the buckets `courses` and `films`

A test that starts processes, threads or several transactions takes `engine`; a test that only needs rows takes
`session`. Do not take both: rows of an open `session` are invisible to `engine`, and locked against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from service.adapters.embedded_postgres import EmbeddedPostgres
from service.adapters.storage import open_storage
from service.db.migrate import upgrade
from service.db.tables import Base
from service.ports import StorageService
from service.settings import Settings
from tests.adapters.gcs import fake_gcs

# Property tests draw the same examples each time, so that a red run points at the change and not at luck. New ones are
# looked for with `scripts/test --hypothesis-profile=explore`.
hypothesis_settings.register_profile("same", derandomize=True)
hypothesis_settings.register_profile("explore", max_examples=1000)
hypothesis_settings.load_profile("same")


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("database") / "postgres", durable=False) as server:
        engine = create_engine(server.url)
        upgrade(engine)
        engine.dispose()
        yield server.url


@pytest.fixture(scope="session")
def _shared_engine(database: str) -> Iterator[Engine]:
    engine = create_engine(database, pool_size=10, max_overflow=10, pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(_shared_engine: Engine) -> Iterator[Engine]:
    yield _shared_engine
    tables = [table.name for table in Base.metadata.tables.values()]
    with _shared_engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        # What a test left running ends or fails here, as under TRUNCATE, which is some ten times slower.
        # As a replica nothing is checked or triggered: the tables may refer to each other in circles.
        connection.execute(text(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("; ".join(f"DELETE FROM {table}" for table in tables)))


@pytest.fixture
def session(_shared_engine: Engine) -> Iterator[Session]:
    with _shared_engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            yield session
        outer.rollback()


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    return Settings(
        environment="local",
        data_dir=tmp_path / "var",
        database_url=database,
        storage_url="file:",
        queue_url="postgres:",
        jobs_url="none:",
        vectors_url="memory:",
        mail_url="console:",
        llm="offline",
        embeddings="none:",
        speech="silent:",
        openai_api_key="",
        signup="open",
        poll_seconds=0.05,
    )


@pytest.fixture
def storage(settings: Settings) -> StorageService:
    return open_storage(settings)


@pytest.fixture(scope="session")
def gcs() -> Iterator[str]:
    with fake_gcs() as url:
        yield url
