"""Lists among a million deliveries: what stands is counted by one index, in the place of two.

An attempt says where it went, so that a day of them is counted without their deliveries.

A process of the version before goes on beside it: what it looked for by those two it finds without.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0013"
down_revision = "r0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    standing = sa.text(
        "state IN ('queued', 'held', 'sending', 'refused', 'unknown', 'failed', 'blocked')"
    )
    op.create_index(
        "ix_delivery_standing",
        "delivery",
        ["seq", "state"],
        sqlite_where=standing,
        postgresql_where=standing,
    )
    op.drop_index("ix_delivery_not_there", "delivery")
    op.drop_index("ix_delivery_look", "delivery")
    for table in ("attempt", "attempt_done"):
        op.add_column(table, sa.Column("part", sa.Text(), nullable=True))
