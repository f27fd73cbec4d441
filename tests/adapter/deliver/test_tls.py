"""Deliveries over TLS: who is believed, and who we say that we are."""

import os
import ssl
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from intyg.adapter.clients.tls import TlsFilesError, client_context
from intyg.adapter.deliver import Deliverer
from intyg.adapter.domain.delivery import Outcome, OutcomeKind
from intyg.adapter.domain.destination import ClientTls
from intyg.adapter.httpd.server import Server
from intyg.adapter.httpd.tls import server_context
from intyg.adapter.routing.caller import PEER_CERT, hsa_id_of
from intyg.adapter.settings.settings import ServerTlsSettings
from tests.adapter.conftest import VirtualClock
from tests.adapter.deliver.test_deliverer import (
    SETTINGS,
    FixedGuard,
    contracts,
    delivery,
    destination,
)
from tests.adapter.receivers import result
from tests.adapter.tls_certs import (
    HSA_ID,
    OTHER_HSA_ID,
    TlsCerts,
    make_tls_certs,
)


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> TlsCerts:
    return make_tls_certs(tmp_path_factory.mktemp("certs"))


class Authority:
    """Answers OK to whoever has an HSA-id, and remembers them."""

    def __init__(self) -> None:
        self.callers: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        cert = environ.get(PEER_CERT)
        self.callers.append(hsa_id_of(cert) if cert else "nobody")
        body = result("OK")
        headers = [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def serve(authority: Authority) -> Iterator[Callable[[ssl.SSLContext], Server]]:
    servers: list[Server] = []

    def start(context: ssl.SSLContext) -> Server:
        servers.append(Server(authority, threads=2, tls=context).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def deliver(clock: VirtualClock) -> Iterator[Callable[[Server, ClientTls], Outcome]]:
    deliverer = Deliverer(contracts(), FixedGuard(), SETTINGS, clock)

    def attempt(server: Server, tls: ClientTls) -> Outcome:
        url = f"https://localhost:{server.port}/"
        return deliverer.deliver(delivery(), destination(url, tls=tls))

    yield attempt
    deliverer.close()


Serve = Callable[[ssl.SSLContext], Server]
Deliver = Callable[[Server, ClientTls], Outcome]


def with_ca(certs: TlsCerts, cert: Path | None = None) -> ServerTlsSettings:
    return ServerTlsSettings(cert=cert or certs.server, client_ca=(certs.ca,))


def test_each_destination_is_shown_its_own_certificate(
    serve: Serve, deliver: Deliver, certs: TlsCerts, authority: Authority
) -> None:
    server = serve(server_context(with_ca(certs)))
    for cert in (certs.client, certs.other, None, certs.client):
        outcome = deliver(server, ClientTls(ca=certs.ca, cert=cert))
        assert outcome.kind is OutcomeKind.DELIVERED
    assert authority.callers == [HSA_ID, OTHER_HSA_ID, "nobody", HSA_ID]


@pytest.mark.parametrize(
    ("served", "ca", "says"),
    [
        pytest.param("server", False, "self-signed certificate in", id="nobody vouches for it"),
        pytest.param("server", "stranger", "self-signed certificate in", id="another CA"),
        pytest.param("elsewhere", "ca", "hostname mismatch", id="another host's"),
        pytest.param("client", "ca", "certificate purpose", id="not a server's"),
    ],
)
def test_a_server_that_is_not_believed_gets_nothing(
    serve: Serve,
    deliver: Deliver,
    certs: TlsCerts,
    authority: Authority,
    served: str,
    ca: Any,
    says: str,
) -> None:
    server = serve(server_context(with_ca(certs, getattr(certs, served))))
    trusted = getattr(certs, ca) if ca else None
    outcome = deliver(server, ClientTls(ca=trusted, cert=certs.client))
    assert outcome.kind is OutcomeKind.RETRY
    assert outcome.detail.startswith("nothing was sent; TLS failed: ")
    assert says in outcome.detail
    assert authority.callers == []


def test_the_ca_of_one_destination_does_not_count_for_another(
    serve: Serve, deliver: Deliver, certs: TlsCerts
) -> None:
    server = serve(server_context(with_ca(certs)))
    assert deliver(server, ClientTls(ca=certs.ca)).kind is OutcomeKind.DELIVERED
    assert deliver(server, ClientTls()).kind is OutcomeKind.RETRY


def test_the_environment_changes_nothing(
    serve: Serve, deliver: Deliver, certs: TlsCerts, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(server_context(with_ca(certs)))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(certs.ca))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert deliver(server, ClientTls(ca=certs.ca)).kind is OutcomeKind.DELIVERED
    assert deliver(server, ClientTls()).kind is OutcomeKind.RETRY


def test_older_tls_is_not_spoken(serve: Serve, deliver: Deliver, certs: TlsCerts) -> None:
    old = server_context(with_ca(certs))
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    outcome = deliver(serve(old), ClientTls(ca=certs.ca))
    assert outcome.kind is OutcomeKind.RETRY
    assert "protocol" in outcome.detail


def test_a_certificate_that_is_refused_is_told(
    serve: Serve, deliver: Deliver, certs: TlsCerts
) -> None:
    context = server_context(with_ca(certs))
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # where the refusal comes before the message
    outcome = deliver(serve(context), ClientTls(ca=certs.ca, cert=certs.expired))
    assert outcome.detail == "nothing was sent; TLS failed: sslv3 alert certificate expired"


def test_renewed_files_are_read_without_a_restart(
    serve: Serve, deliver: Deliver, certs: TlsCerts, authority: Authority, tmp_path: Path
) -> None:
    server = serve(server_context(with_ca(certs)))
    mine = tmp_path / "mine.pem"
    for cert in (certs.client, certs.other):
        mine.write_bytes(cert.read_bytes())
        os.utime(mine, (1, 1 + len(authority.callers)))
        assert deliver(server, ClientTls(ca=certs.ca, cert=mine)).kind is OutcomeKind.DELIVERED
    assert authority.callers == [HSA_ID, OTHER_HSA_ID]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"cert": "missing.pem"}, "missing.pem: No such file"),
        ({"ca": "missing.pem"}, "missing.pem: No such file"),
        ({"cert": "ca.pem"}, "ca.pem: there is no private key in it"),
        ({"cert": "client.pem", "key": "other.pem"}, "client.pem: the key is another's"),
    ],
)
def test_files_that_cannot_be_used_are_named(
    certs: TlsCerts, files: dict[str, str], says: str
) -> None:
    paths: dict[str, Any] = {name: certs.ca.parent / file for name, file in files.items()}
    with pytest.raises(TlsFilesError, match=says):
        client_context(ClientTls(**paths))
