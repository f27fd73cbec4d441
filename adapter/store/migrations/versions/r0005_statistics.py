"""Facts that statistics are made of: certificates with their periods, and messages to care.

Nothing is filled in: `intyg statistics rebuild` makes the facts of what was stored before.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0005"
down_revision = "r0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _intyg_fact()
    _meddelande_fact()


def _intyg_fact() -> None:
    op.create_table(
        "intyg_fact",
        sa.Column("intyg_seq", _Sequence, sa.ForeignKey("intyg.seq"), primary_key=True),
        sa.Column("line", sa.Integer(), primary_key=True),
        *_texts("person", "vardgivare_id", "enhets_id", "personal_id", "typ", "sex"),
        *_numbers("age", "age_signed", "age_month"),
        sa.Column("diagnosis", sa.Text(), nullable=True),
        *_numbers("signed_day", "signed_month"),
        *_numbers("level", "first_day", "last_day", nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sent_to_fk", sa.Boolean(), nullable=False),
    )
    op.create_index(None, "intyg_fact", ["person", "first_day"])
    op.create_index(None, "intyg_fact", ["enhets_id", "last_day"])
    op.create_index(None, "intyg_fact", ["signed_month", "enhets_id"])
    op.create_index(None, "intyg_fact", ["last_day"])


def _meddelande_fact() -> None:
    op.create_table(
        "meddelande_fact",
        sa.Column("meddelande_seq", _Sequence, sa.ForeignKey("meddelande.seq"), primary_key=True),
        sa.Column("line", sa.Integer(), primary_key=True),
        sa.Column("intyg_seq", _Sequence, sa.ForeignKey("intyg.seq"), nullable=False),
        sa.Column("amne", sa.Text(), nullable=False),
        sa.Column("frage_id", sa.Text(), nullable=True),
        *_numbers("sent_day", "sent_month"),
    )
    op.create_index(None, "meddelande_fact", ["intyg_seq"])
    op.create_index(None, "meddelande_fact", ["sent_day"])


_Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=nullable) for name in names]
