"""TLS at the door, on real sockets: Python's ssl, openssl and curl as callers."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import structlog.testing
from typer.testing import CliRunner

from intyg.adapter.cli.main import cli
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.httpd import tls as server_tls
from intyg.adapter.httpd.mount import Mount
from intyg.adapter.httpd.server import Server
from intyg.adapter.httpd.tls import context_from_settings, server_context
from intyg.adapter.routing.access import Access
from intyg.adapter.routing.caller import PEER_CERT
from intyg.adapter.routing.table import Routes
from intyg.adapter.settings.settings import (
    ServerTlsSettings,
    Settings,
    SettingsError,
    load_settings,
)
from intyg.adapter.soap import build_wsgi
from intyg.schemas.contract.contract import Contracts
from tests.adapter.soap.calls import envelope, request
from tests.adapter.tls_certs import HSA_ID, TlsCerts, make_issuing_ca, make_tls_certs

CONTRACTS = Contracts()
PING = CONTRACTS.get("RevokeCertificate", 2)
MESSAGE = envelope(request(PING), "ADAPTER").encode()


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> TlsCerts:
    return make_tls_certs(tmp_path_factory.mktemp("certs"))


def settings(certs: TlsCerts, **tls: Any) -> Settings:
    return load_settings(
        environment="test",
        logical_address="ADAPTER",
        server={"tls": {"cert": certs.server, "client_ca": [certs.ca], **tls}},
        permissions=[{"sender": HSA_ID, "contract": "*", "logical_address": "*"}],
    )


@pytest.fixture(scope="module")
def door(certs: TlsCerts) -> Iterator[Server]:
    """The doors behind TLS; one system is permitted."""
    made = settings(certs)
    app = build_wsgi(CONTRACTS, {PING.key: _ok}, made, system_clock, access=_access(made))
    with Server(app, threads=2, tls=context_from_settings(made)) as server:
        yield server


def test_an_issuer_that_is_named_is_an_anchor(certs: TlsCerts, tmp_path: Path) -> None:
    """Also without the authority that issued it; the other way round callers are refused."""
    issuing, file = make_issuing_ca(tmp_path)
    caller = issuing.issue(tmp_path / "caller.pem", HSA_ID)
    made = settings(certs, client_ca=[file])
    app = build_wsgi(CONTRACTS, {PING.key: _ok}, made, system_clock, access=_access(made))
    with Server(Mount({"": app}), threads=1, tls=context_from_settings(made)) as server:
        assert post(server, client(certs, caller)).startswith("HTTP/1.1 200 ")
        with pytest.raises((ssl.SSLError, OSError)):
            post(server, client(certs, certs.client))


def test_an_issuer_before_the_certificate_is_said_to_be(certs: TlsCerts, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(certs.ca.read_bytes() + certs.server.read_bytes())
    with pytest.raises(SettingsError, match=r"server\.tls\.cert: .* wrong order: the one that"):
        context_from_settings(settings(certs, cert=both))
    both.write_bytes(certs.ca.read_bytes())
    with pytest.raises(SettingsError, match="the key is another's"):
        context_from_settings(settings(certs, cert=both, key=certs.server))


def _ok(inbound: Inbound) -> Result:
    return Result.ok(f"hello {inbound.sender}")


def _access(made: Settings) -> Access:
    return Access(made, Routes(made, system_clock))


def client(certs: TlsCerts, cert: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certs.ca))
    if cert is not None:
        context.load_cert_chain(cert)
    return context


def connect(
    server: Server, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    try:
        return context.wrap_socket(raw, server_hostname="localhost", session=session)
    except BaseException:
        raw.close()
        raise


def post(server: Server, context: ssl.SSLContext) -> str:
    """Post the message and read the answer, until the server says goodbye."""
    head = (
        f"POST {PING.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
        f"Connection: close\r\nContent-Length: {len(MESSAGE)}\r\n\r\n"
    )
    with connect(server, context) as sock:
        sock.sendall(head.encode() + MESSAGE)
        got = b""
        while block := sock.recv(65536):
            got += block
    return got.decode()


def wait_for(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not happened() and time.monotonic() < until:
        time.sleep(0.01)


# --- who is let in ----------------------------------------------------------------------------

ANSWERED = [
    pytest.param(None, "VP002 ", "No client certificate", id="no certificate"),
    pytest.param("nameless", "VP002 ", "holds none", id="no HSA-id"),
    pytest.param("other", "VP007 ", "no permission for SE2321000016-EHR2", id="not permitted"),
    pytest.param("client", "OK", f"hello {HSA_ID}", id="permitted"),
]
REFUSED = [
    pytest.param("stranger", "unknown ca", "unable to get local issuer certificate", id="wrong CA"),
    pytest.param("expired", "certificate expired", "certificate has expired", id="expired"),
    pytest.param(
        "server", "unsupported certificate", "unsuitable certificate purpose", id="not a client's"
    ),
]
"""What the caller is told by TLS, and what the log says."""


def file_of(certs: TlsCerts, name: str | None) -> Path | None:
    found: Path | None = getattr(certs, name) if name else None
    return found


@pytest.mark.parametrize(("name", "code", "says"), ANSWERED)
def test_callers_are_answered(
    door: Server, certs: TlsCerts, name: str | None, code: str, says: str
) -> None:
    answer = post(door, client(certs, file_of(certs, name)))
    assert answer.startswith("HTTP/1.1 200" if code == "OK" else "HTTP/1.1 500")
    assert f">{code}" in answer
    assert says in answer


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("name", "alert", "says"), REFUSED)
def test_certificates_that_do_not_hold_are_refused(
    door: Server, certs: TlsCerts, name: str, alert: str, says: str, version: ssl.TLSVersion
) -> None:
    context = client(certs, file_of(certs, name))
    context.maximum_version = version
    with structlog.testing.capture_logs() as logs:
        with pytest.raises(ssl.SSLError, match=alert.replace(" ", "[ _]")):
            post(door, context)
        wait_for(lambda: bool(logs))  # it is written when the caller has its alert already
    assert [line["event"] for line in logs] == ["server.tls_refused"]
    assert says in logs[0]["tls.detail"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize(("name", "code", "says"), ANSWERED)
def test_curl_is_answered(
    door: Server, certs: TlsCerts, name: str | None, code: str, says: str
) -> None:
    done = curl(door, certs, name)
    assert done.returncode == 0
    assert f">{code}" in done.stdout
    assert says in done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize(("name", "alert", "_says"), REFUSED)
def test_curl_is_refused(door: Server, certs: TlsCerts, name: str, alert: str, _says: str) -> None:
    done = curl(door, certs, name)
    assert done.returncode in (35, 56)  # in the handshake, or just after it
    assert alert in done.stderr
    assert done.stdout == ""


def curl(door: Server, certs: TlsCerts, name: str | None) -> "subprocess.CompletedProcess[str]":
    cert = file_of(certs, name)
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--cacert", str(certs.ca)]
        + (["--cert", str(cert)] if cert else [])
        + ["-H", "Content-Type: text/xml", "--data-binary", "@-"]
        + [f"https://localhost:{door.port}{PING.path}"],
        input=MESSAGE.decode(),
        capture_output=True,
        encoding="utf-8",
        timeout=20,
        check=False,
    )


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param(None, ">VP002 ", id="no certificate"),
        pytest.param("client", f"hello {HSA_ID}", id="permitted"),
        pytest.param("nameless", ">VP002 ", id="no HSA-id"),
        pytest.param("other", ">VP007 ", id="not permitted"),
        pytest.param("expired", "alert certificate expired", id="expired"),
        pytest.param("stranger", "alert unknown ca", id="wrong CA"),
    ],
)
def test_openssl_sees_the_same(door: Server, certs: TlsCerts, name: str | None, says: str) -> None:
    cert = file_of(certs, name)
    head = (
        f"POST {PING.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
        f"Connection: close\r\nContent-Length: {len(MESSAGE)}\r\n\r\n"
    )
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{door.port}", "-CAfile", str(certs.ca)]
        + ["-servername", "localhost", "-verify_return_error", "-ign_eof"]
        + (["-cert", str(cert), "-key", str(cert)] if cert else []),
        input=head.encode() + MESSAGE,
        capture_output=True,
        timeout=20,
        check=False,
    )
    told = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert says in told
    assert "Verify return code: 0 (ok)" in told


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param(None, "VP002 [intygsadapter]", id="no certificate"),
        pytest.param("other", "no permission for SE2321000016-EHR2", id="not permitted"),
        pytest.param("client", f"OK hello {HSA_ID}", id="permitted"),
        pytest.param("expired", "TLS failed", id="expired"),
    ],
)
def test_intyg_send_sees_the_same(
    door: Server, certs: TlsCerts, tmp_path: Path, name: str | None, says: str
) -> None:
    (tmp_path / "message.xml").write_bytes(MESSAGE)
    cert = file_of(certs, name)
    command = ["send", str(tmp_path / "message.xml"), "--to", door.address, "--ca", str(certs.ca)]
    result = CliRunner().invoke(cli, [*command, "--cert", str(cert)] if cert else command)
    assert says in result.output
    assert result.exit_code == (0 if name == "client" else 1)


def test_older_tls_is_not_spoken(door: Server, certs: TlsCerts) -> None:
    context = client(certs, certs.client)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol[ _]version|no protocols"):
        post(door, context)


def test_plain_http_is_told_to_speak_https(door: Server) -> None:
    answer = requests.get(f"http://127.0.0.1:{door.port}/", timeout=5)
    assert (answer.status_code, answer.text) == (400, "This port speaks HTTPS only.\n")


# --- handshakes hold up nobody ----------------------------------------------------------------


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    text = f"{environ['wsgi.url_scheme']} {len(body)} {bool(environ[PEER_CERT])}".encode()
    start_response("200 OK", [("Content-Length", str(len(text)))])
    return [text]


@pytest.fixture
def small(certs: TlsCerts) -> Iterator[Server]:
    """A server with one thread."""
    before = set(threading.enumerate())
    tls = server_context(ServerTlsSettings(cert=certs.server, client_ca=(certs.ca,)))
    with Server(echo, threads=1, tls=tls, arrive_seconds=0.8) as server:
        yield server
    assert not [t for t in threading.enumerate() if t not in before and t.is_alive()]


def get(server: Server, certs: TlsCerts, data: bytes = b"") -> str:
    url = f"https://localhost:{server.port}/"
    return requests.post(url, data=data, verify=str(certs.ca), timeout=5).text


def test_callers_who_never_shake_hands_hold_up_nobody(small: Server, certs: TlsCerts) -> None:
    silent = [socket.create_connection(("127.0.0.1", small.port), timeout=5) for _ in range(20)]
    halfway = connect_halfway(small)
    best = 9.0
    for _ in range(3):
        started = time.perf_counter()
        assert get(small, certs) == "https 0 False"
        best = min(best, time.perf_counter() - started)
    assert best < 0.5
    for sock in (*silent, halfway):
        sock.close()


def connect_halfway(server: Server) -> socket.socket:
    """The first half of a ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    shaking = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="x")
    with pytest.raises(ssl.SSLWantReadError):
        shaking.do_handshake()
    hello = outgoing.read()
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    sock.sendall(hello[: len(hello) // 2])
    return sock


def test_callers_who_shake_hands_and_say_nothing_hold_up_nobody(
    small: Server, certs: TlsCerts
) -> None:
    silent = [connect(small, client(certs, None)) for _ in range(5)]
    assert get(small, certs) == "https 0 False"
    for sock in silent:
        sock.close()


def test_a_handshake_has_a_deadline(certs: TlsCerts) -> None:
    tls = server_context(ServerTlsSettings(cert=certs.server))
    with (
        structlog.testing.capture_logs() as logs,
        Server(echo, threads=1, tls=tls, handshake_seconds=0.3) as server,
    ):
        started = time.perf_counter()
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as sock:
            assert sock.recv(1) == b""
        wait_for(lambda: bool(logs))
        assert 0.2 < time.perf_counter() - started < 3
    assert [line["tls.reason"] for line in logs] == ["TOO_LATE"]


def test_too_many_at_a_time_cost_the_oldest(
    certs: TlsCerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_tls, "MAX_HANDSHAKES", 2)
    tls = server_context(ServerTlsSettings(cert=certs.server))
    with Server(echo, threads=1, tls=tls) as server:
        first, *rest = [
            socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(3)
        ]
        assert first.recv(1) == b""
        for sock in (first, *rest):
            sock.close()


def test_what_nobody_foresaw_ends_one_connection_and_not_the_others(
    small: Server, certs: TlsCerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("unforeseen")

    handshakes = small._handshakes
    with monkeypatch.context() as patched, structlog.testing.capture_logs() as logs:
        patched.setattr(handshakes, "_done", fail)
        with pytest.raises(requests.ConnectionError):
            get(small, certs)
        wait_for(lambda: bool(logs))
    assert [line["event"] for line in logs] == ["server.handshake_failed"]
    assert get(small, certs) == "https 0 False"


def test_a_request_that_dribbles_in_over_tls_is_cut_off(small: Server, certs: TlsCerts) -> None:
    started = time.perf_counter()
    with connect(small, client(certs, None)) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        try:
            while time.perf_counter() - started < 4:
                sock.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            pass
    assert time.perf_counter() - started < 3.5
    assert get(small, certs, b"1") == "https 1 False"


def test_requests_that_come_in_one_record_are_all_answered(small: Server, certs: TlsCerts) -> None:
    """TLS hands over a record at a time: what is left of it is not to be seen on the socket."""
    body = b"x" * 9000
    one = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" + body
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connect(small, client(certs, certs.client)) as sock:
        sock.sendall(one + last)
        got = b""
        while block := sock.recv(65536):
            got += block
    assert got.count(b"200 OK") == 2
    assert b"https 9000 True" in got


def test_a_large_body_arrives_whole(small: Server, certs: TlsCerts) -> None:
    assert get(small, certs, b"x" * 1_000_000) == "https 1000000 False"


def test_stopping_does_not_wait_for_handshakes(certs: TlsCerts) -> None:
    tls = server_context(ServerTlsSettings(cert=certs.server))
    with Server(echo, threads=1, tls=tls) as server:
        sock = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        time.sleep(0.1)
        started = time.perf_counter()
    assert time.perf_counter() - started < 4
    sock.close()


# --- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tls", "says"),
    [
        ({"cert": "missing.pem"}, r"server\.tls\.cert: No such file"),
        ({"client_ca": ["missing.pem"]}, r"server\.tls\.client_ca: No such file"),
        ({"client_ca": []}, "known by client certificate"),
    ],
)
def test_files_that_cannot_be_used_are_told(
    certs: TlsCerts, tls: dict[str, Any], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        context_from_settings(settings(certs, **tls))


def test_a_key_that_is_anothers_is_told(certs: TlsCerts) -> None:
    with pytest.raises(SettingsError, match="the key is another's"):
        context_from_settings(settings(certs, key=certs.client))


def test_without_tls_callers_must_be_known_otherwise() -> None:
    with pytest.raises(SettingsError, match="known by client certificate"):
        context_from_settings(load_settings(environment="test"))
    behind = {"identity": "proxy", "proxies": ["127.0.0.1/32"]}
    assert context_from_settings(load_settings(environment="test", caller=behind)) is None
    assert context_from_settings(load_settings(environment="demo")) is None
