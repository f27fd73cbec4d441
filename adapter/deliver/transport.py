"""The socket, and the guard in front of it.

No code path leads round the guard. A connection sends only while a request that has a `Permit` goes
through `GuardedAdapter`; permits are made by `Gate.ask` alone, when the guard says SEND, for one
message to one address, and each is good once. zeep's own ways of posting and fetching are shut.
"""

import hashlib
import re
import ssl
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, Never, Protocol

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from zeep.transports import Transport

from intyg.adapter.deliver.answer import read_answer
from intyg.adapter.deliver.decision import Exchange, Transfer
from intyg.adapter.deliver.tls import PUBLIC, client_context
from intyg.adapter.domain.delivery import Delivery
from intyg.adapter.domain.destination import Destination, DestinationRole, receiver_of
from intyg.adapter.domain.person import GuardDecision, PatientVerdict, PersonId

MAX_ANSWER_BYTES: Final = 1024 * 1024
"""A result or fault has a few kilobytes."""

CONNECT_SECONDS: Final = 10.0
"""Longest time to connect; the national platform gives up after 2."""


_PERMIT: Final = "intyg_permit"


class GuardBypassError(RuntimeError):
    """Our own code tried to send something that the guard was not asked about."""


class AskGuard(Protocol):
    """What the transport needs of a guard."""

    def decision(
        self, person: PersonId, destination: Destination, *, flagged: bool | None = None
    ) -> tuple[GuardDecision, PatientVerdict]:
        """May a message about this person go there?"""


class Permit:
    """The guard's leave to send one message to one address, once. Made by `Gate.ask` alone."""

    def __init__(self, url: str, sha256: str) -> None:
        self.url = url
        self.sha256 = sha256


@dataclass(frozen=True)
class Stopped:
    """
    The guard said no, or could not tell. Nothing was sent.

    Attributes:
        decision: BLOCK or HOLD.
        detail: What the patient is, by which signal, and what stands at the address.
    """

    decision: GuardDecision
    detail: str


class Gate:
    """Asks the guard, and remembers which permits are still good."""

    def __init__(self, guard: AskGuard) -> None:
        self._guard = guard
        self._good: dict[int, Permit] = {}  # by identity: a copy or an imitation is not in it

    def ask(
        self, delivery: Delivery, destination: Destination, url: str, message: bytes
    ) -> Permit | Stopped:
        """
        Ask the guard about one message to one address.

        A guard that fails is one that cannot tell. What an authority is meant to get is asked about
        as going to one, also where the routes call its address an EHR.
        """
        name = delivery.new.contract.partition(":")[0]
        if receiver_of(name) is DestinationRole.AUTHORITY:
            destination = replace(destination, role=DestinationRole.AUTHORITY)
        try:
            decision, verdict = self._guard.decision(
                delivery.new.patient, destination, flagged=delivery.is_test
            )
        except Exception as error:  # noqa: BLE001  whatever fails, nothing may be sent
            return Stopped(GuardDecision.HOLD, f"the guard failed: {type(error).__name__}")
        if decision is not GuardDecision.SEND:
            signal = f" ({verdict.signal_and_why})" if verdict.signal else ""
            detail = f"patient {verdict.kind.value}{signal}, destination {destination.kind.value}"
            return Stopped(decision, detail)
        permit = Permit(url, hashlib.sha256(message).hexdigest())
        self._good[id(permit)] = permit
        return permit

    def withdraw(self, permit: object) -> None:
        """A permit that was not used is no longer good."""
        self._good.pop(id(permit), None)

    def redeem(self, permit: object, url: str | None, message: object) -> None:
        """
        Use up a permit.

        Raises:
            GuardBypassError: It is none, not for this message and address, or used already.
        """
        good = self._good.pop(id(permit), None)
        if good is None or good is not permit:
            raise GuardBypassError("a request without a permit was not sent")
        if not isinstance(message, bytes) or good.sha256 != hashlib.sha256(message).hexdigest():
            raise GuardBypassError("a request with another message's permit was not sent")
        if good.url != url:
            raise GuardBypassError("a request with another address's permit was not sent")


class _Wire:
    """What one thread's connections may do, and what they did, in the current request."""

    def __init__(self) -> None:
        self.open = False
        self.sent = False
        self.aborted = False
        self._connection: HTTPConnection | None = None

    def start(self) -> None:
        self.open, self.sent, self.aborted = False, False, False
        self._connection = None

    def must_be_open(self) -> None:
        if not self.open:
            raise GuardBypassError("a connection without a permitted request was not used")

    def sending(self, connection: HTTPConnection) -> None:
        self.sent = True
        self._connection = connection

    def abort(self) -> None:
        """Break off, from another thread: the time is up."""
        self.aborted = True
        sock = self._connection.sock if self._connection else None
        if sock is not None:
            try:
                sock.shutdown(2)  # SHUT_RDWR: whoever reads gets an end of file
            except OSError:
                return  # it is closed already


def _guarded_pools(wire: _Wire) -> Mapping[str, type[HTTPConnectionPool]]:
    class GuardedHTTP(HTTPConnection):
        def connect(self) -> None:
            wire.must_be_open()
            super().connect()

        def send(self, data: Any) -> None:
            wire.must_be_open()
            if self.sock is None:
                self.connect()
            wire.sending(self)
            super().send(data)

    class GuardedHTTPS(HTTPSConnection):
        def connect(self) -> None:
            wire.must_be_open()
            super().connect()

        def send(self, data: Any) -> None:
            wire.must_be_open()
            if self.sock is None:
                self.connect()
            wire.sending(self)
            super().send(data)

    class HTTPPool(HTTPConnectionPool):
        ConnectionCls = GuardedHTTP

    class HTTPSPool(HTTPSConnectionPool):
        ConnectionCls = GuardedHTTPS

    return {"http": HTTPPool, "https": HTTPSPool}


class GuardedAdapter(HTTPAdapter):
    """The only thing mounted in the session: no permit, no request."""

    def __init__(self, gate: Gate, wire: _Wire, tls: ssl.SSLContext) -> None:
        self._gate = gate
        self._wire = wire
        self._tls = tls
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._tls)
        self.poolmanager.pool_classes_by_scheme = _guarded_pools(self._wire)

    def cert_verify(self, conn: Any, *_args: Any, **_kwargs: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"  # by the context alone: requests would add authorities

    def proxy_manager_for(self, *_args: Any, **_kwargs: Any) -> Never:
        raise GuardBypassError("a proxy would see what the guard was not asked about")

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        self._gate.redeem(getattr(request, _PERMIT, None), request.url, request.body)
        self._wire.open = True
        try:
            return super().send(request, *args, **kwargs)
        finally:
            self._wire.open = False


class GuardedTransport(Transport):
    """
    zeep's transport, for one thread, with one way out: `post_delivery`.

    Args:
        gate: Asks the guard.
        tls: Who vouches for servers, and what we show them; None: as for anybody.
    """

    def __init__(self, gate: Gate, tls: ssl.SSLContext | None = None) -> None:
        session = requests.Session()
        super().__init__(session=session)  # type: ignore[no-untyped-call]
        self._gate = gate
        self._wire = _Wire()
        session.trust_env = False  # no proxy, no .netrc, no certificates from the environment
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers.clear()
        session.adapters.clear()  # also zeep's, for files
        context = tls or client_context(PUBLIC)
        for scheme in ("http://", "https://"):
            session.mount(scheme, GuardedAdapter(gate, self._wire, context))

    def post(self, *_args: Any, **_kwargs: Any) -> Never:
        raise GuardBypassError("post_delivery is the way out")

    def post_xml(self, *_args: Any, **_kwargs: Any) -> Never:
        raise GuardBypassError("post_delivery is the way out")

    def get(self, *_args: Any, **_kwargs: Any) -> Never:
        raise GuardBypassError("post_delivery is the way out")

    def load(self, *_args: Any, **_kwargs: Any) -> Never:
        raise GuardBypassError("a contract is loaded with all its schemas inside")

    def post_delivery(
        self,
        delivery: Delivery,
        destination: Destination,
        message: bytes,
        headers: Mapping[str, str],
    ) -> Exchange | Stopped:
        """
        Ask the guard, and post.

        Args:
            delivery: Whose message it is.
            destination: Where it goes.
            message: The ready envelope.
            headers: HTTP headers; Content-Length is added.
        """
        self._wire.start()
        connect_seconds, answer_seconds, all_seconds = _limits(destination)
        timer = threading.Timer(all_seconds, self._wire.abort)
        timer.daemon = True
        permit: Permit | Stopped | None = None
        try:
            request = self.session.prepare_request(
                requests.Request("POST", destination.url, data=message, headers=dict(headers))
            )
            permit = self._gate.ask(delivery, destination, str(request.url), message)
            if isinstance(permit, Stopped):
                return permit
            setattr(request, _PERMIT, permit)  # for GuardedAdapter.send
            timer.start()
            response = self.session.send(
                request,
                stream=True,
                allow_redirects=False,
                timeout=(connect_seconds, answer_seconds),
            )
            with closing(response):
                return self._read(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return self._failed(error)
        finally:
            timer.cancel()
            self._gate.withdraw(permit)

    def _read(self, response: requests.Response) -> Exchange:
        data = bytearray()
        for chunk in response.iter_content(16 * 1024):
            data += chunk
            if len(data) > MAX_ANSWER_BYTES:
                break  # read_answer says that it is too large
        if self._wire.aborted:
            return Exchange(Transfer.NO_ANSWER, cause="the answer took too long")
        answer = read_answer(
            bytes(data), response.headers.get("Content-Type"), max_bytes=MAX_ANSWER_BYTES
        )
        return Exchange(Transfer.ANSWERED, response.status_code, answer)

    def _failed(self, error: Exception) -> Exchange:
        transfer = Transfer.NO_ANSWER if self._wire.sent else Transfer.NOT_SENT
        cause = "the answer took too long" if self._wire.aborted else cause_of(error)
        return Exchange(transfer, cause=cause)


_CAUSES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (urllib3.exceptions.NameResolutionError, "host name not found"),
    (urllib3.exceptions.SSLError, "TLS failed"),
    (requests.exceptions.SSLError, "TLS failed"),
    (ConnectionRefusedError, "connection refused"),
    (urllib3.exceptions.NewConnectionError, "no connection"),
    (urllib3.exceptions.ConnectTimeoutError, "no connection in time"),
    (requests.ConnectTimeout, "no connection in time"),
    (urllib3.exceptions.ReadTimeoutError, "no answer in time"),
    (requests.ReadTimeout, "no answer in time"),
    (urllib3.exceptions.IncompleteRead, "the answer broke off"),
    (requests.exceptions.ChunkedEncodingError, "the answer broke off"),
    (requests.exceptions.InvalidURL, "the address is not usable"),
    (requests.exceptions.InvalidSchema, "the address is not usable"),
    (requests.exceptions.MissingSchema, "the address is not usable"),
    (requests.ConnectionError, "connection lost"),
)
"""The first class that the error, or one of those it was made from, belongs to."""


def cause_of(error: BaseException) -> str:
    """Why an exchange failed, in our own words: the libraries' texts quote what was sent."""
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, ssl.SSLError) and (why := _tls_words(link)):
            return f"TLS failed: {why}"
    for kind, words in _CAUSES:
        if any(isinstance(link, kind) for link in chain):
            return words
    return type(error).__name__


def _tls_words(error: ssl.SSLError) -> str | None:
    """What OpenSSL says: of the server's certificate, or of what the server made of ours."""
    said = getattr(error, "verify_message", None) or error.reason
    return str(said).rstrip(".").replace("_", " ").lower() if said else None


def _chain(error: BaseException) -> "list[BaseException]":
    """The error and what it wraps: in `args`, in `reason`, as cause or as context."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:
        link = waiting.pop()
        if isinstance(link, BaseException) and link not in found:
            found.append(link)
            waiting += [*link.args, getattr(link, "reason", None)]
            waiting += [link.__cause__, link.__context__]
    return found


def longest_attempt_seconds(destination: Destination) -> float:
    """Longest time that an attempt can take, apart from looking up the host name."""
    return CONNECT_SECONDS + _limits(destination)[2]


def _limits(destination: Destination) -> tuple[float, float, float]:
    """Seconds to connect, to wait for the next byte, and for everything together."""
    connect = min(CONNECT_SECONDS, destination.timeout_seconds)
    return connect, destination.timeout_seconds, connect + destination.timeout_seconds


HEADER_VALUE: Final = re.compile(r"[\x21-\x7e]{1,128}")
"""What we write into a header of our own: no white space, no line break."""
