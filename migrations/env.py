"""How Alembic reaches the database: over a connection that the product hands in, else by the settings.

One deployment at a time migrates (an advisory lock), and a migration that would hold up the running site gives up
instead: the lock and statement timeouts are the transaction's first statements.
"""

from __future__ import annotations

from typing import Literal

from alembic import context
from sqlalchemy import Connection, text

from service.db.tables import Base, PydanticJSON

LOCK = 7_203_114_825
LOCK_TIMEOUT, STATEMENT_TIMEOUT = "5s", "60s"


def as_plain_column(kind: str, item: object, _context: object) -> str | Literal[False]:
    """A document's column is JSONB in a migration: migrations must not depend on the models of their day."""
    return "postgresql.JSONB()" if kind == "type" and isinstance(item, PydanticJSON) else False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        render_item=as_plain_column,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        # Other deployments wait here, not at a table: so before the lock timeout is set.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"))
        context.run_migrations()


def run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    from service.adapters.database import open_engine
    from service.settings import load_settings

    with open_engine(load_settings()) as engine, engine.connect() as connection:
        migrate(connection)


run()
