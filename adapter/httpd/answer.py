"""What all answers have in common, and those that no application gives."""

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final, TypeAlias

import h11

from intyg.adapter.domain.clock import Clock
from intyg.adapter.httpd.request import IncomingRequest, Refusal

NAME: Final = "intygsadapter"

Headers: TypeAlias = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Face:
    """
    How the server shows itself.

    Attributes:
        own: Headers of every answer.
        clock: For `Date` (RFC 9110 section 6.6.1).
    """

    own: tuple[tuple[bytes, bytes], ...]
    clock: Clock

    def headers(self) -> Headers:
        date = format_datetime(self.clock(), usegmt=True).encode()
        return [(b"Date", date), (b"Server", NAME.encode()), *self.own]


def latin(pairs: Iterable[tuple[str, str]]) -> Headers:
    """Headers as WSGI has them, in bytes."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


def refusal_bytes(request: IncomingRequest, refusal: Refusal, face: Face) -> bytes:
    """The answer to a request that no application sees; the connection is closed after it."""
    text = f"{refusal.text}\n".encode()
    headers = [
        (b"Content-Type", b"text/plain; charset=UTF-8"),
        (b"Content-Length", b"%d" % len(text)),
        (b"Connection", b"close"),
        *latin(refusal.headers),
        *face.headers(),
    ]
    is_head = request.head is not None and request.head.method == b"HEAD"
    reason = HTTPStatus(refusal.status).phrase.encode()
    send = request.protocol.send
    return b"".join(
        [
            send(h11.Response(status_code=refusal.status, headers=headers, reason=reason)),
            b"" if is_head else send(h11.Data(data=text)),
            send(h11.EndOfMessage()),
        ]
    )
