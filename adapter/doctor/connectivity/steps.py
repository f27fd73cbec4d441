"""The way in order: name, connection, then TLS and SOAP."""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from intyg.adapter.doctor.connectivity.probe import (
    Found,
    Probe,
    Step,
    Target,
)
from intyg.adapter.doctor.connectivity.soap import look_at_soap
from intyg.adapter.doctor.connectivity.tls import look_at_tls
from intyg.adapter.domain.clock import Clock
from intyg.schemas.contract.contract import Contracts


def examine(target: Target, contracts: Contracts, clock: Clock) -> Iterator[Step]:
    """
    Look at the way there; stops at the first step that nothing can go beyond.

    Args:
        contracts: Know the ping.
        clock: Ours.
    """
    probe = Probe(urlsplit(target.url), target, clock)
    try:
        for look in (_name, _connection, look_at_tls):
            steps = list(look(probe))
            yield from steps
            if any(step.found is Found.FAILS for step in steps):
                return
        yield from look_at_soap(probe, contracts)
    finally:
        if probe.sock is not None:
            probe.sock.close()


def _name(probe: Probe) -> Iterator[Step]:
    try:
        port = probe.url.port or (443 if probe.is_tls else 80)
        found = socket.getaddrinfo(probe.host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        todo = "check the name in the settings, and that this machine may ask a name server"
        yield Step("name", Found.FAILS, f"{probe.host}: {reason}", todo)
        return
    probe.address = found[0][4]
    addresses = ", ".join(dict.fromkeys(str(one[4][0]) for one in found))
    yield Step("name", Found.OK, f"{probe.host} is {addresses}")


def _connection(probe: Probe) -> Iterator[Step]:
    started = time.monotonic()
    where = f"{probe.address[0]} port {probe.address[1]}"
    try:
        probe.sock = socket.create_connection(probe.address[:2], timeout=probe.seconds)
    except TimeoutError:
        text = f"{where}: no answer in {probe.seconds:g} s"
        todo = "a firewall drops it: have the way to this address and port opened"
        yield Step("connection", Found.FAILS, text, todo)
    except ConnectionRefusedError:
        todo = "nothing listens there: check the port, and that the other side runs"
        yield Step("connection", Found.FAILS, f"{where}: refused", todo)
    except OSError as exc:
        todo = "there is no way there from this machine: ask your network people"
        yield Step("connection", Found.FAILS, f"{where}: {exc.strerror}", todo)
    else:
        took = (time.monotonic() - started) * 1000
        yield Step("connection", Found.OK, f"{where} in {took:.0f} ms")
