"""What SendMessageToCare and SendMessageToRecipient have in common; each says who asks whom."""

from dataclasses import replace

from intyg.adapter.domain.delivery import NewDelivery
from intyg.adapter.domain.destination import Destination
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import Meddelande, StoredMeddelande
from intyg.adapter.domain.person import GuardDecision, PatientVerdict
from intyg.adapter.domain.texts import REPEATED_MEDDELANDE
from intyg.adapter.domain.uuids import id_key
from intyg.adapter.flows.services import Asked
from intyg.adapter.flows.shared.fragor import answer_komplettering, move_fraga
from intyg.adapter.flows.shared.send_anew import send_anew
from intyg.adapter.rules.fraga_moves import Cause
from intyg.adapter.store import Rows
from intyg.schemas.codes import Amne


def came_before(m: Meddelande, earlier: StoredMeddelande) -> bool:
    """Whether the message that has its id already says the same: then it is told, no more."""
    return _in_one_form(earlier.meddelande) == _in_one_form(m)


def _in_one_form(m: Meddelande) -> Meddelande:
    """With each id that may be written in either case in one."""
    svar_pa = m.svar_pa and replace(m.svar_pa, meddelande_id=id_key(m.svar_pa.meddelande_id))
    return replace(
        m,
        meddelande_id=id_key(m.meddelande_id),
        intygs_id=id_key(m.intygs_id),
        paminnelse_meddelande_id=m.paminnelse_meddelande_id and id_key(m.paminnelse_meddelande_id),
        svar_pa=svar_pa,
    )


def answer_repeated(rows: Rows, earlier: StoredMeddelande, inbound: Inbound) -> Result:
    """Answer a message that came before; what of it ended without arriving is sent once more."""
    m = earlier.meddelande
    key, correlation_id = inbound.contract.key, inbound.correlation_id
    again = send_anew(rows, m.intygs_id, key, correlation_id, meddelande_id=m.meddelande_id)
    return again or Result.info(REPEATED_MEDDELANDE)


def ask_guard(
    asked: Asked, stored: StoredIntyg, destination: Destination
) -> tuple[GuardDecision, PatientVerdict]:
    """What the guard says of a message about a certificate, between here and a destination."""
    return asked.guard.decision(stored.intyg.patient, destination, flagged=stored.is_test)


def close_question(
    rows: Rows,
    asked: Asked,
    stored: StoredIntyg,
    fraga: StoredMeddelande,
    answer: Meddelande,
    inbound: Inbound,
) -> None:
    """Let an answer answer a question; care is told, and who answered if that was care."""
    by = answer.skickat_av.personal_id if answer.skickat_av else None
    answer_id, correlation_id = answer.meddelande_id, inbound.correlation_id
    if fraga.meddelande.amne == Amne.KOMPLT:
        answer_komplettering(rows, asked, stored, fraga, answer_id, correlation_id, hanterat_av=by)
    else:
        move_fraga(
            rows,
            asked,
            stored,
            fraga,
            Cause.ANSWERED,
            correlation_id,
            hanterat_av=by,
            answer_id=answer_id,
        )


def forward(rows: Rows, m: Meddelande, inbound: Inbound, part: str) -> None:
    """Queue a message for `logiskAdressMottagare` as it arrived; `part` is whose address it is."""
    delivery = NewDelivery(
        contract=inbound.contract.key,
        logical_address=m.logisk_adress_mottagare,
        intygs_id=m.intygs_id,
        patient=m.patient,
        body=inbound.body,
        part=part,
        due_at=rows.now,
        meddelande_id=m.meddelande_id,
    )
    rows.deliveries.add(delivery, inbound.correlation_id)
