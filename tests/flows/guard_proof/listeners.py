"""Authorities, EHRs and a register on loopback: raw sockets that keep every byte they get."""

import json
import re
import selectors
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

NAMES: Final = ("real", "test", "mock", "ehr", "test-ehr", "register", "hook", "test-hook")
REGISTER: Final = "register"

_LENGTH: Final = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)
_RESULTS: Final = {
    "well": "<resultCode>OK</resultCode>",
    "refusing": "<resultCode>ERROR</resultCode><errorId>VALIDATION_ERROR</errorId>",
    "troubled": "<resultCode>ERROR</resultCode><errorId>TECHNICAL_ERROR</errorId>",
}

MOODS: Final = (*_RESULTS, "silent", "elsewhere")
"""How an authority or EHR answers. `elsewhere`: go to the real authority instead (HTTP 307)."""

REGISTER_MOODS: Final = ("well", "silent", "garbage", "another", "broken")
"""How the register answers. `another`: with somebody else's number. `broken`: HTTP 500."""


@dataclass
class Listeners:
    """
    All of them, served by one thread.

    Attributes:
        ports: Where each listens.
        moods: How each answers.
        flags: The register's test flags, by number; it knows of nobody else.
    """

    ports: Mapping[str, int]
    moods: dict[str, str] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=dict)
    _heard: "dict[_Caller, bytearray]" = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, name: str) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def name_at(self, port: object) -> str | None:
        """Who listens at a port."""
        return next((name for name, its in self.ports.items() if its == port), None)

    def heard(self) -> list[tuple[str, bytes]]:
        """Who got what since the last time: every byte, one entry a connection."""
        with self._lock:
            heard, self._heard = self._heard, {}
        return [(caller.name, bytes(data)) for caller, data in heard.items()]

    def hear(self, caller: "_Caller", data: bytes) -> None:
        with self._lock:
            self._heard.setdefault(caller, bytearray()).extend(data)

    def answer(self, name: str, body: bytes) -> bytes:
        """The whole HTTP answer to a request; nothing where the connection is closed instead."""
        mood = self.moods.get(name, "well")
        if mood == "silent":
            return b""
        if name == REGISTER:
            return _register_answer(mood, body, self.flags)
        if mood == "elsewhere":
            to = f"Location: {self.url('real')}/\r\n"
            return f"HTTP/1.1 307 T\r\n{to}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
        result = f"<a:R xmlns:a='urn:a'><result>{_RESULTS[mood]}</result></a:R>"
        soap = "http://schemas.xmlsoap.org/soap/envelope/"
        envelope = f"<s:Envelope xmlns:s='{soap}'><s:Body>{result}</s:Body></s:Envelope>"
        return _http(200, "text/xml", envelope.encode())


def _register_answer(mood: str, body: bytes, flags: Mapping[str, bool]) -> bytes:
    asked = json.loads(body)["number"]
    if mood in ("garbage", "broken"):
        return _http(200 if mood == "garbage" else 500, "text/html", b"<html>busy</html>")
    number = "189001039800" if mood == "another" else asked
    answer: dict[str, Any] = {"number": number, "known": asked in flags}
    if asked in flags:
        answer["test"] = flags[asked]
    return _http(200, "application/json", json.dumps(answer).encode())


def _http(status: int, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} T\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + body


@contextmanager
def listening() -> Iterator[Listeners]:
    """Start all of them; they end with the block."""
    doors = {name: socket.create_server(("127.0.0.1", 0), backlog=64) for name in NAMES}
    listeners = Listeners({name: door.getsockname()[1] for name, door in doors.items()})
    stop, stopped = socket.socketpair()
    thread = threading.Thread(target=_serve, args=(listeners, doors, stopped), daemon=True)
    thread.start()
    try:
        yield listeners
    finally:
        stop.close()
        thread.join()
        for sock in (*doors.values(), stopped):
            sock.close()


def _serve(
    listeners: Listeners, doors: Mapping[str, socket.socket], stopped: socket.socket
) -> None:
    with selectors.DefaultSelector() as ready:
        ready.register(stopped, selectors.EVENT_READ)
        for name, door in doors.items():
            ready.register(door, selectors.EVENT_READ, name)
        while True:
            for key, _ in ready.select():
                if key.fileobj is stopped:
                    for each in list(ready.get_map().values()):
                        if isinstance(each.data, _Caller):
                            each.data.sock.close()
                    return
                if isinstance(key.data, str):
                    caller = _Caller(key.data, doors[key.data].accept()[0])
                    ready.register(caller.sock, selectors.EVENT_READ, caller)
                elif not key.data.read(listeners):
                    ready.unregister(key.data.sock)
                    key.data.sock.close()


class _Caller:
    """One connection."""

    def __init__(self, name: str, sock: socket.socket) -> None:
        self.name = name
        self.sock = sock
        self._data = bytearray()

    def read(self, listeners: Listeners) -> bool:
        """Take what there is, answer what is whole; whether the connection goes on."""
        try:
            got = self.sock.recv(1 << 20)
        except OSError:
            return False
        listeners.hear(self, got)
        self._data += got
        head, mark, body = bytes(self._data).partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not got or not mark or length is None or len(body) < int(length[1]):
            return bool(got)
        try:
            self.sock.sendall(listeners.answer(self.name, body))
        except OSError:
            return False
        return False
