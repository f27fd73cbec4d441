"""Example requests of every contract, from one table: what stands in each, in its contract's order.

An example says the least that does something: who, when and which certificate come from a `Frame`,
what else can be said from texts by their option's name. What is told nothing says what is usual, or
is left out where nothing is.

Source: the responder schemas in `schemas/contracts/interactions/`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

from lxml import etree

from intyg.schemas.codes import (
    AMNE_SYSTEM,
    HANDELSE_SYSTEM,
    HSA_ID_ROOT,
    PART_SYSTEM,
    STATUS_SYSTEM,
)
from intyg.schemas.examples.draft import (
    Frame,
    fill_code,
    fill_hos_personal,
    fill_id,
)
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.ns import CORE, TYPES

_C: Final = f"{{{CORE}}}"


class RequestError(Exception):
    """The contract has nothing by the name of an option; says what it has."""


@dataclass(frozen=True)
class About:
    """
    What a request is about.

    Attributes:
        frame: Certificate, patient, time, who calls and from which unit.
        intyg_type: For requests that name a type.
        meddelande_id: Of the message, where the request is one.
        certificate: Makes a RegisterCertificate request, whose `intyg` a status update holds.
        text: What is said of the element that is being written.
    """

    frame: Frame
    intyg_type: IntygType
    meddelande_id: str
    certificate: Callable[[], etree._Element]
    text: str = ""


Fill: TypeAlias = Callable[[etree._Element, About], None]


@dataclass(frozen=True)
class Part:
    """
    An element of a request.

    Attributes:
        name: Local name; its namespace is the request's.
        fill: Writes its content, from its text where it has one.
        option: What says its text; None: it has none of its own.
        usual: Its text unless told; None: it is left out then.
    """

    name: str
    fill: Fill
    option: str | None = None
    usual: str | None = ""


def example_request(
    key: str, tag: str, about: About, told: Mapping[str, str] | None = None
) -> etree._Element:
    """
    A request, valid by its contract's schema.

    Args:
        key: The contract, one of `REQUESTS`: `RevokeCertificate:2`.
        tag: Its request element, in Clark notation, as its WSDL has it.
        about: What it is about.
        told: Texts by option: `{"amne": "KONTKT"}`.

    Raises:
        RequestError: An option that the contract does not have.
        ValueError: A text with characters that XML cannot hold.
    """
    told = told or {}
    name, _, _ = key.partition(":")
    if unknown := set(told) - set(options_of(key)):
        raise RequestError(
            f"{name} has no {_flags(unknown)}; beside who, when and which certificate it has: "
            + (_flags(options_of(key)) or "nothing")
        )
    namespace = etree.QName(tag).namespace
    root = etree.Element(tag, nsmap={"m": namespace, "c": CORE, "t": TYPES})
    for part in REQUESTS[key]:
        text = told.get(part.option or "", part.usual)
        if text is not None:
            element = etree.SubElement(root, f"{{{namespace}}}{part.name}")
            part.fill(element, replace(about, text=text))
    return root


def options_of(key: str) -> dict[str, str]:
    """A contract's options, and what is usual; nothing where the element is left out then."""
    return {part.option: part.usual or "" for part in REQUESTS[key] if part.option is not None}


def _flags(options: Iterable[str]) -> str:
    """Options as a command line has them."""
    return ", ".join(f"--{option.replace('_', '-')}" for option in sorted(options))


# --- how elements are filled ----------------------------------------------------------------------


def _said(element: etree._Element, about: About) -> None:
    element.text = about.text


def _meddelande_id(element: etree._Element, about: About) -> None:
    element.text = about.text or about.meddelande_id


def _time(element: etree._Element, about: About) -> None:
    element.text = f"{about.frame.signed_at:%Y-%m-%dT%H:%M:%S}"


def _intygs_id(element: etree._Element, about: About) -> None:
    fill_id(element, about.frame.unit, about.frame.intygs_id)


def _intygs_id_text(element: etree._Element, about: About) -> None:
    element.text = about.frame.intygs_id


def _person(element: etree._Element, about: About) -> None:
    fill_id(element, about.frame.person_root, about.frame.person_id)


def _unit(element: etree._Element, about: About) -> None:
    fill_id(element, HSA_ID_ROOT, about.frame.unit)


def _unit_text(element: etree._Element, about: About) -> None:
    element.text = about.text or about.frame.unit


def certificate_type(element: etree._Element, about: About) -> None:
    """The request's type of certificate, as a code."""
    fill_code(element, about.intyg_type.xml_code, about.intyg_type.xml_system)


def certificate_type_text(element: etree._Element, about: About) -> None:
    """The request's type of certificate, as a text."""
    element.text = about.intyg_type.xml_code


def _code(element: etree._Element, about: About, system: str) -> None:
    fill_code(element, about.text, system)


_amne: Final = partial(_code, system=AMNE_SYSTEM)
_part: Final = partial(_code, system=PART_SYSTEM)
_status: Final = partial(_code, system=STATUS_SYSTEM)


def _staff(element: etree._Element, about: About) -> None:
    fill_hos_personal(element, about.frame)


def _sent_by_staff(element: etree._Element, about: About) -> None:
    fill_hos_personal(_child(element, "hosPersonal"), about.frame)


def _sent_by_part(element: etree._Element, about: About) -> None:
    _part(_child(element, "part"), about)


def _referens(element: etree._Element, about: About) -> None:
    etree.SubElement(element, f"{_C}meddelande-id").text = about.text


def _komplettering(element: etree._Element, about: About) -> None:
    _child(element, "frage-id").text = about.text
    _child(element, "text").text = "Beskriv mer utförligt."


def _approved(element: etree._Element, about: About) -> None:
    _child(element, "receiverId").text = about.text
    _child(element, "approvalStatus").text = "YES"


def _intyg(element: etree._Element, about: About) -> None:
    element.extend(about.certificate()[-1])


def _draft(element: etree._Element, about: About) -> None:
    """The `intyg` of an order, which has words of its own for who orders it."""
    certificate_type(_child(element, "typAvIntyg"), about)
    patient = _child(element, "patient")
    _person(etree.SubElement(patient, f"{_C}person-id"), about)
    for name, text in _A_PATIENT:
        etree.SubElement(patient, f"{_C}{name}").text = text
    skapad_av = _child(element, "skapadAv")
    fill_id(_child(skapad_av, "personal-id"), HSA_ID_ROOT, about.frame.signer)
    _child(skapad_av, "fullstandigtNamn").text = about.frame.signer_name
    enhet = _child(skapad_av, "enhet")
    _unit(_child(enhet, "enhets-id"), about)
    _child(enhet, "enhetsnamn").text = "Provenheten"


def _handelse(element: etree._Element, about: About) -> None:
    fill_code(etree.SubElement(element, f"{_C}handelsekod"), about.text, HANDELSE_SYSTEM)
    tidpunkt = f"{about.frame.signed_at:%Y-%m-%dT%H:%M:%S}.000"
    etree.SubElement(element, f"{_C}tidpunkt").text = tidpunkt


def _no_questions(element: etree._Element, _: About) -> None:
    for name in ("totalt", "ejBesvarade", "besvarade", "hanterade"):
        etree.SubElement(element, f"{_C}{name}").text = "0"


def _child(element: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(element, f"{{{etree.QName(element).namespace}}}{name}")


# --- the contracts --------------------------------------------------------------------------------

_A_PATIENT: Final = (
    ("fornamn", "Prov"),
    ("efternamn", "Person"),
    ("postadress", ""),
    ("postnummer", ""),
    ("postort", ""),
)
_AN_INTYG: Final = Part("intygs-id", _intygs_id)
_SENT: Final = Part("skickatTidpunkt", _time)
_PATIENT: Final = Part("patientPerson-id", _person)

_CITIZEN: Final = (
    Part("person-id", _person),
    Part("arkiverade", _said, "archived", "false"),
    Part("part", _part, "part", "INVANA"),
)

REQUESTS: Final[Mapping[str, tuple[Part, ...]]] = {
    "CertificateStatusUpdateForCare:3": (
        Part("intyg", _intyg),
        Part("handelse", _handelse, "handelse", "SIGNAT"),
        Part("skickadeFragor", _no_questions),
        Part("mottagnaFragor", _no_questions),
        Part("ref", _said, "ref", None),
    ),
    "CreateDraftCertificate:3": (Part("intyg", _draft),),
    "GetCertificate:2": (_AN_INTYG, Part("part", _part, "part", "HSVARD")),
    "GetCertificateTypeInfo:1": (Part("intygs-id", _intygs_id_text),),
    "GetRecipientsForCertificate:1": (
        Part("certificateId", _intygs_id_text),
        Part("certificateType", certificate_type_text),
    ),
    "ListApprovedReceivers:1": (_AN_INTYG,),
    "ListCertificatesForCare:3": (Part("person-id", _person), Part("enhets-id", _unit)),
    "ListCertificatesForCareWithQA:3": (Part("person-id", _person), Part("enhets-id", _unit)),
    "ListCertificatesForCitizen:3": _CITIZEN,
    "ListCertificatesForCitizen:4": _CITIZEN,
    "ListKnownRecipients:1": (),
    "ListPossibleReceivers:1": (Part("intygTyp", certificate_type),),
    "ListRelationsForCertificate:1": (Part("intygs-id", _intygs_id_text),),
    "PingForConfiguration:1": (
        Part("serviceContractNamespace", _said, None, "urn:riv:itintegration:monitoring"),
        Part("logicalAddress", _said, "to", "INTYGSADAPTER"),
    ),
    "RegisterApprovedReceivers:1": (
        Part("intyg-id", _intygs_id),
        Part("typAvIntyg", certificate_type),
        Part("approvedReceivers", _approved, "to", "FKASSA"),
    ),
    "RevokeCertificate:2": (
        Part("meddelande", _said, "text", "Fel uppgifter."),
        _SENT,
        _AN_INTYG,
        _PATIENT,
        Part("skickatAv", _staff),
    ),
    "SendCertificateToRecipient:2": (
        _SENT,
        _AN_INTYG,
        _PATIENT,
        Part("mottagare", _part, "to", "FKASSA"),
        Part("skickatAv", _sent_by_staff),
    ),
    "SendMessageToCare:2": (
        Part("meddelande-id", _meddelande_id, "meddelande_id"),
        _SENT,
        _AN_INTYG,
        _PATIENT,
        Part("logiskAdressMottagare", _unit_text, "to"),
        Part("amne", _amne, "amne", "OVRIGT"),
        Part("meddelande", _said, "text", "Arbetar patienten kvällar?"),
        Part("paminnelseMeddelande-id", _said, "reminds", None),
        Part("svarPa", _referens, "svar_pa", None),
        Part("skickatAv", _sent_by_part, "part", "FKASSA"),
        Part("komplettering", _komplettering, "frage_id", None),
        Part("sistaDatumForSvar", _said, "last_day", None),
    ),
    "SendMessageToRecipient:2": (
        Part("meddelande-id", _meddelande_id, "meddelande_id"),
        _SENT,
        _AN_INTYG,
        _PATIENT,
        Part("logiskAdressMottagare", _said, "to", "FKASSA"),
        Part("amne", _amne, "amne", "KONTKT"),
        Part("meddelande", _said, "text", "Kontakta mig för mer information."),
        Part("paminnelseMeddelande-id", _said, "reminds", None),
        Part("svarPa", _referens, "svar_pa", None),
        Part("skickatAv", _staff),
        Part("sistaDatumForSvar", _said, "last_day", None),
    ),
    "SetCertificateStatus:2": (
        _AN_INTYG,
        Part("part", _part, "part", "FKASSA"),
        Part("status", _status, "status", "RECEIV"),
        Part("tidpunkt", _time),
    ),
}
"""Every contract but RegisterCertificate, whose request is a certificate: `example.py`."""
