"""A new draft: what may stand against it, in the national order; then it is there."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lxml import etree

from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.draft import Draft, DraftState
from intyg.adapter.domain.draft_texts import (
    MAY_NOT_WRITE,
    NOT_IN_USE,
    UNKNOWN_TYPE,
)
from intyg.adapter.domain.errors import DraftRefusedError
from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.domain.intyg import Enhet, HosPersonal, MeddelandeReferens, Relation, Yrken
from intyg.adapter.domain.person import PatientKind, PersonFacts, PersonId
from intyg.adapter.drafts.prefill import Prefill, prefill
from intyg.adapter.flows.drafts.about import About, about
from intyg.adapter.flows.drafts.tell import tell_unit
from intyg.adapter.flows.drafts.unique import remark_on_others
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.intyg_json import Json
from intyg.adapter.rules.draft_rules import Way, may_write, why_not_person
from intyg.adapter.rules.signer_roles import StaffMember
from intyg.adapter.settings.settings import CareUnitSettings
from intyg.adapter.store import Rows
from intyg.schemas.codes import ARBETSPLATSKOD_ROOT, HSA_ID_ROOT, YRKE_SYSTEM, Handelse
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.typefile.lookup import IntygTypes, UnknownTypeError

_BEFATTNING_SYSTEM = "1.2.752.129.2.2.1.4"

_IS_TEST: Mapping[PatientKind, bool | None] = {
    PatientKind.TEST: True,
    PatientKind.NOT_TEST: False,
    PatientKind.CANNOT_TELL: None,
}


@dataclass(frozen=True)
class NewDraft:
    """
    A draft that is wanted.

    Attributes:
        skapad_av: Who wants it, and the unit; without a care provider it is the unit's of
            the settings.
        sent: Answers as an EHR sends them along; None: none.
        answers: Answers that are taken as they are; of the type's form.
        ref: The EHR's own reference.
        source: What the answers were taken from.
        enhet: What stands of the unit in `skapadAv`; None: what the settings say.
        replaces: Id of the certificate that it is to replace.
        dry: Say what would come of it, and keep nothing.
    """

    intyg_type: IntygType
    patient: PersonId
    skapad_av: HosPersonal
    sent: Sequence[etree._Element] | None = field(default=None, repr=False)
    answers: Json = field(default_factory=dict, repr=False)
    ref: str | None = None
    relation: Relation | None = None
    svar_pa: MeddelandeReferens | None = None
    source: str | None = None
    enhet: Json | None = field(default=None, repr=False)
    replaces: str | None = None
    dry: bool = False


@dataclass(frozen=True)
class Created:
    """
    What came of it.

    Attributes:
        draft: As it is stored, or would be.
        remark: For the caller, if there is one.
        prefill: What became of the answers sent along; None without any.
    """

    draft: Draft
    remark: str | None
    prefill: Prefill | None


def type_of(types: IntygTypes, name: str, version: str | None = None) -> IntygType:
    """
    The type that new drafts are of: its newest version, unless one is named.

    Raises:
        DraftRefusedError: No such type or version, or no new ones of it are made.
    """
    try:
        found = types.lookup(name, version)
    except UnknownTypeError as exc:
        raise DraftRefusedError(UNKNOWN_TYPE.format(why=exc)) from None
    newer = found.usage.replaced_by
    if not found.usage.register or newer not in (None, found.code):
        instead = f"; {newer} has taken its place" if newer else ""
        raise DraftRefusedError(NOT_IN_USE.format(typ=found.code, instead=instead))
    return found


def refuse_person(
    intyg_type: IntygType, way: Way, facts: PersonFacts, member: StaffMember | None
) -> None:
    """
    Role or protection, and death, gathered in one text; where the role may not, protection is not
    looked at.

    Raises:
        DraftRefusedError: There is a reason.
    """
    if member is not None and not may_write(member, intyg_type):
        facts = replace(facts, is_protected=False)
        reasons = [MAY_NOT_WRITE.format(typ=intyg_type.code)]
    else:
        reasons = []
    reasons += why_not_person(intyg_type, way, facts, member)
    if reasons:
        raise DraftRefusedError(" ".join(reasons))


def create(
    new: NewDraft,
    facts: PersonFacts,
    member: StaffMember | None,
    services: Services,
    unit: UnitOfWork,
    correlation_id: str,
    still: Callable[[Rows], None] = lambda _: None,
) -> Created:
    """
    Make a draft for which nothing stands against person and type.

    Args:
        still: Asked first in the transaction; raises where something else stands against it.

    Raises:
        DraftRefusedError: There may be no other of this type for the patient.
    """
    it = about(services, new.patient, new.intyg_type, facts)
    given = _prefill(new, it)
    draft = _draft(new, it, member, given)

    def make(rows: Rows) -> Created:
        still(rows)
        enhet = draft.skapad_av.enhet
        remark = remark_on_others(
            rows, new.patient, new.intyg_type, enhet, replaces=new.replaces
        )  # fmt: skip
        if not new.dry:
            store_new(rows, it, draft, new.ref, correlation_id)
        return Created(draft, remark, given)

    return unit.read(make) if new.dry else unit.write(make)


def store_new(rows: Rows, it: About, draft: Draft, ref: str | None, correlation_id: str) -> None:
    """Keep a draft and its reference; tell its unit."""
    rows.drafts.add(draft)
    if ref:
        rows.intyg.set_ref(draft.intygs_id, ref)
    tell_unit(rows, it, draft, Handelse.SKAPAT, correlation_id, by=draft.skapad_av.personal_id)


def _prefill(new: NewDraft, it: About) -> Prefill | None:
    if new.sent is None:
        return None
    return prefill(new.sent, new.intyg_type, it.filler, swedish_day(it.now))


def _draft(new: NewDraft, it: About, member: StaffMember | None, given: Prefill | None) -> Draft:
    skapad_av = _with_provider(new, it.services)
    answers = it.filler.filled(new.answers) | (given.answers if given else {})
    draft = Draft(
        intygs_id=str(uuid.uuid4()),
        typ=new.intyg_type.xml_code,
        version=new.intyg_type.xml_versions[-1],
        patient=new.patient,
        skapad_av=skapad_av,
        content={"skapadAv": _author(skapad_av, member, it.services, new.enhet), "svar": answers},
        state=DraftState.INCOMPLETE,
        created_at=it.now,
        saved_at=it.now,
        saved_by=skapad_av.personal_id,
        saved_by_name=skapad_av.fullstandigt_namn,
        relation=new.relation,
        svar_pa=new.svar_pa,
        source=new.source,
        prefill=given.report() if given else None,
        is_test=_IS_TEST[it.asked.guard.verdict(new.patient).kind],
    )
    return replace(draft, state=it.state_of(draft))


def _unit_settings(services: Services, enhets_id: str) -> CareUnitSettings | None:
    """What the settings say of a unit; HSA-ids without regard to case."""
    units = services.settings.drafts.units
    return next((unit for key, unit in units.items() if same_hsa_id(key, enhets_id)), None)


def _with_provider(new: NewDraft, services: Services) -> HosPersonal:
    """Who wants it, with the care provider: as said, as the older one has it, as settings say."""
    enhet = new.skapad_av.enhet
    known = _unit_settings(services, enhet.enhets_id)
    provider = enhet.vardgivare_id or (known.vardgivare_id if known else "")
    if not provider and new.enhet is not None:
        provider = str(new.enhet["vardgivare"]["vardgivare-id"].get("extension", ""))
    return replace(new.skapad_av, enhet=replace(enhet, vardgivare_id=provider))


def _author(
    skapad_av: HosPersonal, member: StaffMember | None, services: Services, enhet: Json | None
) -> Json:
    """`skapadAv` as it stands in the certificate to be."""
    yrken = member.yrken if member else Yrken()
    known = _unit_settings(services, skapad_av.enhet.enhets_id)
    author: Json = {
        "personal-id": {"root": HSA_ID_ROOT, "extension": skapad_av.personal_id},
        "fullstandigtNamn": skapad_av.fullstandigt_namn,
        "befattning": _codes(yrken.befattningar, _BEFATTNING_SYSTEM),
        "enhet": enhet or _unit(skapad_av.enhet, known),
        "legitimeratYrke": _codes(yrken.legitimerade, YRKE_SYSTEM),
    }
    return {name: value for name, value in author.items() if value != []}


def _codes(codes: frozenset[str], system: str) -> list[Json]:
    return [{"code": code, "codeSystem": system} for code in sorted(codes)]


def _unit(enhet: Enhet, known: CareUnitSettings | None) -> Json:
    known = known or CareUnitSettings(vardgivare_id=enhet.vardgivare_id)
    return {
        "enhets-id": {"root": HSA_ID_ROOT, "extension": enhet.enhets_id},
        "arbetsplatskod": {"root": ARBETSPLATSKOD_ROOT, "extension": known.arbetsplatskod},
        "enhetsnamn": enhet.enhetsnamn,
        "postadress": known.postadress,
        "postnummer": known.postnummer,
        "postort": known.postort,
        "telefonnummer": known.telefonnummer,
        "vardgivare": {
            "vardgivare-id": {"root": HSA_ID_ROOT, "extension": enhet.vardgivare_id},
            "vardgivarnamn": known.vardgivarnamn,
        },
    }
