"""Which deliveries somebody asks for, and what is told of them: codes, ids and times, no person."""

from dataclasses import dataclass
from datetime import datetime

from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.way import WayCause


@dataclass(frozen=True)
class DeliveryFilter:
    """
    All that is said must hold; what is None or empty says nothing.

    Attributes:
        ids: Of deliveries.
        states: Any of them.
        stopped: Waiting, and its way is stopped for this cause.
        contract: `RegisterCertificate`, or with its version.
        code: Of the last answer: `VP007`, `503`, `ERROR`.
        words: What happened, as `CauseCount.words` says it.
        enhets_id: Of the unit that issued the certificate.
        since, until: When it was last changed; `until` is not in it.
    """

    ids: tuple[str, ...] = ()
    states: frozenset[DeliveryState] = frozenset()
    stopped: WayCause | None = None
    destination: str | None = None
    contract: str | None = None
    code: str | None = None
    error_id: str | None = None
    words: str | None = None
    enhets_id: str | None = None
    intygs_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class DeliverySummary:
    """A delivery without what it carries; `seq` is its place in the order they were added."""

    seq: int
    id: str
    contract: str
    destination: str | None
    logical_address: str
    part: str
    intygs_id: str
    meddelande_id: str | None
    state: DeliveryState
    stopped: WayCause | None  # why its way is stopped, if it waits for that
    attempts: int
    due_at: datetime
    created_at: datetime
    updated_at: datetime
    http_status: int | None
    result_code: str | None
    error_id: str | None
    detail: str | None


@dataclass(frozen=True)
class CauseCount:
    """
    Deliveries that stand where they stand for one reason.

    Attributes:
        destination: '' without a route, None until somebody has asked for it.
        stopped: Why nothing goes to some of them; None: nothing is stopped.
        code: The most telling one: the platform's, `errorId`, the HTTP status, or ''.
        words: What happened, in our own words.
        oldest, newest: When one was last changed.
    """

    destination: str | None
    contract: str
    state: DeliveryState
    stopped: WayCause | None
    code: str
    words: str
    count: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True)
class LaneCount:
    """
    What waits for a destination.

    Attributes:
        waiting, in_flight: How many deliveries.
        oldest_due: Since when the first of them is due; None when none is.
        cause: Why all or part of it is stopped; None when nothing is.
    """

    destination: str
    waiting: int
    in_flight: int
    oldest_due: datetime | None
    cause: WayCause | None
