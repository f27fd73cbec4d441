"""Mark a question as handled, or as not handled after all: for the EHR and the console.

No national contract does this; nationally a user of the editor does. Care is told in the same way:
HANFRFM or HANFRFV, whichever way the mark went.
"""

from adapter.errors import ApplicationError, RuleError
from adapter.interactions.fragor import HANDLED_EVENT
from adapter.interactions.tell_care import tell_care
from adapter.model import Direction, FragaState, StoredIntyg, StoredMeddelande
from adapter.parts import Parts
from adapter.texts import UNKNOWN_MEDDELANDE
from schemas.finding import Finding


def handle(
    meddelande_id: str,
    parts: Parts,
    correlation_id: str,
    *,
    handled: bool,
    by: str | None = None,
) -> FragaState:
    """
    Mark a question. One that is marked so already is left alone.

    Args:
        handled: True: handled; False: not handled after all.
        by: HSA-id of who does it, where known.

    Returns:
        Where the question now stands.

    Raises:
        ApplicationError: No such message.
        RuleError: It is no question; or it cannot be opened again: care has
            answered it, or the certificate is revoked.
    """
    with parts.store.begin() as rows:
        found = rows.get_meddelande(meddelande_id)
        if found is None:
            raise ApplicationError(UNKNOWN_MEDDELANDE)
        stored = rows.lock_intyg(found.meddelande.intygs_id)
        fraga = rows.get_meddelande(meddelande_id)  # again, now that nobody else moves it
        assert stored is not None  # a message is kept with its certificate
        assert fraga is not None
        state = _state_after(fraga, stored, handled)
        if state is not fraga.state:
            rows.set_fraga_state(meddelande_id, state)
            event = HANDLED_EVENT[fraga.meddelande.direction]
            tell_care(rows, parts, stored, event, correlation_id, hanterat_av=by)
    return state


def _state_after(fraga: StoredMeddelande, stored: StoredIntyg, handled: bool) -> FragaState:
    if fraga.state is None:
        raise _refused("NOT_A_QUESTION", "answers and reminders are not marked as handled")
    if handled:
        return FragaState.HANDLED
    if fraga.state is not FragaState.HANDLED:
        return fraga.state
    if stored.revoked_at is not None:
        raise _refused("CERTIFICATE_REVOKED_ERROR", "the certificate is revoked")
    if fraga.meddelande.direction is Direction.TO_RECIPIENT:
        return FragaState.ANSWERED if fraga.answered_by else FragaState.OPEN_RECIPIENT
    if fraga.answered_by is not None:
        raise _refused("MESSAGE_ALREADY_ANSWERED_ERROR", "care has answered the question")
    return FragaState.OPEN_CARE


def _refused(rule: str, text: str) -> RuleError:
    return RuleError(f"The question cannot be marked: {text}.", [Finding(rule, text, "/")])
