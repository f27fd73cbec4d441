import io
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from lxml import etree
from pytest_httpserver import HTTPServer
from zeep.transports import Transport

from intyg.adapter.httpd.ports import held_port
from intyg.mocks.rules.answers import Error
from intyg.mocks.server.serving import (
    MAX_CHUNKS,
    MAX_HEADER_BYTES,
    MockServer,
    mount,
    run_mocks,
    serve,
)
from intyg.schemas.codes import ErrorId
from tests import builders
from tests.mocks.calls import (
    NATIONAL,
    PATHS,
    envelope,
    post,
    result,
)
from tests.mocks.kinds import Ehr, Kassan
from tests.mocks.signing import Signer, sign


def test_a_free_port_is_taken_and_told(kassan: Kassan) -> None:
    with serve(kassan) as server:
        assert server.port > 0
        assert result(post(server, builders.register_certificate()))[0] == "OK"


def test_a_port_is_given_back(kassan: Kassan) -> None:
    with held_port() as port:
        with serve(kassan, port=port) as server:
            assert server.port == port
        with socket.create_server(("127.0.0.1", port)):
            pass  # it is free again


def test_a_taken_port_is_an_oserror(kassan: Kassan, server: MockServer) -> None:
    with pytest.raises(OSError, match="in use"):
        MockServer(kassan, port=server.port)


def test_a_server_that_never_started_can_be_stopped(kassan: Kassan) -> None:
    MockServer(kassan).stop()


def test_a_call_that_cannot_be_begun_does_not_end_the_mock(
    kassan: Kassan, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where nothing can be said about it."""

    faults = [RuntimeError("can't start new thread")]

    def submit(*arguments: Any) -> object:
        if faults:
            raise faults.pop()
        return submitted(*arguments)

    with serve(kassan) as server, Path("/dev/full").open("wb", buffering=0) as full:
        submitted = server._server._pool.submit
        monkeypatch.setattr(server._server._pool, "submit", submit)
        monkeypatch.setattr("sys.stderr", io.TextIOWrapper(full, write_through=True))
        with pytest.raises(requests.ConnectionError):
            post(server, builders.register_certificate())
        assert result(post(server, builders.register_certificate()))[0] == "OK"
    assert caplog.messages == ["call_failed exception=RuntimeError"]


def test_stopping_ends_idle_connections_and_their_threads(kassan: Kassan) -> None:
    before = threading.active_count()
    with serve(kassan) as server:
        idle = socket.create_connection((server.host, server.port))
        assert result(post(server, builders.register_certificate()))[0] == "OK"
    with idle:
        idle.settimeout(5)
        assert idle.recv(1) == b""
    assert threading.active_count() == before


def test_headers_of_more_than_32_kib_are_refused(server: MockServer) -> None:
    answer = requests.get(server.url, headers={"X-A": "a" * MAX_HEADER_BYTES}, timeout=10)
    assert answer.status_code == 431


def test_a_body_in_very_many_pieces_is_not_read_to_its_end(
    server: MockServer, kassan: Kassan
) -> None:
    with socket.create_connection((server.host, server.port)) as caller:
        caller.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        caller.sendall(b"1\r\n \r\n" * (MAX_CHUNKS + 1))
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(100).startswith(b"HTTP/1.1 400 ")
    (entry,) = kassan.journal.entries()
    assert len(entry.request) <= MAX_CHUNKS


@pytest.mark.parametrize("what", ["journal", "handelser"])
def test_waiters_are_woken_when_the_mock_stops(ehr: Ehr, what: str) -> None:
    waits: dict[str, Callable[..., object]] = {
        "journal": ehr.journal.wait,
        "handelser": ehr.persona.wait_handelser,
    }
    wait = waits[what]
    waiter = threading.Thread(target=lambda: wait(timeout_seconds=60), daemon=True)
    waiter.start()
    for _ in range(500):  # the first may come before it waits
        MockServer(ehr).stop()
        waiter.join(0.01)
        if not waiter.is_alive():
            break
    assert not waiter.is_alive()


def test_several_mocks_run_at_once_by_name(kassan: Kassan, ehr: Ehr) -> None:
    with run_mocks({"fk": kassan, "ehr": ehr}) as servers:
        names = [
            requests.get(f"{servers[name].url}/control", timeout=5).json()["name"]
            for name in ("fk", "ehr")
        ]
    assert names == ["Försäkringskassan", "Journalsystem"]


def test_mocks_already_started_stop_when_a_later_one_cannot(kassan: Kassan, ehr: Ehr) -> None:
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"ehr": taken.getsockname()[1]}
        with (
            pytest.raises(OSError, match="in use"),
            run_mocks({"fk": kassan, "ehr": ehr}, ports=ports),
        ):
            pass
    assert threading.active_count() == before


@pytest.fixture
def mounted() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as running:
        yield running


def test_a_mock_answers_inside_pytest_httpserver(mounted: HTTPServer, kassan: Kassan) -> None:
    mount(mounted, kassan)
    response = requests.post(
        mounted.url_for(PATHS["RegisterCertificate"]),
        data=envelope(builders.register_certificate()),
        headers={"Content-Type": "text/xml; charset=UTF-8"},
        timeout=5,
    )
    assert result(response)[0] == "OK"
    control = requests.get(mounted.url_for("/control/journal"), timeout=5)
    assert control.json()["count"] == 1
    in_run = mounted.url_for("/run/one/control/journal/verify")
    verified = requests.post(in_run, json={"filter": "RegisterCertificate", "count": 0}, timeout=5)
    assert verified.json()["met"]
    assert kassan.persona.intyg(builders.INTYGS_ID).typ == "LISJP"
    mounted.check_assertions()


def zeep_client(server: MockServer, contract: str, major: int, session: requests.Session) -> Any:
    url = f"{server.url}{NATIONAL}/{contract}/{major}/rivtabp21?wsdl"
    return zeep.Client(url, transport=Transport(session=session, timeout=10, operation_timeout=10))


def test_a_zeep_client_works_from_the_served_wsdl(
    server: MockServer, kassan: Kassan, signer: Signer
) -> None:
    """Registers the signed element as it is, and revokes with what zeep builds itself."""
    with requests.Session() as session:
        client = zeep_client(server, "RegisterCertificate", 3, session)
        operation = client.service._binding.get("RegisterCertificate")
        message = etree.fromstring(envelope(sign(builders.register_certificate(), signer)))
        response = client.transport.post_xml(
            client.service._binding_options["address"],
            message,
            {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": operation.soapaction},
        )
        reply = client.service._binding.process_reply(client, operation, response)
        assert getattr(reply, "result", reply).resultCode == "OK"
        assert kassan.persona.intyg(builders.INTYGS_ID).signature == "valid"

        revoke = zeep_client(server, "RevokeCertificate", 2, session)
        hsa = {"root": builders.HSA}
        reply = revoke.service.RevokeCertificate(
            skickatTidpunkt="2026-11-23T10:00:00",
            **{
                "intygs-id": {"root": builders.UNIT, "extension": builders.INTYGS_ID},
                "patientPerson-id": {
                    "root": builders.PERSONNUMMER,
                    "extension": builders.PATIENT,
                },
            },
            skickatAv={
                "personal-id": {**hsa, "extension": builders.DOCTOR},
                "fullstandigtNamn": "Påhittad Läkare",
                "enhet": {
                    "enhets-id": {**hsa, "extension": builders.UNIT},
                    "arbetsplatskod": {"root": "1.2.752.29.4.71", "extension": "0000000"},
                    "enhetsnamn": "",
                    "postadress": "",
                    "postnummer": "",
                    "postort": "",
                    "telefonnummer": "",
                    "vardgivare": {
                        "vardgivare-id": {**hsa, "extension": builders.CARE_PROVIDER},
                        "vardgivarnamn": "",
                    },
                },
            },
            _soapheaders={"LogicalAddress": "FKASSA"},
        )
        assert getattr(reply, "result", reply).resultCode == "OK"
    assert kassan.persona.intyg(builders.INTYGS_ID).revoked_at is not None


def test_parallel_calls_are_all_kept_and_numbered_once(
    server: MockServer, kassan: Kassan, signer: Signer
) -> None:
    """200 calls, 10 of each of 20 signed certificates; 20 calls fail by order."""
    bodies = [sign(builders.register_certificate(f"id-{n}"), signer) for n in range(20)] * 10
    kassan.rules.fail_next(Error(error_id=ErrorId.TECHNICAL_ERROR), count=20)
    with ThreadPoolExecutor(max_workers=40) as pool:
        answers = list(pool.map(lambda body: result(post(server, body))[0], bodies))
    entries = kassan.journal.entries()
    assert [each.number for each in entries] == list(range(1, 201))
    assert len({each.request for each in entries}) == 20
    counted = Counter(answers)
    assert counted["ERROR"] == 20
    # each certificate is taken once, and every other call that got through says so
    assert counted["OK"] == len(kassan.persona.all_intyg())
    assert counted["INFO"] == 200 - 20 - counted["OK"]
    assert {each.signature for each in kassan.persona.all_intyg()} == {"valid"}
    assert all(each.reply for each in entries)
