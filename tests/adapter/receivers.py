"""A receiver on a loopback port that answers with bytes, or with none, and keeps what it got."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from intyg.schemas import ns

OK = '<r:result xmlns:r="urn:x"><r:resultCode>OK</r:resultCode></r:result>'

NOBODY = "http://127.0.0.1:1/"
"""An address where nothing listens; no system gives out such a low port by itself."""

HANG, RESET, CLOSE = "hang", "reset", "close"
"""What a receiver may do instead of answering."""


def soap(content: str) -> bytes:
    """A SOAP answer with this content in its body."""
    return f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Body>{content}</s:Body></s:Envelope>'.encode()


def result(code: str, error_id: str | None = None, text: str | None = None) -> bytes:
    """A SOAP answer with a result, `errorId` before `resultText` as nationally."""
    inner = f"<resultCode>{code}</resultCode>"
    inner += f"<errorId>{error_id}</errorId>" if error_id else ""
    inner += f"<resultText>{text}</resultText>" if text else ""
    return soap(f'<AnyResponse xmlns="{ns.CORE}"><result>{inner}</result></AnyResponse>')


def fault(string: str, code: str = "s:Server", detail: str = "") -> bytes:
    """A SOAP 1.1 fault."""
    return soap(
        f"<s:Fault><faultcode>{code}</faultcode><faultstring>{string}</faultstring>"
        f"<detail><detailString>{detail}</detailString></detail></s:Fault>"
    )


def http(body: bytes, status: int = 200, content_type: str = "text/xml; charset=UTF-8") -> bytes:
    """A whole HTTP answer."""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


@dataclass
class Received:
    """A request as it came."""

    request_line: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Receiver:
    """
    Attributes:
        answer: What it does with a request: bytes to send, or HANG, RESET or CLOSE.
        url: Its address.
        received: Every request.
        connections: How many were opened.
    """

    answer: Callable[[Received], bytes | str] = lambda _: http(soap(OK))
    url: str = ""
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def serve(self, listener: socket.socket) -> None:
        threads = []
        while not self.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._talk, args=(connection,))
                thread.start()
                threads.append(thread)
        for thread in threads:
            thread.join()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(0.1)
            while not self.stopping.is_set():
                request = self._read(connection)
                if request is None:
                    return
                self.received.append(request)
                answer = self.answer(request)
                if answer == HANG:
                    self.stopping.wait()
                elif answer == RESET:
                    linger = struct.pack("ii", 1, 0)  # closing sends RST
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                if isinstance(answer, str):
                    return
                connection.sendall(answer)

    def _read(self, connection: socket.socket) -> Received | None:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = self._receive(connection)
            if not chunk:
                return None
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        request_line, *lines = head.decode("latin-1").split("\r\n")
        headers = [(name, value.strip()) for name, _, value in (x.partition(":") for x in lines)]
        request = Received(request_line, headers, body)
        length = int(request.header("Content-Length")[0])
        while len(request.body) < length:
            chunk = self._receive(connection)
            if not chunk:  # whoever was sending it is gone
                return None
            request.body += chunk
        return request

    def _receive(self, connection: socket.socket) -> bytes:
        while not self.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                return connection.recv(65536)
        return b""


@contextlib.contextmanager
def receiver(host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver that runs until the block ends."""
    six = ":" in host
    family = socket.AF_INET6 if six else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        listener.settimeout(0.05)
        there = f"{f'[{host}]' if six else host}:{listener.getsockname()[1]}"
        served = Receiver(url=f"http://{there}/path?q=1")
        thread = threading.Thread(target=served.serve, args=(listener,))
        thread.start()
        try:
            yield served
        finally:
            served.stopping.set()
            thread.join()
