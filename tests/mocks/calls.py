"""Calls over real sockets, written by hand: no part of the mocks or the adapter helps."""

import re
from collections.abc import Sequence

import requests

from intyg.mocks.server.serving import MockServer

NATIONAL = "/clinicalprocess/healthcond/certificate"
PATHS = {
    "RegisterCertificate": f"{NATIONAL}/RegisterCertificate/3/rivtabp21",
    "RevokeCertificate": f"{NATIONAL}/RevokeCertificate/2/rivtabp21",
    "SendMessageToRecipient": f"{NATIONAL}/SendMessageToRecipient/2/rivtabp21",
    "SendMessageToCare": f"{NATIONAL}/SendMessageToCare/2/rivtabp21",
    "CertificateStatusUpdateForCare": f"{NATIONAL}/CertificateStatusUpdateForCare/3/rivtabp21",
}


def envelope(body: bytes, logical_address: str | None = "FKASSA") -> bytes:
    """A SOAP envelope around a request element."""
    header = (
        '<itr:LogicalAddress xmlns:itr="urn:riv:itintegration:registry:1">'
        f"{logical_address}</itr:LogicalAddress>"
        if logical_address is not None
        else ""
    )
    return (
        b'<?xml version="1.0" encoding="UTF-8"?>'
        b'<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header>'
        + header.encode()
        + b"</S:Header><S:Body>"
        + body
        + b"</S:Body></S:Envelope>"
    )


def post(
    server: MockServer,
    body: bytes,
    *,
    logical_address: str | None = "FKASSA",
    path: str | None = None,
) -> requests.Response:
    """Send a request element to the address of its contract, or to another path."""
    match = re.search(rb"<(?:\w+:)?(\w+)", body)
    assert match is not None
    target = PATHS[match.group(1).decode()] if path is None else path
    return post_raw(server, envelope(body, logical_address), target)


def post_raw(
    server: MockServer, data: bytes, path: str = "/", content_type: str = "text/xml; charset=UTF-8"
) -> requests.Response:
    """Send any bytes."""
    return requests.post(
        server.url + path, data=data, headers={"Content-Type": content_type}, timeout=10
    )


def result(response: requests.Response) -> Sequence[str | None]:
    """resultCode, errorId and resultText of an answer, by name."""
    assert response.status_code == 200, response.text
    return [_text(response.text, name) for name in ("resultCode", "errorId", "resultText")]


def fault(response: requests.Response) -> tuple[str | None, str | None]:
    """faultcode and faultstring."""
    return _text(response.text, "faultcode"), _text(response.text, "faultstring")


def _text(xml: str, name: str) -> str | None:
    match = re.search(rf"<(?:\w+:)?{name}>([^<]*)<", xml)
    return None if match is None else match.group(1)
