"""
SOAP 1.1 envelopes, read and written for the mocks alone.

Deliberately a second implementation: the adapter has its own, and the two must understand each
other.

Source: SOAP 1.1, sections 4 and 6; RIV-TA Basic Profile 2.1 (header `LogicalAddress`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lxml import etree

from intyg.mocks.wire import safe_xml
from intyg.schemas import ns
from intyg.schemas.codes import ErrorId, ResultCode
from intyg.schemas.contract.contract import Contract

CONTENT_TYPE: Final = "text/xml; charset=UTF-8"

_ENVELOPE: Final = f"{{{ns.SOAP11}}}Envelope"
_HEADER: Final = f"{{{ns.SOAP11}}}Header"
_BODY: Final = f"{{{ns.SOAP11}}}Body"
_FAULT: Final = f"{{{ns.SOAP11}}}Fault"
_MUST_UNDERSTAND: Final = f"{{{ns.SOAP11}}}mustUnderstand"
_ACTOR: Final = f"{{{ns.SOAP11}}}actor"
_NEXT: Final = "http://schemas.xmlsoap.org/soap/actor/next"
_LOGICAL_ADDRESS: Final = f"{{{ns.REGISTRY}}}LogicalAddress"


class FaultCode(StrEnum):
    """SOAP 1.1, 4.4.1: whose mistake it is."""

    CLIENT = "Client"
    SERVER = "Server"
    MUST_UNDERSTAND = "MustUnderstand"


class FaultError(Exception):
    """
    A call that gets a SOAP fault instead of a result.

    Attributes:
        code: Whose mistake it is.
        text: `faultstring`; holds nothing from the message.
        http_status: 500 unless HTTP itself has a better word (413, 415).
    """

    def __init__(self, code: FaultCode, text: str, http_status: int = 500) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.http_status = http_status


@dataclass(frozen=True)
class Answer:
    """`core:ResultType`: what a call is answered with."""

    code: ResultCode
    text: str | None = None
    error_id: ErrorId | None = None

    @classmethod
    def ok(cls) -> "Answer":
        return cls(ResultCode.OK)

    @classmethod
    def info(cls, text: str) -> "Answer":
        return cls(ResultCode.INFO, text)

    @classmethod
    def error(cls, error_id: ErrorId, text: str) -> "Answer":
        return cls(ResultCode.ERROR, text, error_id)


@dataclass(frozen=True)
class Message:
    """
    A well-formed call.

    Attributes:
        logical_address: Text of the header as it stands, None without one.
        element: The Body's only child, inside the whole envelope.
    """

    logical_address: str | None
    element: etree._Element = field(repr=False)


@dataclass(frozen=True)
class Reply:
    """What somebody answered one of the mock's own messages; everything may be missing."""

    result_code: str | None = None
    error_id: str | None = None
    result_text: str | None = None
    fault: str | None = None


def parse(data: bytes, charset: str | None = None) -> etree._Element:
    """
    Parse XML from outside; see `safe_xml`, whose arguments it takes.

    Raises:
        FaultError: Not well-formed, with a document type declaration, or beyond a bound.
    """
    try:
        return safe_xml.parse(data, charset)
    except safe_xml.XmlError as exc:
        raise FaultError(FaultCode.CLIENT, str(exc)) from None


def read(data: bytes, charset: str | None = None) -> Message:
    """
    Read a call.

    Raises:
        FaultError: No envelope, not exactly one element in its Body, a header that must be
            understood and is not, or a LogicalAddress that holds more than text.
    """
    body, header = _parts(parse(data, charset))
    _understand(header)
    children = [child for child in body if isinstance(child.tag, str)]
    if len(children) != 1:
        raise FaultError(
            FaultCode.CLIENT, f"The SOAP Body must hold one element, it holds {len(children)}"
        )
    address = None if header is None else header.find(_LOGICAL_ADDRESS)
    if address is not None and len(address):
        raise FaultError(FaultCode.CLIENT, "The LogicalAddress must be text in one piece")
    return Message(None if address is None else (address.text or ""), children[0])


def read_reply(data: bytes) -> Reply:
    """
    Read an answer leniently, by name: national error answers have `errorId` before `resultText`.

    Raises:
        FaultError: Not an envelope.
    """
    body, _ = _parts(parse(data))
    fault = body.find(_FAULT)
    if fault is not None:
        return Reply(fault=fault.findtext("faultstring") or "fault without faultstring")
    return Reply(
        result_code=body.findtext(f".//{{{ns.CORE}}}resultCode"),
        error_id=body.findtext(f".//{{{ns.CORE}}}errorId"),
        result_text=body.findtext(f".//{{{ns.CORE}}}resultText"),
    )


def _parts(root: etree._Element) -> tuple[etree._Element, etree._Element | None]:
    if root.tag != _ENVELOPE:
        raise FaultError(FaultCode.CLIENT, "The message is not a SOAP 1.1 Envelope")
    body = root.find(_BODY)
    if body is None:
        raise FaultError(FaultCode.CLIENT, "The SOAP Envelope has no Body")
    return body, root.find(_HEADER)


def _understand(header: etree._Element | None) -> None:
    """SOAP 1.1, 4.2.2 and 4.2.3: what is meant for the last receiver, or for each on the way."""
    for block in () if header is None else header:
        if (
            isinstance(block.tag, str)
            and block.tag != _LOGICAL_ADDRESS
            and block.get(_MUST_UNDERSTAND) in ("1", "true")
            and block.get(_ACTOR, "") in ("", _NEXT)
        ):
            raise FaultError(
                FaultCode.MUST_UNDERSTAND,
                "The Header holds a block that must be understood (mustUnderstand) and is not",
            )


def write_request(element: etree._Element, logical_address: str) -> bytes:
    """An envelope around a request element, with the header."""
    envelope = etree.Element(_ENVELOPE, nsmap={"soap": ns.SOAP11})
    header = etree.SubElement(envelope, _HEADER)
    # No white space around the address: the national platform routes on the text as it stands.
    etree.SubElement(header, _LOGICAL_ADDRESS, nsmap={"itr": ns.REGISTRY}).text = logical_address
    etree.SubElement(envelope, _BODY).append(element)
    return _bytes(envelope)


def write_answer(contract: Contract, answer: Answer) -> bytes:
    """An envelope with the contract's response element and its result."""
    error_id = answer.error_id.value if answer.error_id else None
    said = {"resultCode": answer.code.value, "resultText": answer.text, "errorId": error_id}
    return write_result(contract, [(name, text) for name, text in said.items() if text is not None])


def write_result(contract: Contract, fields: Sequence[tuple[str, str]]) -> bytes:
    """The same with any fields of the result, in any order; without fields there is no result."""
    envelope = etree.Element(_ENVELOPE, nsmap={"soap": ns.SOAP11})
    body = etree.SubElement(envelope, _BODY)
    response = etree.SubElement(body, contract.response, nsmap={"r": contract.namespace})
    if fields:
        tag = f"{{{contract.namespace}}}result"
        result = etree.SubElement(response, tag, nsmap={"c": ns.CORE})
        for name, text in fields:
            etree.SubElement(result, f"{{{ns.CORE}}}{name}").text = text
    return _bytes(envelope)


def write_fault(code: FaultCode, text: str, detail: str | None = None) -> bytes:
    """An envelope with a fault; its children have no namespace (SOAP 1.1, 4.4)."""
    envelope = etree.Element(_ENVELOPE, nsmap={"soap": ns.SOAP11})
    fault = etree.SubElement(etree.SubElement(envelope, _BODY), _FAULT)
    etree.SubElement(fault, "faultcode").text = f"soap:{code.value}"
    etree.SubElement(fault, "faultstring").text = text
    if detail is not None:
        etree.SubElement(etree.SubElement(fault, "detail"), "detailString").text = detail
    return _bytes(envelope)


def _bytes(envelope: etree._Element) -> bytes:
    data: bytes = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
    return data
