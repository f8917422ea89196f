"""Who may do what inside the database: one table of privileges, granted anew by every `coursewright migrate`.

Three roles without a login stand for the site and the two lanes; the database users of a deployment are members of
one each. The migration's own user owns the tables, so it alone changes the schema, invites people and may correct a
ledger. Not a migration: roles belong to a server and not to a database, a laptop has no use for them, and a grant that
is written down once and repeated cannot drift from the tables. A table without a row here fails the tests.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Engine, exc, text

from service.db.faults import code, message
from service.errors import BadInput

ROLES = ("site", "author", "render")
VERBS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}
LOCK = 7_203_114_826
DENIED = "42501"

# Table → what the site, the author lane and the render lane may do with it. Rows that fall with a removed course, user
# or run need no right to delete: foreign keys cascade in the name of the tables' owner.
PRIVILEGES: Mapping[str, tuple[str, str, str]] = {
    "alembic_version": ("S", "S", "S"),
    # People. A lane reads what strangers uploaded; it has no business with passwords and sessions.
    "users": ("SIUD", "", ""),
    "sessions": ("SIUD", "", ""),
    "rate_limits": ("SIUD", "", ""),
    "invitations": ("SUD", "", ""),  # accepted by the site, gone with the account; made in the name of the owner
    # Courses
    "courses": ("SIUD", "SU", "SU"),
    "modules": ("SIUD", "SIUD", "S"),
    "lessons": ("SIUD", "SIUD", "SU"),
    "sources": ("SIUD", "SUD", ""),  # a version that nothing cites any more goes
    "chunks": ("SIUD", "SIUD", ""),
    "quiz_items": ("SIUD", "SIUD", ""),
    "revisions": ("SIUD", "SIU", ""),
    "sign_offs": ("SIUD", "SI", ""),  # a signature goes along with a sentence's cite
    "media": ("SIUD", "SU", "SIU"),  # and so does a film's
    "enrolments": ("SIUD", "", ""),
    "lesson_progress": ("SIUD", "", ""),
    "quiz_attempts": ("SIUD", "", ""),
    # The engine. History is written and read, not rewritten; old events are pruned by the site's sweep.
    "runs": ("SIU", "SIU", "SU"),
    "jobs": ("SIU", "SIU", "SIU"),
    "steps": ("S", "SIU", "SIU"),
    "events": ("SID", "SI", "SI"),
    "outbox": ("SIUD", "SIU", "SIU"),
    "launches": ("SIU", "SU", "SU"),
    "provider_health": ("SIU", "SIU", "SIU"),
    "tallies": ("SIU", "SIU", "SIU"),
    # Money. What was spent is never unsaid by a program, and only the site stops or allows spending.
    "ledger": ("SI", "SI", "SI"),
    "budgets": ("SIU", "SIU", "SIU"),
    "switches": ("SIUD", "S", "S"),
    "budget_alerts": ("SIU", "", ""),
}


def role_name(role: str) -> str:
    """The role in PostgreSQL; the same for every Coursewright database of one server."""
    return f"coursewright_{role}"


def grant_roles(engine: Engine, members: Mapping[str, str]) -> None:
    """Make the roles, give each its privileges on the tables that exist, and make these users members: role → user.

    All in one transaction, so the running site never stands without its rights. Needs the owner of the tables, who
    may make roles, or is a member of somebody who may (`cloudsqlsuperuser` on Cloud SQL).

    Raises:
        BadInput: a role or a user is not known, or whoever connects may not make roles.
    """
    if unknown := set(members) - set(ROLES):
        raise BadInput(f"DATABASE_ROLE_MEMBERS: {', '.join(sorted(unknown))} is no role; known are {', '.join(ROLES)}.")
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            _refuse_strangers(connection)
            _make_roles(connection, members)
            _grant(connection)
    except exc.DBAPIError as error:
        if code(error) == DENIED:
            raise BadInput(
                f"The roles of the database cannot be made: {message(error)}. Connect as the owner of the tables, with"
                " CREATEROLE or as a member of a role that has it (on Cloud SQL: cloudsqlsuperuser)."
            ) from error
        raise


_FOREIGN = text("""
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = CAST('public' AS regnamespace)
      AND NOT pg_has_role(current_user, relowner, 'USAGE') ORDER BY relname LIMIT 1
""")


def _refuse_strangers(connection: Connection) -> None:
    """PostgreSQL answers a grant by somebody who may not give it with a warning, and does nothing."""
    if (table := connection.scalar(_FOREIGN)) is not None:
        raise BadInput(f"The roles' rights cannot be granted: {table} belongs to another user. Connect as its owner.")


def _make_roles(connection: Connection, members: Mapping[str, str]) -> None:
    maker = connection.scalar(_MAKER)
    if maker is not None:
        # The attribute CREATEROLE is not inherited: a member must become the role that has it.
        connection.execute(text(f"SET LOCAL ROLE {_quoted(connection, maker)}"))
    for role in ROLES:
        if connection.scalar(text("SELECT to_regrole(:role)"), {"role": role_name(role)}) is None:
            connection.execute(text(f"CREATE ROLE {role_name(role)} NOLOGIN"))
    for role, user in members.items():
        _join(connection, role_name(role), user)
    if maker is not None:
        connection.execute(text("RESET ROLE"))


_MAKER = text("""
    SELECT r.rolname FROM pg_roles me, pg_roles r
    WHERE me.rolname = current_user AND NOT me.rolsuper AND NOT me.rolcreaterole
      AND r.rolcreaterole AND pg_has_role(me.oid, r.oid, 'MEMBER')
    ORDER BY r.rolname LIMIT 1
""")

_MEMBER = text("""
    SELECT m.oid, EXISTS (SELECT FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid
                          WHERE a.member = m.oid AND r.rolname = :role) AS joined
    FROM pg_roles m WHERE m.rolname = :user
""")


def _join(connection: Connection, role: str, user: str) -> None:
    found = connection.execute(_MEMBER, {"role": role, "user": user}).first()
    if found is None:
        raise BadInput(f"DATABASE_ROLE_MEMBERS: the database has no user {user}. Make the user first, or correct it.")
    if not found.joined:
        connection.execute(text(f"GRANT {role} TO {_quoted(connection, user)}"))


def _grant(connection: Connection) -> None:
    """Everything is taken back and given anew: what this table no longer says must not remain."""
    roles = ", ".join(role_name(role) for role in ROLES)
    connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {roles}, PUBLIC"))
    for table, row in PRIVILEGES.items():
        for role, letters in zip(ROLES, row, strict=True):
            if letters:
                verbs = ", ".join(VERBS[letter] for letter in letters)
                connection.execute(text(f"GRANT {verbs} ON {table} TO {role_name(role)}"))


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
