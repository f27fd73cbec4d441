"""Post a message from a file and read the answer: what `intyg send` does."""

from dataclasses import dataclass
from typing import Final

import requests
from lxml import etree

from intyg.adapter.deliver.tls import PUBLIC
from intyg.adapter.deliver.transport import cause_of
from intyg.adapter.domain.destination import ClientTls
from intyg.adapter.domain.errors import ApplicationError
from intyg.adapter.formats import safe_xml
from intyg.schemas import ns
from intyg.schemas.codes import ResultCode
from intyg.schemas.contract.contract import Contract, Contracts

_MAX_ANSWER_BYTES: Final = 15 * 1024 * 1024


@dataclass(frozen=True)
class PostedAnswer:
    """What came back; OK, INFO, and an answer that has no result and is no fault are accepted."""

    accepted: bool
    text: str


def post_file(
    data: bytes,
    contracts: Contracts,
    to: str,
    logical_address: str,
    timeout_seconds: float,
    tls: ClientTls = PUBLIC,
) -> PostedAnswer:
    """
    Post a message.

    Args:
        data: A request element, which gets an envelope, or a whole envelope.
        contracts: To know what the request is.
        to: Full service address, or a base address that the national path is added to.
        logical_address: For the header of a bare request.
        timeout_seconds: For connecting, and for the answer.
        tls: Who vouches for the server, and the certificate that it is shown.

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
        reply = requests.post(
            url,
            message,
            headers=headers,
            timeout=timeout_seconds,
            verify=str(tls.ca) if tls.ca else True,
            cert=_cert(tls),
        )
    except requests.RequestException as exc:
        raise ApplicationError(f"{url}: {cause_of(exc)}") from exc
    return _read(reply)


def _cert(tls: ClientTls) -> str | tuple[str, str] | None:
    """As requests has it."""
    if tls.cert is None:
        return None
    return str(tls.cert) if tls.key is None else (str(tls.cert), str(tls.key))


def _address(to: str, contract: Contract) -> str:
    if to.rstrip("/").endswith(contract.path):
        return to
    return to.rstrip("/") + contract.path


def _read(reply: requests.Response) -> PostedAnswer:
    """Leniently, by local names: answers out there do not always follow their schema."""
    try:
        root = safe_xml.parse(
            reply.content, _MAX_ANSWER_BYTES, max_markup=safe_xml.MAX_LIST_MARKUP
        ).getroot()
    except Exception as exc:  # noqa: BLE001  # whatever came, it is no SOAP answer
        return PostedAnswer(False, f"HTTP {reply.status_code}, no SOAP ({type(exc).__name__})")
    texts = {
        etree.QName(element).localname: (element.text or "").strip()
        for element in root.iter(etree.Element)
        if len(element) == 0
    }
    if "faultstring" in texts:
        shown = f"Fault {texts.get('faultcode', '')}: {texts['faultstring']}"
        detail = texts.get("detailString")
        return PostedAnswer(False, f"{shown}\n{detail}" if detail else shown)
    code = texts.get("resultCode")
    if code is None:
        return PostedAnswer(reply.ok, f"HTTP {reply.status_code}")
    shown = " ".join(filter(None, (code, texts.get("errorId"), texts.get("resultText"))))
    return PostedAnswer(code in (ResultCode.OK, ResultCode.INFO), shown)
