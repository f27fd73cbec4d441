"""Waking a thread that waits in a selector."""

import contextlib
import selectors
import socket
from typing import Final

LOOK_SECONDS: Final = 0.1
"""How often a thread that waits in a selector looks at its deadlines when nothing happens."""


class WakeUp:
    """
    Wakes the thread that waits in a selector, from any other thread.

    Args:
        selector: Its key for this has no data.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._in, self._out = socket.socketpair()
        self._in.setblocking(False)
        self._out.setblocking(False)
        selector.register(self._out, selectors.EVENT_READ)

    def wake(self) -> None:
        """From any thread, at any time."""
        with contextlib.suppress(OSError):  # full, so it wakes up anyway; or closed
            self._in.send(b"x")

    def drain(self) -> None:
        """Take in what woke it; from the thread that was woken."""
        with contextlib.suppress(OSError):
            self._out.recv(4096)

    def close(self) -> None:
        self._in.close()
        self._out.close()
