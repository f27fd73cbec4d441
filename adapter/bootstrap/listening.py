"""Why an address cannot be listened on, and what to do about it."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from intyg.adapter.settings.settings import SettingsError


class ListenError(SettingsError):
    """An address of the settings cannot be listened on; the text says which, and what to do."""


@contextmanager
def listening(host: str, port: int, part: str) -> Iterator[None]:
    """
    A block that listens on an address.

    Args:
        part: Of the settings, `server` or `console`.

    Raises:
        ListenError: It cannot.
    """
    try:
        yield
    except OSError as exc:
        address = f"{f'[{host}]' if ':' in host else host}:{port}"
        text = why_not(exc, address, f"{part}.port (0 takes a free one)", f"{part}.host")
        raise ListenError(text) from exc


def why_not(exc: OSError, address: str, set_port: str, set_host: str) -> str:
    """
    In one line.

    Args:
        set_port, set_host: What says another, `server.port` or an option.
    """
    if isinstance(exc, socket.gaierror) or exc.errno == errno.EADDRNOTAVAIL:
        return (
            f"{address} is no address of this machine: set {set_host}, to 127.0.0.1 for callers on "
            "this machine alone, to 0.0.0.0 for all of its addresses"
        )
    if exc.errno == errno.EADDRINUSE:
        return (
            f"{address} is taken: another program listens there, perhaps this one, started before; "
            f"stop it, or set {set_port}"
        )
    if exc.errno in (errno.EACCES, errno.EPERM):
        return f"{address} is not for this user: ports below 1024 are root's; set {set_port}"
    return f"{address} cannot be listened on: {exc.strerror or type(exc).__name__}"
