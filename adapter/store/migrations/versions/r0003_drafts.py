"""Drafts, which have events and deliveries before there is a certificate.

So `delivery.intygs_id` and `handelse.intygs_id` refer to `intyg` no more.
"""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from intyg.adapter.store.migrations.references import drop_reference

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None

_FREED: Final = ("delivery", "handelse")


def upgrade() -> None:
    _utkast()
    for table in _FREED:
        drop_reference(table, "intygs_id", "intyg (intygs_id)")


def _utkast() -> None:
    op.create_table(
        "utkast",
        sa.Column("seq", _counted(), primary_key=True, autoincrement=True),
        sa.Column("intygs_id", sa.Text(), nullable=False, unique=True),
        *_texts("typ", "version", "patient_root", "patient_extension"),
        *_texts("personal_id", "fullstandigt_namn", "enhets_id", "enhetsnamn", "vardgivare_id"),
        *_texts("content", "state"),
        sa.Column("stamp", sa.Integer(), nullable=False),
        _time("created_at", nullable=False),
        _time("saved_at", nullable=False),
        *_texts("saved_by", "saved_by_name"),
        _time("ready_at"),
        sa.Column("forwarded", sa.Boolean(), nullable=False),
        _time("revoked_at"),
        *_texts("relation_typ", "relation_intygs_id", nullable=True),
        *_texts("svar_pa_meddelande_id", "svar_pa_referens_id", "source", nullable=True),
        _time("changed_at"),
        *_texts("prefill", nullable=True),
        sa.Column("is_test", sa.Boolean(), nullable=True),
        *_texts("to_sign_method", nullable=True),
        *_octets("to_sign_digest", "to_sign_info", "to_sign_body"),
        sa.Column("to_sign_stamp", sa.Integer(), nullable=True),
        *_texts("to_sign_by", nullable=True),
        sa.Index(None, "patient_extension", "typ"),
        sa.Index(None, "state", "created_at"),
        sa.Index(None, "changed_at"),
        sa.Index(None, "relation_intygs_id"),
        sa.Index(None, "enhets_id"),
        sqlite_autoincrement=True,
    )


def _counted() -> sa.types.TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _octets(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(), nullable=True) for name in names]


def _time(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
