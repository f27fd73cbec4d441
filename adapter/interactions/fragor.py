"""Open and close questions, and tell care of each."""

from collections.abc import Iterable

from adapter.interactions.tell_care import tell_care
from adapter.model import Direction, FragaState, StoredIntyg, StoredMeddelande
from adapter.parts import Parts
from adapter.store import Rows
from schemas.codes import Amne, Handelse

HANDLED_EVENT = {
    Direction.TO_CARE: Handelse.HANFRFM,
    Direction.TO_RECIPIENT: Handelse.HANFRFV,
}
"""What care is told when a question is handled, or no longer handled."""


def open_fragor(rows: Rows, stored: StoredIntyg) -> list[StoredMeddelande]:
    """Questions that are not handled yet, both ways, oldest first."""
    return [
        m
        for m in rows.meddelanden(stored.intyg.intygs_id)
        if m.meddelande.is_question and m.state is not FragaState.HANDLED
    ]


def open_kompletteringar(rows: Rows, stored: StoredIntyg) -> list[StoredMeddelande]:
    """Completion requests that are not handled yet, oldest first."""
    return [m for m in open_fragor(rows, stored) if _is_komplettering(m)]


def close_fragor(
    rows: Rows,
    parts: Parts,
    stored: StoredIntyg,
    fragor: Iterable[StoredMeddelande],
    correlation_id: str,
    *,
    hanterat_av: str | None,
    answer_id: str | None = None,
) -> None:
    """
    Mark questions as handled; care is told of each.

    Args:
        hanterat_av: HSA-id of who did it.
        answer_id: The message that answers them all; None: closed without.
    """
    for fraga in fragor:
        meddelande = fraga.meddelande
        if answer_id is not None:
            rows.set_answered(meddelande.meddelande_id, answer_id)
        rows.set_fraga_state(meddelande.meddelande_id, FragaState.HANDLED)
        event = HANDLED_EVENT[meddelande.direction]
        tell_care(rows, parts, stored, event, correlation_id, hanterat_av=hanterat_av)


def reopen_kompletteringar(
    rows: Rows, parts: Parts, stored: StoredIntyg, correlation_id: str
) -> None:
    """
    Open the completion requests again that a complement had closed; care is told of each.

    Those that care answered with a text stay closed. The event tells neither subject nor last day:
    nothing new was asked.
    """
    for fraga in rows.meddelanden(stored.intyg.intygs_id):
        closed = fraga.state is FragaState.HANDLED and fraga.answered_by is None
        if closed and _is_komplettering(fraga):
            rows.set_fraga_state(fraga.meddelande.meddelande_id, FragaState.OPEN_CARE)
            tell_care(rows, parts, stored, Handelse.NYFRFM, correlation_id)


def _is_komplettering(stored: StoredMeddelande) -> bool:
    m = stored.meddelande
    return m.is_question and m.direction is Direction.TO_CARE and m.amne == Amne.KOMPLT
