"""Questions that somebody was asked to go on with; those that nobody has handled, by an index.

Only adds, so that a process of the version before goes on beside it.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0010"
down_revision = "r0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "meddelande",
        sa.Column("forwarded", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    unhandled = sa.text("state IN ('open_care', 'open_recipient', 'answered')")
    op.create_index(
        "ix_meddelande_unhandled",
        "meddelande",
        ["state", "seq"],
        sqlite_where=unhandled,
        postgresql_where=unhandled,
    )
