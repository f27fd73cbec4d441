"""Read what a receiver answered, leniently and by name.

National error answers can break their own schema (`errorId` before `resultText`, a `result` where
none is allowed), so neither order nor namespace counts here. Codes that we do not know are not
repeated: a receiver may write anything there.

Source: clinicalprocess_healthcond_certificate_3.3.xsd, `ResultType`; SOAP 1.1 section 4.4; what the
national platform puts into its faults.
"""

import re
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from typing import Final

from lxml import etree

from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.formats import safe_xml
from intyg.schemas.codes import ErrorId, ResultCode

OTHER: Final = "(other)"
"""Stands for a code that is on no list."""

MAX_REMOTE_TEXT: Final = 2000
"""Characters kept of what the receiver wrote."""

_VP_CODE: Final = re.compile(r"\bVP\d{3}\b")
_MARSHALLING: Final = re.compile(r"marshal", re.IGNORECASE)  # «Unmarshalling Error: …» and kin
_PRODUCER_STATUS: Final = re.compile(r"VP_PRODUCER_EXCEPTION_HTTP_STATUS\W{1,3}(\d{3})\b")
_PRODUCER_NOT_REACHED: Final = re.compile(
    r"\b(?:ConnectException|ConnectTimeoutException|HttpHostConnectException|"
    r"NoRouteToHostException|UnknownHostException|SSLHandshakeException)\b|\bconnect timed out\b",
    re.IGNORECASE,
)
_KNOWN_ID: Final = re.compile(r"\bMEDDELANDE_ID_NOT_UNIQUE_ERROR\b")
"""The national services' word for a message id that they have already; INFO elsewhere."""

NOT_REACHED: Final = "not reached"
"""Of a producer behind the platform: no connection, so that nothing has arrived."""

_FAULT_CODES: Final = frozenset({"Client", "Server", "MustUnderstand", "VersionMismatch"})


class AnswerKind(StrEnum):
    """What the body of an HTTP answer turned out to be."""

    RESULT = "result"  # holds a `resultCode`
    FAULT = "fault"  # a SOAP fault
    NOTHING = "nothing"  # empty, HTML, not XML, or XML that holds neither


@dataclass(frozen=True)
class Answer:
    """
    The body of an HTTP answer.

    Attributes:
        kind: What it is.
        result_code, error_id: As written, or `(other)`; None where missing.
        fault_code: `Server`, without prefix, or `(other)`.
        vp_code: The national platform's own code in a fault, `VP009`.
        marshalling: The fault says that the receiver could not read the message.
        producer: What the platform says of the producer that it did not get an answer from.
        known_id: The result says that the message's id has been there before.
        detail: Why there is nothing, in our own words.
        remote_text: resultText or faultstring; may quote person data.
    """

    kind: AnswerKind
    result_code: str | None = None
    error_id: str | None = None
    fault_code: str | None = None
    vp_code: str | None = None
    marshalling: bool = False
    producer: str | None = None
    known_id: bool = False
    detail: str = ""
    remote_text: str | None = field(default=None, repr=False)


def read_answer(data: bytes, content_type: str | None, max_bytes: int) -> Answer:
    """
    Read the body of an answer. Never raises, whatever stands in it.

    Args:
        data: As received.
        content_type: The header, if there was one; only its charset counts.
        max_bytes: Larger ones are not read.
    """
    if not data.strip():
        return Answer(AnswerKind.NOTHING, detail="the answer is empty")
    try:
        root = safe_xml.parse(data, max_bytes, _charset(content_type)).getroot()
    except AdapterError:
        html = b"<html" in data[:2000].lower()
        detail = "the answer is HTML" if html else "the answer is not XML that we read"
        return Answer(AnswerKind.NOTHING, detail=detail)
    if _local(root) != "Envelope":
        return Answer(AnswerKind.NOTHING, detail="the answer is not SOAP")
    body = next((child for child in root if _local(child) == "Body"), None)
    if body is None:
        return Answer(AnswerKind.NOTHING, detail="the answer has no SOAP Body")
    fault = next((child for child in body if _local(child) == "Fault"), None)
    if fault is not None:
        return _read_fault(fault)
    for element in body.iter():
        if _local(element) == "resultCode":
            return _read_result(element)
    return Answer(AnswerKind.NOTHING, detail="the answer holds no result")


def _read_result(result_code: etree._Element) -> Answer:
    parent = result_code.getparent()
    assert parent is not None  # it stands inside the Body
    siblings = {_local(child): _text(child) for child in parent if _local(child)}
    error_id = siblings.get("errorId")
    return Answer(
        AnswerKind.RESULT,
        result_code=_known(_text(result_code), ResultCode),
        error_id=_known(error_id, ErrorId) if error_id else None,
        known_id=bool(_KNOWN_ID.search(siblings.get("resultText") or "")),
        remote_text=_cut(siblings.get("resultText")),
    )


def _read_fault(fault: etree._Element) -> Answer:
    texts = {_local(child): _text(child) for child in fault if _local(child)}
    # SOAP 1.1 names first; some servers answer a 1.1 request with a 1.2 fault.
    code = texts.get("faultcode") or texts.get("Code") or ""
    string = texts.get("faultstring") or texts.get("Reason") or ""
    whole = f"{string} {texts.get('detail') or texts.get('Detail') or ''}"
    vp_code = _VP_CODE.search(whole)
    local = code.split()[0].rpartition(":")[2] if code.split() else ""
    return Answer(
        AnswerKind.FAULT,
        fault_code=local if local in _FAULT_CODES else OTHER,
        vp_code=vp_code[0] if vp_code else None,
        marshalling=bool(_MARSHALLING.search(whole)),
        producer=_producer(whole),
        remote_text=_cut(string),
    )


def _producer(text: str) -> str | None:
    """The HTTP status of the producer, `NOT_REACHED`, or None where the platform does not say."""
    status = _PRODUCER_STATUS.search(text)
    if status is not None:
        return status[1]
    return NOT_REACHED if _PRODUCER_NOT_REACHED.search(text) else None


def _charset(content_type: str | None) -> str | None:
    message = Message()
    message["Content-Type"] = (content_type or "text/xml").replace("\n", " ").replace("\r", " ")
    charset = message.get_content_charset()
    return charset or None


def _local(element: etree._Element) -> str:
    """The name without namespace; empty for comments and processing instructions."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _text(element: etree._Element) -> str:
    """All text inside, words parted by one space."""
    return " ".join(word for text in element.itertext() for word in str(text).split())


def _known(value: str, codes: type[StrEnum]) -> str:
    return value if value in set(codes) else OTHER


def _cut(text: str | None) -> str | None:
    return text[:MAX_REMOTE_TEXT] if text else None
