"""Lanes by destination, ways that are stopped, and what operators asked for.

Only adds, so that a process of the version before goes on beside it.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("destination", sa.Text(), nullable=True))
    claimable = sa.text("state IN ('queued', 'held')")
    op.create_index(
        "ix_delivery_lane",
        "delivery",
        ["destination", "due_at", "seq"],
        sqlite_where=claimable,
        postgresql_where=claimable,
    )
    op.create_table(
        "way",
        *(sa.Column(name, sa.Text(), primary_key=True) for name in _WAY),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probing", sa.Text(), nullable=True),
        sa.Column("probing_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=True),
    )
    op.create_table(
        "operation",
        sa.Column("request_id", sa.Text(), primary_key=True),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )


_WAY = ("destination", "contract", "logical_address")
