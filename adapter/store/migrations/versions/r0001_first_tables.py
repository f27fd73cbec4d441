"""The first tables: certificates, messages, events, deliveries, and who did what.

What a column is for stands in `adapter/store/tables.py`. Constraints and indexes without a name get
it from the naming convention there.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0001"  # not 0001: so began the ones before the first release
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for create in (
        _environment,
        _body,
        _intyg,
        _intygs_status,
        _ehr_ref,
        _approved_receiver,
        _meddelande,
        _komplettering,
        _delivery,
        _attempt,
        _handelse,
        _block,
        _audit,
        _audit_head,
    ):
        create()


def _environment() -> None:
    op.create_table("environment", sa.Column("name", sa.Text(), primary_key=True))


def _body() -> None:
    op.create_table(
        "body",
        sa.Column("sha256", sa.Text(), primary_key=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )


def _intyg() -> None:
    op.create_table(
        "intyg",
        _seq(),
        sa.Column("intygs_id", sa.Text(), nullable=False, unique=True),
        *_texts("typ", "version"),
        _time("signeringstidpunkt", nullable=True),
        *_texts("patient_root", "patient_extension", "personal_id", "fullstandigt_namn"),
        *_texts("enhets_id", "enhetsnamn", "vardgivare_id"),
        *_texts("relation_typ", "relation_intygs_id", nullable=True),
        *_texts("svar_pa_meddelande_id", "svar_pa_referens_id", nullable=True),
        _ref("body_sha256", "body.sha256"),
        _ref("received_sha256", "body.sha256"),
        *_texts("contract", "logical_address", "correlation_id"),
        *_texts("sender", nullable=True),
        _time("received_at"),
        sa.Column("is_test", sa.Boolean(), nullable=True),
        *_texts("signature"),
        _time("revoked_at", nullable=True),
        sa.Index(None, "patient_extension", "typ"),
        sa.Index(None, "enhets_id", "signeringstidpunkt"),
        sa.Index(None, "vardgivare_id", "signeringstidpunkt"),
        sa.Index(None, "relation_intygs_id"),
        sqlite_autoincrement=True,
    )


def _intygs_status() -> None:
    op.create_table(
        "intygs_status",
        _seq(),
        _ref("intygs_id", "intyg.intygs_id"),
        *_texts("status", "part"),
        _time("tidpunkt"),
        sa.Index(None, "intygs_id"),
        sqlite_autoincrement=True,
    )


def _ehr_ref() -> None:
    op.create_table(
        "ehr_ref",
        sa.Column("intygs_id", sa.Text(), primary_key=True),
        *_texts("ref"),
    )


def _approved_receiver() -> None:
    op.create_table(
        "approved_receiver",
        sa.Column("intygs_id", sa.Text(), primary_key=True),
        sa.Column("receiver_id", sa.Text(), primary_key=True),
        *_texts("approval_status"),
    )


def _meddelande() -> None:
    op.create_table(
        "meddelande",
        _seq(),
        sa.Column("meddelande_id", sa.Text(), nullable=False, unique=True),
        *_texts("direction"),
        *_texts("referens_id", nullable=True),
        _time("skickat_tidpunkt"),
        _ref("intygs_id", "intyg.intygs_id"),
        *_texts("patient_root", "patient_extension", "logisk_adress_mottagare", "amne"),
        *_texts("rubrik", nullable=True),
        *_texts("meddelande"),
        *_texts("paminnelse_meddelande_id", nullable=True),
        *_texts("svar_pa_meddelande_id", "svar_pa_referens_id", nullable=True),
        sa.Column("sista_datum_for_svar", sa.Date(), nullable=True),
        *_texts("part", "personal_id", "fullstandigt_namn", nullable=True),
        *_texts("enhets_id", "enhetsnamn", "vardgivare_id", nullable=True),
        _ref("body_sha256", "body.sha256"),
        *_texts("contract", "logical_address", "correlation_id"),
        *_texts("sender", nullable=True),
        _time("received_at"),
        *_texts("state", "answered_by", nullable=True),
        sa.Index(None, "intygs_id"),
        sqlite_autoincrement=True,
    )


def _komplettering() -> None:
    op.create_table(
        "komplettering",
        _seq(),
        _ref("meddelande_id", "meddelande.meddelande_id"),
        *_texts("frage_id"),
        *_numbers("instans", nullable=True),
        *_texts("text"),
        sa.Index(None, "meddelande_id"),
        sqlite_autoincrement=True,
    )


def _delivery() -> None:
    op.create_table(
        "delivery",
        _seq(),
        sa.Column("id", sa.Text(), nullable=False, unique=True),
        *_texts("contract", "logical_address"),
        _ref("intygs_id", "intyg.intygs_id"),
        *_texts("patient_root", "patient_extension"),
        _ref("body_sha256", "body.sha256"),
        *_texts("part"),
        *_texts("meddelande_id", "requested_by", nullable=True),
        *_texts("state"),
        *_numbers("attempts"),
        _time("due_at"),
        *_texts("worker", nullable=True),
        _time("lease_until", nullable=True),
        _time("created_at"),
        _time("updated_at"),
        *_texts("correlation_id"),
        *_texts("last_kind", nullable=True),
        _time("last_retry_at", nullable=True),
        *_numbers("last_http_status", nullable=True),
        *_texts("last_result_code", "last_error_id", "last_detail", nullable=True),
        sa.Index(None, "intygs_id", "seq"),
        *_delivery_queue(),
        sqlite_autoincrement=True,
    )


def _delivery_queue() -> tuple[sa.Index, ...]:
    """What is due, what stands in front of it, and that nothing is sent twice at once."""
    return (
        sa.Index("ix_delivery_due", "due_at", "seq", **_where("state IN ('queued', 'held')")),
        sa.Index(
            "ix_delivery_queue",
            *("intygs_id", "logical_address", "seq"),
            **_where("state IN ('queued', 'held', 'sending')"),
        ),
        sa.Index(
            "uq_delivery_sending",
            *("intygs_id", "logical_address"),
            unique=True,
            **_where("state = 'sending'"),
        ),
    )


def _attempt() -> None:
    op.create_table(
        "attempt",
        _seq(),
        _ref("delivery_id", "delivery.id"),
        *_numbers("number"),
        _time("at"),
        *_texts("kind"),
        _time("retry_at", nullable=True),
        *_numbers("http_status", nullable=True),
        *_texts("result_code", "error_id", nullable=True),
        *_texts("detail"),
        *_texts("private_remote_text", nullable=True),
        sa.Index(None, "delivery_id"),
        sqlite_autoincrement=True,
    )


def _handelse() -> None:
    counts = ("totalt", "ej_besvarade", "besvarade", "hanterade")
    op.create_table(
        "handelse",
        _seq(),
        _ref("intygs_id", "intyg.intygs_id"),
        *_texts("handelsekod"),
        _time("tidpunkt"),
        *_numbers(*(f"skickade_{count}" for count in counts)),
        *_numbers(*(f"mottagna_{count}" for count in counts)),
        *_texts("amne", nullable=True),
        sa.Column("sista_datum_for_svar", sa.Date(), nullable=True),
        *_texts("hanterat_av", nullable=True),
        _ref("delivery_id", "delivery.id", nullable=True),
        sa.Index(None, "intygs_id"),
        sa.Index(None, "delivery_id"),
        sqlite_autoincrement=True,
    )


def _block() -> None:
    op.create_table(
        "block",
        _seq(),
        *_texts("intygs_id", "contract", "destination"),
        *_texts("signal", nullable=True),
        _time("at"),
        sa.Index(None, "intygs_id"),
        sqlite_autoincrement=True,
    )


def _audit() -> None:
    op.create_table(
        "audit",
        _seq(),
        *_numbers("chain"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        _time("at"),
        *_texts("action", "outcome", "detail"),
        *_texts("intygs_id", "person", "sender", "actor", nullable=True),
        *_texts("correlation_id", "hash"),
        sa.Index("uq_audit_chain_number", "chain", "number", unique=True),
        sa.Index(None, "intygs_id"),
        sqlite_autoincrement=True,
    )


def _audit_head() -> None:
    op.create_table(
        "audit_head",
        sa.Column("chain", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        *_texts("hash", "seal", "key_id"),
    )


# --- columns --------------------------------------------------------------------------------------


def _seq() -> sa.Column[int]:
    counted = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("seq", counted, primary_key=True, autoincrement=True)


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=nullable) for name in names]


def _time(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ref(name: str, target: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), sa.ForeignKey(target), nullable=nullable)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
