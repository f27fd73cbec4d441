"""What has not arrived, by an index of its own: an operator's list among a million deliveries.

Only adds, so that a process of the version before goes on beside it.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0008"
down_revision = "r0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    not_there = sa.text("state IN ('queued', 'held', 'sending', 'refused', 'unknown', 'failed')")
    op.create_index(
        "ix_delivery_not_there",
        "delivery",
        ["seq"],
        sqlite_where=not_there,
        postgresql_where=not_there,
    )
