"""Money, starts of lanes, breakers, the cloud's budget, invitations: what the job engine keeps beside its jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_money_and_launches"
down_revision = "2026_11_23_first_schema"
branch_labels = None
depends_on = None

NOW = sa.text("now()")
ZERO, EMPTY = sa.text("0"), sa.text("''")
MONEY = "reserved_micro_dollars >= 0 AND spent_micro_dollars >= 0"


def upgrade() -> None:
    _runs()
    op.add_column("courses", sa.Column("editor_until", sa.DateTime(timezone=True)))
    op.add_column("media", sa.Column("public_url", sa.Text(), server_default=EMPTY, nullable=False))
    _money()
    _starts()
    _invitations()


def downgrade() -> None:
    for table in ("invitations", "tallies", "provider_health", "launches", "budget_alerts", "switches", "budgets"):
        op.drop_table(table)
    op.drop_column("media", "public_url")
    op.drop_column("courses", "editor_until")
    for column in ("paused_because", "trace_parent", "reserved_on"):
        op.drop_column("runs", column)
    for column in ("spent", "reserved", "estimated"):
        op.drop_column("runs", f"{column}_micro_dollars")


def _runs() -> None:
    op.add_column("runs", _counter("estimated_micro_dollars"))
    for column in ("reserved", "spent"):
        # In the column's own statement: a check that is added later has to lock the table while it looks at every row.
        rule = sa.CheckConstraint(f"{column}_micro_dollars >= 0", name=op.f(f"ck_runs_{column}_sane"))
        op.add_column("runs", _counter(f"{column}_micro_dollars", rule))
    op.add_column("runs", sa.Column("reserved_on", sa.Date()))
    op.add_column("runs", sa.Column("trace_parent", sa.Text(), server_default=EMPTY, nullable=False))
    op.add_column("runs", sa.Column("paused_because", sa.Text(), server_default=EMPTY, nullable=False))


def _money() -> None:
    op.create_table(
        "budgets",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        _counter("reserved_micro_dollars"),
        _counter("spent_micro_dollars"),
        sa.CheckConstraint(MONEY, name=op.f("ck_budgets_money_sane")),
        sa.PrimaryKeyConstraint("scope", "period", name=op.f("pk_budgets")),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _at("since"),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switches")),
    )
    op.create_table(
        "budget_alerts",
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("interval_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("threshold", sa.REAL(), nullable=False),
        _at("received_at"),
        sa.PrimaryKeyConstraint("budget", "interval_start", name=op.f("pk_budget_alerts")),
    )


def _starts() -> None:
    op.create_table(
        "launches",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("token", sa.UUID(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tasks", sa.Integer(), nullable=False),
        sa.Column("execution", sa.Text(), server_default=EMPTY, nullable=False),
        _at("launched_at"),
        sa.CheckConstraint("lane IN ('author', 'render')", name=op.f("ck_launches_lane_known")),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_launches")),
    )
    op.create_table(
        "provider_health",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("strikes", sa.Integer(), server_default=ZERO, nullable=False),
        _at("window_start"),
        sa.Column("open_until", sa.DateTime(timezone=True)),
        sa.Column("probing_until", sa.DateTime(timezone=True)),
        sa.Column("opened", sa.Integer(), server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_provider_health")),
    )
    op.create_table(
        "tallies",
        sa.Column("name", sa.Text(), nullable=False),
        _counter("count"),
        _at("last_at"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tallies")),
    )


def _invitations() -> None:
    roles = "role IN ('learner', 'instructor', 'admin')"
    op.create_table(
        "invitations",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        _at("created_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(roles, name=op.f("ck_invitations_role_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_invitations_secret_hash")),
    )


def _counter(name: str, *rules: sa.CheckConstraint) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), *rules, server_default=ZERO, nullable=False)


def _at(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=NOW, nullable=False)
