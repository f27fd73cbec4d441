"""Events keep what stands around the certificate, and not the certificate again.

Only adds, so that a process of the version before goes on beside it: what it finds that is kept so,
it cannot read, and lets it wait.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0007"
down_revision = "r0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("delivery", "delivery_done"):
        for name, kind in _AROUND:
            op.add_column(table, sa.Column(name, kind(), nullable=True))


_AROUND = (
    ("around_before", sa.LargeBinary),
    ("around_after", sa.LargeBinary),
    ("around_from", sa.Integer),
    ("around_to", sa.Integer),
    ("around_sha256", sa.Text),
)
