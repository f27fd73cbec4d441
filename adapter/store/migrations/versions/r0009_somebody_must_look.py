"""What waits for the guard, or ended without arriving, by an index: metrics, and `intyg blocked`.

Only adds, so that a process of the version before goes on beside it.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0009"
down_revision = "r0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    look = sa.text("state IN ('held', 'refused', 'failed', 'unknown', 'blocked')")
    op.create_index(
        "ix_delivery_look", "delivery", ["state", "seq"], sqlite_where=look, postgresql_where=look
    )
