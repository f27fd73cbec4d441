"""TLS on a mock, and who it says is calling."""

import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.signature.demo_keys import CLIENT_HSA_ID, TestKeys, make_test_keys
from intyg.mocks import forsakringskassan
from intyg.mocks.clock.clock import SWEDEN
from intyg.mocks.conversations import Event, Happening, script
from intyg.mocks.forsakringskassan import SETTINGS
from intyg.mocks.journalsystem import talk
from intyg.mocks.journalsystem.persona import SETTINGS as EHR
from intyg.mocks.rules import parse_rule
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.service import MockService
from intyg.mocks.server.serving import MockServer, MockTls, serve
from intyg.mocks.wire.tls import AdapterTls
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.mocks import calls
from tests.mocks.calls import PATHS, envelope, result
from tests.mocks.kinds import Ehr, Kassan

DATA = envelope(builders.register_certificate())


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> TestKeys:
    return make_test_keys(tmp_path_factory.mktemp("keys"), system_clock())


@contextmanager
def secure(kassan: Kassan, keys: TestKeys, *, require: bool = False) -> Iterator[MockServer]:
    tls = MockTls(keys.server.cert, keys.server.key, keys.ca, require_client=require)
    with serve(kassan, tls=tls) as server:
        yield server


def post(server: MockServer, keys: TestKeys, *, client: bool, **headers: str) -> requests.Response:
    return requests.post(
        server.url + PATHS["RegisterCertificate"],
        data=DATA,
        headers={"Content-Type": "text/xml", **headers},
        verify=str(keys.ca),
        cert=(str(keys.client.cert), str(keys.client.key)) if client else None,
        timeout=5,
    )


def test_the_client_certificate_says_who_calls(kassan: Kassan, keys: TestKeys) -> None:
    no = {"kind": "vp", "code": "VP007"}
    kassan.rules.add(parse_rule({"answers": no, "match": {"sender": CLIENT_HSA_ID}}))
    with secure(kassan, keys) as server:
        assert server.url.startswith("https://")
        known = post(server, keys, client=True, **{"x-vp-sender-id": "SE-LIAR"})
        unknown = post(server, keys, client=False, **{"x-vp-sender-id": CLIENT_HSA_ID})
    assert (known.status_code, "VP007" in known.text) == (500, True)
    assert result(unknown)[0] == "OK"
    first, second = kassan.journal.entries()
    assert first.sender == CLIENT_HSA_ID
    assert f"2.5.4.5={CLIENT_HSA_ID}" in (first.tls_subject or "")
    assert (second.sender, second.tls_subject) == (None, None)


def test_a_certificate_can_be_required(kassan: Kassan, keys: TestKeys) -> None:
    with secure(kassan, keys, require=True) as server:
        assert result(post(server, keys, client=True))[0] == "OK"
        with pytest.raises(requests.ConnectionError):
            post(server, keys, client=False)
    assert len(kassan.journal.entries()) == 1


def test_without_tls_the_platforms_header_says_who_calls(
    server: MockServer, kassan: Kassan
) -> None:
    url = server.url + PATHS["RegisterCertificate"]
    for header in ({"x-vp-sender-id": "SE1"}, {}):
        requests.post(url, data=DATA, headers={"Content-Type": "text/xml", **header}, timeout=5)
    assert [each.sender for each in kassan.journal.entries()] == ["SE1", None]


def test_a_caller_that_never_says_hello_keeps_nobody_waiting(
    kassan: Kassan, keys: TestKeys
) -> None:
    with secure(kassan, keys) as server:
        with socket.create_connection((server.host, server.port), timeout=5) as silent:
            assert result(post(server, keys, client=True))[0] == "OK"
            silent.sendall(b"POST / HTTP/1.1\r\n\r\n")  # not what TLS begins with
            assert b"HTTP" not in _everything(silent)  # until it is closed
        with socket.create_connection((server.host, server.port), timeout=5):
            server.stop()  # does not wait for a handshake


def test_a_client_certificate_can_make_a_run(
    contracts: Contracts, types: IntygTypes, keys: TestKeys
) -> None:
    settings = replace(SETTINGS, run_by_client_certificate=True)
    kassan = forsakringskassan.PERSONA.make(contracts, types, settings)
    with secure(kassan, keys) as server:
        assert result(post(server, keys, client=True))[0] == "OK"
        assert result(post(server, keys, client=False))[0] == "OK"
        assert result(post(server, keys, client=True, **{"x-intyg-run": "one"}))[0] == "OK"
    assert [run.id for run in kassan.runs.all()] == [CLIENT_HSA_ID, "one"]
    [call] = kassan.runs.get(CLIENT_HSA_ID).journal.entries()
    assert call.sender == CLIENT_HSA_ID


def _everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes, or resets."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(4096):
            data += piece
    return data


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        pytest.param({"kind": "tls_failure"}, requests.exceptions.SSLError, id="TLS failure"),
        pytest.param({"kind": "reset"}, requests.ConnectionError, id="reset"),
        pytest.param({"kind": "garbage"}, requests.ConnectionError, id="garbage"),
        pytest.param(
            {"kind": "half_body"}, requests.exceptions.ChunkedEncodingError, id="half a body"
        ),
    ],
)
def test_what_breaks_a_connection_breaks_an_encrypted_one(
    kassan: Kassan, keys: TestKeys, answer: dict[str, Any], seen: type[Exception]
) -> None:
    kassan.rules.add(parse_rule({"answers": answer, "count": 1}))
    with secure(kassan, keys) as server:
        with pytest.raises(seen):
            post(server, keys, client=True)
        assert result(post(server, keys, client=True))[0] == "OK"


def test_files_that_do_not_fit_are_refused_before_a_port_is_taken(
    kassan: Kassan, keys: TestKeys, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="client_ca"):
        MockTls(keys.server.cert, keys.server.key, require_client=True)
    with pytest.raises(OSError, match="No such file"):
        MockServer(kassan, tls=MockTls(tmp_path / "none.pem", keys.server.key))


# --- what a mock says by itself -------------------------------------------------------------------


def shows(keys: TestKeys) -> AdapterTls:
    return AdapterTls(keys.ca, keys.client.cert, keys.client.key)


@contextmanager
def adapter_that_wants_a_certificate(mock: MockService[Persona], keys: TestKeys) -> Iterator[str]:
    """Something that takes messages, and lets nobody in who shows none; gives its address."""
    tls = MockTls(keys.server.cert, keys.server.key, keys.ca, require_client=True)
    with serve(mock, tls=tls) as server:
        yield server.url


def test_an_authority_shows_its_certificate_when_it_asks(
    contracts: Contracts, types: IntygTypes, ehr: Ehr, keys: TestKeys
) -> None:
    with adapter_that_wants_a_certificate(ehr, keys) as url:
        settings = replace(SETTINGS, adapter_url=url, adapter_tls=shows(keys))
        kassan = forsakringskassan.PERSONA.make(contracts, types, settings)
        with serve(kassan) as server:
            assert result(calls.post(server, builders.register_certificate()))[0] == "OK"
        assert kassan.persona.ask(builders.INTYGS_ID, "KONTKT", "Fråga").result_code == "OK"
        kassan.place.settings = replace(settings, adapter_tls=AdapterTls(keys.ca))
        assert kassan.persona.ask(builders.INTYGS_ID, "KONTKT", "Fråga").failure in (
            "SSLError",
            "ConnectionError",  # the same, told while the message is on its way
        )
        kassan.place.settings = replace(settings, adapter_tls=AdapterTls())
        assert kassan.persona.ask(builders.INTYGS_ID, "KONTKT", "Fråga").failure == "SSLError"
    assert [each.sender for each in ehr.journal.entries()] == [CLIENT_HSA_ID]


def test_an_ehr_shows_its_certificate_when_it_answers(kassan: Kassan, keys: TestKeys) -> None:
    about = Happening(
        Event.QUESTION,
        builders.INTYGS_ID,
        "q-1",
        {"unit": builders.UNIT, "person": builders.PATIENT, "amne": "KONTKT"},
    )
    with adapter_that_wants_a_certificate(kassan, keys) as url:
        settings = replace(EHR, adapter_url=url, adapter_logical_address="FKASSA")
        now = datetime(2026, 11, 23, 10, tzinfo=SWEDEN)
        shown = replace(settings, adapter_tls=shows(keys))
        assert talk.say(shown, script.Answer(text="Svar"), about, now).http_status == 200
        unshown = talk.say(settings, script.Answer(text="Svar"), about, now)
        assert (unshown.http_status, unshown.failure) == (None, "SSLError")
    assert [each.sender for each in kassan.journal.entries()] == [CLIENT_HSA_ID]


def test_files_that_cannot_be_shown_are_named(keys: TestKeys, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="go together"):
        AdapterTls(cert=keys.client.cert)
    AdapterTls().check()
    shows(keys).check()
    for wrong in (
        AdapterTls(ca=keys.client.key),
        AdapterTls(cert=keys.client.cert, key=keys.server.key),
        AdapterTls(ca=tmp_path / "nothing.pem"),
    ):
        with pytest.raises(OSError, match=r"PEM|No such file") as raised:
            wrong.check()
        assert str(wrong.ca or f"{wrong.cert}, {wrong.key}") == raised.value.filename
