"""One question over HTTP, and services that are slow, or say more than they should."""

import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from intyg.adapter.clients.ask_service import ask_service
from intyg.adapter.clients.http_client import NoAnswerError
from tests.adapter.tls_certs import make_tls_certs

LIMIT_SECONDS = 0.4
OK = b"HTTP/1.1 200 OK\r\n"


@contextlib.contextmanager
def answering(
    pieces: Iterable[bytes], tls: ssl.SSLContext | None = None, *, pause: float = 0.02
) -> Iterator[int]:
    """Answer one call with these pieces, a moment apart, until the caller has gone; the port."""

    def serve() -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            sock = stack.enter_context(listener.accept()[0])
            if tls:
                sock = stack.enter_context(tls.wrap_socket(sock, server_side=True))
            sock.recv(65536)
            for piece in pieces:
                sock.sendall(piece)
                time.sleep(pause)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive(), "the caller hangs on"


def ask(url: str, ca: Path | None = None) -> tuple[int, bytes]:
    return ask_service(url, ca=ca, timeout_seconds=LIMIT_SECONDS, max_bytes=100)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(itertools.chain([b"HTTP/1.1 200 "], itertools.repeat(b"x")), id="status"),
        pytest.param(itertools.chain([OK, b"X: "], itertools.repeat(b"x")), id="header"),
        pytest.param(itertools.chain([OK], itertools.repeat(b"X: x\r\n")), id="many headers"),
        pytest.param(
            itertools.chain([OK, b"Content-Length: 99\r\n\r\n"], itertools.repeat(b"x")), id="body"
        ),
        pytest.param(
            itertools.chain([OK, b"Transfer-Encoding: chunked\r\n\r\n1;"], itertools.repeat(b"x")),
            id="chunk",
        ),
    ],
)
def test_an_answer_that_dribbles_is_given_up_in_time(pieces: Iterable[bytes]) -> None:
    with answering(pieces) as port:
        began = time.monotonic()
        with pytest.raises(NoAnswerError):
            ask(f"http://127.0.0.1:{port}/")
        took = time.monotonic() - began
    assert took < LIMIT_SECONDS + 1  # each byte alone came well in time


@pytest.mark.parametrize("keeps", [b"", b"Connection: close\r\n"])
def test_an_answer_in_pieces_is_read_whole(keeps: bytes) -> None:
    with answering([OK, keeps + b"Content-", b"Length: 4\r\n\r\n", b"ab", b"cd"]) as port:
        assert ask(f"http://127.0.0.1:{port}/") == (200, b"abcd")


def test_the_same_holds_over_tls(tmp_path: Path) -> None:
    certs = make_tls_certs(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certs.server)
    with answering([OK, b"Content-Length: 2\r\n\r\n", b"ab"], tls) as port:
        assert ask(f"https://localhost:{port}/", certs.ca) == (200, b"ab")
    endless = itertools.chain([OK, b"X: "], itertools.repeat(b"x"))
    with answering(endless, tls) as port, pytest.raises(NoAnswerError):
        ask(f"https://localhost:{port}/", certs.ca)
    with answering([OK], tls) as port, pytest.raises(NoAnswerError):
        ask(f"https://localhost:{port}/")  # nobody vouches for it
