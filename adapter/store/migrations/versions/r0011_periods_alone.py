"""Which periods of sick leave no other can join: most, and a report counts those in the database.

Only adds, so that a process of the version before goes on beside it: what that one keeps is not
looked at yet. Nothing is filled in here; the adapter looks at all of them as it runs.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0011"
down_revision = "r0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("intyg_fact", sa.Column("lone", sa.Boolean(), nullable=True))
    not_looked = sa.text("lone IS NULL AND first_day IS NOT NULL")
    op.create_index(
        "ix_intyg_fact_not_looked",
        "intyg_fact",
        ["person"],
        sqlite_where=not_looked,
        postgresql_where=not_looked,
    )
