"""The first tables: certificates, messages, events, deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "block",
        sa.Column("seq", SEQ, autoincrement=True, nullable=False),
        sa.Column("intygs_id", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_block")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_block_intygs_id"), "block", ["intygs_id"], unique=False)
    op.create_table(
        "body",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_body")),
    )
    op.create_table(
        "intyg",
        sa.Column("seq", SEQ, autoincrement=True, nullable=False),
        sa.Column("intygs_id", sa.Text(), nullable=False),
        sa.Column("typ", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("signeringstidpunkt", TIME, nullable=True),
        sa.Column("patient_root", sa.Text(), nullable=False),
        sa.Column("patient_extension", sa.Text(), nullable=False),
        sa.Column("personal_id", sa.Text(), nullable=False),
        sa.Column("fullstandigt_namn", sa.Text(), nullable=False),
        sa.Column("enhets_id", sa.Text(), nullable=False),
        sa.Column("enhetsnamn", sa.Text(), nullable=False),
        sa.Column("vardgivare_id", sa.Text(), nullable=False),
        sa.Column("relation_typ", sa.Text(), nullable=True),
        sa.Column("relation_intygs_id", sa.Text(), nullable=True),
        sa.Column("svar_pa_meddelande_id", sa.Text(), nullable=True),
        sa.Column("svar_pa_referens_id", sa.Text(), nullable=True),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("received_sha256", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("logical_address", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=True),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["body_sha256"], ["body.sha256"], name=op.f("fk_intyg_body_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["received_sha256"], ["body.sha256"], name=op.f("fk_intyg_received_sha256")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_intyg")),
        sa.UniqueConstraint("intygs_id", name=op.f("uq_intyg_intygs_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_intyg_enhets_id_signeringstidpunkt"),
        "intyg",
        ["enhets_id", "signeringstidpunkt"],
        unique=False,
    )
    op.create_index(
        op.f("ix_intyg_patient_extension_typ"), "intyg", ["patient_extension", "typ"], unique=False
    )
    op.create_index(
        op.f("ix_intyg_relation_intygs_id"), "intyg", ["relation_intygs_id"], unique=False
    )
    op.create_index(
        op.f("ix_intyg_vardgivare_id_signeringstidpunkt"),
        "intyg",
        ["vardgivare_id", "signeringstidpunkt"],
        unique=False,
    )
    op.create_table(
        "delivery",
        sa.Column("seq", SEQ, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("logical_address", sa.Text(), nullable=False),
        sa.Column("intygs_id", sa.Text(), nullable=False),
        sa.Column("patient_root", sa.Text(), nullable=False),
        sa.Column("patient_extension", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("meddelande_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("last_kind", sa.Text(), nullable=True),
        sa.Column("last_retry_at", TIME, nullable=True),
        sa.Column("last_http_status", sa.Integer(), nullable=True),
        sa.Column("last_result_code", sa.Text(), nullable=True),
        sa.Column("last_error_id", sa.Text(), nullable=True),
        sa.Column("last_detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["body_sha256"], ["body.sha256"], name=op.f("fk_delivery_body_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["intygs_id"], ["intyg.intygs_id"], name=op.f("fk_delivery_intygs_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_delivery")),
        sa.UniqueConstraint("id", name=op.f("uq_delivery_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["due_at", "seq"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'held')"),
        postgresql_where=sa.text("state IN ('queued', 'held')"),
    )
    op.create_index(
        op.f("ix_delivery_intygs_id_seq"), "delivery", ["intygs_id", "seq"], unique=False
    )
    op.create_index(
        "ix_delivery_queue",
        "delivery",
        ["intygs_id", "logical_address", "seq"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'held', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'held', 'sending')"),
    )
    op.create_index(
        "uq_delivery_sending",
        "delivery",
        ["intygs_id", "logical_address"],
        unique=True,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_table(
        "intygs_status",
        sa.Column("seq", SEQ, autoincrement=True, nullable=False),
        sa.Column("intygs_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("tidpunkt", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["intygs_id"], ["intyg.intygs_id"], name=op.f("fk_intygs_status_intygs_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_intygs_status")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_intygs_status_intygs_id"), "intygs_status", ["intygs_id"], unique=False
    )
    op.create_table(
        "meddelande",
        sa.Column("seq", SEQ, autoincrement=True, nullable=False),
        sa.Column("meddelande_id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("referens_id", sa.Text(), nullable=True),
        sa.Column("skickat_tidpunkt", TIME, nullable=False),
        sa.Column("intygs_id", sa.Text(), nullable=False),
        sa.Column("patient_root", sa.Text(), nullable=False),
        sa.Column("patient_extension", sa.Text(), nullable=False),
        sa.Column("logisk_adress_mottagare", sa.Text(), nullable=False),
        sa.Column("amne", sa.Text(), nullable=False),
        sa.Column("rubrik", sa.Text(), nullable=True),
        sa.Column("meddelande", sa.Text(), nullable=False),
        sa.Column("paminnelse_meddelande_id", sa.Text(), nullable=True),
        sa.Column("svar_pa_meddelande_id", sa.Text(), nullable=True),
        sa.Column("svar_pa_referens_id", sa.Text(), nullable=True),
        sa.Column("sista_datum_for_svar", sa.Date(), nullable=True),
        sa.Column("part", sa.Text(), nullable=True),
        sa.Column("personal_id", sa.Text(), nullable=True),
        sa.Column("fullstandigt_namn", sa.Text(), nullable=True),
        sa.Column("enhets_id", sa.Text(), nullable=True),
        sa.Column("enhetsnamn", sa.Text(), nullable=True),
        sa.Column("vardgivare_id", sa.Text(), nullable=True),
        sa.Column("body_sha256", sa.Text(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.Column("logical_address", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=True),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["body_sha256"], ["body.sha256"], name=op.f("fk_meddelande_body_sha256")
        ),
        sa.ForeignKeyConstraint(
            ["intygs_id"], ["intyg.intygs_id"], name=op.f("fk_meddelande_intygs_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_meddelande")),
        sa.UniqueConstraint("meddelande_id", name=op.f("uq_meddelande_meddelande_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_meddelande_intygs_id"), "meddelande", ["intygs_id"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("seq", SEQ, autoincrement=True, nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("retry_at", TIME, nullable=True),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("result_code", sa.Text(), nullable=True),
        sa.Column("error_id", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("private_remote_text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_attempt_delivery_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_attempt")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_attempt_delivery_id"), "attempt", ["delivery_id"], unique=False)
    op.create_table(
        "handelse",
        sa.Column("seq", SEQ, autoincrement=True, nullable=False),
        sa.Column("intygs_id", sa.Text(), nullable=False),
        sa.Column("handelsekod", sa.Text(), nullable=False),
        sa.Column("tidpunkt", TIME, nullable=False),
        sa.Column("skickade_totalt", sa.Integer(), nullable=False),
        sa.Column("skickade_ej_besvarade", sa.Integer(), nullable=False),
        sa.Column("skickade_besvarade", sa.Integer(), nullable=False),
        sa.Column("skickade_hanterade", sa.Integer(), nullable=False),
        sa.Column("mottagna_totalt", sa.Integer(), nullable=False),
        sa.Column("mottagna_ej_besvarade", sa.Integer(), nullable=False),
        sa.Column("mottagna_besvarade", sa.Integer(), nullable=False),
        sa.Column("mottagna_hanterade", sa.Integer(), nullable=False),
        sa.Column("amne", sa.Text(), nullable=True),
        sa.Column("sista_datum_for_svar", sa.Date(), nullable=True),
        sa.Column("hanterat_av", sa.Text(), nullable=True),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_handelse_delivery_id")
        ),
        sa.ForeignKeyConstraint(
            ["intygs_id"], ["intyg.intygs_id"], name=op.f("fk_handelse_intygs_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_handelse")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_handelse_delivery_id"), "handelse", ["delivery_id"], unique=False)
    op.create_index(op.f("ix_handelse_intygs_id"), "handelse", ["intygs_id"], unique=False)
    op.create_table(
        "komplettering",
        sa.Column("seq", SEQ, autoincrement=True, nullable=False),
        sa.Column("meddelande_id", sa.Text(), nullable=False),
        sa.Column("frage_id", sa.Text(), nullable=False),
        sa.Column("instans", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["meddelande_id"],
            ["meddelande.meddelande_id"],
            name=op.f("fk_komplettering_meddelande_id"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_komplettering")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_komplettering_meddelande_id"), "komplettering", ["meddelande_id"], unique=False
    )
