"""An answer over SOAP, and what its date says of the clocks."""

import re
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from lxml import etree

from intyg.adapter.clients.http_client import HttpClient, HttpRequest, Limits, NoAnswerError
from intyg.adapter.doctor.connectivity.probe import (
    Found,
    Probe,
    Step,
    reason_of,
)
from intyg.adapter.doctor.connectivity.target import PING, PING_MAJOR
from intyg.adapter.formats import safe_xml
from intyg.schemas.contract.contract import Contract, Contracts
from intyg.schemas.ns import SOAP11

MAX_ANSWER_BYTES: Final = 256 * 1024
SKEW_SECONDS: Final = 5.0
"""More is worth a word: signatures and certificates are judged by the clock."""


@dataclass(frozen=True)
class _Reply:
    status: int
    date: str | None
    took_ms: float
    element: etree._Element | None  # the Body's child


def look_at_soap(probe: Probe, contracts: Contracts) -> Iterator[Step]:
    with closing(HttpClient(probe.context)) as client:
        assert probe.sock is not None
        client.adopt(probe.target.ping_url, probe.sock)
        yield from _ask(probe, client, contracts.get(PING, PING_MAJOR))


def _ask(probe: Probe, client: HttpClient, contract: Contract) -> Iterator[Step]:
    target = probe.target
    ping = _ping(contract, target.logical_address)
    try:
        reply = _post(probe, client, target.ping_url, ping, contract.soap_action)
        step = _judge(reply)
        if reply.element is None:
            step = _empty_call(probe, client)
    except NoAnswerError as exc:
        yield _no_answer(exc.__cause__ or exc)
        return
    yield step
    yield from _skew(reply, probe.clock())


def _no_answer(why: BaseException) -> Step:
    if isinstance(why, ssl.SSLError):
        text = f"the other side broke off after the handshake: {reason_of(why)}"
        todo = "it wants a client certificate, or another one: client_cert of the destination"
        return Step("SOAP", Found.FAILS, text, todo)
    todo = "it takes connections but does not answer HTTP: check address and port"
    return Step("SOAP", Found.FAILS, f"no answer: {reason_of(why)}", todo)


def _empty_call(probe: Probe, client: HttpClient) -> Step:
    """Whoever speaks SOAP answers an empty Body with a fault."""
    target = probe.target
    empty = safe_xml.envelope(b"", target.logical_address)
    reply = _post(probe, client, target.call_url, empty, "")
    if reply.element is None:
        return _judge(reply)
    text = _shown(reply.element.findtext("faultstring") or etree.QName(reply.element).localname)
    took = f"HTTP {reply.status} in {reply.took_ms:.0f} ms"
    return Step("SOAP", Found.OK, f"{took} to an empty call (no PingForConfiguration here): {text}")


def _ping(contract: Contract, logical_address: str) -> bytes:
    root = etree.Element(contract.request, nsmap={"p": contract.namespace})
    for name, text in (
        ("serviceContractNamespace", contract.namespace),
        ("logicalAddress", logical_address),
    ):
        etree.SubElement(root, f"{{{contract.namespace}}}{name}").text = text
    return safe_xml.envelope(etree.tostring(root, encoding="utf-8"), logical_address)


def _post(probe: Probe, client: HttpClient, url: str, message: bytes, soap_action: str) -> _Reply:
    seconds = probe.seconds
    headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": f'"{soap_action}"'}
    started = time.monotonic()
    answer = client.exchange(
        HttpRequest("POST", url, headers, message),
        Limits(seconds, seconds, 2 * seconds, MAX_ANSWER_BYTES),
    )
    took = (time.monotonic() - started) * 1000
    return _Reply(answer.status, answer.headers.get("Date"), took, _body_child(answer.body))


def _body_child(data: bytes) -> etree._Element | None:
    try:
        return safe_xml.parse(data).getroot().find(f"{{{SOAP11}}}Body/*")
    except Exception:  # noqa: BLE001  whatever came, it is no SOAP answer
        return None


_HTTP_TODO: Final = {
    401: "it asks for a password, which RIV-TA does not have: is this the right address?",
    403: "it does not let this caller in: order access, or check the client certificate",
    404: "there is no service at this path: check the destination's url",
    405: "it does not take POST at this path: check the destination's url",
    429: "it is overloaded; look again later",
    503: "it is up but not ready; look again later",
}
_VP_TODO: Final = {
    "VP002": "it saw no client certificate that it can use: client_cert of the destination",
    "VP003": "it found no logical address",
    "VP004": "it has no route for PingForConfiguration and this logical address, which is common; "
    "the platform itself answers",
    "VP007": "it knows this caller, but permits it no PingForConfiguration here, which is common; "
    "order permission for the contracts that you use",
    "VP009": "the platform answers, but the service behind it does not",
    "VP011": "calls must come by TLS, or from another address",
}
_VP: Final = re.compile(r"VP0\d\d")


def _judge(reply: _Reply) -> Step:
    took = f"HTTP {reply.status} in {reply.took_ms:.0f} ms"
    if reply.element is None:
        todo = _HTTP_TODO.get(reply.status, "the other side answers, but not with SOAP")
        return Step("SOAP", Found.FAILS, f"{took}, no SOAP", todo)
    if reply.element.tag == f"{{{SOAP11}}}Fault":
        return _fault(took, reply.element.findtext("faultstring") or "")
    version = reply.element.findtext("{*}version")
    if version is None:
        name = etree.QName(reply.element).localname
        todo = "it speaks SOAP; that it is the right service cannot be told by this"
        return Step("SOAP", Found.NOTE, f"{took}, {_shown(name)} to PingForConfiguration", todo)
    return Step("SOAP", Found.OK, f"{took}, PingForConfiguration says version {_shown(version)}")


def _fault(took: str, text: str) -> Step:
    code = _VP.search(text)
    if code is None:  # it speaks SOAP, and serves no ping here, which is common
        return Step("SOAP", Found.OK, f"{took} to PingForConfiguration, fault: {_shown(text)}")
    todo = _VP_TODO.get(code[0], "see the national platform's list of errors")
    found = Found.FAILS if code[0] in ("VP002", "VP009", "VP011") else Found.NOTE
    return Step("SOAP", found, f"{took}, fault: {_shown(text)}", todo)


def _shown(text: str) -> str:
    """On one probe, and not too long: it is the other side's own text."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:160]


def _skew(reply: _Reply, ours: datetime) -> Iterator[Step]:
    try:
        theirs = parsedate_to_datetime(reply.date or "")
    except ValueError:
        yield Step("clock", Found.NOTE, "the answer has no date to compare with")
        return
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    ahead = (theirs - ours).total_seconds()
    if abs(ahead) <= SKEW_SECONDS:
        yield Step("clock", Found.OK, "theirs and ours agree")
        return
    text = f"theirs is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours"
    yield Step("clock", Found.NOTE, text, "let both machines follow a time server (NTP)")
