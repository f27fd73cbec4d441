"""Questions and answers, how they stand, and the events that care is told of.

Payload words keep the contract's spelling. Every datetime is aware and in UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from intyg.adapter.domain.intyg import HosPersonal, MeddelandeReferens
from intyg.adapter.domain.person import PersonId
from intyg.schemas.codes import (
    Amne,
    Handelse,
)


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


class FragaState(StrEnum):
    """
    State of a question. Answers and reminders have none of their own.

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
