"""Questions as a care unit follows them up: whose turn it is, until when, and what the EHR knows.

A row is a question, the authority's or care's, and whatever came of it: reminders and answers stand
under it, and have no rows.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.hsa_id import hsa_key
from intyg.adapter.domain.meddelande import Direction, FragaState
from intyg.schemas.codes import Amne, Handelse


class Turn(StrEnum):
    """Who has to do something about a question."""

    CARE = "care"
    AUTHORITY = "authority"
    NOBODY = "nobody"


class Atgard(StrEnum):
    """What that is, in the national editor's terms."""

    COMPLEMENT = "complement"  # Komplettera
    ANSWER = "answer"  # Svara
    READ = "read"  # Läs inkommet svar
    AWAIT = "await"  # Invänta svar
    NONE = "none"  # Inget


OPEN: Final = (FragaState.OPEN_CARE, FragaState.OPEN_RECIPIENT, FragaState.ANSWERED)
"""States in which a question is not handled: also while the authority has it."""

_TURNS: Final[Mapping[FragaState, Turn]] = {
    FragaState.OPEN_CARE: Turn.CARE,
    FragaState.OPEN_RECIPIENT: Turn.AUTHORITY,
    FragaState.ANSWERED: Turn.CARE,  # to be read, and marked as handled
    FragaState.HANDLED: Turn.NOBODY,
}
_ATGARDER: Final[Mapping[FragaState, Atgard]] = {
    FragaState.OPEN_CARE: Atgard.ANSWER,
    FragaState.OPEN_RECIPIENT: Atgard.AWAIT,
    FragaState.ANSWERED: Atgard.READ,
    FragaState.HANDLED: Atgard.NONE,
}

TOLD: Final[Mapping[tuple[Direction, FragaState], Handelse]] = {
    (Direction.TO_CARE, FragaState.OPEN_CARE): Handelse.NYFRFM,
    (Direction.TO_CARE, FragaState.HANDLED): Handelse.HANFRFM,
    (Direction.TO_RECIPIENT, FragaState.OPEN_RECIPIENT): Handelse.NYFRFV,
    (Direction.TO_RECIPIENT, FragaState.ANSWERED): Handelse.NYSVFM,
    (Direction.TO_RECIPIENT, FragaState.HANDLED): Handelse.HANFRFV,
}
"""By who asked and where a question stands: the event that an EHR knows that by."""


@dataclass(frozen=True)
class Kind:
    """
    What the lists choose questions by; how many there are of each is counted.

    Attributes:
        overdue: Its last day for an answer has passed without one.
        forwarded: Somebody was asked to go on with it.
    """

    enhets_id: str
    state: FragaState
    amne: str
    asker: Direction
    signer_id: str
    signer: str = field(repr=False)
    overdue: bool
    forwarded: bool

    @property
    def turn(self) -> Turn:
        """Who has to do something."""
        return _TURNS[self.state]

    @property
    def atgard(self) -> Atgard:
        """What."""
        if self.state is FragaState.OPEN_CARE and self.amne == Amne.KOMPLT:
            return Atgard.COMPLEMENT
        return _ATGARDER[self.state]


@dataclass(frozen=True)
class ArendeFilter:
    """
    Which questions are listed; what is None says nothing.

    Attributes:
        units: HSA-ids; those of other units do not exist. None: of every unit.
        patient: Number of the only patient.
        handled: Those that are handled, and not the others.
        unit, turn, atgard, amne, asker, signer_id, overdue, forwarded: As `Kind` has them.
    """

    units: frozenset[str] | None
    patient: str | None = field(default=None, repr=False)
    handled: bool = False
    unit: str | None = None
    turn: Turn | None = None
    atgard: Atgard | None = None
    amne: str | None = None
    asker: Direction | None = None
    signer_id: str | None = None
    overdue: bool | None = None
    forwarded: bool | None = None

    def takes(self, kind: Kind, but: Collection[str] = ()) -> bool:
        """
        Whether questions of a kind are listed.

        Args:
            but: Names of attributes that are not asked.
        """
        return all(
            wanted is None or name in but or wanted == found
            for name, wanted, found in self._pairs(kind)
        )

    def _pairs(self, kind: Kind) -> Iterator[tuple[str, object, object]]:
        """What is said, and what a kind is; HSA-ids as they are compared."""
        yield "unit", _key(self.unit), hsa_key(kind.enhets_id)
        yield "signer_id", _key(self.signer_id), hsa_key(kind.signer_id)
        for name in ("turn", "atgard", "amne", "asker", "overdue", "forwarded"):
            yield name, getattr(self, name), getattr(kind, name)


def _key(hsa_id: str | None) -> str | None:
    return None if hsa_id is None else hsa_key(hsa_id)


@dataclass(frozen=True)
class Told:
    """
    The newest event about a certificate that tells where such a question stands, and its delivery.

    Attributes:
        state: Of the delivery; None: the unit has no EHR that is told.
        tried: An attempt has been made.
    """

    handelsekod: Handelse
    tidpunkt: datetime
    state: DeliveryState | None
    tried: bool


@dataclass(frozen=True)
class Arende:
    """
    A question in a list: codes, ids and times; nothing that anybody wrote.

    Attributes:
        seq: Its place in the order of arrival.
        latest_at: When something last came of it: itself, a reminder or an answer.
        answer_by: The newest reminder's last day, or the question's own.
        reminders: How many.
        reminded_at: When the newest came.
    """

    seq: int
    meddelande_id: str
    intygs_id: str
    typ: str
    version: str
    enhetsnamn: str
    part: str | None
    patient: str = field(repr=False)
    kind: Kind
    received_at: datetime
    latest_at: datetime
    answer_by: date | None
    reminders: int
    reminded_at: datetime | None
    told: Told | None = None


@dataclass(frozen=True)
class Place:
    """After which row a list goes on."""

    latest_at: datetime
    seq: int


@dataclass(frozen=True)
class ArendeList:
    """
    A page of a list, and how many questions there are of each kind, from one statement.

    Attributes:
        more: There are further rows.
        counts: Of every kind at the units, also of those that the filter leaves out.
        capped: There are more than were counted.
    """

    arenden: tuple[Arende, ...]
    more: bool
    counts: Mapping[Kind, int]
    capped: bool

    def count(self, wanted: ArendeFilter, but: Collection[str] = ()) -> int:
        """How many a filter finds, but for some of what it says."""
        return sum(n for kind, n in self.counts.items() if wanted.takes(kind, but))
