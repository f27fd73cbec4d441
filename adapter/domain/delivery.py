"""Messages on their way out: states, attempts and outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from intyg.adapter.domain.person import PersonId
from intyg.adapter.domain.way import WayNews


class DeliveryState(StrEnum):
    """State of a message on its way out."""

    QUEUED = "queued"  # waits for `due_at`, and for earlier ones to the same receiver
    SENDING = "sending"  # a worker holds it until `lease_until`
    DELIVERED = "delivered"  # the receiver answered OK or INFO
    REFUSED = "refused"  # the receiver said no for good
    UNKNOWN = "unknown"  # it may have arrived, and may not be sent twice
    HELD = "held"  # the guard cannot tell whose message this is; asked again at `due_at`
    BLOCKED = "blocked"  # the guard said no
    FAILED = "failed"  # the last attempt was used up
    WITHDRAWN = "withdrawn"  # the certificate was revoked before anything can have arrived


DELIVERY_MOVES: Final[Mapping[DeliveryState | None, frozenset[DeliveryState]]] = {
    None: frozenset({DeliveryState.QUEUED}),
    DeliveryState.QUEUED: frozenset(
        {
            DeliveryState.SENDING,
            DeliveryState.WITHDRAWN,
            DeliveryState.FAILED,
            # an operator stops what was to be sent again: it stands as it stood before
            DeliveryState.REFUSED,
            DeliveryState.UNKNOWN,
            DeliveryState.BLOCKED,
        }
    ),
    DeliveryState.HELD: frozenset(
        {DeliveryState.SENDING, DeliveryState.WITHDRAWN, DeliveryState.FAILED}
    ),
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
    # an operator sends it again, gives it up, or was told that it has arrived
    DeliveryState.REFUSED: frozenset({DeliveryState.QUEUED, DeliveryState.DELIVERED}),
    DeliveryState.UNKNOWN: frozenset(
        {DeliveryState.QUEUED, DeliveryState.DELIVERED, DeliveryState.FAILED}
    ),
    DeliveryState.BLOCKED: frozenset({DeliveryState.QUEUED}),
    DeliveryState.FAILED: frozenset({DeliveryState.QUEUED, DeliveryState.DELIVERED}),
    DeliveryState.DELIVERED: frozenset(),
    DeliveryState.WITHDRAWN: frozenset(),
}
"""From state to the states that may follow; None is before it was queued."""


@dataclass(frozen=True)
class Carried:
    """
    Which bytes of a message are a stored certificate's own, so that they need not be kept twice.

    Attributes:
        at: Where they begin in the message.
        begin: Where they begin in the certificate's body.
        length: How many they are.
    """

    at: int
    begin: int
    length: int


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
        carried: What in `body` stands in the certificate `intygs_id` in the same bytes; None where
            nothing does, or it is not worth while. Not told of a delivery that was stored.
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
    carried: Carried | None = field(default=None, compare=False)


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
    destination: str | None = None  # by the routes as they were last asked; None: not yet
    doubtful: bool = False  # an earlier attempt with this message may have arrived


class OutcomeKind(StrEnum):
    """Kind of end of an attempt."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    RETRY = "retry"
    UNKNOWN = (
        "unknown"  # it may have arrived: time-out after sending, connection lost while waiting
    )
    HELD = "held"  # the guard cannot tell; nothing was sent
    BLOCKED = "blocked"  # the guard said no; nothing was sent
    WITHDRAWN = "withdrawn"  # no attempt: what it carries was revoked while it waited


@dataclass(frozen=True)
class Outcome:
    """
    End of one attempt, and what to do about it.

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
        news: What it says of the way; a stop means that no attempt is used up.
    """

    kind: OutcomeKind
    retry_at: datetime | None = None
    http_status: int | None = None
    result_code: str | None = None
    error_id: str | None = None
    detail: str = ""
    remote_text: str | None = field(default=None, repr=False)
    news: WayNews = WayNews.NOTHING

    @property
    def may_have_arrived(self) -> bool:
        """
        Whether the receiver can have the message after this attempt.

        An answer that asks for another attempt says only that somebody read this one; so it counts
        as arrived. What stops the way does not: it says that nothing gets through to the receiver.
        Without any answer, RETRY is told from UNKNOWN by no byte having left.
        """
        match self.kind:
            case OutcomeKind.DELIVERED | OutcomeKind.UNKNOWN:
                return True
            case OutcomeKind.RETRY:
                return self.http_status is not None and not self.stops
            case _:
                return False

    @property
    def stops(self) -> bool:
        """The way is stopped by it, and the message waits without having lost anything."""
        return self.news in (WayNews.STOPS_WAY, WayNews.STOPS_DESTINATION)
