"""Drafts, which have events and deliveries before there is a certificate.

So `delivery.intygs_id` and `handelse.intygs_id` refer to `intyg` no more. SQLite cannot drop a
foreign key. Making its table anew would take the rows away that refer to it; changing what the
table says of itself is the way that SQLite's documentation names for constraints, since nothing
that is stored changes (https://sqlite.org/lang_altertable.html, section 7).
"""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None

_FREED: Final = ("delivery", "handelse")


def upgrade() -> None:
    _utkast()
    if op.get_bind().dialect.name == "sqlite":
        _free_on_sqlite()
    else:
        for table in _FREED:
            op.drop_constraint(f"fk_{table}_intygs_id", table, type_="foreignkey")


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


def _free_on_sqlite() -> None:
    bind = op.get_bind()
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    for table in _FREED:
        _drop_reference(bind, table)
    bind.exec_driver_sql(f"PRAGMA schema_version = {int(version) + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")


def _drop_reference(bind: sa.Connection, table: str) -> None:
    """Take the one constraint out of a table's own words, with the comma before it."""
    constraint = (
        f"CONSTRAINT fk_{table}_intygs_id FOREIGN KEY(intygs_id) REFERENCES intyg (intygs_id)"
    )
    words = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
    before = str(bind.execute(words, {"table": table}).scalar_one())
    head, found, tail = before.partition(constraint)
    if not found:
        raise RuntimeError(f"the table {table} does not refer to intyg as its first version did")
    after = f"{head.rstrip().removesuffix(',')}{tail}"
    bind.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :table"),
        {"sql": after, "table": table},
    )


def _counted() -> sa.types.TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _octets(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(), nullable=True) for name in names]


def _time(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
