"""Attackers, and somebody who calls meanwhile and must not notice."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

PROBES = 5
QUICK_SECONDS = 0.1
"""What others must not notice more of: the best of the probes, since tests share the machine."""

BEARABLE_SECONDS = 5.0
"""What no probe may take, however busy the machine."""


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 80)


def connect(url: str, timeout: float = 10) -> socket.socket:
    return socket.create_connection(address_of(url), timeout=timeout)


def talk(url: str, data: bytes, timeout: float = 10) -> bytes:
    """Send raw bytes, and read until the server closes, or for `timeout` seconds."""
    with connect(url, timeout) as sock:
        with suppress(OSError):
            sock.sendall(data)
        got = b""
        with suppress(OSError):
            while block := sock.recv(65536):
                got += block
    return got


@dataclass
class Bystander:
    """
    Another caller.

    Args:
        call: One call, as they make it: connect anew, ask, read; raises when it is not answered.
    """

    call: Callable[[], None]
    seconds: list[float] = field(default_factory=list)

    def probe(self) -> None:
        """Call a few times and note how long each took."""
        for _ in range(PROBES):
            started = time.perf_counter()
            self.call()
            self.seconds.append(time.perf_counter() - started)
            time.sleep(0.02)

    def must_not_have_noticed(self) -> None:
        assert len(self.seconds) >= PROBES, "nobody called"
        assert min(self.seconds) < QUICK_SECONDS, self.seconds
        assert max(self.seconds) < BEARABLE_SECONDS, self.seconds


def caller_of(url: str) -> Bystander:
    """Somebody who reads a WSDL at this address, on a connection of their own each time."""

    def call() -> None:
        with connect(url, BEARABLE_SECONDS) as sock:
            path = urlsplit(url).path
            sock.sendall(
                f"GET {path}?wsdl HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
            )
            assert sock.recv(15) == b"HTTP/1.1 200 OK"

    return Bystander(call)


@contextmanager
def meanwhile(attack: Callable[[threading.Event], None], count: int = 1) -> Iterator[None]:
    """Attackers at work in the background for as long as the block lasts."""
    stop = threading.Event()
    threads = [threading.Thread(target=attack, args=(stop,), daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=20)
        assert not any(thread.is_alive() for thread in threads)


def posting(url: str, data: bytes, **headers: str) -> Callable[[threading.Event], None]:
    """Somebody who posts the same thing over and over."""

    def attack(stop: threading.Event) -> None:
        with requests.Session() as session:
            while not stop.is_set():
                with suppress(requests.RequestException):
                    session.post(
                        url, data, headers={"Content-Type": "text/xml", **headers}, timeout=10
                    )

    return attack


@contextmanager
def dribbling(url: str, count: int, beginning: bytes, every: float = 0.1) -> Iterator[None]:
    """So many connections that begin a request, and send a byte of it now and then."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(connect(url)) for _ in range(count)]
        for sock in sockets:
            sock.sendall(beginning)

        def dribble(stop: threading.Event) -> None:
            while not stop.wait(every):
                for sock in sockets:
                    with suppress(OSError):
                        sock.send(b"x")

        with meanwhile(dribble):
            yield
