"""Who asked for a delivery, and the EHRs' own references."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("requested_by", sa.Text(), nullable=True))
    op.create_table(
        "ehr_ref",
        sa.Column("intygs_id", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("intygs_id", name=op.f("pk_ehr_ref")),
    )
