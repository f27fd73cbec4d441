"""A new certificate beside the patient's others: may it be one more, and does it follow well?"""

from typing import Final

from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.domain.intyg import Intyg, StoredIntyg
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.domain.texts import NOT_UNIQUE
from intyg.adapter.domain.uuids import same_id
from intyg.adapter.flows.services import Asked
from intyg.adapter.flows.shared.known_intyg import points_at_itself, related_intyg
from intyg.adapter.flows.shared.send_on import who_has
from intyg.adapter.flows.shared.validate import refuse
from intyg.adapter.rules.person_id import same_person
from intyg.adapter.rules.relation_rules import (
    RELATION_FROM_EARLIER,
    RelationFacts,
    check_relation,
)
from intyg.adapter.store import Rows
from intyg.schemas.codes import Amne, TypAvRelation
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import IntygType, Unique

_TYP: Final = "/RegisterCertificate/intyg/typ"


def refuse_second(rows: Rows, intyg: Intyg, intyg_type: IntygType) -> None:
    """
    Refuse a death certificate beside another that is signed and not revoked.

    One that replaces such another is let through. Nationally the editor asks this at signing; here
    certificates come signed.
    """
    if intyg_type.unique is None:
        return
    in_force = [
        one.intyg
        for one in rows.intyg.of_patient(intyg.patient, intyg.typ)
        if one.revoked_at is None
    ]
    if intyg_type.unique is Unique.CARE_PROVIDER:
        provider = intyg.skapad_av.enhet.vardgivare_id
        in_force = [
            one for one in in_force if same_hsa_id(one.skapad_av.enhet.vardgivare_id, provider)
        ]
    relation = intyg.relation
    replaces = relation.intygs_id if relation and relation.typ == TypAvRelation.ERSATT else None
    if in_force and not any(same_id(one.intygs_id, replaces or "") for one in in_force):
        text = NOT_UNIQUE[intyg_type.unique]
        refuse([Finding("INTYG_NOT_UNIQUE", text, _TYP)], "The certificate cannot be registered:")


def remarks_on_relation(
    rows: Rows, asked: Asked, intyg: Intyg, parent: StoredIntyg | None, intyg_type: IntygType
) -> list[Finding]:
    """
    Look at what the certificate replaces, renews or completes, as it stands before this one.

    Args:
        parent: The certificate that its relation points at.

    Raises:
        RuleError: A rule is broken, and warnings refuse.
    """
    findings = _on_relation(rows, asked, intyg, parent, intyg_type)
    if asked.settings.strict_rules:
        refuse(findings, "The certificate cannot be registered:")
    pointing = rows.intyg.related(intyg.intygs_id)
    earlier = any(same_person(one.intyg.patient, intyg.patient) for one in pointing)
    return [*findings, *([RELATION_FROM_EARLIER] if earlier else [])]


def _on_relation(
    rows: Rows, asked: Asked, intyg: Intyg, parent: StoredIntyg | None, intyg_type: IntygType
) -> list[Finding]:
    if intyg.relation is None:
        return []
    older_type: IntygType | None = intyg_type
    if parent is not None:
        older_type = asked.types.known(parent.intyg.typ, parent.intyg.version)
    facts = RelationFacts(
        itself=points_at_itself(intyg),
        older=parent,
        same_type=older_type is not None and older_type.code == intyg_type.code,
        renewable=all(one.usage.renew for one in (older_type, intyg_type) if one),
        newer=related_intyg(rows, parent) if parent else (),
        sent=parent is not None and bool(who_has(rows, parent)),
        asked=parent is not None and _is_asked(rows, parent),
    )
    return check_relation(intyg.relation.typ, facts)


def _is_asked(rows: Rows, stored: StoredIntyg) -> bool:
    return any(
        m.meddelande.amne == Amne.KOMPLT and m.state is FragaState.OPEN_CARE
        for m in rows.meddelanden.of_intyg(stored.intyg.intygs_id)
    )
