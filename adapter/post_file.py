"""Post a message from a file and read the answer: what `intyg send` does."""

from dataclasses import dataclass
from typing import Final

import requests
from lxml import etree

from adapter import safe_xml
from adapter.errors import ApplicationError
from schemas import ns
from schemas.codes import ResultCode
from schemas.contract import Contract, Contracts

_MAX_ANSWER_BYTES: Final = 15 * 1024 * 1024


@dataclass(frozen=True)
class PostedAnswer:
    """What came back; OK, INFO, and an answer that has no result and is no fault are accepted."""

    accepted: bool
    text: str


def post_file(
    data: bytes, contracts: Contracts, to: str, logical_address: str, timeout_seconds: float
) -> PostedAnswer:
    """
    Post a message.

    Args:
        data: A request element, which gets an envelope, or a whole envelope.
        contracts: To know what the request is.
        to: Full service address, or a base address that the national path is added to.
        logical_address: For the header of a bare request.
        timeout_seconds: For connecting, and for the answer.

    Raises:
        FaultError: The file is not XML as we take it.
        ApplicationError: No contract has this request, or nobody answered.
    """
    root = safe_xml.parse(data).getroot()
    whole = root.tag == f"{{{ns.SOAP11}}}Envelope"
    element = root.find(f"{{{ns.SOAP11}}}Body/*") if whole else root
    contract = None if element is None else contracts.by_request(str(element.tag))
    if contract is None:
        raise ApplicationError("the file holds no request of a contract that is known")
    url = _address(to, contract)
    headers = {
        "Content-Type": "text/xml; charset=UTF-8",
        "SOAPAction": f'"{contract.soap_action}"',
    }
    message = data if whole else safe_xml.envelope(safe_xml.to_utf8(data), logical_address)
    try:
        reply = requests.post(url, message, headers=headers, timeout=timeout_seconds)
    except requests.RequestException as exc:
        raise ApplicationError(f"{url}: {type(exc).__name__}") from exc
    return _read(reply)


def _address(to: str, contract: Contract) -> str:
    if to.rstrip("/").endswith(contract.path):
        return to
    return to.rstrip("/") + contract.path


def _read(reply: requests.Response) -> PostedAnswer:
    """Leniently, by local names: answers out there do not always follow their schema."""
    try:
        root = safe_xml.parse(reply.content, _MAX_ANSWER_BYTES).getroot()
    except Exception as exc:  # noqa: BLE001  # whatever came, it is no SOAP answer
        return PostedAnswer(False, f"HTTP {reply.status_code}, no SOAP ({type(exc).__name__})")
    texts = {
        etree.QName(element).localname: (element.text or "").strip()
        for element in root.iter(etree.Element)
        if len(element) == 0
    }
    if "faultstring" in texts:
        return PostedAnswer(False, f"Fault {texts.get('faultcode', '')}: {texts['faultstring']}")
    code = texts.get("resultCode")
    if code is None:
        return PostedAnswer(reply.ok, f"HTTP {reply.status_code}")
    shown = " ".join(filter(None, (code, texts.get("errorId"), texts.get("resultText"))))
    return PostedAnswer(code in (ResultCode.OK, ResultCode.INFO), shown)
