"""The way to a destination: servers that are right, and such as are wrong in one respect."""

import json
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from intyg.adapter.cli.main import cli
from intyg.adapter.doctor.connectivity import (
    Called,
    Step,
    Target,
    examine,
    target_of_name,
    target_of_url,
)
from intyg.adapter.doctor.connectivity.probe import Handshake
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.destination import ClientTls
from intyg.adapter.httpd.mount import Mount
from intyg.adapter.httpd.server import Server
from intyg.adapter.httpd.tls import server_context
from intyg.adapter.settings.settings import ServerTlsSettings, Settings, load_settings
from intyg.mocks import forsakringskassan, journalsystem
from intyg.mocks.server.serving import serve
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.adapter.flows.rig import FK, make_settings
from tests.adapter.receivers import NOBODY
from tests.adapter.tls_certs import TlsCerts, make_tls_certs

CONTRACTS = Contracts()
NO_TLS = ClientTls()
EMPTY_BODY = b"<soapenv:Body></soapenv:Body></soapenv:Envelope>"
ENVELOPE = b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>%b</s:Body></s:Envelope>'
PONG = ENVELOPE % (
    b'<p:PingForConfigurationResponse xmlns:p="urn:riv:itintegration:monitoring:'
    b'PingForConfigurationResponder:1"><p:version>7.1</p:version>'
    b"<p:pingDateTime>20261126</p:pingDateTime></p:PingForConfigurationResponse>"
)


def fault(text: str) -> bytes:
    return (
        ENVELOPE
        % (
            f"<s:Fault><faultcode>s:Client</faultcode><faultstring>{text}</faultstring></s:Fault>"
        ).encode()
    )


class Soap:
    """Answers every call alike, and keeps what it got."""

    def __init__(self, body: bytes, status: str = "200 OK") -> None:
        self.body, self.status = body, status
        self.got: list[bytes] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.got.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start_response(self.status, [("Content-Length", str(len(self.body)))])
        return [self.body]


class Service:
    """Answers the ping, shows a WSDL, and refuses an empty Body; keeps what it got."""

    def __init__(self, contract: str | None = "RegisterCertificate 3") -> None:
        self.contract = contract
        self.got: list[tuple[str, bytes]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        asked = environ["REQUEST_METHOD"]
        self.got.append((asked, body))
        answer, status = self._answer(asked, body)
        start_response(status, [("Content-Length", str(len(answer)))])
        return [answer]

    def _answer(self, asked: str, body: bytes) -> tuple[bytes, str]:
        if asked == "GET" and self.contract is None:
            return b"POST here", "405 No"
        if asked == "GET":
            name, major = self.contract.split() if self.contract else ("", "")
            contract = CONTRACTS.get(name, int(major))
            return CONTRACTS.wsdl(contract, "http://127.0.0.1:1/x"), "200 OK"
        if b"PingForConfiguration" in body:
            return PONG, "200 OK"
        return fault("The SOAP Body is empty"), "500 No"


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> TlsCerts:
    return make_tls_certs(tmp_path_factory.mktemp("tls"))


def found(url: str, tls: ClientTls = NO_TLS, clock: Any = system_clock) -> dict[str, Step]:
    target = target_of_url(url, tls, "SOMEBODY")
    return {step.name: step for step in examine(target, CONTRACTS, clock)}


def states(steps: dict[str, Step]) -> dict[str, str]:
    return {name: step.found.value for name, step in steps.items()}


@contextmanager
def secure(app: Any, cert: Path, client_ca: Path | None = None) -> Iterator[Server]:
    tls = ServerTlsSettings(cert=cert, client_ca=(client_ca,) if client_ca else ())
    with Server(app, threads=2, tls=server_context(tls)) as server:
        yield server


# --- plain ----------------------------------------------------------------------------------------


def test_a_server_that_answers_the_ping() -> None:
    app = Service()
    with Server(app, threads=2) as server:
        steps = found(server.address)
    assert states(steps) == {
        "name": "ok",
        "connection": "ok",
        "TLS": "note",  # http
        "SOAP": "ok",
        "contract": "ok",
        "clock": "ok",
    }
    assert steps["SOAP"].text.endswith("PingForConfiguration says version 7.1")


def test_a_mock_authority_answers() -> None:
    with serve(forsakringskassan.PERSONA.make(CONTRACTS, IntygTypes())) as mock:
        steps = found(mock.url)
    assert states(steps)["contract"] == "ok"
    assert steps["contract"].text.startswith("RegisterCertificate 3 answers; HTTP 500 in ")


def test_a_mock_ehr_answers() -> None:
    with serve(journalsystem.PERSONA.make(CONTRACTS, IntygTypes())) as mock:
        by_url = found(mock.url)
        settings = with_destination(mock.url, "care")
        by_name = steps_of(target_of_name("there", settings, None))
    for steps in (by_url, by_name):
        assert states(steps)["contract"] == "ok"
        assert steps["contract"].text.startswith("CertificateStatusUpdateForCare 3 answers; ")


def test_a_fault_with_404_is_no_service() -> None:
    """As our mocks answer it, and others."""
    with serve(forsakringskassan.PERSONA.make(CONTRACTS, IntygTypes())) as mock:
        settings = with_destination(mock.url, "care")
        step = steps_of(target_of_name("there", settings, None))["contract"]
    assert step.found == "fails"
    assert "HTTP 404" in step.text
    assert "no service at /clinicalprocess/" in step.text


def test_the_ping_need_not_be_served() -> None:
    app, there = Service(), Soap(b"nothing", "404 No")
    with Server(Mount({"/clinicalprocess": app, "": there}), threads=2) as server:
        steps = found(server.address)
    assert len(there.got) == 1
    assert "SOAP" not in steps
    assert states(steps)["contract"] == "ok"


def test_nothing_of_a_patient_is_sent() -> None:
    """A ping; and for each contract a question for its WSDL, and an envelope with an empty Body."""
    app = Service(None)
    with Server(app, threads=2) as server:
        found(server.address)
    (_, ping), *others = app.got
    assert b"PingForConfiguration" in ping
    assert [asked for asked, _ in others] == ["GET", "POST", "GET", "POST"]
    for asked, message in others:
        assert not message if asked == "GET" else message.endswith(EMPTY_BODY)
    for _, message in app.got:
        assert not re.search(rb"\d{10}", message)


# --- which contract -------------------------------------------------------------------------------


def test_another_contract_at_the_address_is_told_as_that() -> None:
    with Server(Service("RevokeCertificate 2"), threads=2) as server:
        url = f"{server.address}/x/RegisterCertificate/3/rivtabp21"
        step = found(url)["contract"]
    assert (step.found, step.text) == (
        "fails",
        "another contract answers here: RevokeCertificate 2, not RegisterCertificate 3",
    )
    assert "/x/RegisterCertificate/3/rivtabp21" in step.todo


def test_another_contract_is_told_by_its_answer_where_there_is_no_wsdl() -> None:
    answer = ENVELOPE % (
        b'<r:RevokeCertificateResponse xmlns:r="urn:riv:clinicalprocess:healthcond:certificate:'
        b'RevokeCertificateResponder:2"/>'
    )
    with Server(Soap(answer), threads=2) as server:
        step = found(f"{server.address}/x/RegisterCertificate/3/rivtabp21")["contract"]
    assert (step.found, "RevokeCertificate 2, not" in step.text) == ("fails", True)


def test_which_contract_answers_cannot_be_told_without_a_wsdl() -> None:
    with Server(Service(None), threads=2) as server:
        step = found(server.address)["contract"]
    assert (step.found, "cannot be told" in step.text) == ("note", True)


def test_an_address_with_a_contract_in_it_is_no_base() -> None:
    """As a user may write it: the address of one contract as the destination's url."""
    app, nobody = Service(), Soap(b"nothing", "404 No")
    path = CONTRACTS.get("RegisterCertificate", 3).path
    with Server(Mount({f"{path}/clinicalprocess": nobody, path: app}), threads=2) as server:
        right = found(f"{server.address}{path}")["contract"]
        settings = with_destination(f"{server.address}{path}", "authority")
        wrong = steps_of(target_of_name("there", settings, None))["contract"]
    assert right.found == "ok"
    assert (wrong.found, "give the base" in wrong.todo) == ("fails", True)


def test_the_contracts_of_the_routes_are_looked_at() -> None:
    settings = with_destination("http://a.invalid", "authority", "SendMessageToRecipient")
    [called] = target_of_name("there", settings, None).calls
    assert called.contract == "SendMessageToRecipient 2"
    assert called.url.endswith("/SendMessageToRecipient/2/rivtabp21")


def with_destination(url: str, role: str, contract: str = "*") -> Settings:
    return load_settings(
        None,
        environment="demo",
        destinations={"there": {"url": url, "kind": "mock", "role": role}},
        routes=[{"contract": contract, "logical_address": "A", "destination": "there"}],
    )


def steps_of(target: Target) -> dict[str, Step]:
    return {step.name: step for step in examine(target, CONTRACTS, system_clock)}


# --- what is answered -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "state", "says", "todo"),
    [
        pytest.param(
            fault("VP002 [NTJP] no certificate"),
            "500 No",
            "fails",
            "VP002",
            "client_cert",
            id="VP002",
        ),
        pytest.param(
            fault("VP004 [NTJP] no route"), "500 No", "note", "VP004", "common", id="VP004"
        ),
        pytest.param(
            fault("VP009 [NTJP] down"), "500 No", "fails", "VP009", "behind it", id="VP009"
        ),
        pytest.param(fault("unknown element"), "500 No", "ok", "unknown", "", id="fault"),
        pytest.param(fault("a\nb"), "500 No", "ok", "fault: a b", "", id="one line"),
        pytest.param(
            ENVELOPE % b"<other/>", "200 OK", "note", "other", "right service", id="other"
        ),
    ],
)
def test_what_is_answered_is_judged(
    body: bytes, status: str, state: str, says: str, todo: str
) -> None:
    with Server(Soap(body, status), threads=2) as server:
        step = found(server.address)["SOAP"]
    assert (step.found.value, says in step.text) == (state, True), step
    assert todo in step.todo


@pytest.mark.parametrize(
    ("body", "status", "says", "todo"),
    [
        pytest.param(b"<html/>", "403 No", "HTTP 403", "let this", id="403"),
        pytest.param(b"<html/>", "404 No", "HTTP 404", "no service at this path", id="404"),
        pytest.param(b"", "200 OK", "no SOAP", "not with SOAP", id="nothing"),
        pytest.param(fault("VP002 [NTJP] no cert"), "500 No", "VP002", "client_cert", id="VP002"),
    ],
)
def test_no_service_is_told_as_what_it_is(body: bytes, status: str, says: str, todo: str) -> None:
    with Server(Soap(body, status), threads=2) as server:
        step = found(server.address)["contract"]
    assert (step.found.value, says in step.text) == ("fails", True), step
    assert todo in step.todo


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_clocks_that_differ_are_told(seconds: int) -> None:
    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=seconds)

    with Server(Service(), threads=2) as server:
        step = found(server.address, clock=clock)["clock"]
    assert step.found == "note"
    assert ("ahead" if seconds < 0 else "behind") in step.text
    assert "NTP" in step.todo


def test_nobody_listens() -> None:
    steps = found(NOBODY)
    assert states(steps) == {"name": "ok", "connection": "fails"}
    assert "refused" in steps["connection"].text
    assert "check the port" in steps["connection"].todo


def test_a_name_that_nobody_knows() -> None:
    steps = found("http://no-such-host.invalid/")
    assert states(steps) == {"name": "fails"}


def test_somebody_listens_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x/rivtabp21"
        target = Target(url, (Called(url, None),), "A", ClientTls(), timeout_seconds=0.3)
        steps = {step.name: step for step in examine(target, CONTRACTS, system_clock)}
    assert (steps["SOAP"].found, "no answer" in steps["SOAP"].text) == ("fails", True)


# --- TLS ------------------------------------------------------------------------------------------


def test_tls_that_is_right(certs: TlsCerts) -> None:
    with secure(Service(), certs.server, certs.ca) as server:
        steps = found(server.address, ClientTls(certs.ca, certs.client))
    assert [each for each in steps.values() if each.found.value != "ok"] == []
    assert steps["TLS"].text.startswith("TLSv1.3")
    assert "127.0.0.1" in steps["chain"].text
    assert steps["client cert"].text == f"asked for; {certs.client.name} was sent"


@pytest.mark.parametrize(
    ("asks", "shows", "state", "text"),
    [
        pytest.param(True, False, "note", "asked for; none was sent", id="asked, none"),
        pytest.param(
            False, True, "ok", "none was asked for; client.pem was not needed", id="unasked"
        ),
        pytest.param(False, False, "ok", "none was asked for", id="neither"),
    ],
)
def test_which_client_certificate_was_asked_for_and_sent(
    certs: TlsCerts, asks: bool, shows: bool, state: str, text: str
) -> None:
    with secure(Service(), certs.server, certs.ca if asks else None) as server:
        tls = ClientTls(certs.ca, certs.client if shows else None)
        step = found(server.address, tls)["client cert"]
    assert (step.found, step.text) == (state, text)


@pytest.mark.parametrize(
    ("kind", "data", "sent"),
    [
        # Head (kind, length), context, list of certificates.
        pytest.param(11, b"\x0b\0\0\x04" + b"\0" + b"\0\0\0", False, id="none"),
        pytest.param(11, b"\x0b\0\2\x58" + b"\0" + bytes(599), True, id="one"),
        # Head, algorithm, length unpacked, length packed, and that much.
        pytest.param(
            25, b"\x19\0\0\x14\0\1\0\0\4\0\0\x0c" + bytes(12), False, id="none, compressed"
        ),
        pytest.param(
            25, b"\x19\0\0\x22\0\1\0\2\x58\0\0\x1a" + bytes(26), True, id="one, compressed"
        ),
    ],
)
def test_a_handshake_says_whether_a_client_certificate_was_sent(
    kind: int, data: bytes, sent: bool
) -> None:
    """Newer OpenSSL compresses it (RFC 8879), so that packed ones are as short as an empty list."""
    handshake = Handshake()
    handshake.note("write", kind, data)
    assert handshake.sent is sent


def test_a_client_certificate_that_is_not_taken(certs: TlsCerts) -> None:
    """In TLS 1.3 the server says so after the handshake."""
    with secure(Service(), certs.server, certs.ca) as server:
        steps = found(server.address, ClientTls(certs.ca, certs.stranger))
    last = list(steps.values())[-1]
    assert last.found == "fails"
    assert "client certificate" in last.todo


def test_an_authority_that_is_not_known(certs: TlsCerts) -> None:
    with secure(Service(), certs.server) as server:
        steps = found(server.address)
    assert states(steps) == {"name": "ok", "connection": "ok", "chain": "fails", "shown": "note"}
    assert "`ca`" in steps["chain"].todo
    assert "127.0.0.1" in steps["shown"].text


def test_a_certificate_for_another_host(certs: TlsCerts) -> None:
    with secure(Service(), certs.elsewhere) as server:
        steps = found(server.address, ClientTls(certs.ca))
    assert states(steps)["host name"] == "fails"
    assert "use the name" in steps["host name"].todo


def test_no_tls_where_it_is_wanted() -> None:
    with Server(Service(), threads=2) as server:
        steps = found(server.address.replace("http:", "https:"))
    assert states(steps)["TLS"] == "fails"
    assert "does not speak TLS" in steps["TLS"].todo


def test_a_file_of_ours_that_cannot_be_used(certs: TlsCerts, tmp_path: Path) -> None:
    with secure(Service(), certs.server) as server:
        steps = found(server.address, ClientTls(tmp_path / "none.pem"))
    assert states(steps)["TLS"] == "fails"


# --- which way ------------------------------------------------------------------------------------


def test_a_destination_of_the_settings_is_asked_about_its_own_address() -> None:
    target = target_of_name("fk", make_settings(), None)
    assert target.ping_url is not None
    assert target.ping_url.startswith("http://fk.invalid/itintegration/monitoring/Ping")
    [called] = target.calls
    assert called.url.endswith("/RegisterCertificate/3/rivtabp21")
    assert target.logical_address == FK


def test_a_whole_address_is_taken_as_it_is() -> None:
    url = "http://fk.invalid/vp/RegisterCertificate/3/rivtabp21"
    target = target_of_url(url, ClientTls(), "A")
    assert (target.ping_url, target.calls) == (None, (Called(url, "RegisterCertificate 3"),))


def test_the_base_of_a_whole_national_address_is_pinged() -> None:
    base, path = "http://fk.invalid/vp", CONTRACTS.get("RegisterCertificate", 3).path
    target = target_of_url(base + path, ClientTls(), "A")
    assert target.ping_url == base + CONTRACTS.get("PingForConfiguration", 1).path


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "adapter.toml").write_text(
        'environment = "demo"\n[destinations.fk]\nurl = "http://a"\nkind = "mock"\n', "utf-8"
    )
    result = CliRunner().invoke(
        cli, ["doctor", "nobody", "--config", str(tmp_path / "adapter.toml")]
    )
    assert result.exit_code == 1
    assert "there is: fk" in result.stdout


def test_the_command_says_each_step_and_exits_1_when_one_fails() -> None:
    with Server(Service(), threads=2) as server:
        good = CliRunner().invoke(cli, ["doctor", server.address, "--json"])
    lines = [json.loads(line) for line in good.stdout.splitlines()]
    assert good.exit_code == 0
    assert [line["check"] for line in lines] == [
        "name",
        "connection",
        "TLS",
        "SOAP",
        "contract",
        "clock",
    ]
    bad = CliRunner().invoke(cli, ["doctor", server.address])
    assert bad.exit_code == 1
    assert "fails  connection" in bad.stdout
    assert builders.PATIENT not in good.stdout + bad.stdout
