"""`coursewright migrate`: bring the database to the newest schema; in the cloud a step of every deployment."""

from __future__ import annotations

from service.commands.arguments import parser
from service.settings import load_settings


def main(argv: list[str]) -> int:
    """Migrate, and then grant: what the users of DATABASE_ROLE_MEMBERS may do follows the tables that are there."""
    parser("migrate", "Bring the database to the newest schema.").parse_args(argv)
    from service.adapters.database import open_engine
    from service.db.migrate import upgrade
    from service.db.roles import grant_roles

    settings = load_settings()
    with open_engine(settings) as engine:
        upgrade(engine)
        if settings.role_members:
            grant_roles(engine, settings.role_members)
            print(f"Granted: {', '.join(settings.role_members)}.")
    print("The database has the newest schema.")
    return 0
