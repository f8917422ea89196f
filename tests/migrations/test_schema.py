"""The migrations give exactly the tables that the code declares, and can be taken back."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, text

from service.adapters.embedded_postgres import EmbeddedPostgres
from service.db import migrate
from service.db.tables import Base
from service.settings import ROOT
from tests.engine.desk import Desk

COLUMNS = """
    SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = :schema AND table_name <> 'alembic_version' ORDER BY 1, 2
"""
CONSTRAINTS = """
    SELECT c.relname, k.conname, k.contype::text, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname <> 'alembic_version' ORDER BY 1, 2
"""
INDEXES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes
    WHERE schemaname = :schema AND tablename <> 'alembic_version' ORDER BY 1, 2
"""


def catalogue(connection: Connection, schema: str, query: str) -> list[tuple[str, ...]]:
    rows = connection.execute(text(query), {"schema": schema})
    return [tuple(str(value).replace(f"{schema}.", "") for value in row) for row in rows]


@pytest.fixture(scope="module")
def empty_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database of its own: these tests take the schema away. Durable, as an instructor's is."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("migrations") / "postgres") as server:
        engine = create_engine(server.url)
        yield engine
        engine.dispose()


def alembic(engine: Engine, revision: str) -> None:
    with engine.connect() as connection:
        config = Config(toml_file=ROOT / "pyproject.toml", attributes={"connection": connection})
        move = command.downgrade if revision == "base" else command.upgrade
        move(config, revision)
        connection.commit()


@pytest.mark.parametrize("query", [COLUMNS, CONSTRAINTS, INDEXES], ids=["columns", "constraints", "indexes"])
def test_the_migrated_schema_is_the_declared_one(empty_engine: Engine, query: str) -> None:
    migrate.upgrade(empty_engine)
    with empty_engine.connect() as connection, connection.begin() as undone:
        connection.execute(text("CREATE SCHEMA declared"))
        Base.metadata.create_all(connection.execution_options(schema_translate_map={None: "declared"}))
        declared, migrated = catalogue(connection, "declared", query), catalogue(connection, "public", query)
        undone.rollback()
    assert declared
    assert migrated == declared


def test_every_step_down_and_up_again_works(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine)
    alembic(empty_engine, "base")
    with empty_engine.connect() as connection:
        assert catalogue(connection, "public", COLUMNS) == []
    assert migrate.current(empty_engine) is None
    migrate.upgrade(empty_engine)
    assert migrate.current(empty_engine) == migrate.head()


# Exactly as the release before it says them.
ITS_STATEMENTS = (
    "INSERT INTO ledger (key, run_id, job_id, what, quantity, unit, micro_dollars)"
    " VALUES ('key', :run, :job, 'writer', 1, 'tokens', 7) ON CONFLICT (key) DO NOTHING",
    "INSERT INTO sign_offs (lesson_id, claim_sha256, user_id) VALUES (:lesson, 'c', :user) ON CONFLICT DO NOTHING",
)


def test_the_release_before_books_and_signs_beside_the_newer_schema(empty_engine: Engine) -> None:
    """A release that goes back leaves the old lanes over the new tables."""
    migrate.upgrade(empty_engine)
    desk = Desk(empty_engine)
    run = desk.run()
    lesson = desk.lesson()
    ids = {"run": run, "job": desk.enqueue(run, subject_id=lesson), "lesson": lesson, "user": desk.owner_id}
    with empty_engine.connect() as connection, connection.begin() as undone:
        for statement in ITS_STATEMENTS:
            connection.execute(text(statement), ids)
        booked = connection.execute(text("SELECT * FROM ledger")).one()
        assert (booked.run_kind, booked.owner_id, booked.course_id) == ("generate", desk.owner_id, desk.course_id)
        assert (booked.course_title, booked.lesson_id, booked.lesson_title) == ("Knots", lesson, "Lesson 1")
        assert booked.charged_on is not None
        assert connection.scalar(text("SELECT signed_by FROM sign_offs")) == "Ada"
        undone.rollback()


def test_two_deployments_at_once_migrate_once(empty_engine: Engine) -> None:
    alembic(empty_engine, "base")
    # Processes, as in reality: Alembic keeps its configuration in a module.
    program = (
        "import sys; from sqlalchemy import create_engine; from service.db.migrate import upgrade; "
        "upgrade(create_engine(sys.argv[1]))"
    )
    url = empty_engine.url.render_as_string(hide_password=False)
    deployments = [subprocess.Popen([sys.executable, "-c", program, url], cwd=ROOT) for _ in range(2)]
    assert [deployment.wait(60) for deployment in deployments] == [0, 0]
    assert migrate.current(empty_engine) == migrate.head()


def test_a_database_at_the_newest_schema_costs_no_alembic(
    empty_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(empty_engine)
    monkeypatch.setattr(command, "upgrade", lambda *_: pytest.fail("migrated again"))
    migrate.upgrade(empty_engine)


def test_migrations_are_dated_and_form_one_line() -> None:
    files = sorted(path for path in (ROOT / "migrations" / "versions").glob("*.py"))
    previous: str | None = None
    for path in files:
        assert re.match(r"\d{4}_\d{2}_\d{2}_", path.name), path.name
        body = Path(path).read_text()
        revision, down = (
            re.search(r'^revision = "(.+)"', body, re.M),
            re.search(r'^down_revision = "?(.+?)"?$', body, re.M),
        )
        assert revision and down
        assert down.group(1) == str(previous), f"{path.name} does not follow {previous}"
        previous = revision.group(1)


def test_a_database_that_is_thrown_away_does_not_wait_for_the_disk(empty_engine: Engine) -> None:
    migrate.upgrade(empty_engine, durable=False)
    with empty_engine.begin() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "off"
        connection.execute(text("ALTER ROLE CURRENT_USER RESET synchronous_commit"))
    empty_engine.dispose()
