"""The words: what moves between steps, as frozen values.

Payload words keep the contract's spelling. Every datetime is aware and in UTC; only `readers.py`
and `writers.py` know that the contracts write Swedish local time without a zone. Fields that hold
person data are left out of `repr`, so that no log line or traceback can show them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias

from lxml import etree

from schemas.codes import Amne, ErrorId, Handelse, ResultCode, Status
from schemas.contract import Contract

Clock: TypeAlias = Callable[[], datetime]
"""Now, aware and in UTC. Passed in, so that tests and demonstrations can run on a virtual one."""


def system_clock() -> datetime:
    """The machine's own clock."""
    return datetime.now(UTC)


# --- what a message says ----------------------------------------------------------------


@dataclass(frozen=True)
class PersonId:
    """`types:PersonId`: a personnummer or samordningsnummer, 12 digits."""

    root: str
    extension: str = field(repr=False)


@dataclass(frozen=True)
class Enhet:
    """`core:Enhet`: the care unit, with its care provider."""

    enhets_id: str  # HSA-id
    enhetsnamn: str
    vardgivare_id: str  # HSA-id


@dataclass(frozen=True)
class HosPersonal:
    """`core:HosPersonal`: the person in care who signed, sent or asked."""

    personal_id: str  # HSA-id
    fullstandigt_namn: str = field(repr=False)
    enhet: Enhet


@dataclass(frozen=True)
class Yrken:
    """What is said of a person's professions and positions, by code."""

    legitimerade: frozenset[str] = frozenset()  # `legitimeratYrke`: LK, TL, BM, SJ, …
    befattningar: frozenset[str] = frozenset()  # `befattning`: six digits
    forskrivargrupper: frozenset[str] = frozenset()  # prescriber groups; in no message


@dataclass(frozen=True)
class MeddelandeReferens:
    """`core:MeddelandeReferens`: the message that is answered."""

    meddelande_id: str
    referens_id: str | None = None


@dataclass(frozen=True)
class Relation:
    """`core:Relation`: what this certificate is to an older one."""

    typ: str  # code, see schemas.codes.TypAvRelation; the XSD does not restrict it
    intygs_id: str


@dataclass(frozen=True)
class Intyg:
    """
    What the flow needs to know of a `core:Intyg`; the certificate itself stays an element.

    `typ` is the code as written, trimmed and in upper case (`LISJP`); `version` as written.
    """

    intygs_id: str  # the extension alone: roots are never compared (pitfall: a unit's HSA-id)
    typ: str
    version: str
    signeringstidpunkt: datetime | None
    patient: PersonId
    skapad_av: HosPersonal
    relation: Relation | None  # the first one, as the national store keeps
    svar_pa: MeddelandeReferens | None  # beside the intyg in RegisterCertificate


@dataclass(frozen=True)
class SendRequest:
    """`SendCertificateToRecipientType`."""

    intygs_id: str
    patient: PersonId
    mottagare: str  # part code
    skickat_tidpunkt: datetime
    skickat_av: HosPersonal | None  # None: the citizen sent it


@dataclass(frozen=True)
class RevokeRequest:
    """`RevokeCertificateType`."""

    intygs_id: str
    patient: PersonId
    skickat_tidpunkt: datetime
    skickat_av: HosPersonal
    meddelande: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Komplettering:
    """One row of a completion request: which question to complete, and how."""

    frage_id: str
    instans: int | None
    text: str = field(repr=False)


class Direction(StrEnum):
    """Which way a message went."""

    TO_CARE = "to_care"  # SendMessageToCare: the authority's
    TO_RECIPIENT = "to_recipient"  # SendMessageToRecipient: care's


@dataclass(frozen=True)
class Meddelande:
    """`SendMessageToCareType` and `SendMessageToRecipientType`, which differ in who sends."""

    direction: Direction
    meddelande_id: str
    referens_id: str | None
    skickat_tidpunkt: datetime
    intygs_id: str
    patient: PersonId
    logisk_adress_mottagare: str
    amne: str  # code as written; the XSD does not restrict it
    rubrik: str | None = field(repr=False)
    meddelande: str = field(repr=False)
    paminnelse_meddelande_id: str | None
    svar_pa: MeddelandeReferens | None
    sista_datum_for_svar: date | None
    part: str | None  # who asks, towards care (`skickatAv/part`)
    skickat_av: HosPersonal | None  # who asks, towards the authority
    komplettering: tuple[Komplettering, ...] = ()

    @property
    def is_question(self) -> bool:
        """Neither an answer nor a reminder: the only messages that the counters count."""
        return self.svar_pa is None and self.amne != Amne.PAMINN


# --- what comes in and what is answered -------------------------------------------------


@dataclass(frozen=True)
class Inbound:
    """
    A request that holds its contract's element, before anything is checked.

    Attributes:
        contract: Which contract the body element belongs to.
        logical_address: The header's text, as it stands.
        element: The Body's only child, in the parsed message.
        body: The same element's bytes as they arrived, in UTF-8, as a
            document of its own: nothing but namespace declarations that were
            in scope is added to its start tag.
        received_at: When the request arrived.
        correlation_id: Ties log lines, stored message and answer together.
        sender: HSA-id of the calling system, where known.
    """

    contract: Contract
    logical_address: str
    element: etree._Element = field(repr=False)
    body: bytes = field(repr=False)
    received_at: datetime
    correlation_id: str
    sender: str | None = None


@dataclass(frozen=True)
class Result:
    """`core:ResultType`: what a call is answered with."""

    code: ResultCode
    text: str | None = None
    error_id: ErrorId | None = None

    @classmethod
    def ok(cls, text: str | None = None) -> "Result":
        return cls(ResultCode.OK, text)

    @classmethod
    def info(cls, text: str) -> "Result":
        return cls(ResultCode.INFO, text)

    @classmethod
    def error(cls, error_id: ErrorId, text: str) -> "Result":
        return cls(ResultCode.ERROR, text, error_id)


# --- what is kept -----------------------------------------------------------------------


@dataclass(frozen=True)
class StoredIntyg:
    """A registered certificate: its facts, and the request body that brought it, byte for byte."""

    intyg: Intyg
    body: bytes = field(repr=False)  # the RegisterCertificate element, as `Inbound.body`
    sha256: str  # of `body`, hexadecimal
    received_at: datetime
    is_test: bool | None  # None: could not tell when it was taken in
    signature: str  # outcome of the signature check, e.g. VALID or ABSENT
    revoked_at: datetime | None


@dataclass(frozen=True)
class IntygsStatus:
    """One entry of a certificate's state history (`core:IntygsStatus`)."""

    status: Status
    part: str
    tidpunkt: datetime


class FragaState(StrEnum):
    """
    Where a question stands. Answers and reminders have no state of their own.

    Source: the national editor's states, in the contract's terms.
    """

    OPEN_CARE = "open_care"  # care's turn: question from the recipient, not answered, not handled
    OPEN_RECIPIENT = "open_recipient"  # the recipient's turn: question from care, not answered
    ANSWERED = "answered"  # question from care has its answer, not handled yet
    HANDLED = "handled"


FRAGA_MOVES: Final[Mapping[FragaState | None, frozenset[FragaState]]] = {
    None: frozenset({FragaState.OPEN_CARE, FragaState.OPEN_RECIPIENT}),
    # answered by care, marked handled, completed by a new certificate, or certificate revoked
    FragaState.OPEN_CARE: frozenset({FragaState.HANDLED}),
    # answered by the recipient; or marked handled without an answer
    FragaState.OPEN_RECIPIENT: frozenset({FragaState.ANSWERED, FragaState.HANDLED}),
    FragaState.ANSWERED: frozenset({FragaState.HANDLED}),
    # marked as not handled after all, or the complement was revoked
    FragaState.HANDLED: frozenset(
        {FragaState.OPEN_CARE, FragaState.OPEN_RECIPIENT, FragaState.ANSWERED}
    ),
}
"""From state to the states that may follow; None is before the question arrived."""


@dataclass(frozen=True)
class StoredMeddelande:
    """A message in a conversation, and where it stands."""

    meddelande: Meddelande
    received_at: datetime
    state: FragaState | None  # None for answers and reminders
    answered_by: str | None  # meddelande-id of the answer, if any


@dataclass(frozen=True)
class Arenden:
    """`core:Arenden`: questions in one direction, each in exactly one of the last three numbers."""

    totalt: int
    ej_besvarade: int
    besvarade: int
    hanterade: int


def count_arenden(direction: Direction, meddelanden: Iterable[StoredMeddelande]) -> Arenden:
    """
    Count the questions asked in one direction; answers and reminders are not counted.

    A handled question counts as handled only, answered or not.
    """
    questions = [
        m for m in meddelanden if m.meddelande.direction is direction and m.meddelande.is_question
    ]
    handled = sum(m.state is FragaState.HANDLED for m in questions)
    answered = sum(m.state is not FragaState.HANDLED and bool(m.answered_by) for m in questions)
    total = len(questions)
    return Arenden(total, total - handled - answered, answered, handled)


@dataclass(frozen=True)
class StoredHandelse:
    """An event of a certificate, as it is told to the EHR."""

    handelsekod: Handelse
    intygs_id: str
    tidpunkt: datetime
    skickade_fragor: Arenden  # asked by care
    mottagna_fragor: Arenden  # asked by the recipient
    amne: str | None = None  # with NYFRFM only
    sista_datum_for_svar: date | None = None  # with NYFRFM only
    hanterat_av: str | None = None  # HSA-id of who did it, where known
    delivery_id: str | None = None  # None: the unit has no EHR address, nobody is told


class DeliveryState(StrEnum):
    """Where a message on its way out stands."""

    QUEUED = "queued"  # waits for `due_at`, and for earlier ones to the same receiver
    SENDING = "sending"  # a worker holds it until `lease_until`
    DELIVERED = "delivered"  # the receiver answered OK or INFO
    REFUSED = "refused"  # the receiver said no for good
    UNKNOWN = "unknown"  # it may have arrived, and may not be sent twice
    HELD = "held"  # the guard cannot tell whose message this is; asked again at `due_at`
    BLOCKED = "blocked"  # the guard said no
    FAILED = "failed"  # the last attempt was used up


DELIVERY_MOVES: Final[Mapping[DeliveryState | None, frozenset[DeliveryState]]] = {
    None: frozenset({DeliveryState.QUEUED}),
    DeliveryState.QUEUED: frozenset({DeliveryState.SENDING}),
    DeliveryState.HELD: frozenset({DeliveryState.SENDING}),
    DeliveryState.SENDING: frozenset(
        {
            DeliveryState.DELIVERED,
            DeliveryState.REFUSED,
            DeliveryState.UNKNOWN,
            DeliveryState.QUEUED,  # retry, or the lease ran out: its worker died
            DeliveryState.HELD,
            DeliveryState.BLOCKED,
            DeliveryState.FAILED,
        }
    ),
    # an operator sends it again by hand
    DeliveryState.REFUSED: frozenset({DeliveryState.QUEUED}),
    DeliveryState.UNKNOWN: frozenset({DeliveryState.QUEUED}),
    DeliveryState.BLOCKED: frozenset({DeliveryState.QUEUED}),
    DeliveryState.FAILED: frozenset({DeliveryState.QUEUED}),
    DeliveryState.DELIVERED: frozenset(),
}
"""From state to the states that may follow; None is before it was queued."""


@dataclass(frozen=True)
class NewDelivery:
    """
    A message to be sent.

    Attributes:
        contract: Name and major version, `RegisterCertificate:3`.
        logical_address: What the header will say, and what it is routed by.
        intygs_id: The certificate it is about. Deliveries about one
            certificate to one logical address go out in order.
        patient: Whose data it holds; the guard is asked again before sending.
        body: The request element as a document of its own.
        part: Which recipient it goes to, e.g. `FKASSA`; `HSVARD` for the EHR.
        meddelande_id: The message it carries, if any.
        due_at: Not before this.
        requested_by: HSA-id of the person in care who asked for it, where
            known; events that its delivery causes name them.
    """

    contract: str
    logical_address: str
    intygs_id: str
    patient: PersonId
    body: bytes = field(repr=False)
    part: str
    due_at: datetime
    meddelande_id: str | None = None
    requested_by: str | None = None


@dataclass(frozen=True)
class Delivery:
    """A message on its way out, as stored."""

    id: str
    new: NewDelivery
    state: DeliveryState
    attempts: int  # how many have been made; the first is 1
    due_at: datetime  # next attempt; meaningful in QUEUED and HELD
    created_at: datetime
    updated_at: datetime
    correlation_id: str
    last_outcome: "Outcome | None" = None
    is_test: bool | None = None  # the certificate's mark from when it was registered


class OutcomeKind(StrEnum):
    """What an attempt came to."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    RETRY = "retry"
    UNKNOWN = (
        "unknown"  # it may have arrived: time-out after sending, connection lost while waiting
    )
    HELD = "held"  # the guard cannot tell; nothing was sent
    BLOCKED = "blocked"  # the guard said no; nothing was sent


@dataclass(frozen=True)
class Outcome:
    """
    What one attempt came to, and what to do about it.

    Attributes:
        kind: What happened.
        retry_at: When to try again; only with RETRY, HELD, and with UNKNOWN
            where the contract may be sent twice.
        http_status: Of the reply, if one came.
        result_code, error_id: Of the reply's `core:ResultType`, if it had one.
        detail: For the operator: a technical text without person data, e.g.
            the fault code, `connection refused`, or which guard signal.
        remote_text: What the receiver wrote (`resultText`, `faultstring`). May
            quote person data: kept in the database, shown nowhere else.
    """

    kind: OutcomeKind
    retry_at: datetime | None = None
    http_status: int | None = None
    result_code: str | None = None
    error_id: str | None = None
    detail: str = ""
    remote_text: str | None = field(default=None, repr=False)


# --- where things go --------------------------------------------------------------------


class DestinationKind(StrEnum):
    """What stands behind an address."""

    REAL = "real"
    TEST = "test"
    MOCK = "mock"


class DestinationRole(StrEnum):
    """Who stands behind an address."""

    AUTHORITY = "authority"
    CARE = "care"  # an EHR: gets back what came from it


@dataclass(frozen=True)
class ClientTls:
    """
    How we speak TLS with a destination; all PEM files.

    Attributes:
        ca: Who vouches for the server; None: the public authorities.
        cert: Ours, with its chain if it has one; None: we show none.
        key: Its key; None: it is in `cert`.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Destination:
    """Where a message for a logical address is posted."""

    name: str
    url: str  # full service address for this contract
    kind: DestinationKind
    role: DestinationRole
    timeout_seconds: float
    tls: ClientTls = ClientTls()


TO_CARE: Final = frozenset({"CertificateStatusUpdateForCare", "SendMessageToCare"})
"""Contracts by which care is told; everything else that is sent is for an authority."""


def receiver_of(contract: str) -> DestinationRole:
    """What the receiver of a contract is, by the contract's name."""
    return DestinationRole.CARE if contract in TO_CARE else DestinationRole.AUTHORITY


class Environment(StrEnum):
    """Which world this adapter runs in."""

    PRODUCTION = "production"
    TEST = "test"
    DEMO = "demo"


class PatientKind(StrEnum):
    """What the guard's signals say of a patient."""

    TEST = "test"
    NOT_TEST = "not_test"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True)
class PatientVerdict:
    """
    What the guard's signals say.

    Attributes:
        signal: Which one decided: its name, never the number.
        why: Why it cannot tell.
    """

    kind: PatientKind
    signal: str | None = None
    why: str | None = None

    @property
    def signal_and_why(self) -> str:
        return ": ".join(filter(None, (self.signal, self.why)))


class GuardDecision(StrEnum):
    """What the guard lets a message do."""

    SEND = "send"
    BLOCK = "block"
    HOLD = "hold"
