"""Reading requests strictly, where cheroot does not: header lines, chunks, and until when.

Source: RFC 9112 sections 5 and 7.
"""

import errno
import re
import socket
import ssl
import time
from typing import Any, Final, Protocol

from cheroot import makefile, server

MAX_CHUNK_LINE: Final = 1024
MAX_TRAILERS: Final = 32

_FIELD: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n")
_ONCE: Final = frozenset({b"content-length", b"transfer-encoding", b"host"})
_CHUNK_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,15}")


class Buffered(Protocol):
    """A connection of which a request, and perhaps more, was read before."""

    socket: Any
    buffered: bytearray

    def take_buffered(self, buffer: Any) -> int:
        """Put the next bytes that are here already into a buffer; how many."""


class _TimedSocket(socket.SocketIO):
    """Reads what is buffered, then from the socket until a deadline, however a caller dribbles."""

    deadline = float("inf")

    def __init__(self, sock: Any, mode: Any, connection: Buffered) -> None:
        super().__init__(sock, mode)
        self._connection = connection

    def readinto(self, buffer: Any) -> int | None:
        if self._connection.buffered:
            return self._connection.take_buffered(buffer)
        if time.monotonic() > self.deadline:
            raise TimeoutError("timed out")  # the words by which cheroot knows a time-out
        return super().readinto(buffer)


class Reader(makefile.StreamReader):
    def __init__(self, connection: Buffered, mode: str, size: int) -> None:
        sock = connection.socket
        super().__init__(sock, mode, size)
        self._raw = _TimedSocket(sock, "r", connection)
        self._connection = connection
        self._tls = sock if isinstance(sock, ssl.SSLSocket) else None

    def give_back(self) -> bytes:
        """Bytes that were read and not asked for: the next request's."""
        unread = bytes(self._read_buf[self._read_pos :])  # type: ignore[attr-defined]
        self._reset_read_buf()  # type: ignore[attr-defined]
        return unread

    def has_data(self) -> bool:
        """Also what is buffered, or TLS has unpacked: the system knows nothing of it any more."""
        if self._connection.buffered:
            return True
        pending = self._tls.pending() if self._tls is not None else 0
        return bool(pending or super().has_data())  # type: ignore[no-untyped-call]


class ChunkedBody(server.ChunkedRFile):
    """Chunks (RFC 9112 section 7.1), strictly: cheroot takes a negative size for the end."""

    def _fetch(self) -> None:
        if self.closed:
            return
        line = self.rfile.readline(MAX_CHUNK_LINE)
        size = line.partition(b";")[0].strip()
        if not line.endswith(b"\n") or not _CHUNK_SIZE.fullmatch(size):
            raise ValueError("broken chunk size")
        length = int(size, 16)
        self.bytes_read += len(line) + length
        if self.bytes_read > self.maxlen:
            raise OSError(errno.EMSGSIZE, "request body too large")
        if length == 0:
            self._skip_trailers()
            self.closed = True
            return
        self.buffer += self.rfile.read(length)
        if self.rfile.read(2) != b"\r\n":
            raise ValueError("broken chunk")

    def _skip_trailers(self) -> None:
        for _ in range(MAX_TRAILERS):
            if self.rfile.readline(MAX_CHUNK_LINE) in (b"\r\n", b"\n", b""):
                return
        raise ValueError("too many trailers")


class _StrictLines:
    """
    Header lines as RFC 9112 section 5 has them: what two readers could read in two ways is refused.

    Attributes:
        values: By name in small letters, in the order they came.
    """

    def __init__(self, rfile: Any) -> None:
        self._rfile = rfile
        self.values: dict[bytes, list[bytes]] = {}

    def readline(self) -> bytes:
        line: bytes = self._rfile.readline()
        if line in (b"", b"\r\n"):
            return line
        if not _FIELD.fullmatch(line):  # a blank before the colon, a folded line, a control sign
            raise ValueError("broken header line")
        name, _, value = line.partition(b":")
        values = self.values.setdefault(name.lower(), [])
        if values and name.lower() in _ONCE:
            raise ValueError("a header that may come once came twice")
        values.append(value.strip())
        return line


class Headers(server.HeaderReader):
    def __call__(self, rfile: Any, hdict: Any = None) -> Any:
        lines = _StrictLines(rfile)
        found = super().__call__(lines, hdict)
        for name, values in lines.values.items():
            if len(values) > 1 and name.title() in found:
                # One list (RFC 9110 section 5.3): cheroot would keep the last alone, so whoever can
                # add a header behind a proxy's could put another in its place.
                found[name.title()] = b", ".join(values)
        return found

    def _allow_header(self, key_name: bytes) -> bool:
        # In WSGI X_Forwarded_Host looks like X-Forwarded-Host, but not to a proxy in front of us.
        # cheroot's own reader for this compares bytes with text.
        return b"_" not in key_name
