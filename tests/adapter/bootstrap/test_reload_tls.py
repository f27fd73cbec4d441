"""Revocation lists at the door, and files of `[server.tls]` that change while it is open."""

import os
import shutil
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pydantic
import pytest
import structlog.testing

from intyg.adapter.bootstrap.reload_tls import TlsReloader
from intyg.adapter.bootstrap.startup import read_facts
from intyg.adapter.doctor.checks.own import cert_dates
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.environment import Environment
from intyg.adapter.httpd.crl_files import due_soon
from intyg.adapter.httpd.server import Server
from intyg.adapter.httpd.tls import server_context
from intyg.adapter.settings.settings import ServerTlsSettings, SettingsError
from intyg.adapter.signature.demo_keys import make_test_keys
from tests.adapter.flows.rig import CONTRACTS, TYPES, make_settings
from tests.adapter.httpd.test_tls import client, connect, wait_for
from tests.adapter.tls_certs import TlsCerts, make_tls_certs

_moments = count(1_700_000_000)


def touch(path: Path) -> None:
    """Changed, and not a moment ago."""
    os.utime(path, (next(_moments),) * 2)


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> TlsCerts:
    return make_tls_certs(tmp_path_factory.mktemp("certs"))


class Door:
    """A server that only says that it is there, and what it read its certificates from."""

    def __init__(self, folder: Path, certs: TlsCerts) -> None:
        self.certs = certs
        self.ca, self.crl = folder / "ca.pem", folder / "crl.pem"
        shutil.copy(certs.ca, self.ca)
        certs.authority.revoke(self.crl)
        self.tls = self.settings()

    def settings(self, **changes: Any) -> ServerTlsSettings:
        values: dict[str, Any] = {
            "cert": self.certs.server,
            "client_ca": (self.ca,),
            "client_crl": (self.crl,),
        }
        return ServerTlsSettings(**(values | changes))

    def open(self, environment: Environment = Environment.TEST) -> Server:
        server = Server(_there, threads=1, tls=server_context(self.tls))
        self.reloader = TlsReloader(self.tls, environment, server.use_tls)
        return server

    def says_to(self, server: Server, cert: Path | None) -> str:
        """Its answer; or why the handshake was refused, by the log."""
        with structlog.testing.capture_logs() as logs:
            try:
                with connect(server, client(self.certs, cert)) as sock:
                    sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    return sock.recv(100).decode().splitlines()[0]
            except (ssl.SSLError, OSError):
                wait_for(lambda: bool(logs))
        return str(logs[0]["tls.detail"])


def _there(_: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "0")])
    return []


@pytest.fixture
def door(tmp_path: Path, certs: TlsCerts) -> Door:
    return Door(tmp_path, certs)


OK = "HTTP/1.1 200 OK"


# --- who is let in --------------------------------------------------------------------------------


def test_a_revoked_certificate_is_not_let_in_and_others_are(door: Door) -> None:
    door.certs.authority.revoke(door.crl, ["other.pem"])
    with door.open() as server:
        assert door.says_to(server, door.certs.other) == "certificate revoked"
        assert door.says_to(server, door.certs.client) == OK
        assert door.says_to(server, None) == OK  # what is missing is told as VP002


@pytest.mark.parametrize(
    ("days", "says"), [(-0.01, "CRL has expired"), (8, "CRL is not yet valid")]
)
def test_a_list_that_is_not_in_date_lets_nobody_in(door: Door, days: float, says: str) -> None:
    door.certs.authority.revoke(door.crl, days=days)
    with door.open() as server:
        assert door.says_to(server, door.certs.client) == says


def test_an_issuer_without_a_list_lets_nobody_in(door: Door, tmp_path: Path) -> None:
    strange = door.certs.strange_authority
    (tmp_path / "strange.pem").write_bytes(strange.pem)
    door.tls = door.settings(client_ca=(door.ca, tmp_path / "strange.pem"))
    with door.open() as server:
        assert door.says_to(server, door.certs.stranger) == "unable to get certificate CRL"
        assert door.says_to(server, door.certs.client) == OK
    strange.revoke(door.crl)  # and its list says nothing of the other's
    with door.open() as server:
        assert door.says_to(server, door.certs.client) == "unable to get certificate CRL"
        assert door.says_to(server, door.certs.stranger) == OK


# --- files ----------------------------------------------------------------------------------------


def test_a_file_that_holds_more_than_lists_is_refused(door: Door) -> None:
    door.crl.write_bytes(door.crl.read_bytes() + door.certs.strange_authority.pem)
    with pytest.raises(SettingsError, match=r"server\.tls\.client_crl: not revocation lists"):
        server_context(door.tls)


@pytest.mark.parametrize(
    "text", [b"", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", None]
)
def test_a_file_that_holds_no_list_is_refused(door: Door, text: bytes | None) -> None:
    door.crl.unlink() if text is None else door.crl.write_bytes(text)
    with pytest.raises(SettingsError, match=r"server\.tls\.client_crl: "):
        server_context(door.tls)


def test_a_list_needs_somebody_whose_certificates_it_is_about(door: Door) -> None:
    with pytest.raises(pydantic.ValidationError, match="client_crl without client_ca"):
        door.settings(client_ca=())


@pytest.mark.parametrize(("days", "told"), [(7, False), (1.8, False), (1.7, True), (-1, True)])
def test_the_doctor_tells_of_a_list_in_time(door: Door, days: float, told: bool) -> None:
    door.certs.authority.revoke(door.crl, days=days)
    due = datetime.now(UTC) + timedelta(days=days)
    found = list(due_soon([door.crl], datetime.now(UTC)))
    assert [path for path, _ in found] == [door.crl] * told
    facts = read_facts(
        make_settings(server={"tls": door.tls}), system_clock, schemas=(CONTRACTS, TYPES)
    )
    texts = [remark.text for remark in cert_dates(facts) if "client_crl" in remark.text]
    assert len(texts) == told
    assert all(f"{due:%Y-%m-%d}" in text for text in texts)


# --- files that change ----------------------------------------------------------------------------


@pytest.fixture
def open_door(door: Door, tmp_path: Path) -> Iterator[Server]:
    both = door.certs.ca.read_bytes() + door.certs.strange_authority.pem
    door.ca.write_bytes(both)
    door.tls = door.settings(client_crl=())
    with door.open() as server:
        yield server


def test_an_authority_that_was_taken_out_is_believed_no_more(door: Door, open_door: Server) -> None:
    assert door.says_to(open_door, door.certs.stranger) == OK
    door.reloader.look()
    door.ca.write_bytes(door.certs.ca.read_bytes())
    touch(door.ca)
    door.reloader.look()
    assert door.says_to(open_door, door.certs.stranger) == "unable to get local issuer certificate"
    assert door.says_to(open_door, door.certs.client) == OK


def test_a_session_from_before_is_not_taken_up_again(door: Door, open_door: Server) -> None:
    context = client(door.certs, door.certs.stranger)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # its sessions are there after the handshake
    with connect(open_door, context) as first:
        session = first.session
    door.ca.write_bytes(door.certs.ca.read_bytes())
    door.reloader.reload()
    with (
        pytest.raises(ssl.SSLError, match=r"(?i)unknown[ _]ca"),
        connect(open_door, context, session) as second,
    ):
        second.recv(1)


def test_files_that_are_no_good_change_nothing(door: Door, open_door: Server) -> None:
    door.ca.write_text("half a fi")
    touch(door.ca)
    with structlog.testing.capture_logs() as logs:
        door.reloader.look()
        door.reloader.look()  # told once
    assert [line["event"] for line in logs] == ["server.tls_files_refused"]
    assert door.says_to(open_door, door.certs.stranger) == OK


def test_what_would_have_refused_the_start_is_not_taken_later(
    door: Door, tmp_path: Path, certs: TlsCerts
) -> None:
    with door.open(Environment.PRODUCTION) as server:
        make_test_keys(tmp_path / "keys", system_clock())
        shutil.copy(tmp_path / "keys" / "ca.pem", door.ca)
        with structlog.testing.capture_logs() as logs:
            door.reloader.reload()
        assert "server.tls.client_ca holds a test certificate" in logs[0]["error.message"]
        assert door.says_to(server, certs.client) == OK
