"""The words: a step, what is looked at, and the probe on its way."""

import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import SplitResult

from intyg.adapter.domain.clock import Clock
from intyg.adapter.domain.destination import ClientTls

LONGEST_WAIT_SECONDS: Final = 10.0

CERTIFICATE, CERTIFICATE_REQUEST, COMPRESSED_CERTIFICATE = 11, 13, 25
"""Handshake messages, RFC 8446 section 4 and RFC 8879 section 4."""


class Found(StrEnum):
    """How a step came out."""

    OK = "ok"
    NOTE = "note"
    FAILS = "fails"


@dataclass(frozen=True)
class Step:
    """One thing that was looked at, and what to do about it."""

    name: str
    found: Found
    text: str
    todo: str = ""


@dataclass
class Handshake:
    """What was said in a handshake about the client's certificate."""

    asked: bool = False
    sent: bool = False

    def note(self, direction: str, kind: int, data: bytes) -> None:
        if kind == CERTIFICATE_REQUEST and direction == "read":
            self.asked = True
        elif kind == CERTIFICATE and direction == "write":
            self._wrote(len(data))
        elif kind == COMPRESSED_CERTIFICATE and direction == "write":
            self._wrote(int.from_bytes(data[6:9]))  # after head and algorithm: the length unpacked

    def _wrote(self, length: int) -> None:
        self.sent = length > 20  # an empty list of certificates has a few bytes


@dataclass(frozen=True)
class Called:
    """
    An address that messages would be posted to.

    Attributes:
        contract: By which, `RegisterCertificate 3`; None: the address does not say.
    """

    url: str
    contract: str | None


@dataclass(frozen=True)
class Target:
    """
    What is looked at.

    Attributes:
        ping_url: Where PingForConfiguration is posted; None: nobody knows.
        calls: Of the same server, one or more; each gets an empty call.
        logical_address: Asked about in the ping.
        one_is_enough: Whether it is not known which of the calls the server should take.
    """

    ping_url: str | None
    calls: tuple[Called, ...]
    logical_address: str
    tls: ClientTls
    timeout_seconds: float = LONGEST_WAIT_SECONDS
    one_is_enough: bool = False

    @property
    def url(self) -> str:
        """One of the addresses; all are on one host and port."""
        return self.ping_url or self.calls[0].url


@dataclass
class Probe:
    """A connection to the target, and what is known of it so far."""

    url: SplitResult
    target: Target
    clock: Clock  # ours
    address: tuple[Any, ...] = ()
    sock: socket.socket | None = None
    context: ssl.SSLContext | None = None
    handshake: Handshake = field(default_factory=Handshake)

    @property
    def host(self) -> str:
        return self.url.hostname or ""

    @property
    def is_tls(self) -> bool:
        return self.url.scheme == "https"

    @property
    def seconds(self) -> float:
        return min(self.target.timeout_seconds, LONGEST_WAIT_SECONDS)


def reason_of(exc: BaseException) -> str:
    """In a word, as the library has it; texts may quote what was sent."""
    return str(getattr(exc, "reason", None) or getattr(exc, "strerror", None) or type(exc).__name__)
