"""What happens to a question: one table of where it stands × what happens.

Both national engines move questions so; what they tell care of it differs where several move at
once, see `engine_events`. Answers and reminders do not stand anywhere: a reminder moves nothing.

Source: the national editor's states of a question; that care's own answer is final is its rule
FS-011. The newer engine lets nobody open a completion request again by hand; the older one does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from intyg.adapter.domain.meddelande import Direction, FragaState, StoredMeddelande
from intyg.schemas.codes import Amne, Handelse


class Standing(StrEnum):
    """Where a question stands: who asked, whether it is a completion request, handled, answered."""

    FRAGA_OPEN = "the recipient's question, open"
    FRAGA_CLOSED = "the recipient's question, handled without an answer"
    FRAGA_ANSWERED = "the recipient's question, answered by care"
    KOMPLT_OPEN = "a completion request, open"
    KOMPLT_CLOSED = "a completion request, handled or completed"
    KOMPLT_ANSWERED = "a completion request that care answered with a text"
    KOMPLT_REOPENED = "a completion request that care answered with a text, open again"
    CARE_OPEN = "care's question, open"
    CARE_ANSWERED = "care's question, answered"
    CARE_CLOSED = "care's question, handled without an answer"
    CARE_DONE = "care's question, answered and handled"


class Cause(StrEnum):
    """What can happen to a question."""

    ANSWERED = "the other side answers"
    ANSWERED_ALONG = "care answers the same recipient's newer completion request"
    MARKED = "care marks it as handled"
    UNMARKED = "care marks it as not handled after all"
    COMPLETED = "a newer certificate completes, replaces or renews this one"
    COMPLEMENT_REVOKED = "a complement is revoked"
    REVOKED = "the certificate is revoked"


@dataclass(frozen=True)
class Move:
    """It stands elsewhere afterwards, and care is told."""

    to: FragaState
    event: Handelse


@dataclass(frozen=True)
class Stay:
    """Nothing happens to it, and care is told nothing."""


@dataclass(frozen=True)
class Refusal:
    """It cannot happen; `rule` is told to whoever tries."""

    rule: str
    text: str


ALREADY_ANSWERED: Final = Refusal("MESSAGE_ALREADY_ANSWERED_ERROR", "the question has its answer")
NOT_OPEN: Final = Refusal(
    "QUESTION_NOT_OPEN_ERROR",
    "the question is marked as handled; mark it as not handled to answer it",
)
STAY: Final = Stay()

_S, _C, _H = Standing, Cause, Handelse
_BY_CARE: Final = Move(FragaState.HANDLED, _H.HANFRFM)
_OWN_HANDLED: Final = Move(FragaState.HANDLED, _H.HANFRFV)
_OWN_ANSWERED: Final = Move(FragaState.ANSWERED, _H.NYSVFM)
_OPENED: Final = Move(FragaState.OPEN_CARE, _H.HANFRFM)
_ASKED_AGAIN: Final = Move(FragaState.OPEN_CARE, _H.NYFRFM)

# How it works. Only this table moves a question. `flows/shared/fragor` reads it, sets the new state
# and puts the event in the queue to care, in the transaction of what happened; where several move
# at once, `engine_events` says which events there are. Who fires what:
#
#     ANSWERED            SendMessageToCare and SendMessageToRecipient, when they take in an answer
#     ANSWERED_ALONG      SendMessageToRecipient, at older completion requests than the answered one
#     MARKED, UNMARKED    the control interface, for care
#     COMPLETED           RegisterCertificate, at each question about the one it points at
#     REVOKED             RevokeCertificate, at each question about the certificate
#     COMPLEMENT_REVOKED  RevokeCertificate, at each question about the one it had completed
#
# A refusal stops its flow before anything is kept: an answer's is one of `meddelande_rules`, care's
# mark is refused by `mark_handled`. The others are fired at every question, and most of them stay.

# fmt: off
MOVES: Final[Mapping[tuple[Standing, Cause], Move | Refusal]] = {
    (_S.FRAGA_OPEN, _C.ANSWERED): _BY_CARE,
    (_S.FRAGA_OPEN, _C.MARKED): _BY_CARE,
    (_S.FRAGA_OPEN, _C.REVOKED): _BY_CARE,
    (_S.FRAGA_CLOSED, _C.ANSWERED): NOT_OPEN,
    (_S.FRAGA_CLOSED, _C.UNMARKED): _OPENED,
    (_S.FRAGA_ANSWERED, _C.ANSWERED): ALREADY_ANSWERED,
    (_S.FRAGA_ANSWERED, _C.UNMARKED): ALREADY_ANSWERED,

    (_S.KOMPLT_OPEN, _C.ANSWERED): _BY_CARE,  # care cannot complete
    (_S.KOMPLT_OPEN, _C.ANSWERED_ALONG): _BY_CARE,
    (_S.KOMPLT_OPEN, _C.MARKED): _BY_CARE,
    (_S.KOMPLT_OPEN, _C.COMPLETED): _BY_CARE,
    (_S.KOMPLT_OPEN, _C.REVOKED): _BY_CARE,
    (_S.KOMPLT_CLOSED, _C.ANSWERED): NOT_OPEN,
    (_S.KOMPLT_CLOSED, _C.UNMARKED): _OPENED,
    (_S.KOMPLT_CLOSED, _C.COMPLEMENT_REVOKED): _ASKED_AGAIN,
    (_S.KOMPLT_ANSWERED, _C.ANSWERED): ALREADY_ANSWERED,
    (_S.KOMPLT_ANSWERED, _C.UNMARKED): ALREADY_ANSWERED,
    (_S.KOMPLT_ANSWERED, _C.COMPLEMENT_REVOKED): _ASKED_AGAIN,
    (_S.KOMPLT_REOPENED, _C.ANSWERED): ALREADY_ANSWERED,
    (_S.KOMPLT_REOPENED, _C.ANSWERED_ALONG): _BY_CARE,
    (_S.KOMPLT_REOPENED, _C.MARKED): _BY_CARE,
    (_S.KOMPLT_REOPENED, _C.COMPLETED): _BY_CARE,
    (_S.KOMPLT_REOPENED, _C.REVOKED): _BY_CARE,

    (_S.CARE_OPEN, _C.ANSWERED): _OWN_ANSWERED,
    (_S.CARE_OPEN, _C.MARKED): _OWN_HANDLED,
    (_S.CARE_OPEN, _C.REVOKED): _OWN_HANDLED,
    (_S.CARE_ANSWERED, _C.ANSWERED): ALREADY_ANSWERED,
    (_S.CARE_ANSWERED, _C.MARKED): _OWN_HANDLED,
    (_S.CARE_ANSWERED, _C.REVOKED): _OWN_HANDLED,
    (_S.CARE_CLOSED, _C.ANSWERED): _OWN_ANSWERED,  # care sees it again
    (_S.CARE_CLOSED, _C.UNMARKED): Move(FragaState.OPEN_RECIPIENT, _H.HANFRFV),
    (_S.CARE_DONE, _C.ANSWERED): ALREADY_ANSWERED,
    (_S.CARE_DONE, _C.UNMARKED): Move(FragaState.ANSWERED, _H.HANFRFV),
}
# fmt: on
"""Pairs that are not here change nothing. On a revoked certificate, all is handled and stays so:
answers and opening again are refused before this is asked."""


def standing(fraga: StoredMeddelande) -> Standing:
    """
    Where a question stands.

    Raises:
        ValueError: It is an answer or a reminder.
    """
    if fraga.state is None:
        raise ValueError("answers and reminders stand nowhere")
    handled = fraga.state is FragaState.HANDLED
    answered = fraga.answered_by is not None
    if fraga.meddelande.direction is Direction.TO_RECIPIENT:
        if answered:
            return Standing.CARE_DONE if handled else Standing.CARE_ANSWERED
        return Standing.CARE_CLOSED if handled else Standing.CARE_OPEN
    if fraga.meddelande.amne == Amne.KOMPLT:
        if answered:
            return Standing.KOMPLT_ANSWERED if handled else Standing.KOMPLT_REOPENED
        return Standing.KOMPLT_CLOSED if handled else Standing.KOMPLT_OPEN
    if answered:
        return Standing.FRAGA_ANSWERED
    return Standing.FRAGA_CLOSED if handled else Standing.FRAGA_OPEN


def move_of(fraga: StoredMeddelande, cause: Cause) -> Move | Stay | Refusal:
    """What the table says; ValueError for answers and reminders."""
    return MOVES.get((standing(fraga), cause), STAY)
