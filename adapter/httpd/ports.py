"""Ports that are taken before a server listens on them.

Nobody else is given such a port, neither for a server nor for a connection: a socket is bound to it
that does not listen, so that calls are refused until the server is there.
"""

import contextlib
import socket
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def held_port(host: str = "127.0.0.1") -> Iterator[int]:
    """
    A free port, kept free for a server that is told its number; for as long as the block lasts.

    For servers that must know each other's addresses before they start. Systems other than Linux
    let nobody bind to a port that is held: there the port was free a moment ago.
    """
    with socket.socket(_family(host)) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind((host, 0))
        port: int = holder.getsockname()[1]
        if sys.platform != "linux":
            holder.close()
        yield port


def reserve_port(host: str, port: int) -> socket.socket:
    """
    Take a port that processes of this user can share; nobody listens on it yet.

    Raises:
        OSError: Somebody else has it.
    """
    family = _family(host)
    reserved = socket.socket(family)
    try:
        if port:
            _nobody_listens(family, host, port)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind((host, port))
    except OSError:
        reserved.close()
        raise
    return reserved


def _nobody_listens(family: int, host: str, port: int) -> None:
    """Sharing would also work with another adapter of the same user, started by mistake."""
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _family(host: str) -> int:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
