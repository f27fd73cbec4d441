"""TLS at the door: the context that says who is let to speak, and handshakes that hold up nobody.

A thread of its own carries all handshakes on side by side, so that a caller who never answers holds
up nobody; a connection comes to the workers when it is through, and is dropped when it has not come
so far in time.

A caller without a certificate is let through the handshake, so that it can be told what is missing
(VP002) in a form that it understands. A certificate that does not hold (unknown CA, expired, not
for clients) ends the handshake, as TLS has it.
"""

import contextlib
import selectors
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

import structlog

from intyg.adapter.httpd.answer import Face
from intyg.adapter.httpd.connection import Connection
from intyg.adapter.httpd.crl_files import read_crls
from intyg.adapter.httpd.loop import WaitingLoop
from intyg.adapter.httpd.request import Refusal
from intyg.adapter.settings.settings import (
    CallerIdentity,
    ServerTlsSettings,
    Settings,
    SettingsError,
)
from intyg.schemas.pem import why_no_certs, why_not_usable

HANDSHAKE_SECONDS: Final = 10.0
MAX_HANDSHAKES: Final = 512  # at a time; the oldest gives way

_log = structlog.get_logger("intyg.adapter.httpd.server")


def context_from_settings(settings: Settings) -> ssl.SSLContext | None:
    """
    The context that the server speaks TLS with; None: it speaks plain HTTP.

    Raises:
        SettingsError: A file cannot be used, or callers are to be known by client certificates and
            nothing says whose.
    """
    reason = unknown_callers(settings)
    if reason is not None:
        raise SettingsError(reason)
    tls = settings.server.tls
    return None if tls is None else server_context(tls)


def unknown_callers(settings: Settings) -> str | None:
    """The reason why callers cannot be known as the settings want it; None when they can."""
    tls = settings.server.tls
    if settings.caller_identity is not CallerIdentity.TLS or (tls and tls.client_ca):
        return None
    return (
        'callers are to be known by client certificate (caller.identity = "tls"): set server.tls, '
        "with client_ca"
    )


def server_context(tls: ServerTlsSettings) -> ssl.SSLContext:
    """
    TLS 1.2 or newer; client certificates are asked for when `client_ca` says who issues them.

    With `client_crl`, a client certificate counts only if its issuer's revocation list is among
    them, in date, and without it. A context never forgets what it has read: other files are for a
    new one.

    Raises:
        SettingsError: A file is missing or does not hold what it should.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    # An empty password: an encrypted key without one must not ask on the terminal.
    password = tls.key_password.get_secret_value() if tls.key_password else ""
    with _named("server.tls.cert", lambda: why_not_usable(tls.cert, tls.key, password)):
        context.load_cert_chain(tls.cert, tls.key, password)
    for path in tls.client_ca:
        with _named("server.tls.client_ca", partial(_why_no_ca, path)):
            context.load_verify_locations(path)
    for path in tls.client_crl:
        with _named("server.tls.client_crl"):
            read_crls(path)  # refuses others: a certificate in there would count as an issuer
            context.load_verify_locations(path)
    if tls.client_ca:
        context.verify_mode = ssl.CERT_OPTIONAL
        # Who is named issues callers' certificates, also where it was itself issued by another.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if tls.client_crl:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def _why_no_ca(path: Path) -> str:
    return why_no_certs(path.read_bytes())


_NO_CRLS: Final = "not revocation lists (PEM, each with its next update) alone"


@contextlib.contextmanager
def _named(setting: str, why: Callable[[], str] = lambda: _NO_CRLS) -> Iterator[None]:
    try:
        yield
    except (ssl.SSLError, ValueError) as exc:
        raise SettingsError(f"{setting}: {why()}") from exc
    except OSError as exc:
        raise SettingsError(f"{setting}: {exc.strerror or type(exc).__name__}") from exc


class Handshakes(WaitingLoop):
    """
    Carries on handshakes, all in one thread.

    Args:
        context: For connections to come; may be replaced at any time.
        done: Takes a connection whose handshake is through.
        seconds: How long a handshake may take.
        face: For the answer to a request without TLS.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        done: Callable[[Connection], None],
        seconds: float,
        face: Face,
    ) -> None:
        super().__init__("handshakes", "server.handshake_failed", face)
        self.context = context
        self._done = done
        self._seconds = seconds

    def add(self, connection: Connection) -> None:
        """Begin a handshake; or let a refused caller leave."""
        if not connection.is_leaving:
            try:
                connection.socket = self.context.wrap_socket(
                    connection.socket, server_side=True, do_handshake_on_connect=False
                )
            except (OSError, ValueError):  # the caller is gone again
                connection.close()
                return
        super().add(connection)

    def begin(self, connection: Connection, now: float) -> None:
        connection.deadline = now + self._seconds

    def go_on(self, connection: Connection) -> None:
        sock = connection.socket
        assert isinstance(sock, ssl.SSLSocket)
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            self.wait_for(connection, selectors.EVENT_READ)
        except ssl.SSLWantWriteError:
            self.wait_for(connection, selectors.EVENT_WRITE)
        except (OSError, ValueError) as exc:
            self._refuse(connection, exc)
        else:
            self.forget(connection)
            connection.peer_cert = sock.getpeercert() or {}
            self._done(connection)

    def _refuse(self, connection: Connection, exc: Exception) -> None:
        reason = getattr(exc, "reason", None) or type(exc).__name__
        _tell(connection, reason, getattr(exc, "verify_message", None))
        if reason == "HTTP_REQUEST":
            raise Refusal(HTTPStatus.BAD_REQUEST, "This port speaks HTTPS only.")
        # Closing now would cost the caller the alert, if it has sent its request already.
        self.forget(connection)
        self.let_leave(connection)

    def keep_bounds(self, now: float) -> None:
        while self._waiting:
            oldest = next(iter(self._waiting.values()))
            if oldest.deadline > now and len(self._waiting) <= MAX_HANDSHAKES:
                break
            _tell(oldest, "TOO_LATE" if oldest.deadline <= now else "TOO_MANY")
            self.drop(oldest)


def _tell(connection: Connection, reason: str, detail: str | None = None) -> None:
    """
    Log why a caller got no further.

    Args:
        detail: What is wrong with its certificate, e.g. `certificate has expired`.
    """
    more = {} if detail is None else {"tls.detail": detail}
    fields = {"client.address": connection.host, "tls.reason": reason, **more}
    _log.info("server.tls_refused", **fields)
