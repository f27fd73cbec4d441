"""TLS on the way out: whose word counts, and what is said of files that cannot be used."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from intyg.adapter.clients.tls import TlsFilesError, client_context
from intyg.adapter.domain.destination import ClientTls
from intyg.mocks.wire import tls as mocks_tls
from tests.adapter.tls_certs import HSA_ID, make_issuing_ca, make_tls_certs


def _shake_hands(server: Path, client: ssl.SSLContext) -> None:
    """Raises as the client does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            context.wrap_socket(theirs, server_side=True).close()
        except OSError:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client.wrap_socket(ours, server_hostname="localhost").close()
    finally:
        ours.close()
        thread.join()


def test_an_issuer_that_is_named_is_an_anchor(tmp_path: Path) -> None:
    issuing, file = make_issuing_ca(tmp_path)
    server = issuing.issue(tmp_path / "server.pem", host="localhost")
    _shake_hands(server, client_context(ClientTls(ca=file)))
    of_a_mock = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    mocks_tls.load_ca(of_a_mock, file)
    _shake_hands(server, of_a_mock)
    _, other = make_issuing_ca(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(server, client_context(ClientTls(ca=other)))


def test_an_issuer_before_the_certificate_is_said_to_be(tmp_path: Path) -> None:
    certs = make_tls_certs(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(certs.ca.read_bytes() + certs.client.read_bytes())
    with pytest.raises(TlsFilesError, match=r"both\.pem: the certificates are in the wrong order"):
        client_context(ClientTls(cert=both))
    stranger = certs.authority.issue(tmp_path / "another.pem", HSA_ID)
    with pytest.raises(TlsFilesError, match="the key is another's"):
        client_context(ClientTls(cert=certs.client, key=stranger))
