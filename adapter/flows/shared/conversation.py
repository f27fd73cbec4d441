"""What the rules of questions and answers need to know, gathered from the rows."""

from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import Meddelande, StoredMeddelande
from intyg.adapter.domain.uuids import same_id
from intyg.adapter.flows.services import Asked
from intyg.adapter.flows.shared.send_on import accepted_by
from intyg.adapter.flows.shared.validate import find_type
from intyg.adapter.formats.intyg_reader import read_instanser
from intyg.adapter.formats.safe_xml import parse
from intyg.adapter.routing.recipients import NEVER_SENT_TO, may_speak_for, takes
from intyg.adapter.rules.meddelande_rules import Facts, is_answer
from intyg.adapter.store import Rows
from intyg.schemas.codes import Amne
from intyg.schemas.intyg_model import IntygType


def gather_facts(
    rows: Rows,
    asked: Asked,
    m: Meddelande,
    intyg: StoredIntyg | None,
    earlier: StoredMeddelande | None,
    *,
    blocked: bool,
    sender: str | None = None,
    routed: bool = True,
) -> Facts:
    """
    Look up what a message refers to; of another patient's certificate, nothing but that it is one.

    Args:
        intyg: The certificate it is about, if there is one and it is the patient's.
        earlier: The message that has its id already, if there is one.
        blocked: What the guard says.
        sender: HSA-id of the calling system, where known.
        routed: There is a route to where it goes; without one nothing is sent, to nobody.
    """
    intyg_type = find_type(intyg.intyg, asked.types) if intyg else None
    known = intyg is not None or rows.intyg.has(m.intygs_id)
    messages = intyg_type.messages if intyg_type else None
    fraga = _fraga(rows, m) if intyg and is_answer(m) else None
    paminner = _paminner(rows, m) if intyg and m.amne == Amne.PAMINN else None
    parts = _parts_of(rows, asked, m) if intyg else frozenset()
    referred = fraga or paminner
    return Facts(
        intyg=intyg,
        not_found=not known,
        wrong_person=known and intyg is None,
        id_taken=earlier is not None,
        fraga=fraga,
        paminner=paminner,
        same_parts=referred is None or bool(parts & _parts_of(rows, asked, referred.meddelande)),
        incoming=frozenset(messages.incoming if messages else ()),
        care_may_create=frozenset(messages.care if messages else ()),
        part_known=m.part is not None and asked.routes.knows_part(m.part),
        part_speaks=m.part is not None and may_speak_for(asked.settings, m.part, sender),
        part_takes=_takes(asked, m, intyg_type),
        sent=intyg is not None and _sent(rows, m, parts, routed=routed),
        blocked=blocked,
        today=asked.today,
        intyg_type=intyg_type,
        instanser=read_instanser(parse(intyg.body).getroot())
        if intyg and _names_instans(m)
        else {},
    )


def parts_at(rows: Rows, asked: Asked, intygs_id: str, logical_address: str) -> frozenset[str]:
    """
    The recipients at a logical address: now, and when something about the certificate went there.

    One that has moved since is still whom it was put to.
    """
    now = {
        part
        for part, one in asked.routes.recipients.items()
        if same_hsa_id(one.logical_address, logical_address)
    }
    then = {
        delivery.new.part
        for delivery in rows.deliveries.find(intygs_id)
        if same_hsa_id(delivery.new.logical_address, logical_address)
    }
    return frozenset((now | then) - NEVER_SENT_TO)


def _parts_of(rows: Rows, asked: Asked, m: Meddelande) -> frozenset[str]:
    """The other side than care of a message: who wrote it, or whom it is put to."""
    if m.part is not None:
        return frozenset({m.part})
    return parts_at(rows, asked, m.intygs_id, m.logisk_adress_mottagare)


def _takes(asked: Asked, m: Meddelande, intyg_type: IntygType | None) -> bool:
    recipient = asked.routes.recipients.get(m.part or "")
    if intyg_type is None or recipient is None or m.part is None:
        return False
    return m.part not in NEVER_SENT_TO and takes(recipient, m.part, intyg_type)


def _sent(rows: Rows, m: Meddelande, parts: frozenset[str], *, routed: bool) -> bool:
    """Whether the recipient has accepted the certificate; without a route: whether anybody has."""
    accepted = accepted_by(rows, m.intygs_id)
    return bool(parts & accepted) if routed else bool(accepted)


def _names_instans(m: Meddelande) -> bool:
    return any(row.instans is not None for row in m.komplettering)


def _fraga(rows: Rows, m: Meddelande) -> StoredMeddelande | None:
    """The question answered: one from the other side, about the same certificate."""
    assert m.svar_pa is not None
    found = rows.meddelanden.get(m.svar_pa.meddelande_id)
    if (
        found is None
        or not found.meddelande.is_question
        or found.meddelande.direction is m.direction
        or not same_id(found.meddelande.intygs_id, m.intygs_id)
    ):
        return None
    return found


def _paminner(rows: Rows, m: Meddelande) -> StoredMeddelande | None:
    """The message reminded of: any about the same certificate."""
    found = rows.meddelanden.get(m.paminnelse_meddelande_id or "")
    return found if found and same_id(found.meddelande.intygs_id, m.intygs_id) else None
