"""A draft as a whole certificate, in JSON and in XML; and what is wrong with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from lxml import etree

from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.draft import Draft
from intyg.adapter.domain.intyg import Intyg, StoredIntyg
from intyg.adapter.domain.person import PersonFacts
from intyg.adapter.drafts.answers import Filler
from intyg.adapter.formats.event_writer import write_tidpunkt
from intyg.adapter.formats.intyg_json import Json, intyg_from_json
from intyg.adapter.formats.safe_xml import parse_own
from intyg.schemas import ns
from intyg.schemas.codes import HSA_ID_ROOT, RELATION_SYSTEM
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.typefile.lookup import IntygTypes

REGISTER: Final = ns.message("RegisterCertificate", 3)

TEMPORARY_WORKPLACE: Final = "TEMPORARY ARBETSPLATSKOD"
"""Where a unit has no code yet: the schema wants one, and the national editor writes this."""

ADDRESS_SOURCE_SYSTEM: Final = "4ade8de2-effe-41d0-b177-fedc820e69fa"
_INTYG: Final = f"{{{REGISTER}}}intyg"

NOBODY: Final = PersonFacts()


def certificate_json(
    draft: Draft,
    intyg_type: IntygType,
    facts: PersonFacts = NOBODY,
    *,
    signed_at: datetime | None = None,
    named: bool = False,
) -> Json:
    """
    The whole certificate that a draft stands for.

    Args:
        facts: Of the patient; used where the type wants name and address.
        signed_at: When it is signed; None: it is not.
        named: The patient's name and address whatever the type, as the unit is told them.
    """
    unit = draft.skapad_av.enhet.enhets_id
    data: Json = {
        "intygs-id": {"root": unit, "extension": draft.intygs_id},
        "typ": {
            "code": intyg_type.xml_code,
            "codeSystem": intyg_type.xml_system,
            "displayName": intyg_type.xml_display,
        },
        "version": draft.version,
    }
    if signed_at is not None:
        time = write_tidpunkt(signed_at)
        data |= {"signeringstidpunkt": time, "skickatTidpunkt": time}
    data["patient"] = _patient(draft, intyg_type, facts, named=named)
    data["skapadAv"] = draft.content["skapadAv"]
    if draft.relation is not None:
        data["relation"] = [
            {
                "typ": {"code": draft.relation.typ, "codeSystem": RELATION_SYSTEM},
                "intygs-id": {"root": unit, "extension": draft.relation.intygs_id},
            }
        ]
    return data | {"svar": draft.content["svar"]}


def _patient(draft: Draft, intyg_type: IntygType, facts: PersonFacts, *, named: bool) -> Json:
    person_id = {"root": draft.patient.root, "extension": draft.patient.extension}
    wanted = named or intyg_type.patient_address is not None
    shown = (facts.as_told() if named else facts) if wanted else NOBODY
    patient: Json = {"person-id": person_id, "fornamn": shown.fornamn, "efternamn": shown.efternamn}
    if shown.mellannamn:
        patient["mellannamn"] = shown.mellannamn
    patient |= {
        "postadress": shown.postadress,
        "postnummer": shown.postnummer,
        "postort": shown.postort,
    }
    if intyg_type.patient_address is not None and shown.postadress:
        source = {"code": "PU", "codeSystem": ADDRESS_SOURCE_SYSTEM}
        patient["kallaAdressuppgifter"] = source
    return patient


def request_of(draft: Draft, intyg_type: IntygType, data: Json) -> bytes:
    """
    A RegisterCertificate request with a certificate, without signature.

    Returns:
        The element as a document of its own, UTF-8, no declaration.
    """
    prefixes = {"rc": REGISTER, "c": ns.CORE, "t": ns.TYPES, "e": ns.EXT32}
    root = etree.Element(f"{{{REGISTER}}}RegisterCertificate", nsmap=prefixes)
    if draft.svar_pa is not None:
        svar_pa = etree.SubElement(root, f"{{{REGISTER}}}svarPa")
        etree.SubElement(svar_pa, f"{{{ns.CORE}}}meddelande-id").text = draft.svar_pa.meddelande_id
        if draft.svar_pa.referens_id:
            referens = etree.SubElement(svar_pa, f"{{{ns.CORE}}}referens-id")
            referens.text = draft.svar_pa.referens_id
    intyg_from_json(data, intyg_type, root, _INTYG)
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    return written


def as_told(draft: Draft, intyg_type: IntygType, facts: PersonFacts) -> StoredIntyg:
    """
    A draft as its unit is told of it: in the form of a stored certificate, though it is none.

    A unit without a workplace code gets the placeholder that the national editor writes.
    """
    data = certificate_json(draft, intyg_type, facts, named=True)
    enhet = dict(data["skapadAv"]["enhet"])
    if not enhet["arbetsplatskod"].get("extension"):
        enhet["arbetsplatskod"] = enhet["arbetsplatskod"] | {"extension": TEMPORARY_WORKPLACE}
    vardgivare = enhet["vardgivare"]
    if not vardgivare["vardgivare-id"].get("extension"):
        unit_id = {"root": HSA_ID_ROOT, "extension": draft.skapad_av.enhet.enhets_id}
        enhet["vardgivare"] = vardgivare | {"vardgivare-id": unit_id}
    data["skapadAv"] = data["skapadAv"] | {"enhet": enhet}
    return StoredIntyg(
        intyg=_intyg(draft),
        body=request_of(draft, intyg_type, data),
        sha256="",
        received_at=draft.created_at,
        is_test=draft.is_test,
        signature=draft.state.value,
        revoked_at=draft.revoked_at,
    )


def _intyg(draft: Draft) -> Intyg:
    return Intyg(
        intygs_id=draft.intygs_id,
        typ=draft.typ,
        version=draft.version,
        signeringstidpunkt=None,
        patient=draft.patient,
        skapad_av=draft.skapad_av,
        relation=draft.relation,
        svar_pa=draft.svar_pa,
    )


# --- what is wrong with it ------------------------------------------------------------------------


def findings_of(
    draft: Draft,
    intyg_type: IntygType,
    facts: PersonFacts,
    *,
    contracts: Contracts,
    types: IntygTypes,
    filler: Filler,
    today: datetime,
) -> Sequence[Finding]:
    """
    Everything that keeps a draft from being signed.

    The rules of its type, those that only the national editor's form has among them; the diagnoses
    that are not in the list; and what the contract's schema says of its frame.

    Args:
        today: The moment for which it is asked, as if it were signed then.
    """
    data = certificate_json(draft, intyg_type, facts, signed_at=today)
    request = parse_own(request_of(draft, intyg_type, data))
    intyg = request[-1]
    contract = contracts.get("RegisterCertificate", 3)
    found = list(contracts.check(contract, request))
    found += types.check(intyg_type, intyg, today=swedish_day(today))
    return [*found, *filler.unknown_diagnoses(draft.content["svar"])]
