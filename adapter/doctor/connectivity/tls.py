"""The handshake, and both sides' certificates."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from intyg.adapter.clients.tls import TlsFilesError, client_context
from intyg.adapter.doctor.connectivity.probe import (
    Found,
    Handshake,
    Probe,
    Step,
    reason_of,
)

_MONTH: Final = 30  # days


def look_at_tls(probe: Probe) -> Iterator[Step]:
    if not probe.is_tls:
        yield Step("TLS", Found.NOTE, "none: the address is http", "use https unless it is a mock")
        return
    try:
        context = client_context(probe.target.tls)
    except TlsFilesError as exc:
        yield Step("TLS", Found.FAILS, str(exc), "mend the file that the settings name")
        return
    probe.context = context
    _overhear(context, probe.handshake)
    assert probe.sock is not None
    try:
        probe.sock = context.wrap_socket(probe.sock, server_hostname=probe.host)
    except ssl.SSLCertVerificationError as exc:
        yield from _not_believed(probe, exc)
    except (ssl.SSLError, OSError) as exc:
        yield Step("TLS", Found.FAILS, f"no handshake: {reason_of(exc)}", _handshake_todo(exc))
    else:
        assert isinstance(probe.sock, ssl.SSLSocket)
        cipher = (probe.sock.cipher() or ("",))[0]
        yield Step("TLS", Found.OK, f"{probe.sock.version()}, {cipher}")
        yield _server_cert(probe, probe.sock)
        yield Step("host name", Found.OK, f"the certificate is for {probe.host}")
        yield _client_cert(probe)


def _overhear(context: ssl.SSLContext, handshake: Handshake) -> None:
    """
    Let a handshake say whether a client certificate was asked for.

    `ssl` has no other way to know; without this one (it is not documented) nothing is said of it.
    """

    def heard(
        _sock: Any, direction: str, _version: Any, _content: Any, kind: Any, data: bytes
    ) -> None:
        with suppress(ValueError, TypeError):
            handshake.note(direction, int(kind), data)

    with suppress(AttributeError):
        context._msg_callback = heard  # type: ignore[attr-defined]


def _not_believed(probe: Probe, exc: ssl.SSLCertVerificationError) -> Iterator[Step]:
    """Say why, and what was shown: asked again by a connection that believes everything."""
    if exc.verify_code in (62, 63, 64):  # host name, e-mail, address
        todo = "use the name that the certificate is for; the names are below"
        yield Step("host name", Found.FAILS, exc.verify_message, todo)
    else:
        todo = "set the destination's `ca` to the authority that issued it, or have it replaced"
        yield Step("chain", Found.FAILS, exc.verify_message, todo)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with suppress(OSError):
        plain = socket.create_connection(probe.address[:2], timeout=probe.seconds)
        with context.wrap_socket(plain, server_hostname=probe.host) as shown:
            step = _server_cert(probe, shown)
            yield Step("shown", Found.NOTE, step.text)


def _server_cert(probe: Probe, sock: ssl.SSLSocket) -> Step:
    try:
        cert = x509.load_der_x509_certificate(sock.getpeercert(binary_form=True) or b"")
        names = _host_names(cert)
        issuer, ends = _common_name(cert.issuer), cert.not_valid_after_utc
    except ValueError:
        return Step("chain", Found.NOTE, "the server's certificate cannot be read")
    text = f"for {', '.join(names) or 'no host name'}; issued by {issuer}; ends {ends:%Y-%m-%d}"
    if (ends - probe.clock()).days < _MONTH:
        return Step("chain", Found.NOTE, text, "it ends soon: ask the other side for the next one")
    return Step("chain", Found.OK, text)


def _host_names(cert: x509.Certificate) -> list[str]:
    try:
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName)] + [
        str(one) for one in names.get_values_for_type(x509.IPAddress)
    ]


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _client_cert(probe: Probe) -> Step:
    ours = probe.target.tls.cert
    if not probe.handshake.asked:
        unused = f"; {ours.name} was not needed" if ours else ""
        return Step("client cert", Found.OK, f"none was asked for{unused}")
    if probe.handshake.sent and ours is not None:
        return Step("client cert", Found.OK, f"asked for; {ours.name} was sent")
    todo = "set the destination's client_cert and client_key, if it lets nobody in without"
    return Step("client cert", Found.NOTE, "asked for; none was sent", todo)


def _handshake_todo(exc: Exception) -> str:
    reason = reason_of(exc).upper()
    if "WRONG_VERSION" in reason or "HTTP_REQUEST" in reason:
        return "the other side does not speak TLS on this port: http, or another port?"
    if "PROTOCOL_VERSION" in reason:
        return "the other side speaks no TLS 1.2 or newer"
    if "ALERT" in reason or "RESET" in reason:
        return "the other side broke off: it may want another client certificate"
    return "ask the other side what its log says"
