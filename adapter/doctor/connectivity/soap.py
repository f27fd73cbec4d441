"""An answer over SOAP, which contract answers, and what its date says of the clocks.

Nothing that is sent could be taken for a message: a ping; a question for the WSDL (GET); and an
envelope with an empty Body, which no contract takes.
"""

import re
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from intyg.adapter.clients.http_client import HttpClient, HttpRequest, Limits, NoAnswerError
from intyg.adapter.doctor.connectivity.probe import (
    Called,
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
_NOT_HERE: Final = (404, 405)
SKEW_SECONDS: Final = 5.0
"""More is worth a word: signatures and certificates are judged by the clock."""


@dataclass(frozen=True)
class _Reply:
    status: int
    date: str | None
    took_ms: float
    element: etree._Element | None  # the Body's child


@dataclass(frozen=True)
class _Look:
    """
    What answers at an address.

    Attributes:
        named: Contracts that its WSDL or answer names; empty: neither names any.
    """

    called: Called
    reply: _Reply
    named: frozenset[str]


def look_at_soap(probe: Probe, contracts: Contracts) -> Iterator[Step]:
    with closing(HttpClient(probe.context)) as client:
        assert probe.sock is not None
        client.adopt(probe.target.url, probe.sock)
        yield from _ask(probe, client, contracts.get(PING, PING_MAJOR))


def _ask(probe: Probe, client: HttpClient, contract: Contract) -> Iterator[Step]:
    target = probe.target
    try:
        if target.ping_url is not None:
            ping = _ping(contract, target.logical_address)
            pong = _post(probe, client, target.ping_url, ping, contract.soap_action)
            if pong.element is not None and pong.status not in _NOT_HERE:  # commonly nobody's
                yield _judge(pong)
        looks = [_look(probe, client, called) for called in target.calls]
    except NoAnswerError as exc:
        yield _no_answer(exc.__cause__ or exc)
        return
    steps = [_contract_step(look) for look in looks]
    if target.one_is_enough:
        best = min((step.found for step in steps), key=list(Found).index)
        steps = [step for step in steps if step.found is best]
    yield from steps
    yield from _skew(looks[-1].reply, probe.clock())


def _no_answer(why: BaseException) -> Step:
    if isinstance(why, ssl.SSLError):
        text = f"the other side broke off after the handshake: {reason_of(why)}"
        todo = "it wants a client certificate, or another one: client_cert of the destination"
        return Step("SOAP", Found.FAILS, text, todo)
    todo = "it takes connections but does not answer HTTP: check address and port"
    return Step("SOAP", Found.FAILS, f"no answer: {reason_of(why)}", todo)


def _look(probe: Probe, client: HttpClient, called: Called) -> _Look:
    named = _contracts_of_wsdl(probe, client, called.url)
    # Whoever speaks SOAP answers an empty Body with a fault.
    empty = safe_xml.envelope(b"", probe.target.logical_address)
    reply = _post(probe, client, called.url, empty, "")
    if not named and reply.element is not None:
        named = _contracts_in(str(reply.element.tag).encode())
    return _Look(called, reply, named)


def _contracts_of_wsdl(probe: Probe, client: HttpClient, url: str) -> frozenset[str]:
    try:
        answer = client.exchange(HttpRequest("GET", f"{url}?wsdl", {}), _limits(probe))
    except NoAnswerError:  # nobody has to show one
        return frozenset()
    is_wsdl = answer.status == 200 and b"definitions" in answer.body
    return _contracts_in(answer.body) if is_wsdl else frozenset()


_RESPONDER: Final = re.compile(rb"urn:riv:[\w:.-]+:(\w+)Responder:(\d+)")


def _contracts_in(text: bytes) -> frozenset[str]:
    """Those whose namespaces stand in a text, as `RegisterCertificate 3`."""
    return frozenset(f"{one[1].decode()} {one[2].decode()}" for one in _RESPONDER.finditer(text))


def _contract_step(look: _Look) -> Step:
    wanted, reply = look.called.contract, look.reply
    took = f"HTTP {reply.status} in {reply.took_ms:.0f} ms to an empty call"
    if reply.element is None or reply.status in _NOT_HERE:  # some say so in a fault
        return _no_service(look, took)
    said = reply.element.findtext("faultstring") or ""
    if _VP.search(said):
        return replace(_fault(took, said), name="contract")
    named = " and ".join(sorted(look.named))
    if wanted and look.named and wanted not in look.named:
        text = f"another contract answers here: {_shown(named)}, not {wanted}"
        todo = f"check the url: messages of {wanted} would go to {urlsplit(look.called.url).path}"
        return Step("contract", Found.FAILS, text, todo)
    if look.named:
        return Step("contract", Found.OK, f"{_shown(wanted or named)} answers; {took}")
    text = f"{took}: {_shown(said)}; it shows no WSDL, so which contract answers cannot be told"
    todo = f"ask the other side whether {urlsplit(look.called.url).path} is for {wanted}"
    return Step("contract", Found.NOTE, text, todo if wanted else "")


def _no_service(look: _Look, took: str) -> Step:
    path = urlsplit(look.called.url).path
    what = f" for {look.called.contract}" if look.called.contract else ""
    todo = _HTTP_TODO.get(look.reply.status, "the other side answers, but not with SOAP")
    if path.count("rivtabp21") > 1:
        todo = "the url ends with one contract's path: give the base, or write {contract} in it"
    said = "no service" if look.reply.status in _NOT_HERE else "no SOAP"
    return Step("contract", Found.FAILS, f"{took}, {said} at {path}{what}", todo)


def _ping(contract: Contract, logical_address: str) -> bytes:
    root = etree.Element(contract.request, nsmap={"p": contract.namespace})
    fields = {"serviceContractNamespace": contract.namespace, "logicalAddress": logical_address}
    for name, text in fields.items():
        etree.SubElement(root, f"{{{contract.namespace}}}{name}").text = text
    return safe_xml.envelope(etree.tostring(root, encoding="utf-8"), logical_address)


def _post(probe: Probe, client: HttpClient, url: str, message: bytes, soap_action: str) -> _Reply:
    headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": f'"{soap_action}"'}
    started = time.monotonic()
    answer = client.exchange(
        HttpRequest("POST", url, headers, message),
        _limits(probe),
    )
    took = (time.monotonic() - started) * 1000
    return _Reply(answer.status, answer.headers.get("Date"), took, _body_child(answer.body))


def _limits(probe: Probe) -> Limits:
    return Limits(probe.seconds, probe.seconds, 2 * probe.seconds, MAX_ANSWER_BYTES)


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
    assert reply.element is not None
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
