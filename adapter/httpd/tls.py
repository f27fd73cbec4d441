"""TLS at the door: the context that says who is let to speak, and handshakes that hold up nobody.

cheroot shakes hands in the loop that accepts connections, so that one caller who never answers
holds up all others. Here a thread of its own carries all handshakes on side by side; a connection
comes to the workers when it is through, and is dropped when it has not come so far in time.

A caller without a certificate is let through the handshake, so that it can be told what is missing
(VP002) in a form that it understands. A certificate that does not hold (unknown CA, expired, not
for clients) ends the handshake, as TLS has it.
"""

import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from cheroot import errors, makefile
from cheroot.ssl import Adapter

from intyg.adapter.domain.kept_thread import KeptThread
from intyg.adapter.httpd.crl_files import read_crls
from intyg.adapter.httpd.wake import LOOK_SECONDS, WakeUp
from intyg.adapter.settings.settings import (
    CallerIdentity,
    ServerTlsSettings,
    Settings,
    SettingsError,
)

HANDSHAKE_SECONDS: Final = 10.0
MAX_HANDSHAKES: Final = 512  # at a time; the oldest gives way
LINGER_SECONDS: Final = 0.5  # for a refused caller to take in why, while the rest runs out

_SPEAK_TLS: Final = b"This port speaks HTTPS only.\n"

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
    with _named("server.tls.cert"):
        context.load_cert_chain(tls.cert, tls.key, password)
    for path in tls.client_ca:
        with _named("server.tls.client_ca"):
            context.load_verify_locations(path)
    for path in tls.client_crl:
        with _named("server.tls.client_crl"):
            read_crls(path)  # refuses others: a certificate in there would count as an issuer
            context.load_verify_locations(path)
    if tls.client_ca:
        context.verify_mode = ssl.CERT_OPTIONAL
    if tls.client_crl:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


_NOT_USABLE: Final = {
    "server.tls.cert": "not PEM, or the key is another's, or its password is wrong",
    "server.tls.client_ca": "no certificates (PEM)",
    "server.tls.client_crl": "not revocation lists (PEM, each with its next update) alone",
}


@contextlib.contextmanager
def _named(setting: str) -> Iterator[None]:
    try:
        yield
    except (ssl.SSLError, ValueError) as exc:
        raise SettingsError(f"{setting}: {_NOT_USABLE[setting]}") from exc
    except OSError as exc:
        raise SettingsError(f"{setting}: {exc.strerror or type(exc).__name__}") from exc


class TlsAdapter(Adapter):
    """Makes a TLS socket of a new one; the handshake is for `Handshakes`."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context  # not cheroot's own: it wants files

    def bind(self, sock: socket.socket) -> socket.socket:
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, Any]]:
        try:
            wrapped = self.context.wrap_socket(
                sock, server_side=True, do_handshake_on_connect=False
            )
        except (OSError, ValueError) as exc:  # the caller is gone again
            sock.close()
            raise errors.FatalSSLAlert from exc
        return wrapped, {}

    def get_environ(self) -> dict[str, Any]:
        return {}

    def makefile(self, sock: Any, mode: str = "r", bufsize: int = -1) -> Any:
        return makefile.MakeFile(sock, mode, bufsize)


@dataclass
class _Handshake:
    sock: ssl.SSLSocket
    connection: Any
    deadline: float


class Handshakes:
    """
    Carries on handshakes, all in one thread.

    Args:
        done: Takes a connection whose handshake is through.
        seconds: How long a handshake may take.
        headers: What is added to the answer to a request without TLS.
    """

    def __init__(
        self,
        done: Callable[[Any], None],
        seconds: float,
        headers: Callable[[], Sequence[tuple[bytes, bytes]]] = tuple,
    ) -> None:
        self._done = done
        self._seconds = seconds
        self._headers = headers
        self._selector = selectors.DefaultSelector()
        self._wake_up = WakeUp(self._selector)
        self._new: list[_Handshake] = []
        self._pending: dict[ssl.SSLSocket, _Handshake] = {}  # the oldest first, as the next
        self._leaving: dict[ssl.SSLSocket, _Handshake] = {}  # refused, and being listened out
        self._lock = threading.Lock()
        self._stopping = False
        self.thread = KeptThread("handshakes", self._run)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """Drop all handshakes that are not through."""
        with self._lock:
            self._stopping = True
        self._wake_up.wake()
        self.thread.join(timeout=10)
        self._take_new()
        for handshake in [*self._pending.values(), *self._leaving.values()]:
            self._drop(handshake)
        self._selector.close()
        self._wake_up.close()

    def add(self, connection: Any) -> None:
        """Begin a handshake; `connection.socket` is an `SSLSocket` that has not begun it."""
        sock: ssl.SSLSocket = connection.socket
        sock.setblocking(False)
        with self._lock:
            if not self._stopping:
                late = time.monotonic() + self._seconds
                self._new.append(_Handshake(sock, connection, late))
                self._wake_up.wake()
                return
        connection.close()

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(LOOK_SECONDS):
                if key.data is None:
                    self._take_new()
                else:
                    self._look_at(key.data)
            self._drop_late()

    def _take_new(self) -> None:
        self._wake_up.drain()
        with self._lock:
            new, self._new = self._new, []
        for handshake in new:
            self._pending[handshake.sock] = handshake
            self._selector.register(handshake.sock, selectors.EVENT_READ, handshake)
            self._look_at(handshake)

    def _look_at(self, handshake: _Handshake) -> None:
        try:
            if handshake.sock in self._leaving:
                self._listen_out(handshake)
            else:
                self._go_on(handshake)
        except Exception as exc:  # noqa: BLE001 - a door: one caller must not end it for all
            _log.error("server.handshake_failed", **{"error.type": type(exc).__name__})
            self._drop(handshake)

    def _go_on(self, handshake: _Handshake) -> None:
        try:
            handshake.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._selector.modify(handshake.sock, selectors.EVENT_READ, handshake)
        except ssl.SSLWantWriteError:
            self._selector.modify(handshake.sock, selectors.EVENT_WRITE, handshake)
        except (OSError, ValueError) as exc:
            self._refuse(handshake, exc)
        else:
            self._forget(handshake)
            self._done(handshake.connection)

    def _refuse(self, handshake: _Handshake, exc: Exception) -> None:
        reason = getattr(exc, "reason", None) or type(exc).__name__
        _tell(handshake, reason, getattr(exc, "verify_message", None))
        sock = handshake.sock
        with contextlib.suppress(OSError):
            if reason == "HTTP_REQUEST":
                socket.socket.send(sock, _plain_answer(self._headers()))
            socket.socket.shutdown(sock, socket.SHUT_WR)
        # Closing now would cost the caller the alert, if it has sent its request already.
        del self._pending[sock]
        self._leaving[sock] = handshake
        handshake.deadline = time.monotonic() + LINGER_SECONDS
        self._selector.modify(sock, selectors.EVENT_READ, handshake)

    def _listen_out(self, handshake: _Handshake) -> None:
        """Throw away what a refused caller still sends."""
        try:
            gone = not socket.socket.recv(handshake.sock, 65536)
        except BlockingIOError:
            gone = False
        except OSError:
            gone = True
        if gone:
            self._drop(handshake)

    def _drop_late(self) -> None:
        now = time.monotonic()
        while self._pending:
            oldest = next(iter(self._pending.values()))
            if oldest.deadline > now and len(self._pending) <= MAX_HANDSHAKES:
                break
            _tell(oldest, "TOO_LATE" if oldest.deadline <= now else "TOO_MANY")
            self._drop(oldest)
        while self._leaving:
            first = next(iter(self._leaving.values()))
            if first.deadline > now and len(self._leaving) <= MAX_HANDSHAKES:
                break
            self._drop(first)

    def _drop(self, handshake: _Handshake) -> None:
        self._forget(handshake)
        with contextlib.suppress(OSError):
            handshake.connection.close()

    def _forget(self, handshake: _Handshake) -> None:
        self._pending.pop(handshake.sock, None)
        self._leaving.pop(handshake.sock, None)
        with contextlib.suppress(KeyError, ValueError):  # it is closed already
            self._selector.unregister(handshake.sock)


def _tell(handshake: _Handshake, reason: str, detail: str | None = None) -> None:
    """
    Log why a caller got no further.

    Args:
        detail: What is wrong with its certificate, e.g. `certificate has expired`.
    """
    address = handshake.connection.remote_addr
    more = {} if detail is None else {"tls.detail": detail}
    _log.info("server.tls_refused", **{"client.address": address, "tls.reason": reason, **more})


def _plain_answer(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """For who speaks HTTP without TLS."""
    return b"\r\n".join(
        [
            b"HTTP/1.1 400 Bad Request",
            b"Content-Type: text/plain",
            b"Connection: close",
            b"Content-Length: %d" % len(_SPEAK_TLS),
            *(name + b": " + value for name, value in headers),
            b"",
            _SPEAK_TLS,
        ]
    )
