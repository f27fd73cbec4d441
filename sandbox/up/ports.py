"""Where adapter and mocks listen: in a row from a port that was named, or where they usually do."""

import errno
import socket
from collections.abc import Iterator
from itertools import count
from typing import Final

from intyg.mocks.personas import FIRST_PORT, PERSONAS, ports_from
from intyg.sandbox.demo.stage import Ports

USUAL: Final = FIRST_PORT - 1
"""The adapter's; the mocks have those after it."""

LAST: Final = 65535


class PortsError(Exception):
    """The ports that were named cannot be had; the text says which, and what to do."""


def named_ports(first: int) -> Ports:
    """
    The ports in a row from one that was named, the adapter's first; from 0, free ones.

    Raises:
        PortsError: One of them is taken, or is none.
    """
    if first == 0:
        return Ports()
    row = _row(first)
    if not 0 < first <= LAST - len(PERSONAS):
        raise PortsError(f"ports from {first}: they go from 1 to {LAST}")
    for name, port in row.items():
        refused = _refused(port)
        if refused is not None:
            whose = _name(name)
            raise PortsError(f"port {port}, for {whose}: {refused}; name another first port")
    return _ports(row)


def usual_ports() -> tuple[Ports, tuple[str, ...]]:
    """The usual ports, in place of each that is taken the next free one; and a text for each."""
    row = _row(USUAL)
    others = _free_from(USUAL + len(row))
    notes = []
    for name, port in row.items():
        if _refused(port) is not None:
            row[name] = next(others)
            notes.append(f"port {port} is taken: {_name(name)} has {row[name]}")
    return _ports(row), tuple(notes)


def _row(first: int) -> dict[str, int]:
    """A port for each: the adapter, whose name is empty, and the personas."""
    return {"": first, **ports_from(first + 1)}


def _ports(row: dict[str, int]) -> Ports:
    return Ports(row[""], {name: port for name, port in row.items() if name})


def _name(name: str) -> str:
    return PERSONAS[name].settings.name if name else "the adapter"


def _free_from(first: int) -> Iterator[int]:
    return (port for port in count(first) if port > LAST or _refused(port) is None)


def _refused(port: int) -> str | None:
    """Why nobody can listen there now; None if one can."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as exc:
        return "it is taken" if exc.errno == errno.EADDRINUSE else exc.strerror
    return None
