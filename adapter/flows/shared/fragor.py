"""Move questions as `fraga_moves` says, and tell care of it as `engine_events` says."""

from collections.abc import Sequence

from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import FragaState, StoredMeddelande
from intyg.adapter.flows.services import Asked
from intyg.adapter.flows.shared.tell_care import tell_care
from intyg.adapter.flows.shared.validate import engine_of
from intyg.adapter.rules.engine_events import CAUSES, TELLINGS, Act, Telling, Tells
from intyg.adapter.rules.fraga_moves import Cause, Move, move_of
from intyg.adapter.store import Rows
from intyg.schemas.codes import Amne, Handelse


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
    Let something happen to one question; care is told where it moves.

    The event tells neither subject nor last day, also where a request is opened again: nothing new
    was asked.

    Args:
        hanterat_av: HSA-id of who did it, where known.
        answer_id: The message that answers it; None: nothing does.

    Returns:
        Where it stands now.
    """
    move = _move(rows, fraga, cause, answer_id)
    if move is None:
        return fraga.state
    tell_care(rows, asked, stored, move.event, correlation_id, hanterat_av=hanterat_av)
    return move.to


def move_fragor(
    rows: Rows,
    asked: Asked,
    stored: StoredIntyg,
    act: Act,
    correlation_id: str,
    *,
    hanterat_av: str | None = None,
) -> None:
    """Let an act move every question about a certificate, oldest first."""
    tells = telling_of(asked, stored, act).tells
    fragor = [
        m for m in rows.meddelanden.of_intyg(stored.intyg.intygs_id) if m.meddelande.is_question
    ]
    for fraga in fragor:
        move = _move(rows, fraga, CAUSES[act])
        if move is not None and tells is Tells.EACH_MOVED:
            tell_care(rows, asked, stored, move.event, correlation_id, hanterat_av=hanterat_av)
    for event in _after_all(tells, fragor):
        tell_care(rows, asked, stored, event, correlation_id, hanterat_av=hanterat_av)


def revoke_fragor(
    rows: Rows, asked: Asked, stored: StoredIntyg, correlation_id: str, *, hanterat_av: str | None
) -> None:
    """Tell care that a certificate is revoked, and close every question about it."""

    def makule() -> None:
        by = hanterat_av
        tell_care(rows, asked, stored, Handelse.MAKULE, correlation_id, hanterat_av=by)

    last = telling_of(asked, stored, Act.REVOKED).makule_last
    if not last:
        makule()
    move_fragor(rows, asked, stored, Act.REVOKED, correlation_id, hanterat_av=hanterat_av)
    if last:
        makule()


def answer_komplettering(
    rows: Rows,
    asked: Asked,
    stored: StoredIntyg,
    fraga: StoredMeddelande,
    answer_id: str,
    correlation_id: str,
    *,
    hanterat_av: str | None,
) -> None:
    """
    Let a text answer a completion request: care cannot complete the certificate.

    That is said once: the open requests that the same recipient sent before are answered, too. A
    newer one is not, nor another recipient's: they have not been told.
    """
    of_sender = [
        m
        for m in rows.meddelanden.of_intyg(stored.intyg.intygs_id)
        if m.meddelande.amne == Amne.KOMPLT and m.meddelande.part == fraga.meddelande.part
        if m.meddelande.is_question
    ]
    ids = [m.meddelande.meddelande_id for m in of_sender]
    for older in of_sender[: ids.index(fraga.meddelande.meddelande_id)]:
        _move(rows, older, Cause.ANSWERED_ALONG, answer_id)
    _move(rows, fraga, Cause.ANSWERED, answer_id)
    tells = telling_of(asked, stored, Act.CANNOT_COMPLETE).tells
    if tells is Tells.ONE or of_sender[-1].state is FragaState.OPEN_CARE:
        tell_care(rows, asked, stored, Handelse.HANFRFM, correlation_id, hanterat_av=hanterat_av)


def telling_of(asked: Asked, stored: StoredIntyg, act: Act) -> Telling:
    """What care is told of an act, by the certificate's engine."""
    return TELLINGS[act, engine_of(stored.intyg, asked.types)]


def _move(
    rows: Rows, fraga: StoredMeddelande, cause: Cause, answer_id: str | None = None
) -> Move | None:
    """Move a question if the table has a move for it; nobody is told here."""
    move = move_of(fraga, cause)
    if not isinstance(move, Move):
        return None
    meddelande_id = fraga.meddelande.meddelande_id
    if answer_id is not None and fraga.answered_by is None:
        rows.meddelanden.set_answered(meddelande_id, answer_id)
    rows.meddelanden.set_state(meddelande_id, move.to)
    return move


def _after_all(tells: Tells, fragor: Sequence[StoredMeddelande]) -> list[Handelse]:
    """The events that are told when every question has moved."""
    asked = sum(m.meddelande.amne == Amne.KOMPLT for m in fragor)
    match tells:
        case Tells.ONE_IF_ASKED:
            return [Handelse.HANFRFM] if asked else []
        case Tells.EACH_KOMPLT:
            return [Handelse.NYFRFM] * asked
        case _:
            return []
