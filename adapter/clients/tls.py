"""TLS on the way out: whose word counts for a server, and the certificate that we show it."""

import ssl
from pathlib import Path
from typing import Final

import certifi

from intyg.adapter.clients.watched_file import FileState, state_of
from intyg.adapter.domain.destination import ClientTls
from intyg.schemas.pem import why_no_certs, why_not_usable

PUBLIC: Final = ClientTls()
"""The public authorities, and no certificate of our own."""


class TlsFilesError(Exception):
    """A file for TLS cannot be used; the text says which."""


def client_context(tls: ClientTls) -> ssl.SSLContext:
    """
    TLS 1.2 or newer; the server's certificate and host name are checked, always.

    Raises:
        TlsFilesError: A file is missing or does not hold what it should.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Who is named is believed, also where it was itself issued by another.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    path = tls.ca
    try:
        context.load_verify_locations(path or certifi.where())
        if tls.cert is not None:
            path = tls.cert
            # An empty password: an encrypted key without one must not ask on the terminal.
            context.load_cert_chain(tls.cert, tls.key, tls.password or "")
    except ssl.SSLError as exc:
        raise TlsFilesError(f"{_name(path)}: {_why(tls, path)}") from exc
    except OSError as exc:
        raise TlsFilesError(f"{_name(path)}: {exc.strerror or type(exc).__name__}") from exc
    return context


def files_as_they_are(tls: ClientTls) -> tuple[FileState, ...]:
    """Of each file: another answer means that they are to be read again."""
    return tuple(state_of(path) for path in (tls.ca, tls.cert, tls.key) if path is not None)


def _why(tls: ClientTls, path: Path | None) -> str:
    if tls.cert is not None and path == tls.cert:
        return why_not_usable(tls.cert, tls.key, tls.password or "")
    return why_no_certs(path.read_bytes() if path is not None else b"")


def _name(path: Path | None) -> str:
    return path.name if path is not None else "public authorities"
