"""
The EHR's own list of certificates, made of nothing but what it was told.

An event says what happened, and how many questions there are then. Events may come late and in
another order than they happened, so they are taken by the time that they tell themselves.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from pydantic import Field

from intyg.mocks.control import Answered, MockOf, Operation, ProblemError
from intyg.mocks.wire.ids import ById
from intyg.schemas.codes import Handelse as Kod


class Counts(Protocol):
    """`core:Arenden`, as far as a list goes."""

    @property
    def totalt(self) -> int: ...
    @property
    def ej_besvarade(self) -> int: ...
    @property
    def besvarade(self) -> int: ...
    @property
    def hanterade(self) -> int: ...


class Told(Protocol):
    """A status update, as far as a list goes."""

    @property
    def intygs_id(self) -> str: ...
    @property
    def typ(self) -> str | None: ...
    @property
    def unit(self) -> str: ...
    @property
    def kod(self) -> str: ...
    @property
    def tidpunkt(self) -> str: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def sista_datum_for_svar(self) -> str | None: ...
    @property
    def skickade_fragor(self) -> Counts: ...
    @property
    def mottagna_fragor(self) -> Counts: ...


class Tells(Protocol):
    """An EHR, as far as its list goes."""

    def handelser(self, intygs_id: str | None = None) -> Iterable[Told]:
        """Status updates, repeats once."""


class IntygStatus(StrEnum):
    """How far a certificate has come, by the events that the EHR was told."""

    UNKNOWN = "unknown"  # nothing that was told says it
    DRAFT = "draft"
    READY = "ready"  # a draft that is ready for signing
    SIGNED = "signed"
    SENT = "sent"
    REVOKED = "revoked"
    DELETED = "deleted"  # a draft that is no more


_REACHED: Final = (
    (Kod.RADERA, IntygStatus.DELETED),
    (Kod.MAKULE, IntygStatus.REVOKED),
    (Kod.SKICKA, IntygStatus.SENT),
    (Kod.SIGNAT, IntygStatus.SIGNED),
    (Kod.KFSIGN, IntygStatus.READY),
    (Kod.ANDRAT, IntygStatus.DRAFT),
    (Kod.SKAPAT, IntygStatus.DRAFT),
)
"""The first of them that was told is how far it has come; none is ever taken back."""


@dataclass(frozen=True)
class OwnIntyg:
    """
    A certificate in the list.

    Attributes:
        kod: Of the newest event, which happened at `tidpunkt`.
        open_questions: Of the recipient's, those that care has not answered.
        to_read: Of care's, those that are answered and that nobody has handled.
        sista_datum_for_svar: The earliest day that a question of the recipient's names,
            while one is open.
    """

    intygs_id: str
    typ: str | None
    unit: str
    status: IntygStatus
    kod: str
    tidpunkt: str
    events: int
    open_questions: int
    to_read: int
    sista_datum_for_svar: str | None


def own_intyg(told: Iterable[Told]) -> tuple[OwnIntyg, ...]:
    """The list, what happened last first."""
    by_id: ById[list[Told]] = ById()
    for each in told:
        by_id[each.intygs_id] = [*by_id.get(each.intygs_id, []), each]
    rows = [_row(sorted(events, key=_happened)) for events in by_id.values()]
    return tuple(sorted(rows, key=lambda each: each.tidpunkt, reverse=True))


def _happened(event: Told) -> tuple[str, datetime]:
    return event.tidpunkt, event.received_at


def _row(events: list[Told]) -> OwnIntyg:
    """Of one certificate; its events in the order in which they happened."""
    newest = events[-1]
    open_questions = newest.mottagna_fragor.ej_besvarade
    return OwnIntyg(
        intygs_id=newest.intygs_id,
        typ=next((each.typ for each in reversed(events) if each.typ), None),
        unit=newest.unit,
        status=_status({each.kod for each in events}),
        kod=newest.kod,
        tidpunkt=newest.tidpunkt,
        events=len(events),
        open_questions=open_questions,
        to_read=newest.skickade_fragor.besvarade,
        sista_datum_for_svar=_last_day(events) if open_questions else None,
    )


def _status(codes: set[str]) -> IntygStatus:
    return next((status for kod, status in _REACHED if kod in codes), IntygStatus.UNKNOWN)


def _last_day(events: list[Told]) -> str | None:
    asked = (each.sista_datum_for_svar for each in events if each.kod == Kod.NYFRFM)
    return min(filter(None, asked), default=None)


# --- control --------------------------------------------------------------------------------------


class OwnIntygState(Answered):
    """A certificate of which the EHR was told."""

    intygs_id: str
    typ: str | None
    unit: str
    status: IntygStatus = Field(description="how far it has come, by the events")
    kod: str = Field(description="of the newest event")
    tidpunkt: str = Field(description="when that happened; Swedish local time")
    events: int
    open_questions: int = Field(description="of the recipient's, not answered")
    to_read: int = Field(description="of care's, answered and not handled")
    sista_datum_for_svar: str | None = Field(description="the earliest, while a question is open")


class OwnIntygList(Answered):
    """What happened last first."""

    intyg: tuple[OwnIntygState, ...]


def list_intyg(mock: MockOf[Tells]) -> OwnIntygList:
    """The EHR's own list of certificates, made of the events that it was told."""
    rows = own_intyg(mock.persona.handelser())
    return OwnIntygList(intyg=tuple(map(OwnIntygState.model_validate, rows)))


def get_intyg(mock: MockOf[Tells], intygs_id: str) -> OwnIntygState:
    """One certificate of the EHR's own list."""
    rows = own_intyg(mock.persona.handelser(intygs_id))
    if not rows:
        known = (each.intygs_id for each in mock.persona.handelser())
        raise ProblemError.unknown("intyg", intygs_id, known)
    return OwnIntygState.model_validate(rows[0])


def operations() -> tuple[Operation, ...]:
    """What the list can be asked."""
    return (
        Operation("GET", "/intyg", list_intyg, "State"),
        Operation("GET", "/intyg/<path:intygs_id>", get_intyg, "State"),
    )
