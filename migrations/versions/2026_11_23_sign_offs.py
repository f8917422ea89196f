"""Sign-offs: who took it on themselves that a claim is published as it stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_sign_offs"
down_revision = "2026_11_23_money_and_launches"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_offs",
        sa.Column("lesson_id", sa.UUID(), nullable=False),
        sa.Column("claim_sha256", sa.Text(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_sign_offs_lesson_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_offs_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("lesson_id", "claim_sha256", name=op.f("pk_sign_offs")),
    )
    op.create_index(op.f("ix_sign_offs_user_id"), "sign_offs", ["user_id"])


def downgrade() -> None:
    op.drop_table("sign_offs")
