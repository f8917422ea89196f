"""Revisions: changes of single lessons that are proposed, decided and remembered; newer versions of a source."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_23_versions"
down_revision = "2026_11_23_sign_offs"
branch_labels = None
depends_on = None

OLD_KINDS = "kind IN ('ingest', 'plan', 'generate')"
KINDS = "kind IN ('ingest', 'plan', 'generate', 'revise', 'repair')"
CAUSES = "cause IN ('asked', 'source', 'generated', 'restored')"
STATES = "state IN ('making', 'proposed', 'accepted', 'rejected', 'outdated', 'failed')"


def upgrade() -> None:
    _kinds(KINDS)
    op.add_column("courses", sa.Column("own_outline", postgresql.JSONB(), nullable=True))
    op.add_column("sources", sa.Column("superseded_by", sa.UUID(), nullable=True))
    op.execute(
        "ALTER TABLE sources ADD CONSTRAINT fk_sources_superseded_by FOREIGN KEY (superseded_by) "
        "REFERENCES sources (id) ON DELETE SET NULL NOT VALID"
    )
    op.create_index(op.f("ix_sources_superseded_by"), "sources", ["superseded_by"])
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


def downgrade() -> None:
    op.drop_column("courses", "own_outline")
    op.drop_table("revisions")
    op.drop_column("sources", "superseded_by")
    op.execute("DELETE FROM runs WHERE kind IN ('revise', 'repair')")
    _kinds(OLD_KINDS)
