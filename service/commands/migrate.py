"""`coursewright migrate`: bring the database to the newest schema; in the cloud a step of every deployment."""

from __future__ import annotations

from service.commands.arguments import parser
from service.settings import load_settings


def main(argv: list[str]) -> int:
    parser("migrate", "Bring the database to the newest schema.").parse_args(argv)
    from service.adapters.database import open_engine
    from service.db.migrate import upgrade

    with open_engine(load_settings()) as engine:
        upgrade(engine)
    print("The database has the newest schema.")
    return 0
