"""An FK7804 certificate that the mock EHR can issue, unsigned, with invented contents."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Final

from lxml import etree

from intyg.schemas.codes import PERSONNUMMER_ROOT, RELATION_SYSTEM
from intyg.schemas.ns import CORE, TYPES, message

UNIT: Final = "TSTNMT2321000156-ENHET1"
"""HSA-id of the unit that issues the sample."""

_C, _T, _RC = f"{{{CORE}}}", f"{{{TYPES}}}", f"{{{message('RegisterCertificate', 3)}}}"


@dataclass(frozen=True)
class Parent:
    """The older certificate that the new one completes, replaces or renews."""

    relation: str  # code, see schemas.codes.TypAvRelation
    intygs_id: str
    svar_pa: str | None = None  # meddelande-id of the completion request that is answered


def fk7804(
    intygs_id: str,
    person_id: str,
    signer: str,
    signed_at: datetime,
    *,
    person_root: str = PERSONNUMMER_ROOT,
    parent: Parent | None = None,
    funktionsnedsattning: str | None = None,
) -> bytes:
    """
    A RegisterCertificate 3 request holding an FK7804 version 1.3.

    Args:
        intygs_id: Id of the new certificate.
        person_id: Patient, 12 digits.
        signer: HSA-id of the person who signs.
        signed_at: Swedish local time; a zone, if any, is not converted.
        person_root: Which kind of number `person_id` is.
        parent: What it follows, if anything.
        funktionsnedsattning: Text of question 35, if not the usual one.

    Returns:
        The request element in UTF-8, without XML declaration.
    """
    text = resources.files(__package__).joinpath("fk7804.xml").read_bytes()
    root = etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True))
    intyg = root[0]

    def put(path: str, value: str) -> None:
        element = intyg.find(path)
        assert element is not None, path
        element.text = value

    put(f"{_C}intygs-id/{_T}extension", intygs_id)
    put(f"{_C}patient/{_C}person-id/{_T}root", person_root)
    put(f"{_C}patient/{_C}person-id/{_T}extension", person_id)
    put(f"{_C}skapadAv/{_C}personal-id/{_T}extension", signer)
    put(f"{_C}signeringstidpunkt", f"{signed_at:%Y-%m-%dT%H:%M:%S}")
    put(f"{_C}skickatTidpunkt", f"{signed_at:%Y-%m-%dT%H:%M:%S}")
    today: date = signed_at.date()
    put(f"{_C}svar[@id='1']/{_C}delsvar[@id='1.2']", today.isoformat())
    period = f"{_C}svar[@id='32']/{_C}delsvar[@id='32.2']/{_T}datePeriod"
    put(f"{period}/{_T}start", today.isoformat())
    put(f"{period}/{_T}end", (today + timedelta(days=13)).isoformat())
    if funktionsnedsattning:
        put(f"{_C}svar[@id='35']/{_C}delsvar[@id='35.1']", funktionsnedsattning)
    if parent:
        _add_parent(intyg, parent)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=False)


def _add_parent(intyg: etree._Element, parent: Parent) -> None:
    relation = etree.Element(f"{_C}relation")
    typ = etree.SubElement(relation, f"{_C}typ")
    etree.SubElement(typ, f"{_T}code").text = parent.relation
    etree.SubElement(typ, f"{_T}codeSystem").text = RELATION_SYSTEM
    parent_id = etree.SubElement(relation, f"{_C}intygs-id")
    etree.SubElement(parent_id, f"{_T}root").text = UNIT
    etree.SubElement(parent_id, f"{_T}extension").text = parent.intygs_id
    skapad_av = intyg.find(f"{_C}skapadAv")
    assert skapad_av is not None
    skapad_av.addnext(relation)
    if parent.svar_pa:
        svar_pa = etree.Element(f"{_RC}svarPa")
        etree.SubElement(svar_pa, f"{_C}meddelande-id").text = parent.svar_pa
        intyg.addprevious(svar_pa)
