"""What the database holds. `migrations/` makes these tables; a test keeps the two equal.

Columns in contract words hold what the contract's element held. `seq` is the order of arrival.
Bodies stand once each in `body`, under their SHA-256, whoever refers to them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from intyg.adapter.domain.arende import OPEN
from intyg.adapter.domain.delivery import DELIVERY_MOVES, DeliveryState
from intyg.schemas.codes import Amne


class UtcDateTime(sa.TypeDecorator[datetime]):
    """Aware UTC in and out. PostgreSQL: timestamptz. SQLite has no zones: UTC by agreement."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a zone must not reach the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


CLAIMABLE: Final = tuple(
    state for state, to in DELIVERY_MOVES.items() if state and DeliveryState.SENDING in to
)
"""States that a worker may take a delivery from: QUEUED and HELD."""

ENDED_FOR_GOOD: Final = tuple(state for state, to in DELIVERY_MOVES.items() if state and not to)
"""States that no operator leads out of: DELIVERED and WITHDRAWN."""

UNFINISHED: Final = (*CLAIMABLE, DeliveryState.SENDING)
"""States in which a delivery holds up later ones to the same receiver."""

NOT_THERE: Final = (
    *UNFINISHED,
    DeliveryState.REFUSED,
    DeliveryState.UNKNOWN,
    DeliveryState.FAILED,
)
"""States in which a delivery has not arrived, and somebody may have to do something."""

STANDS_ELSEWHERE: Final = b"<"
"""Body of a message that is put together when it is sent. It is no XML on purpose: a process of the
version before this one, which knows no better, cannot ask the guard about it, and lets it wait."""


STANDING: Final = (*NOT_THERE, DeliveryState.BLOCKED)
"""Every state but DELIVERED and WITHDRAWN, in which the many are that nothing waits for."""


def state_in(states: tuple[DeliveryState, ...], prefix: str = "") -> str:
    """SQL with literals: the planners match a partial index only by its very words."""
    literals = ", ".join(f"'{state.value}'" for state in states)
    return f"{prefix}state IN ({literals})"


def state_is(state: DeliveryState, prefix: str = "") -> str:
    """The same for one state, which is in other words than `IN` with one."""
    return f"{prefix}state = '{state.value}'"


UNHANDLED: Final = "state IN ({})".format(", ".join(f"'{state.value}'" for state in OPEN))
"""The same for questions that nobody has handled."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts rows only in a column that is INTEGER.
Sequence: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _seq() -> sa.Column[int]:
    return sa.Column("seq", Sequence, primary_key=True, autoincrement=True)


def _time(name: str, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, UtcDateTime, nullable=nullable)


def _text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger, nullable=False)


def _ref(name: str, target: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, sa.ForeignKey(target), nullable=nullable)


environment = sa.Table(
    "environment",
    metadata,
    # One row: where the database was made. It is opened nowhere else.
    sa.Column("name", sa.Text, primary_key=True),
)

body = sa.Table(
    "body",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),  # of `data`, hexadecimal
    sa.Column("data", sa.LargeBinary, nullable=False),
)

intyg = sa.Table(
    "intyg",
    metadata,
    _seq(),
    sa.Column("intygs_id", sa.Text, nullable=False, unique=True),
    _text("typ"),
    _text("version"),
    _time("signeringstidpunkt", nullable=True),
    _text("patient_root"),
    _text("patient_extension"),
    _text("personal_id"),
    _text("fullstandigt_namn"),
    _text("enhets_id"),
    _text("enhetsnamn"),
    _text("vardgivare_id"),
    _text("relation_typ", nullable=True),
    _text("relation_intygs_id", nullable=True),
    _text("svar_pa_meddelande_id", nullable=True),
    _text("svar_pa_referens_id", nullable=True),
    _ref("body_sha256", "body.sha256"),  # what is sent on
    _ref("received_sha256", "body.sha256"),  # what arrived; another one if the adapter signed it
    _text("contract"),
    _text("logical_address"),
    _text("correlation_id"),
    _text("sender", nullable=True),
    _time("received_at"),
    sa.Column("is_test", sa.Boolean, nullable=True),
    _text("signature"),
    _time("revoked_at", nullable=True),
    sa.Index(None, "patient_extension", "typ"),
    sa.Index(None, "enhets_id", "signeringstidpunkt"),
    sa.Index(None, "vardgivare_id", "signeringstidpunkt"),
    sa.Index(None, "relation_intygs_id"),
    sqlite_autoincrement=True,
)

intygs_status = sa.Table(
    "intygs_status",
    metadata,
    _seq(),
    _ref("intygs_id", "intyg.intygs_id"),
    _text("status"),
    _text("part"),
    _time("tidpunkt"),
    sa.Index(None, "intygs_id"),
    sqlite_autoincrement=True,
)

ehr_ref = sa.Table(
    "ehr_ref",
    metadata,
    # No foreign key: an EHR may give its reference before the certificate is registered.
    sa.Column("intygs_id", sa.Text, primary_key=True),
    _text("ref"),
)

utkast = sa.Table(
    "utkast",
    metadata,
    _seq(),
    sa.Column("intygs_id", sa.Text, nullable=False, unique=True),
    _text("typ"),
    _text("version"),
    _text("patient_root"),
    _text("patient_extension"),
    _text("personal_id"),  # who created it
    _text("fullstandigt_namn"),
    _text("enhets_id"),
    _text("enhetsnamn"),
    _text("vardgivare_id"),
    _text("content"),  # JSON
    _text("state"),  # DraftState
    _number("stamp"),
    _time("created_at"),
    _time("saved_at"),
    _text("saved_by"),
    _text("saved_by_name"),
    _time("ready_at", nullable=True),
    sa.Column("forwarded", sa.Boolean, nullable=False),
    _time("revoked_at", nullable=True),
    _text("relation_typ", nullable=True),
    _text("relation_intygs_id", nullable=True),
    _text("svar_pa_meddelande_id", nullable=True),
    _text("svar_pa_referens_id", nullable=True),
    _text("source", nullable=True),  # no foreign key: a certificate or a draft
    _time("changed_at", nullable=True),
    _text("prefill", nullable=True),  # JSON
    sa.Column("is_test", sa.Boolean, nullable=True),
    _text("to_sign_method", nullable=True),  # ToSign, field by field
    sa.Column("to_sign_digest", sa.LargeBinary, nullable=True),
    sa.Column("to_sign_info", sa.LargeBinary, nullable=True),
    sa.Column("to_sign_body", sa.LargeBinary, nullable=True),
    _number("to_sign_stamp", nullable=True),
    _text("to_sign_by", nullable=True),
    sa.Index(None, "patient_extension", "typ"),
    sa.Index(None, "state", "created_at"),
    sa.Index(None, "changed_at"),
    sa.Index(None, "relation_intygs_id"),
    sa.Index(None, "enhets_id"),
    sqlite_autoincrement=True,
)

approved_receiver = sa.Table(
    "approved_receiver",
    metadata,
    # No foreign key: care may approve receivers before the certificate is registered.
    sa.Column("intygs_id", sa.Text, primary_key=True),
    sa.Column("receiver_id", sa.Text, primary_key=True),
    _text("approval_status"),  # YES, NO or UNDEFINED
)

meddelande = sa.Table(
    "meddelande",
    metadata,
    _seq(),
    sa.Column("meddelande_id", sa.Text, nullable=False, unique=True),
    _text("direction"),
    _text("referens_id", nullable=True),
    _time("skickat_tidpunkt"),
    _ref("intygs_id", "intyg.intygs_id"),
    _text("patient_root"),
    _text("patient_extension"),
    _text("logisk_adress_mottagare"),
    _text("amne"),
    _text("rubrik", nullable=True),
    _text("meddelande"),
    _text("paminnelse_meddelande_id", nullable=True),
    _text("svar_pa_meddelande_id", nullable=True),
    _text("svar_pa_referens_id", nullable=True),
    sa.Column("sista_datum_for_svar", sa.Date, nullable=True),
    _text("part", nullable=True),
    _text("personal_id", nullable=True),
    _text("fullstandigt_namn", nullable=True),
    _text("enhets_id", nullable=True),
    _text("enhetsnamn", nullable=True),
    _text("vardgivare_id", nullable=True),
    _ref("body_sha256", "body.sha256"),
    _text("contract"),
    _text("logical_address"),
    _text("correlation_id"),
    _text("sender", nullable=True),
    _time("received_at"),
    _text("state", nullable=True),  # FragaState
    _text("answered_by", nullable=True),
    # Somebody was asked to go on with it.
    sa.Column("forwarded", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index(None, "intygs_id"),
    # What nobody has handled: few among the many.
    sa.Index(
        "ix_meddelande_unhandled",
        "state",
        "seq",
        sqlite_where=sa.text(UNHANDLED),
        postgresql_where=sa.text(UNHANDLED),
    ),
    sqlite_autoincrement=True,
)

komplettering = sa.Table(
    "komplettering",
    metadata,
    _seq(),
    _ref("meddelande_id", "meddelande.meddelande_id"),
    _text("frage_id"),
    _number("instans", nullable=True),
    _text("text"),
    sa.Index(None, "meddelande_id"),
    sqlite_autoincrement=True,
)

delivery = sa.Table(
    "delivery",
    metadata,
    _seq(),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    _text("contract"),
    _text("logical_address"),
    _text("intygs_id"),  # no foreign key: a certificate or a draft
    _text("patient_root"),
    _text("patient_extension"),
    _ref("body_sha256", "body.sha256"),
    _text("part"),
    _text("meddelande_id", nullable=True),
    _text("requested_by", nullable=True),  # HSA-id of who asked for it, where known
    _text("state"),  # DeliveryState
    # Counted when it is claimed, so that an attempt that kills its process counts too.
    _number("attempts"),
    _time("due_at"),
    _text("worker", nullable=True),  # who holds it, in SENDING: `store instance/thread`
    _time("lease_until", nullable=True),
    _time("created_at"),
    _time("updated_at"),
    _text("correlation_id"),
    _text("last_kind", nullable=True),  # the last Outcome, field by field
    _time("last_retry_at", nullable=True),
    _number("last_http_status", nullable=True),
    _text("last_result_code", nullable=True),
    _text("last_error_id", nullable=True),
    _text("last_detail", nullable=True),
    # By the routes as they were last asked; '' without a route, NULL until somebody asks.
    _text("destination", nullable=True),
    # Processes that died at it, one after the other; counted and cleared as `attempts` is counted.
    sa.Column("crashes", sa.Integer, nullable=False, server_default="0"),
    # A message with its certificate in it: what stands around the bytes that are the certificate's
    # own, where those stand in its body, and the SHA-256 of the whole. `body_sha256` is then of
    # `STANDS_ELSEWHERE`.
    sa.Column("around_before", sa.LargeBinary, nullable=True),
    sa.Column("around_after", sa.LargeBinary, nullable=True),
    _number("around_from", nullable=True),
    _number("around_to", nullable=True),
    _text("around_sha256", nullable=True),
    sa.Index(None, "intygs_id", "seq"),
    # No index of what is queued begins with `state`: SQLite would claim by it and sort everything
    # that waits.
    # What can be claimed, in the order it is claimed; finished ones are not in it.
    sa.Index(
        "ix_delivery_due",
        "due_at",
        "seq",
        sqlite_where=sa.text(state_in(CLAIMABLE)),
        postgresql_where=sa.text(state_in(CLAIMABLE)),
    ),
    # The same by destination: each is a lane of its own.
    sa.Index(
        "ix_delivery_lane",
        "destination",
        "due_at",
        "seq",
        sqlite_where=sa.text(state_in(CLAIMABLE)),
        postgresql_where=sa.text(state_in(CLAIMABLE)),
    ),
    # What stands in front of it.
    sa.Index(
        "ix_delivery_queue",
        "intygs_id",
        "logical_address",
        "seq",
        sqlite_where=sa.text(state_in(UNFINISHED)),
        postgresql_where=sa.text(state_in(UNFINISHED)),
    ),
    # What an operator looks at, in the order it was added; it is counted without its rows.
    sa.Index(
        "ix_delivery_standing",
        "seq",
        "state",
        sqlite_where=sa.text(state_in(STANDING)),
        postgresql_where=sa.text(state_in(STANDING)),
    ),
    # Never two at once about one certificate to one receiver, whatever the code believes.
    sa.Index(
        "uq_delivery_sending",
        "intygs_id",
        "logical_address",
        unique=True,
        sqlite_where=sa.text(state_is(DeliveryState.SENDING)),
        postgresql_where=sa.text(state_is(DeliveryState.SENDING)),
    ),
    sqlite_autoincrement=True,
)

way = sa.Table(
    "way",
    metadata,
    # A `Stop`. A way that nothing is known of has no row, so that few have one.
    sa.Column("destination", sa.Text, primary_key=True),
    sa.Column("contract", sa.Text, primary_key=True),
    sa.Column("logical_address", sa.Text, primary_key=True),
    _text("cause", nullable=True),  # WayCause
    _text("detail"),
    _time("since"),
    _number("failures"),
    _number("probes"),
    _time("probe_at", nullable=True),
    _text("probing", nullable=True),  # a delivery's id
    _time("probing_until", nullable=True),
    _text("reason", nullable=True),
    _text("by", nullable=True),
)

operation = sa.Table(
    "operation",
    metadata,
    # What an operator asked for, so that the same request does nothing twice.
    sa.Column("request_id", sa.Text, primary_key=True),
    _text("request"),  # JSON
    _text("result"),  # JSON, as it was answered
    _time("at"),
)

attempt = sa.Table(
    "attempt",
    metadata,
    _seq(),
    _ref("delivery_id", "delivery.id"),
    _number("number"),  # starts at 1; again at 1 after an operator sent it again
    _time("at"),
    _text("kind"),
    _time("retry_at", nullable=True),
    _number("http_status", nullable=True),
    _text("result_code", nullable=True),
    _text("error_id", nullable=True),
    _text("detail"),
    # What the receiver wrote (resultText, faultstring): may quote person data. For an operator with
    # access to the database, never for a log, a metric or a page.
    _text("private_remote_text", nullable=True),
    _text("part", nullable=True),  # of its delivery; None of attempts before this column
    sa.Index(None, "delivery_id"),
    sqlite_autoincrement=True,
)


def _columns_of(table: sa.Table) -> Iterator[sa.Column[Any]]:
    """The same columns, with the same keys, for a table that rows are moved to."""
    for column in table.columns:
        yield sa.Column(
            column.name,
            column.type,
            primary_key=column.primary_key,
            nullable=column.nullable,
            autoincrement=False,
        )


# What nothing more can happen to, some time after it ended (`leftover_rows.py`).
delivery_done = sa.Table(
    "delivery_done",
    metadata,
    *_columns_of(delivery),
    sa.Index(None, "intygs_id"),
    sa.Index("uq_delivery_done_id", "id", unique=True),
)

attempt_done = sa.Table(
    "attempt_done", metadata, *_columns_of(attempt), sa.Index(None, "delivery_id")
)

handelse = sa.Table(
    "handelse",
    metadata,
    _seq(),
    _text("intygs_id"),  # no foreign key: a certificate or a draft
    _text("handelsekod"),
    _time("tidpunkt"),
    *(
        _number(f"{direction}_{count}")
        for direction in ("skickade", "mottagna")
        for count in ("totalt", "ej_besvarade", "besvarade", "hanterade")
    ),
    _text("amne", nullable=True),
    sa.Column("sista_datum_for_svar", sa.Date, nullable=True),
    _text("hanterat_av", nullable=True),
    _text("delivery_id", nullable=True),  # no foreign key: in `delivery` or in `delivery_done`
    sa.Index(None, "intygs_id"),
    sa.Index(None, "delivery_id"),
    sqlite_autoincrement=True,
)

block = sa.Table(
    "block",
    metadata,
    _seq(),
    # No foreign key: a message may be stopped that is about nothing stored here.
    _text("intygs_id"),
    _text("contract"),
    _text("destination"),  # the destination's name, or the logical address where none was found
    _text("signal", nullable=True),  # which signal said so; never the number
    _time("at"),
    sa.Index(None, "intygs_id"),
    sqlite_autoincrement=True,
)

audit = sa.Table(
    "audit",
    metadata,
    _seq(),
    # Rows are added, never changed; what is said of them in `adapter/audit/log.py`.
    _number("chain"),
    sa.Column("number", sa.BigInteger, nullable=False),
    _time("at"),
    _text("action"),
    _text("outcome"),
    _text("detail"),
    _text("intygs_id", nullable=True),  # no foreign key: calls about unknown ones count too
    _text("person", nullable=True),  # keyed hash
    _text("sender", nullable=True),
    _text("actor", nullable=True),
    _text("correlation_id"),
    _text("hash"),
    sa.Index("uq_audit_chain_number", "chain", "number", unique=True),
    sa.Index(None, "intygs_id"),
    sqlite_autoincrement=True,
)

audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("chain", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    _text("hash"),
    _text("seal"),
    _text("key_id"),
    sa.Column("seq", sa.BigInteger),  # of its last row; None before the first one
)

# What statistics are made of (`adapter/statistics`): narrow, and nothing that names a person. Days
# are counted as in `date.toordinal`, months from year 0: 12 × year + month − 1; both in Sweden.
NOT_LOOKED: Final = "(looked IS NULL OR looked <> active) AND first_day IS NOT NULL"
"""Periods that came, or were revoked, after the cases of their person were last made."""

ASKED: Final = f"line = 0 AND amne = '{Amne.KOMPLT.value}'"
"""Messages that ask for a certificate to be completed."""

intyg_fact = sa.Table(
    "intyg_fact",
    metadata,
    # A row for each sick-leave period; one without periods where there is none.
    sa.Column("intyg_seq", Sequence, sa.ForeignKey("intyg.seq"), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),  # from 0
    _text("person"),  # keyed hash
    _text("vardgivare_id"),  # HSA-ids in upper case
    _text("enhets_id"),
    _text("personal_id"),
    _text("typ"),
    _text("sex"),  # F, M, U: unknown
    _number("age"),  # on the last day of sick leave, or when signed
    _number("age_signed"),
    _number("age_month"),  # on the first day of the month it was signed in
    _text("diagnosis", nullable=True),  # the first one; upper-case letters and digits alone
    _number("signed_day"),
    _number("signed_month"),
    _number("level", nullable=True),  # 25, 50, 75, 100
    _number("first_day", nullable=True),
    _number("last_day", nullable=True),
    sa.Column("active", sa.Boolean, nullable=False),  # not revoked
    sa.Column("sent_to_fk", sa.Boolean, nullable=False),  # Försäkringskassan has accepted it
    # Of versions before r0012, which may run beside this one; nobody else reads it.
    sa.Column("lone", sa.Boolean, nullable=True),
    # `active` as it was when the person's rows in `sjukfall` were made; None: they were not.
    sa.Column("looked", sa.Boolean, nullable=True),
    sa.Index(None, "person", "first_day"),
    sa.Index(None, "enhets_id", "last_day"),
    sa.Index(None, "signed_month", "enhets_id"),
    sa.Index(None, "last_day"),
    sa.Index(
        "ix_intyg_fact_to_look",
        "person",
        sqlite_where=sa.text(NOT_LOOKED),
        postgresql_where=sa.text(NOT_LOOKED),
    ),
    # All that the share of completion requests is counted by, in order.
    sa.Index(
        "ix_intyg_fact_sent",
        *("signed_month", "vardgivare_id", "typ", "sex"),
        *("intyg_seq", "enhets_id", "diagnosis", "age_month"),
        sqlite_where=sa.text("sent_to_fk = 1 AND line = 0"),
        postgresql_where=sa.text("sent_to_fk AND line = 0"),
    ),
)

# Cases as they count, made of `intyg_fact` a little later (`adapter/statistics/case_rows.py`): in
# whole numbers, so that a report reads many of them fast. Words stand in `fact_word`.
SEVERAL: Final = "uses = 4"
"""`Use.WHOLE` and nothing else."""

sjukfall = sa.Table(
    "sjukfall",
    metadata,
    sa.Column("id", Sequence, primary_key=True, autoincrement=True),
    sa.Column("intyg_seq", Sequence, nullable=False),  # of its last period
    _small("uses"),  # in which reports it counts: `sjukfall_rows.Use`
    _small("mixed"),  # of what its periods have several: `sjukfall_rows.Mixed`
    _number("vardgivare_id"),  # these are ids of `fact_word`
    _number("enhets_id"),
    _number("personal_id"),
    _number("diagnosis"),
    _text("sex"),
    _small("age"),
    _small("level"),  # of its last period
    _small("levels"),  # of all: the sum of 1 for 25 %, 2 for 50, 4 for 75, 8 for 100
    _number("length"),  # days
    _small("intyg"),  # how many certificates
    _small("first_month"),  # it counts in what overlaps these months
    _small("last_month"),
    _number("from_day"),  # those of all periods that hang together
    _number("to_day"),
    sa.Index(None, "intyg_seq"),
    sa.Index(None, "enhets_id", "last_month"),
    # Cases of several periods, which a time may cut.
    sa.Index(
        "ix_sjukfall_several",
        *("to_day", "from_day", "first_month", "last_month", "mixed", "enhets_id"),
        sqlite_where=sa.text(SEVERAL),
        postgresql_where=sa.text(SEVERAL),
    ),
)

fact_word = sa.Table(
    "fact_word",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    _text("kind"),  # a column of `intyg_fact`
    _text("word"),  # "" for none; of several, in order, with `sjukfall_rows.BETWEEN` between them
    sa.Column("intyg_seq", Sequence, nullable=False),  # a certificate that has it
    sa.Index("uq_fact_word_kind_word", "kind", "word", unique=True),
)

meddelande_fact = sa.Table(
    "meddelande_fact",
    metadata,
    # A row for the message, line 0, and one for each question that it wants completed.
    sa.Column("meddelande_seq", Sequence, sa.ForeignKey("meddelande.seq"), primary_key=True),
    sa.Column("line", sa.Integer, primary_key=True),
    sa.Column("intyg_seq", Sequence, sa.ForeignKey("intyg.seq"), nullable=False),
    _text("amne"),
    _text("frage_id", nullable=True),  # None on line 0
    _number("sent_day"),
    _number("sent_month"),
    sa.Index(None, "intyg_seq"),
    sa.Index(None, "sent_day"),
    sa.Index(
        "ix_meddelande_fact_asked",
        "intyg_seq",
        sqlite_where=sa.text(ASKED),
        postgresql_where=sa.text(ASKED),
    ),
)
