"""Care's answer to a question, written here for who answers in the console and not in an EHR."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lxml import etree

from intyg.adapter.domain.meddelande import Meddelande
from intyg.adapter.formats.event_writer import write_tidpunkt
from intyg.schemas import ns
from intyg.schemas.codes import AMNE_SYSTEM, HSA_ID_ROOT

_NS: Final = ns.message("SendMessageToRecipient", 2)
_M, _C, _T = f"{{{_NS}}}", f"{{{ns.CORE}}}", f"{{{ns.TYPES}}}"


@dataclass(frozen=True)
class Answer:
    """
    What is answered, and by whom.

    Attributes:
        meddelande_id: Of the answer; a new one.
        address: `logiskAdressMottagare`: of the authority that asked.
        personal_id: HSA-id of who answers.
    """

    meddelande_id: str
    address: str
    text: str = field(repr=False)
    personal_id: str
    name: str = field(repr=False)
    sent_at: datetime


def write_answer(fraga: Meddelande, intyg: etree._Element, answer: Answer) -> bytes:
    """
    A SendMessageToRecipient request.

    Args:
        fraga: The authority's question.
        intyg: The certificate that it is about: its unit is whose answer it is.

    Returns:
        The element as a document of its own, UTF-8, no declaration.

    Source:
        SendMessageToRecipientResponder_2.1.xsd, SendMessageToRecipientType.
    """
    root = etree.Element(
        f"{_M}SendMessageToRecipient", nsmap={"m": _NS, "c": ns.CORE, "t": ns.TYPES}
    )
    _leaf(root, f"{_M}meddelande-id", answer.meddelande_id)
    _leaf(root, f"{_M}skickatTidpunkt", write_tidpunkt(answer.sent_at))
    _id(root, f"{_M}intygs-id", intyg.findtext(f"{_C}intygs-id/{_T}root") or "", fraga.intygs_id)
    _id(root, f"{_M}patientPerson-id", fraga.patient.root, fraga.patient.extension)
    _leaf(root, f"{_M}logiskAdressMottagare", answer.address)
    amne = etree.SubElement(root, f"{_M}amne")
    _leaf(amne, f"{_T}code", fraga.amne)
    _leaf(amne, f"{_T}codeSystem", AMNE_SYSTEM)
    _leaf(root, f"{_M}meddelande", answer.text)
    _svar_pa(root, fraga)
    _skickat_av(root, intyg, answer)
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    return written


def _svar_pa(root: etree._Element, fraga: Meddelande) -> None:
    svar_pa = etree.SubElement(root, f"{_M}svarPa")
    _leaf(svar_pa, f"{_C}meddelande-id", fraga.meddelande_id)
    if fraga.referens_id is not None:
        _leaf(svar_pa, f"{_C}referens-id", fraga.referens_id)


def _skickat_av(root: etree._Element, intyg: etree._Element, answer: Answer) -> None:
    by = etree.SubElement(root, f"{_M}skickatAv")
    _id(by, f"{_C}personal-id", HSA_ID_ROOT, answer.personal_id)
    _leaf(by, f"{_C}fullstandigtNamn", answer.name)
    enhet = intyg.find(f"{_C}skapadAv/{_C}enhet")
    assert enhet is not None  # the schema requires it
    by.append(deepcopy(enhet))


def _id(parent: etree._Element, tag: str, root: str, extension: str) -> None:
    element = etree.SubElement(parent, tag)
    _leaf(element, f"{_T}root", root)
    _leaf(element, f"{_T}extension", extension)


def _leaf(parent: etree._Element, tag: str, text: str) -> None:
    etree.SubElement(parent, tag).text = text
