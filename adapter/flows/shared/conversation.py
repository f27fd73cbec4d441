"""What the rules of questions and answers need to know, gathered from the rows."""

from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import Meddelande, StoredMeddelande
from intyg.adapter.domain.uuids import same_id
from intyg.adapter.flows.services import Asked
from intyg.adapter.flows.shared.send_on import accepted_by
from intyg.adapter.flows.shared.validate import find_type
from intyg.adapter.formats.intyg_reader import read_instanser
from intyg.adapter.formats.safe_xml import parse
from intyg.adapter.rules.meddelande_rules import Facts, is_answer
from intyg.adapter.store import Rows
from intyg.schemas.codes import Amne


def gather_facts(
    rows: Rows,
    asked: Asked,
    m: Meddelande,
    intyg: StoredIntyg | None,
    earlier: StoredMeddelande | None,
    *,
    blocked: bool,
) -> Facts:
    """
    Look up what a message refers to; of another patient's certificate, nothing but that it is one.

    Args:
        intyg: The certificate it is about, if there is one and it is the patient's.
        earlier: The message that has its id already, if there is one.
        blocked: What the guard says.
    """
    intyg_type = find_type(intyg.intyg, asked.types) if intyg else None
    known = intyg is not None or rows.intyg.has(m.intygs_id)
    messages = intyg_type.messages if intyg_type else None
    return Facts(
        intyg=intyg,
        not_found=not known,
        wrong_person=known and intyg is None,
        id_taken=earlier is not None,
        fraga=_fraga(rows, m) if intyg and is_answer(m) else None,
        paminner=_paminner(rows, m) if intyg and m.amne == Amne.PAMINN else None,
        incoming=frozenset(messages.incoming if messages else ()),
        care_may_create=frozenset(messages.care if messages else ()),
        part_known=m.part is not None and asked.routes.knows_part(m.part),
        sent=intyg is not None and bool(accepted_by(rows, m.intygs_id)),
        blocked=blocked,
        today=asked.today,
        intyg_type=intyg_type,
        instanser=read_instanser(parse(intyg.body).getroot())
        if intyg and _names_instans(m)
        else {},
    )


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
