"""Bring the database to the newest schema. Alembic takes a second to import, so it is loaded only for real work."""

from __future__ import annotations

import re
from functools import cache

from sqlalchemy import Connection, Engine, exc, text

from service.db.faults import code, lost_connection, message
from service.errors import BadInput, Broken, Unavailable
from service.settings import ROOT

# No such user, wrong password, no such database, no right to enter it.
LOCKED_OUT = frozenset({"28000", "28P01", "3D000", "42501"})
VERSIONS = ROOT / "migrations" / "versions"
REVISION = re.compile(r"""^revision = ["']([^"']+)""", re.MULTILINE)


def head() -> str:
    """The newest revision: migrations are dated and form one line, so it stands in the last file.

    Raises:
        Broken: the migrations are not beside the program.
    """
    files = sorted(VERSIONS.glob("*.py"))
    found = REVISION.search(files[-1].read_text()) if files else None
    if found is None:
        raise Broken(f"There are no migrations in {VERSIONS}. The installation is incomplete: fetch it again.")
    return found.group(1)


def current(engine: Engine) -> str | None:
    """The revision of the database, None when it is empty."""
    with engine.connect() as connection:
        return _current(connection)


def is_behind(connection: Connection) -> bool:
    """Whether this program needs a newer schema. One that it does not know yet is newer, and migrations only expand."""
    return (found := _current(connection)) != head() and (found is None or found in _known())


def _current(connection: Connection) -> str | None:
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


@cache
def _known() -> frozenset[str]:
    files = [path.read_text() for path in VERSIONS.glob("*.py")]
    return frozenset(found for text in files for found in REVISION.findall(text))


def upgrade(engine: Engine, *, durable: bool = True) -> None:
    """Run the migrations that this database lacks; several processes may call it at once.

    `durable=False` is for a database that is thrown away: commits no longer wait for the disk.

    Raises:
        Unavailable: no server answers at DATABASE_URL.
        BadInput: a server answers and does not let us in.
    """
    try:
        _upgrade(engine, durable)
    except exc.DBAPIError as error:
        if code(error) in LOCKED_OUT:
            raise BadInput(f"DATABASE_URL: {message(error)}. Check user, password, rights and database.") from error
        if lost_connection(error):
            raise Unavailable(
                f"DATABASE_URL: {message(error)}. Start the server, or check address, user and name."
            ) from error
        raise


def _upgrade(engine: Engine, durable: bool) -> None:
    if not durable:
        with engine.begin() as connection:
            connection.execute(text("ALTER ROLE CURRENT_USER SET synchronous_commit = off"))
        engine.dispose()  # connections made so far would go on waiting
    if current(engine) == head():
        return
    from alembic import command
    from alembic.config import Config

    with engine.connect() as connection:
        config = Config(toml_file=ROOT / "pyproject.toml", attributes={"connection": connection})
        command.upgrade(config, "head")
        connection.commit()
