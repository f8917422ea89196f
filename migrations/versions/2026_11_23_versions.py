"""Revisions of single lessons, newer versions of a source, and books that outlive the courses they are about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_23_versions"
down_revision = "2026_11_23_sign_offs"
branch_labels = None
depends_on = None

# A migration is one transaction, in which looking at a few thousand rows keeps nobody waiting.
TOGETHER = "-- squawk-ignore constraint-missing-not-valid\n"
# A release beside this one neither joins by these columns nor shows them: a row without loses nothing there.
MAY_BE_EMPTY = "-- squawk-ignore ban-drop-not-null\n"
OLD_KINDS = "kind IN ('ingest', 'plan', 'generate')"
KINDS = "kind IN ('ingest', 'plan', 'generate', 'revise', 'repair')"
CAUSES = "cause IN ('asked', 'source', 'generated', 'restored')"
STATES = "state IN ('making', 'proposed', 'accepted', 'rejected', 'outdated', 'failed')"


def upgrade() -> None:
    _kinds(KINDS)
    op.add_column("courses", sa.Column("own_outline", postgresql.JSONB(), nullable=True))
    _books()
    _lasting_signatures()
    for trigger in FILLED:
        op.execute(trigger)
    op.add_column("jobs", sa.Column("held_micro_dollars", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    for column in ("superseded_by", "replaces"):
        op.add_column("sources", sa.Column(column, sa.UUID(), nullable=True))
        op.execute(
            f"ALTER TABLE sources ADD CONSTRAINT fk_sources_{column} FOREIGN KEY ({column}) "
            "REFERENCES sources (id) ON DELETE SET NULL NOT VALID"
        )
        op.execute(f"{TOGETHER}ALTER TABLE sources VALIDATE CONSTRAINT fk_sources_{column}")
        op.create_index(op.f(f"ix_sources_{column}"), "sources", [column])
    op.create_table(
        "revisions",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("course_id", sa.UUID(), nullable=False),
        sa.Column("lesson_id", sa.UUID(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=True),
        sa.Column("asked_by", sa.UUID(), nullable=True),
        sa.Column("decided_by", sa.UUID(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("change", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(CAUSES, name=op.f("ck_revisions_cause_known")),
        sa.CheckConstraint(STATES, name=op.f("ck_revisions_state_known")),
        *(_refers(column, target) for column, target in REFERENCES.items()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
    )
    for column in REFERENCES:
        op.create_index(op.f(f"ix_revisions_{column}"), "revisions", [column])


REFERENCES = {
    "course_id": "courses.id",
    "lesson_id": "lessons.id",
    "run_id": "runs.id",
    "asked_by": "users.id",
    "decided_by": "users.id",
}


def _refers(column: str, target: str) -> sa.ForeignKeyConstraint:
    falls = "CASCADE" if column in ("course_id", "lesson_id") else "SET NULL"
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_revisions_{column}"), ondelete=falls)


def _kinds(known: str) -> None:
    """Replace the kinds of runs that are known. The list only grows, so no row needs to be looked at again."""
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE runs DROP CONSTRAINT ck_runs_kind_known")
    op.execute(f"ALTER TABLE runs ADD CONSTRAINT ck_runs_kind_known CHECK ({known}) NOT VALID")
    op.execute(f"{TOGETHER}ALTER TABLE runs VALIDATE CONSTRAINT ck_runs_kind_known")


def _lasting_signatures() -> None:
    """A sign-off keeps its signer's name, and outlives the account."""
    op.add_column("sign_offs", sa.Column("signed_by", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.execute("UPDATE sign_offs SET signed_by = u.name FROM users u WHERE u.id = sign_offs.user_id")
    op.execute(f"{MAY_BE_EMPTY}ALTER TABLE sign_offs ALTER COLUMN user_id DROP NOT NULL")
    _signer("SET NULL")


def _signer(falls: str) -> None:
    """What becomes of a sign-off when its signer's account goes."""
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE sign_offs DROP CONSTRAINT fk_sign_offs_user_id")
    op.execute(
        "ALTER TABLE sign_offs ADD CONSTRAINT fk_sign_offs_user_id FOREIGN KEY (user_id) "
        f"REFERENCES users (id) ON DELETE {falls} NOT VALID"
    )
    op.execute(f"{TOGETHER}ALTER TABLE sign_offs VALIDATE CONSTRAINT fk_sign_offs_user_id")


def _books() -> None:
    """A ledger of its own: no row falls with its run, and each says by copy what it was for."""
    op.add_column("runs", sa.Column("quote", postgresql.JSONB(), nullable=True))
    op.add_column("runs", sa.Column("cap_micro_dollars", sa.BigInteger(), nullable=True))
    for column in ("run_id", "job_id"):
        op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE ledger DROP CONSTRAINT fk_ledger_{column}")
        # What is paid outside of any run has none.
        op.execute(f"{MAY_BE_EMPTY}ALTER TABLE ledger ALTER COLUMN {column} DROP NOT NULL")
    for name, kind in BOOKED.items():
        op.add_column("ledger", sa.Column(name, kind, nullable=True))
    op.add_column("ledger", sa.Column("lesson_id", sa.UUID(), nullable=True))
    op.add_column("ledger", sa.Column("lesson_title", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.execute(COPY_NAMES)
    for name in BOOKED:  # the table is small: one line for each paid call
        op.execute(f"-- squawk-ignore adding-not-nullable-field\nALTER TABLE ledger ALTER COLUMN {name} SET NOT NULL")
    op.create_index(op.f("ix_ledger_course_id"), "ledger", ["course_id"])
    op.create_index("ix_ledger_owner_id_charged_on", "ledger", ["owner_id", "charged_on"])


BOOKED = {
    "run_kind": sa.Text(),
    "owner_id": sa.UUID(),
    "course_id": sa.UUID(),
    "course_title": sa.Text(),
    "charged_on": sa.Date(),
}
COPY_NAMES = """
    UPDATE ledger SET run_kind = r.kind, owner_id = r.owner_id, course_id = c.id, course_title = c.title,
                      charged_on = coalesce(r.reserved_on, CAST(ledger.created_at AT TIME ZONE 'UTC' AS date)),
                      lesson_id = l.id, lesson_title = coalesce(l.title, '')
    FROM runs r, courses c, jobs j LEFT JOIN lessons l ON l.id = j.subject_id
    WHERE r.id = ledger.run_id AND c.id = r.course_id AND j.id = ledger.job_id
"""


# The release before this one goes on writing beside it, or again after a release that went back, and knows none of
# these columns: what it leaves out is filled in. A later release takes the triggers away.
FILLED = (
    """
    CREATE FUNCTION fill_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        SELECT r.kind, r.owner_id, r.course_id, c.title,
               coalesce(r.reserved_on, CAST(now() AT TIME ZONE 'UTC' AS date))
        INTO NEW.run_kind, NEW.owner_id, NEW.course_id, NEW.course_title, NEW.charged_on
        FROM runs r JOIN courses c ON c.id = r.course_id WHERE r.id = NEW.run_id;
        SELECT l.id, l.title INTO NEW.lesson_id, NEW.lesson_title
        FROM jobs j JOIN lessons l ON l.id = j.subject_id WHERE j.id = NEW.job_id;
        NEW.lesson_title := coalesce(NEW.lesson_title, '');
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER fill_ledger BEFORE INSERT ON ledger FOR EACH ROW WHEN (NEW.run_kind IS NULL)
    EXECUTE FUNCTION fill_ledger()
    """,
    """
    CREATE FUNCTION fill_sign_off() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        SELECT u.name INTO NEW.signed_by FROM users u WHERE u.id = NEW.user_id;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER fill_sign_off BEFORE INSERT ON sign_offs FOR EACH ROW
    WHEN (NEW.signed_by = '' AND NEW.user_id IS NOT NULL) EXECUTE FUNCTION fill_sign_off()
    """,
)


def _no_books() -> None:
    """Back to rows that fall with their runs; those whose run is gone cannot be kept."""
    op.execute(
        "DELETE FROM ledger WHERE run_id IS NULL OR job_id NOT IN (SELECT id FROM jobs) "
        "OR run_id NOT IN (SELECT id FROM runs)"
    )
    op.drop_index("ix_ledger_owner_id_charged_on", "ledger")
    for name in (*BOOKED, "lesson_id", "lesson_title"):
        op.drop_column("ledger", name)
    for name, target in (("run_id", "runs"), ("job_id", "jobs")):
        op.alter_column("ledger", name, nullable=False)
        op.create_foreign_key(f"fk_ledger_{name}", "ledger", target, [name], ["id"], ondelete="CASCADE")
    op.drop_column("runs", "cap_micro_dollars")
    op.drop_column("runs", "quote")


def downgrade() -> None:
    for name, table in (("fill_ledger", "ledger"), ("fill_sign_off", "sign_offs")):
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_column("courses", "own_outline")
    op.drop_column("jobs", "held_micro_dollars")
    op.execute("DELETE FROM sign_offs WHERE user_id IS NULL")
    op.alter_column("sign_offs", "user_id", nullable=False)
    _signer("CASCADE")
    op.drop_column("sign_offs", "signed_by")
    _no_books()
    op.drop_table("revisions")
    op.drop_column("sources", "replaces")
    op.drop_column("sources", "superseded_by")
    op.execute("DELETE FROM runs WHERE kind IN ('revise', 'repair')")
    _kinds(OLD_KINDS)
