"""The adapter as one HTTP server: what all of its answers have in common."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from lxml import etree

from intyg.adapter.bootstrap.app import App, build_app
from intyg.adapter.domain.clock import Clock, system_clock
from intyg.adapter.domain.delivery import Outcome, OutcomeKind
from intyg.adapter.domain.virtual_clock import VirtualClock
from intyg.adapter.formats.safe_xml import envelope
from intyg.adapter.httpd.server import Server
from intyg.adapter.settings.settings import Settings, load_settings
from intyg.adapter.signature.demo_keys import make_test_keys
from intyg.adapter.store import Store
from intyg.schemas.contract.contract import Contracts
from tests import builders, queries
from tests.adapter.receivers import OK, Received, http, receiver, soap
from tests.adapter.samples import add_delivery

REGISTER = "/services" + Contracts().get("RegisterCertificate", 3).path


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("app")
    settings = load_settings(environment="demo", data_dir=folder, server={"port": 0})
    with build_app(settings) as running:
        yield running


def answer(app: App, request: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers of the answer to raw bytes."""
    port = int(app.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        head = b""
        while b"\r\n\r\n" not in head and (block := connection.recv(65536)):
            head += block
    status, *lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert len(headers) == len(lines), "a header came twice"
    return int(status.split()[1]), headers


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", 200, id="health"),
        pytest.param(b"GET /services HTTP/1.1\r\nHost: a\r\n\r\n", 200, id="page"),
        pytest.param(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", 404, id="nothing there"),
        pytest.param(b"GET /api/intyg/x HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, id="problem"),
        pytest.param(
            f"POST {REGISTER} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n<".encode(),
            500,
            id="SOAP fault",
        ),
        pytest.param(
            f"POST {REGISTER} HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n".encode(),
            413,
            id="too large",
        ),
        pytest.param(b"HEAD /services HTTP/1.1\r\nHost: a\r\n\r\n", 200, id="HEAD"),
        pytest.param(b"GET /services\r\n\r\n", 400, id="no HTTP version"),
        pytest.param(b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, id="another HTTP"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400, id="broken length"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 413, id="large head"
        ),
    ],
)
def test_every_answer_names_the_environment(app: App, request_bytes: bytes, status: int) -> None:
    found, headers = answer(app, request_bytes)
    assert (found, headers["x-intyg-environment"]) == (status, "demo")


def test_a_request_without_tls_is_answered_with_the_environment_too(tmp_path: Path) -> None:
    keys = make_test_keys(tmp_path / "keys", system_clock())
    tls = {"cert": keys.server.cert, "key": keys.server.key}
    settings = load_settings(
        environment="demo", data_dir=tmp_path / "data", server={"port": 0, "tls": tls}
    )
    with build_app(settings) as running:
        found, headers = answer(running, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (found, headers["x-intyg-environment"]) == (400, "demo")


def test_pages_name_the_environment(app: App) -> None:
    assert "<strong>demo</strong>" in requests.get(f"{app.url}/services", timeout=10).text
    as_json = {"Accept": "application/json"}
    listed = requests.get(f"{app.url}/services", headers=as_json, timeout=10).json()
    assert listed["environment"] == "demo"


def test_an_event_has_the_patient_s_name_as_the_settings_register_has_it(tmp_path: Path) -> None:
    person = {"number": builders.PATIENT, "test": True, "protected": False, "efternamn": "Provman"}
    (tmp_path / "people.json").write_text(json.dumps([person]), "utf-8")
    heard = threading.Event()

    def hear(_: Received) -> bytes:
        heard.set()
        return http(soap(OK))

    with receiver() as ehr:
        ehr.answer = hear
        settings = load_settings(
            environment="demo",
            data_dir=tmp_path,
            server={"port": 0},
            signature="accept",
            test_patients={"population_register": {"file": tmp_path / "people.json"}},
            destinations={"ehr": {"url": ehr.url, "kind": "mock", "role": "care"}},
            routes=[{"contract": "*", "logical_address": builders.UNIT, "destination": "ehr"}],
        )
        with build_app(settings, lambda: builders.NOW) as running:
            message = envelope(builders.register_certificate(), "INTYGSADAPTER")
            headers = {"Content-Type": "text/xml"}
            answered = requests.post(running.url + REGISTER, message, headers=headers, timeout=30)
            assert b">OK<" in answered.content
            assert heard.wait(30)
    assert b"<efternamn>Provman</efternamn>" in ehr.received[0].body


def settings_with_reloaders(folder: Path) -> Settings:
    keys = make_test_keys(folder / "keys", system_clock())
    (folder / "routes.toml").write_text("")
    return load_settings(
        environment="demo",
        data_dir=folder / "data",
        routes_file=folder / "routes.toml",
        server={"port": 0, "tls": {"cert": keys.server.cert, "key": keys.server.key}},
        console={"port": 0},
    )


def test_health_looks_at_every_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with build_app(settings_with_reloaders(tmp_path)) as running:
        started = {thread.name for thread in set(threading.enumerate()) - before}
        looked_at = {thread.name for thread in running._threads()}
        assert started == looked_at
        assert {"worker-3", "request-15", "routes", "handshakes", "intake"} < looked_at
        assert running.ended_threads() == []


def test_health_names_a_thread_that_has_ended(tmp_path: Path) -> None:
    with build_app(settings_with_reloaders(tmp_path)) as running:
        health = f"{running.console_url}/health"
        assert requests.get(health, timeout=10).json()["status"] == "ok"
        running._reloaders[0].stop()
        answer = requests.get(health, timeout=10)
    assert answer.status_code == 503
    assert answer.json()["detail"] == "Threads have ended: routes."


def test_every_part_ends_whatever_the_one_before_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = build_app(settings_with_reloaders(tmp_path))
    before = set(threading.enumerate())

    def stop_and_fail(server: Server, until: float) -> None:
        stop(server, until)
        raise OSError("the first one")

    stop = Server.stop
    monkeypatch.setattr(Server, "stop", stop_and_fail)
    with pytest.raises(OSError, match="the first one"), app:
        pass
    assert set(threading.enumerate()) <= before
    Store(
        app.services.settings.effective_database_url, app.services.clock
    ).close()  # the file is free


def test_calls_are_recorded_but_for_those_about_nobody(app: App) -> None:
    contracts = Contracts()
    for body in (queries.ping(), queries.list_known_recipients(), queries.get_certificate("none")):
        contract = contracts.by_request(str(etree.fromstring(body).tag))
        assert contract is not None
        requests.post(
            f"{app.url}/services{contract.path}",
            envelope(body, app.services.settings.logical_address),
            headers={"Content-Type": "text/xml; charset=UTF-8"},
            timeout=30,
        )
    with app.services.store.read() as rows:
        found = [(row.entry.action, row.entry.outcome) for row in rows.audit.find(None, 9)]
    assert found == [("GetCertificate:2", "ERROR")]


@pytest.mark.parametrize(
    ("environment", "clock", "status"),
    [
        ("demo", VirtualClock(system_clock), 200),
        ("demo", system_clock, 404),
    ],
)
def test_a_clock_that_can_be_set_is_served_where_there_is_one(
    tmp_path: Path, environment: str, clock: Clock, status: int
) -> None:
    settings = load_settings(environment=environment, data_dir=tmp_path, server={"port": 0})
    with build_app(settings, clock) as running:
        assert requests.get(f"{running.url}/api/clock", timeout=10).status_code == status


def test_what_has_ended_for_long_leaves_the_queue_by_itself(tmp_path: Path) -> None:
    clock = VirtualClock(system_clock)
    settings = load_settings(
        environment="demo", data_dir=tmp_path, server={"port": 0}, delivery={"workers": 0}
    )
    with build_app(settings, clock) as running:
        store = running.services.store
        with store.begin() as rows:
            add_delivery(rows)
        (claimed,) = store.claim("w", 1, 60.0)
        with store.begin() as rows:
            rows.deliveries.record_attempt(claimed, Outcome(OutcomeKind.DELIVERED))
        clock.put(clock() + timedelta(days=settings.delivery.archive_after_days + 1), frozen=True)
        running._what_is_due()
        with store.read() as rows:
            assert sum(rows.deliveries.count().values()) == 0
            assert rows.deliveries.get(claimed.id) is not None
