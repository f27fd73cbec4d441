"""A new certificate beside the patient's others: may it be one more, and does it follow well?"""

from typing import Final

from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.domain.intyg import Intyg, StoredIntyg
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.domain.texts import NOT_UNIQUE
from intyg.adapter.flows.shared.known_intyg import related_intyg
from intyg.adapter.flows.shared.send_on import who_has
from intyg.adapter.flows.shared.validate import refuse
from intyg.adapter.rules.relation_rules import RelationFacts, check_form, check_relation
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
    if in_force and replaces not in {one.intygs_id for one in in_force}:
        text = NOT_UNIQUE[intyg_type.unique]
        refuse([Finding("INTYG_NOT_UNIQUE", text, _TYP)], "The certificate cannot be registered:")


def remarks_on_relation(
    rows: Rows, intyg: Intyg, parent: StoredIntyg | None, *, strict: bool
) -> list[Finding]:
    """
    Look at what the certificate replaces, renews or completes, as it stands before this one.

    Raises:
        RuleError: A rule is broken, and warnings refuse.
    """
    if intyg.relation is None:
        return []
    findings = check_form(intyg.relation, intyg.intygs_id)
    if parent is not None:
        findings += check_relation(intyg.relation.typ, _facts(rows, parent))
    if strict:
        refuse(findings, "The certificate cannot be registered:")
    return findings


def _facts(rows: Rows, parent: StoredIntyg) -> RelationFacts:
    return RelationFacts(
        older=parent,
        newer=related_intyg(rows, parent),
        sent=bool(who_has(rows, parent)),
        asked=any(
            m.meddelande.amne == Amne.KOMPLT and m.state is FragaState.OPEN_CARE
            for m in rows.meddelanden.of_intyg(parent.intyg.intygs_id)
        ),
    )
