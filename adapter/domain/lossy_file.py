"""Writing to what cannot be written: a full disk, a pipe that nobody reads any more.

Whatever a thread was doing, a line about it that has nowhere to go is no reason to end. So the line
is lost, which is counted, and nothing more.
"""

import io
import select
import sys
import threading
from contextlib import suppress
from typing import ClassVar, Final, Protocol, TextIO

PATIENCE_SECONDS: Final = 1.0
"""For whoever reads a pipe that is full. Once: until it takes something again, nobody waits."""


class Unbuffered(Protocol):
    """A binary file that writes at once, as `io.FileIO` does."""

    def write(self, data: bytes, /) -> int | None:
        """Write; returns how many bytes, None when it would have to wait."""

    def fileno(self) -> int:
        """Its descriptor."""

    def isatty(self) -> bool:
        """True for a terminal."""


class LossyFile(io.RawIOBase):
    """
    A file to which writing never fails.

    What is written in one go is written whole, or else lost. A full disk may take half a line: the
    next one that it takes begins a line of its own.

    Args:
        file: Where it goes.
        stream: What the file is taken from. It is kept, since it would close the file when it goes.

    Attributes:
        lines_lost: Of all such files of this process.
    """

    lines_lost: ClassVar[int] = 0
    _counting: ClassVar = threading.Lock()

    def __init__(self, file: Unbuffered, stream: TextIO | None = None) -> None:
        self._file = file
        self._stream = stream
        self._lock = threading.Lock()
        self._is_cut = False  # what is there ends in the middle of a line
        self._patience = PATIENCE_SECONDS

    @property
    def name(self) -> object:
        """As the file has it."""
        return getattr(self._file, "name", "")

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()

    def write(self, data: object, /) -> int:
        """Returns the length of the data, as if all were there."""
        given = bytes(memoryview(data))  # type: ignore[arg-type]  # a buffer, says RawIOBase
        with self._lock:
            line = b"\n" + given if self._is_cut else given
            written = self._write(line)
            if written == len(line):
                self._is_cut = False
            else:
                with self._counting:
                    LossyFile.lines_lost += given.count(b"\n")  # some write a line in pieces
                self._is_cut = line[written - 1 : written] != b"\n" if written else self._is_cut
        return len(given)

    def _write(self, line: bytes) -> int:
        """Returns how much of it is there."""
        written = 0
        with suppress(OSError, ValueError):  # the latter: it is closed
            while written < len(line) and self._takes_some():
                more = self._file.write(line[written:])
                if not more:
                    break
                written += more
        return written

    def _takes_some(self) -> bool:
        """True when writing would not wait for ever; for a moment it may."""
        try:
            poll = select.poll()
            poll.register(self.fileno(), select.POLLOUT)
        except io.UnsupportedOperation:  # it is in memory
            return True
        ready = bool(poll.poll(self._patience * 1000))
        self._patience = PATIENCE_SECONDS if ready else 0.0
        return ready


class _Nowhere(io.RawIOBase):
    def write(self, data: object, /) -> int:  # noqa: ARG002
        return 0


def lossy(stream: TextIO) -> TextIO:
    """
    Text to where a stream goes, without the stream's own buffers.

    Those would keep what could not be written, and fail with it again and again.
    """
    binary = getattr(stream, "buffer", None)
    if binary is None or isinstance(binary, LossyFile):
        return stream  # in memory; or it is lossy already
    file = LossyFile(getattr(binary, "raw", binary), stream)
    return io.TextIOWrapper(
        file, stream.encoding, "backslashreplace", newline="", write_through=True
    )


def lossy_stderr() -> TextIO:
    """
    Standard error, lossy from now on for whoever writes there: also libraries, and Python itself.
    """
    if sys.stderr is None:  # it was closed when Python started
        nowhere = LossyFile(_Nowhere())
        sys.stderr = io.TextIOWrapper(nowhere, "utf-8", write_through=True)
    sys.stderr = lossy(sys.stderr)
    return sys.stderr
