"""Cases of sick leave as rows of their own, so that reports read them and need not join periods.

Only adds what the version before goes on beside: what that one keeps or revokes is not looked at
yet. Nothing is filled in here; the adapter looks at all of it as it runs.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0012"
down_revision = "r0011"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("intyg_fact", sa.Column("looked", sa.Boolean(), nullable=True))
    to_look = sa.text("(looked IS NULL OR looked <> active) AND first_day IS NOT NULL")
    op.create_index(
        "ix_intyg_fact_to_look",
        "intyg_fact",
        ["person"],
        sqlite_where=to_look,
        postgresql_where=to_look,
    )
    op.drop_index("ix_intyg_fact_not_looked", "intyg_fact")  # nobody fills in what it is about
    _sjukfall()
    _fact_word()
    _completion_indexes()


def _completion_indexes() -> None:
    op.create_index(
        "ix_intyg_fact_sent",
        "intyg_fact",
        [
            *("signed_month", "vardgivare_id", "typ", "sex"),
            *("intyg_seq", "enhets_id", "diagnosis", "age_month"),
        ],
        sqlite_where=sa.text("sent_to_fk = 1 AND line = 0"),
        postgresql_where=sa.text("sent_to_fk AND line = 0"),
    )
    asked = sa.text("line = 0 AND amne = 'KOMPLT'")
    op.create_index(
        "ix_meddelande_fact_asked",
        "meddelande_fact",
        ["intyg_seq"],
        sqlite_where=asked,
        postgresql_where=asked,
    )


def _sjukfall() -> None:
    words = ("vardgivare_id", "enhets_id", "personal_id", "diagnosis")
    op.create_table(
        "sjukfall",
        sa.Column("id", _SEQ, primary_key=True),
        sa.Column("intyg_seq", _SEQ, nullable=False),
        *map(_small, ("uses", "mixed")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in words),
        sa.Column("sex", sa.Text(), nullable=False),
        *map(_small, ("age", "level", "levels")),
        sa.Column("length", sa.Integer(), nullable=False),
        *map(_small, ("intyg", "first_month", "last_month")),
        sa.Column("from_day", sa.Integer(), nullable=False),
        sa.Column("to_day", sa.Integer(), nullable=False),
    )
    op.create_index(None, "sjukfall", ["intyg_seq"])
    op.create_index(None, "sjukfall", ["enhets_id", "last_month"])
    several = sa.text("uses = 4")
    op.create_index(
        "ix_sjukfall_several",
        "sjukfall",
        ["to_day", "from_day", "first_month", "last_month", "mixed", "enhets_id"],
        sqlite_where=several,
        postgresql_where=several,
    )


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger(), nullable=False)


def _fact_word() -> None:
    op.create_table(
        "fact_word",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("intyg_seq", _SEQ, nullable=False),
    )
    op.create_index("uq_fact_word_kind_word", "fact_word", ["kind", "word"], unique=True)
