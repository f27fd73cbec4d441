"""How often a process died at a delivery; tables for what is finished; PostgreSQL's settings.

What is finished leaves the table of the queue, so an event may be of a delivery that stands
elsewhere.
"""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from intyg.adapter.store.migrations.references import drop_reference

revision = "r0006"
down_revision = "r0005"
branch_labels = None
depends_on = None

# Each delivery is updated three times. Room in its page keeps these off the indexes where they can
# be, and dead rows go before claims have to step over many.
_HOT: Final = (
    "ALTER TABLE delivery SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, "
    "autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 2)"
)


def upgrade() -> None:
    op.add_column(
        "delivery", sa.Column("crashes", sa.Integer(), nullable=False, server_default="0")
    )
    drop_reference("handelse", "delivery_id", "delivery (id)")
    _delivery_done()
    _attempt_done()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_HOT)


def _delivery_done() -> None:
    op.create_table(
        "delivery_done",
        _seq(),
        *_texts("id", "contract", "logical_address", "intygs_id", "patient_root"),
        *_texts("patient_extension", "body_sha256", "part"),
        *_texts("meddelande_id", "requested_by", nullable=True),
        *_texts("state"),
        _number("attempts"),
        _time("due_at"),
        *_texts("worker", nullable=True),
        _time("lease_until", nullable=True),
        _time("created_at"),
        _time("updated_at"),
        *_texts("correlation_id"),
        *_texts("last_kind", nullable=True),
        _time("last_retry_at", nullable=True),
        _number("last_http_status", nullable=True),
        *_texts("last_result_code", "last_error_id", "last_detail", "destination", nullable=True),
        _number("crashes"),
        sa.Index(None, "intygs_id"),
        sa.Index("uq_delivery_done_id", "id", unique=True),
    )


def _attempt_done() -> None:
    op.create_table(
        "attempt_done",
        _seq(),
        *_texts("delivery_id"),
        _number("number"),
        _time("at"),
        *_texts("kind"),
        _time("retry_at", nullable=True),
        _number("http_status", nullable=True),
        *_texts("result_code", "error_id", nullable=True),
        *_texts("detail"),
        *_texts("private_remote_text", nullable=True),
        sa.Index(None, "delivery_id"),
    )


def _seq() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("seq", kind, primary_key=True, autoincrement=False)


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _number(name: str, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _time(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
