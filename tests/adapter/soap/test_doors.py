"""The doors behind the real server, called by clients that do not know us."""

import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import structlog
import zeep

from intyg.adapter.domain import log
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.httpd.mount import Mount
from intyg.adapter.httpd.server import Server
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.soap import build_wsgi
from intyg.schemas.codes import ErrorId
from intyg.schemas.contract.contract import Contract, Contracts
from tests.adapter.soap.calls import (
    ADDRESS,
    Answer,
    envelope,
    request,
)

SECRET = "Hemlig Patientsson 189001019802"

_contracts = Contracts()
REGISTER = _contracts.get("RegisterCertificate", 3)
TO_CARE = _contracts.get("SendMessageToCare", 2)
SEND = _contracts.get("SendCertificateToRecipient", 2)


class Running:
    def __init__(self) -> None:
        self.seen: list[Inbound] = []
        self.result = Result.ok()
        settings = load_settings(environment="test")
        handlers = {contract.key: self.handle for contract in (REGISTER, SEND, TO_CARE)}
        doors = build_wsgi(_contracts, handlers, settings, system_clock)
        self.server = Server(Mount({"/services": doors}), threads=2).start()
        self.services = f"{self.server.address}/services"
        self.log = io.StringIO()

    def handle(self, inbound: Inbound) -> Result:
        self.seen.append(inbound)
        return self.result


@pytest.fixture
def running() -> Iterator[Running]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    running = Running()
    log.configure(running.log)
    yield running
    running.server.stop()
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


SEND_REQUEST = {
    "skickatTidpunkt": "2026-11-23T10:00:00",
    "intygs-id": {"root": "SE2321000016-ENHET", "extension": "intyg-1"},
    "patientPerson-id": {"root": "1.2.752.129.2.1.3.1", "extension": "189001019802"},
    "mottagare": {"code": "FKASSA", "codeSystem": "769bb12b-bd9f-4203-a5cd-fd14f2eb3b80"},
    "skickatAv": {"person-id": {"root": "1.2.752.129.2.1.3.1", "extension": "189001019802"}},
}


def send(running: Running, logical_address: str = ADDRESS) -> Any:
    """Call SendCertificateToRecipient as a zeep client that has only fetched the WSDL."""
    with zeep.Client(f"{running.services}{SEND.path}?wsdl") as client:
        return client.service.SendCertificateToRecipient(
            **SEND_REQUEST, _soapheaders={"LogicalAddress": logical_address}
        ).result


def test_zeep_calls_from_the_served_wsdl_alone(running: Running) -> None:
    assert send(running).resultCode == "OK"
    (inbound,) = running.seen
    assert inbound.contract == SEND
    assert inbound.logical_address == ADDRESS
    assert _contracts.check(SEND, inbound.element) == []


def test_zeep_reads_an_error_result(running: Running) -> None:
    running.result = Result.error(ErrorId.VALIDATION_ERROR, "rad 1\nrad 2 <å>")
    result = send(running)
    assert (result.resultCode, result.errorId) == ("ERROR", "VALIDATION_ERROR")
    assert result.resultText == "rad 1\nrad 2 <å>"


def test_zeep_reads_a_fault(running: Running) -> None:
    with pytest.raises(zeep.exceptions.Fault, match="LogicalAddress") as caught:
        send(running, " ")
    assert caught.value.code.endswith(":Client")


@pytest.mark.parametrize("contract", [REGISTER, TO_CARE], ids=["RegisterCertificate", "ToCare"])
def test_zeep_finds_address_and_operation_in_the_served_wsdl(
    running: Running, contract: Contract
) -> None:
    with zeep.Client(f"{running.services}{contract.path}?wsdl") as client:
        (service,) = client.wsdl.services.values()
        (port,) = service.ports.values()
        assert port.binding_options["address"] == f"{running.services}{contract.path}"
        assert list(port.binding._operations) == [contract.name]


def post(running: Running, data: bytes | Iterator[bytes], **headers: str) -> Answer:
    started = time.perf_counter()
    response = requests.post(
        f"{running.services}{REGISTER.path}",
        data=data,
        headers={"Content-Type": "text/xml; charset=UTF-8", **headers},
        timeout=10,
    )
    assert time.perf_counter() - started < 1
    return Answer(response.status_code, dict(response.headers), response.content)


def clean(running: Running, answer: Answer, expect_lines: int = 1) -> bool:
    """Whether answer and log say nothing that the message said."""
    written = answer.body.decode() + running.log.getvalue()
    lines = running.log.getvalue().splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["soap.call"] * expect_lines
    return not any(word in written for word in ("Hemlig", "Patientsson", "189001019802", "Trace"))


@pytest.mark.parametrize("size", [15 * 1024 * 1024 + 1, 40 * 1024 * 1024], ids=["just", "40 MiB"])
def test_too_much_is_refused_and_the_caller_reads_why(running: Running, size: int) -> None:
    answer = post(running, (SECRET * (size // len(SECRET) + 1)).encode()[:size])
    assert answer.status == 413
    assert answer.fault[0] == "Client"
    assert clean(running, answer)


def test_too_many_chunks_are_refused(running: Running) -> None:
    block = (SECRET * 10_000).encode()
    answer = post(running, iter([block] * 60))
    assert answer.status == 413
    assert clean(running, answer)


def test_fifteen_mebibytes_are_taken(running: Running) -> None:
    """As a request of many texts: one text alone may not be larger than 10 MB in libxml2."""
    data = envelope(request(REGISTER, f"<x>{'x' * 1_000_000}</x>" * 14))
    answer = post(running, data.encode())
    assert (answer.status, answer.result) == (200, {"resultCode": "OK"})
    assert len(running.seen[0].body) > 14_000_000


def test_broken_messages_and_good_ones_share_a_connection(running: Running) -> None:
    good = envelope(request(REGISTER, SECRET)).encode()
    url = f"{running.services}{REGISTER.path}"
    headers = {"Content-Type": "text/xml"}
    with requests.Session() as session:
        for data, status in ((good, 200), (good[:-9], 500), (b"", 500), (good, 200)):
            response = session.post(url, data=data, headers=headers, timeout=5)
            assert response.status_code == status
            answer = Answer(status, dict(response.headers), response.content)
    assert len(running.seen) == 2
    assert clean(running, answer, expect_lines=4)
