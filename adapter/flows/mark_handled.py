"""Mark a question as handled, or as not handled after all: for the EHR and the console.

No national contract does this; nationally a user of the editor does. Care is told in the same way:
HANFRFM or HANFRFV, whichever way the mark went.
"""

from typing import Final

from intyg.adapter.domain.errors import ApplicationError, RuleError
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.domain.texts import UNKNOWN_MEDDELANDE
from intyg.adapter.flows.services import Asked, Services
from intyg.adapter.flows.shared.fragor import move_fraga
from intyg.adapter.flows.shared.staff import refuse_staff
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.rules.fraga_moves import Cause, Refusal, move_of
from intyg.adapter.store import Rows
from intyg.schemas.finding import Finding

NOT_A_QUESTION: Final = Refusal("NOT_A_QUESTION", "answers and reminders are not marked as handled")
CERTIFICATE_REVOKED: Final = Refusal("CERTIFICATE_REVOKED_ERROR", "the certificate is revoked")


def handle(
    meddelande_id: str,
    services: Services,
    unit: UnitOfWork,
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
            answered it, or the certificate is revoked; or the staff directory
            says that whoever marks it may not (`hanteratAv`).
        TechnicalError: The staff directory does not answer.
    """
    # A message is for good, and so is whose it is: what is found here holds below.
    stored = unit.read(lambda rows: _intyg_of(rows, meddelande_id))
    refuse_staff(services, by, None, lambda: stored, "hanteratAv")
    asked = services.ask(stored.intyg.patient)
    cause = Cause.MARKED if handled else Cause.UNMARKED
    return unit.write(lambda rows: _mark(rows, asked, meddelande_id, cause, correlation_id, by))


def _intyg_of(rows: Rows, meddelande_id: str) -> StoredIntyg:
    found = rows.meddelanden.get(meddelande_id)
    if found is None:
        raise ApplicationError(UNKNOWN_MEDDELANDE)
    stored = rows.intyg.get(found.meddelande.intygs_id)
    assert stored is not None  # a message is kept with its certificate
    return stored


def _mark(
    rows: Rows, asked: Asked, meddelande_id: str, cause: Cause, correlation_id: str, by: str | None
) -> FragaState:
    found = rows.meddelanden.get(meddelande_id)
    assert found is not None
    stored = rows.intyg.lock(found.meddelande.intygs_id)
    fraga = rows.meddelanden.get(meddelande_id)  # again, now that nobody else moves it
    assert stored is not None  # a message is kept with its certificate
    assert fraga is not None
    if fraga.state is None:
        raise _refused(NOT_A_QUESTION)
    if cause is Cause.UNMARKED and stored.revoked_at is not None:
        raise _refused(CERTIFICATE_REVOKED)
    move = move_of(fraga, cause)
    if isinstance(move, Refusal):
        raise _refused(move)
    state = move_fraga(rows, asked, stored, fraga, cause, correlation_id, hanterat_av=by)
    assert state is not None  # it is a question
    return state


def _refused(why: Refusal) -> RuleError:
    finding = Finding(why.rule, why.text, "/")
    return RuleError(f"The question cannot be marked: {why.text}.", [finding])
