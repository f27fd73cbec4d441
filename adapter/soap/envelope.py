"""What a SOAP 1.1 envelope must look like here, and faults as envelopes.

Source: SOAP 1.1 sections 4.1–4.4; WS-I Basic Profile 1.1 R1011 (nothing after the Body), which
RIV-TA Basic Profile 2.1 builds on; itintegration_registry_1.0.xsd (`LogicalAddress`).
"""

from dataclasses import dataclass
from typing import Final

from lxml import etree

from intyg.adapter.domain.errors import FaultCode, FaultError
from intyg.adapter.domain.platform_fault import PlatformFaultError, VpCode
from intyg.adapter.formats import safe_xml
from intyg.adapter.formats.result_writer import xml_text
from intyg.schemas import ns

_ENVELOPE: Final = f"{{{ns.SOAP11}}}Envelope"
_HEADER: Final = f"{{{ns.SOAP11}}}Header"
_BODY: Final = f"{{{ns.SOAP11}}}Body"
_MUST_UNDERSTAND: Final = f"{{{ns.SOAP11}}}mustUnderstand"
_ACTOR: Final = f"{{{ns.SOAP11}}}actor"
_NEXT: Final = "http://schemas.xmlsoap.org/soap/actor/next"
_LOGICAL_ADDRESS: Final = f"{{{ns.REGISTRY}}}LogicalAddress"
_HOW: Final = (
    "a LogicalAddress with the receiver's address, "
    f"in the namespace {ns.REGISTRY} (RIV-TA Basic Profile 2.1)"
)


@dataclass(frozen=True)
class Envelope:
    """
    A well-built request.

    Attributes:
        logical_address: Text of the LogicalAddress header as it stands, white space included: the
            national platform routes on it that way.
        element: The Body's only child.
    """

    logical_address: str
    element: etree._Element


def read_envelope(tree: etree._ElementTree) -> Envelope:
    """
    Check the envelope and take out what matters.

    Raises:
        FaultError: Not SOAP 1.1, a Header that must be understood and is not, no LogicalAddress or
            one in several pieces, or not exactly one element in the Body. The text quotes nothing
            from the message.
    """
    root = tree.getroot()
    if root.tag != _ENVELOPE:
        raise _wrong_root(root)
    parts = _elements(root)
    header = parts.pop(0) if parts and parts[0].tag == _HEADER else None
    if not parts or parts[0].tag != _BODY:
        raise FaultError("The Envelope must hold a Header and then a Body, both of SOAP 1.1.")
    if len(parts) > 1:
        raise FaultError("Nothing may follow the SOAP Body inside the Envelope.")
    address = _logical_address(header)  # also refuses headers that are not understood
    return Envelope(address, _only_child(parts[0]))


def _wrong_root(root: etree._Element) -> FaultError:
    if etree.QName(root).localname == "Envelope":
        text = f"Only SOAP 1.1 is spoken here: the Envelope must be in the namespace {ns.SOAP11}."
        return FaultError(text, FaultCode.VERSION_MISMATCH)
    return FaultError("The message is XML but not a SOAP envelope.")


def _elements(parent: etree._Element) -> list[etree._Element]:
    """Child elements, without comments and processing instructions."""
    return list(parent.iterchildren(tag=etree.Element))


def _logical_address(header: etree._Element | None) -> str:
    addresses = []
    for block in _elements(header) if header is not None else []:
        if block.tag == _LOGICAL_ADDRESS:
            if len(block):  # comments count: some readers would take what stands before them
                raise FaultError("The LogicalAddress must be text in one piece, nothing else.")
            addresses.append(str(block.xpath("string()")))
        elif _is_for_us(block) and block.get(_MUST_UNDERSTAND) in ("1", "true"):
            text = "The Header holds a block that must be understood (mustUnderstand) but is not."
            raise FaultError(text, FaultCode.MUST_UNDERSTAND)
    if len(addresses) > 1:
        raise FaultError("The Header holds more than one LogicalAddress.")
    if not addresses:
        raise PlatformFaultError(VpCode.VP001, f"The Header must hold {_HOW}.")
    if not addresses[0].strip():
        raise PlatformFaultError(
            VpCode.VP003, f"The Header holds an empty one; it must hold {_HOW}."
        )
    return addresses[0]


def _is_for_us(block: etree._Element) -> bool:
    """SOAP 1.1 section 4.2.2: without actor the block is for the last receiver, which we are."""
    return block.get(_ACTOR, "") in ("", _NEXT)


def _only_child(body: etree._Element) -> etree._Element:
    children = _elements(body)
    if not children:
        raise FaultError("The SOAP Body is empty; it must hold the request element.")
    if len(children) > 1:
        raise FaultError("The SOAP Body holds more than one element; it must hold one request.")
    if any(text and text.strip() for text in (body.text, *(node.tail for node in body))):
        raise FaultError("The SOAP Body holds text beside the request element.")
    return children[0]


def fault_envelope(code: FaultCode, text: str, detail: str | None = None) -> bytes:
    """
    A SOAP fault (SOAP 1.1 section 4.4) in its envelope, UTF-8.

    Args:
        detail: For `detail/detailString`, in no namespace, where the national platform has it.
    """
    fault = etree.Element(f"{{{ns.SOAP11}}}Fault", nsmap={"soapenv": ns.SOAP11})
    etree.SubElement(fault, "faultcode").text = f"soapenv:{code}"
    etree.SubElement(fault, "faultstring").text = xml_text(text)
    if detail is not None:
        inside = etree.SubElement(fault, "detail")
        etree.SubElement(inside, "detailString").text = xml_text(detail)
    return safe_xml.envelope(etree.tostring(fault, encoding="utf-8"), None)
