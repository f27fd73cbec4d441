"""Receivers that care has approved for a certificate."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approved_receiver",
        sa.Column("intygs_id", sa.Text(), nullable=False),
        sa.Column("receiver_id", sa.Text(), nullable=False),
        sa.Column("approval_status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("intygs_id", "receiver_id", name=op.f("pk_approved_receiver")),
    )
