"""Move questions as the table in `fraga_moves` says, and tell care of each."""

from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import FragaState, StoredMeddelande
from intyg.adapter.flows.services import Asked
from intyg.adapter.flows.shared.tell_care import tell_care
from intyg.adapter.rules.fraga_moves import Cause, Move, move_of
from intyg.adapter.store import Rows
from intyg.schemas.codes import Amne


def move_fraga(
    rows: Rows,
    asked: Asked,
    stored: StoredIntyg,
    fraga: StoredMeddelande,
    cause: Cause,
    correlation_id: str,
    *,
    hanterat_av: str | None = None,
    answer_id: str | None = None,
) -> FragaState | None:
    """
    Let something happen to a question; care is told where it moves.

    The event tells neither subject nor last day, also where a request is opened again: nothing new
    was asked.

    Args:
        hanterat_av: HSA-id of who did it, where known.
        answer_id: The message that answers it; None: nothing does.

    Returns:
        Where it stands now.
    """
    move = move_of(fraga, cause)
    if not isinstance(move, Move):
        return fraga.state
    meddelande_id = fraga.meddelande.meddelande_id
    if answer_id is not None:
        rows.meddelanden.set_answered(meddelande_id, answer_id)
    rows.meddelanden.set_state(meddelande_id, move.to)
    tell_care(rows, asked, stored, move.event, correlation_id, hanterat_av=hanterat_av)
    return move.to


def move_fragor(
    rows: Rows,
    asked: Asked,
    stored: StoredIntyg,
    cause: Cause,
    correlation_id: str,
    *,
    hanterat_av: str | None = None,
) -> None:
    """Let something happen to every question about a certificate, oldest first."""
    for fraga in rows.meddelanden.of_intyg(stored.intyg.intygs_id):
        if fraga.meddelande.is_question:
            move_fraga(rows, asked, stored, fraga, cause, correlation_id, hanterat_av=hanterat_av)


def answered_with(
    rows: Rows, stored: StoredIntyg, fraga: StoredMeddelande
) -> list[StoredMeddelande]:
    """
    The questions that an answer to one of them closes, oldest first.

    Who cannot complete a certificate says so once: the open completion requests that the same
    recipient sent before are answered, too. A newer one is not, nor another recipient's: they have
    not been told.
    """
    asked = fraga.meddelande
    if asked.amne != Amne.KOMPLT:
        return [fraga]
    of_sender = [
        m
        for m in rows.meddelanden.of_intyg(stored.intyg.intygs_id)
        if m.meddelande.amne == Amne.KOMPLT and m.meddelande.part == asked.part
    ]
    ids = [m.meddelande.meddelande_id for m in of_sender]
    until_then = of_sender[: ids.index(asked.meddelande_id) + 1]
    return [m for m in until_then if m.state is FragaState.OPEN_CARE]
