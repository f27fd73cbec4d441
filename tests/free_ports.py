"""Ports in a row, for what is told its first one."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

ATTEMPTS = 100


@contextmanager
def ports_in_a_row(count: int) -> Iterator[int]:
    """
    The first of so many free ports, kept free for servers that listen on them.

    As in `adapter/httpd/ports.py`: sockets are bound to them that do not listen. These are bound
    before they may share, so that another test that looks for a row does not find the same.
    """
    for _ in range(ATTEMPTS):
        with ExitStack() as held:
            first = _hold(held, 0)
            try:
                for port in range(first + 1, first + count):
                    _hold(held, port)
            except (OSError, OverflowError):
                continue
            if sys.platform != "linux":
                held.close()
            yield first
            return
    raise AssertionError(f"no {count} free ports in a row")


def _hold(held: ExitStack, port: int) -> int:
    holder = held.enter_context(socket.socket())
    holder.bind(("127.0.0.1", port))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    number: int = holder.getsockname()[1]
    return number
