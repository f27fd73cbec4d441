"""The server on real sockets. What it answers is up to the application; here, to small ones."""

import contextlib
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask
import pytest
import requests
import structlog.testing

from intyg.adapter.domain.kept_thread import names_of_ended
from intyg.adapter.httpd.connection import Connection
from intyg.adapter.httpd.intake import Intake
from intyg.adapter.httpd.mount import Mount
from intyg.adapter.httpd.ports import held_port
from intyg.adapter.httpd.server import MAX_HEADER_BYTES, Server, _listen

SECRET = "hemlig"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer with how much came."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0) or 50_000_000)
    return _text(start_response, f"{environ['REQUEST_METHOD']} {len(body)}")


def unread(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer without reading the body."""
    return _text(start_response, "no", "413 Content Too Large")


def broken(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    raise RuntimeError(SECRET)


def _text(start_response: Any, text: str, status: str = "200 OK") -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
    return [text.encode()]


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(app: Any, **kwargs: Any) -> Server:
        servers.append(Server(app, threads=2, **kwargs).start())
        return servers[-1]

    before = set(threading.enumerate())
    yield start
    for server in servers:
        server.stop()
    assert not [t for t in threading.enumerate() if t not in before and t.is_alive()]


def talk(server: Server, data: bytes, timeout: float = 5) -> bytes:
    """Send raw bytes, and read until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as sock:
        try:
            sock.sendall(data)
        except OSError:
            return b"(connection closed while sending)"
        got = b""
        while block := sock.recv(65536):
            got += block
    return got


def test_a_header_that_comes_twice_is_one_list(serve: Callable[..., Server]) -> None:
    """Neither of two takes the place of the other, so neither passes for a proxy's alone."""

    def who(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return _text(start_response, f"{environ['HTTP_X_VP_SENDER_ID']}; {environ['HTTP_ACCEPT']}")

    twice = b"X-VP-Sender-Id: A\r\nAccept: a\r\nx-vp-sender-id:  B\r\nAccept: b\r\n"
    answer = talk(
        serve(who), b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + twice + b"\r\n"
    )
    assert answer.endswith(b"\r\n\r\nA, B; a, b")


def test_a_free_port_is_taken_and_told(serve: Callable[..., Server]) -> None:
    server = serve(echo)
    assert server.port > 0
    assert server.address == f"http://127.0.0.1:{server.port}"
    assert requests.post(server.address, data=b"12345", timeout=5).text == "POST 5"


def test_a_burst_of_callers_is_let_in_before_anybody_accepts() -> None:
    """Of 128 that may wait, the next would try again a second later, or be refused."""
    burst = 400
    with contextlib.ExitStack() as callers:
        listener = callers.enter_context(_listen("127.0.0.1", 0, reuse_port=False))
        for _ in range(burst):
            caller = callers.enter_context(socket.socket())
            caller.settimeout(0.9)  # the system tries again after a second
            caller.connect(listener.getsockname())


def test_stop_frees_the_port_and_may_be_repeated() -> None:
    with held_port() as port:
        with Server(echo, port=port) as server:
            assert server.port == port
        server.stop()
        with Server(echo, port=port) as again:
            assert again.port == port


def test_an_answer_that_its_caller_did_not_wait_for_is_forgotten_without_a_word(
    serve: Callable[..., Server],
) -> None:
    gone = threading.Event()

    def large(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        assert gone.wait(5)
        return _text(start_response, "x" * 8_000_000)

    server = serve(large)
    with structlog.testing.capture_logs() as logs:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.1)  # so that it is with a worker
        gone.set()
        assert len(requests.get(server.address, timeout=20).content) == 8_000_000
    assert logs == []


def test_a_taken_port_is_told(serve: Callable[..., Server]) -> None:
    taken = serve(echo)
    with pytest.raises(OSError, match="in use"):
        Server(echo, port=taken.port).start()


def test_connections_are_kept(serve: Callable[..., Server]) -> None:
    ports: set[str] = set()

    def remember(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        ports.add(environ["REMOTE_PORT"])
        return _text(start_response, "")

    server = serve(remember)
    with requests.Session() as session:
        for _ in range(3):
            session.get(server.address, timeout=5)
    assert len(ports) == 1


def test_chunks_are_put_together(serve: Callable[..., Server]) -> None:
    server = serve(echo)
    blocks = [b"x" * 1000] * 5
    assert requests.post(server.address, data=iter(blocks), timeout=5).text == "POST 5000"


def test_flask_reads_chunks(serve: Callable[..., Server]) -> None:
    """It believes a body without a length only from servers that say where it ends."""
    app = flask.Flask("there")
    app.add_url_rule("/", view_func=lambda: flask.request.get_data(), methods=["POST"])
    assert requests.post(serve(app).address, data=iter([b"ab", b"c"]), timeout=5).text == "abc"


@pytest.mark.parametrize("size", [b"-5", b"zz", b"1;" + b" " * 9000 + b"\n"])
def test_a_broken_chunk_is_refused_at_once(serve: Callable[..., Server], size: bytes) -> None:
    with structlog.testing.capture_logs() as logs:
        started = time.perf_counter()
        answer = talk(serve(echo), CHUNKED + size + b"\r\n" + SECRET.encode())
    assert time.perf_counter() - started < 2
    assert answer.startswith(b"HTTP/1.1 400")
    assert SECRET.encode() not in answer
    assert SECRET not in repr(logs)


@pytest.mark.parametrize("size", [b"ffffffffff", b"2000000"])
def test_a_monstrous_chunk_is_not_read(serve: Callable[..., Server], size: bytes) -> None:
    server = serve(echo, max_body_bytes=1000)
    answer = talk(server, CHUNKED + size + b"\r\n" + b"x" * 1001)
    assert answer.startswith(b"HTTP/1.1 413")


def test_many_small_chunks_are_not_read(serve: Callable[..., Server]) -> None:
    """Each costs far more than its byte."""
    answer = talk(serve(echo), CHUNKED + b"1\r\nx\r\n" * 200_000, timeout=20)
    assert answer.startswith((b"HTTP/1.1 400", b"(connection closed"))


def test_headers_with_underscores_are_dropped(serve: Callable[..., Server]) -> None:
    seen: list[dict[str, Any]] = []

    def remember(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.append(environ)
        return _text(start_response, "")

    data = b"GET / HTTP/1.1\r\nHost: x\r\nX_Forwarded_Host: evil\r\nConnection: close\r\n\r\n"
    talk(serve(remember), data)
    assert "HTTP_X_FORWARDED_HOST" not in seen[0]


def test_after_chunks_and_trailers_comes_the_next_request(serve: Callable[..., Server]) -> None:
    chunked = (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;ext=1\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"
    )
    plain = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
    answer = talk(serve(echo), chunked + plain)
    assert answer.count(b"200 OK") == 2
    assert b"POST 3" in answer
    assert answer.endswith(b"POST 1")


def test_a_refused_body_does_not_cost_the_answer(serve: Callable[..., Server]) -> None:
    server = serve(unread)
    answer = requests.post(server.address, data=b"x" * 20_000_000, timeout=5)
    assert (answer.status_code, answer.text) == (413, "no")
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize("headers", [b"Content-Length: 60\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_an_unread_body_is_not_the_next_request(
    serve: Callable[..., Server], headers: bytes
) -> None:
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = talk(serve(unread), b"POST / HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n" + smuggled)
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"505"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"hemlig\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * (MAX_HEADER_BYTES + 1) + b"\r\n\r\n", b"413"),
    ],
    ids=["no HTTP", "future", "negative length", "no number", "large header"],
)
def test_broken_http_is_refused(serve: Callable[..., Server], data: bytes, status: bytes) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = talk(serve(echo), data)
    assert answer.startswith((b"HTTP/1.1 " + status, b"(connection closed"))
    assert b"hemlig" not in answer
    assert "hemlig" not in repr(logs)


def test_a_caller_that_dribbles_is_cut_off(serve: Callable[..., Server]) -> None:
    server = serve(echo, arrive_seconds=0.4)
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        try:
            while time.perf_counter() - started < 3:
                sock.sendall(b"x")
                time.sleep(0.05)
                sock.setblocking(False)
                try:
                    if not sock.recv(1000):
                        break
                except BlockingIOError:
                    pass
                finally:
                    sock.setblocking(True)
        except OSError:
            pass
    assert 0.3 < time.perf_counter() - started < 2
    assert requests.post(server.address, data=b"1", timeout=5).text == "POST 1"


def test_a_silent_caller_is_told_and_cut_off(serve: Callable[..., Server]) -> None:
    server = serve(echo, arrive_seconds=0.3)
    started = time.perf_counter()
    answer = talk(server, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.perf_counter() - started < 2


def test_an_error_of_an_application_shows_nothing(
    serve: Callable[..., Server], capfd: pytest.CaptureFixture[str]
) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = requests.get(serve(broken).address, timeout=5)
    assert answer.status_code == 500
    assert SECRET not in answer.text
    assert SECRET not in "".join(capfd.readouterr()) + repr(logs)
    assert logs[0]["error.type"] == "RuntimeError"


def test_no_thread_ends_with_a_connection_that_cannot_be_closed(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [RuntimeError(SECRET) for _ in range(4)]
    close = Connection.close

    def closed(connection: Connection) -> None:
        close(connection)
        if threading.current_thread().name.startswith("request-") and faults:
            raise faults.pop()

    monkeypatch.setattr(Connection, "close", closed)
    server = serve(echo)
    with structlog.testing.capture_logs() as lines:
        for _ in range(6):
            answer = requests.get(server.address, headers={"Connection": "close"}, timeout=10)
            assert answer.text == "GET 0"
    assert faults == []
    assert names_of_ended(server.threads) == []
    assert [line["event"] for line in lines].count("thread.failed") == 4
    assert SECRET not in str(lines)


def test_no_thread_ends_with_a_caller_who_cannot_be_handed_on(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [RuntimeError(SECRET) for _ in range(3)]
    hand_over = Intake._hand_over

    def handed_over(intake: Intake, connection: Connection) -> None:
        if faults:
            raise faults.pop()
        hand_over(intake, connection)

    monkeypatch.setattr(Intake, "_hand_over", handed_over)
    server = serve(echo)
    answers = []
    for _ in range(4):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            time.sleep(0.2)  # so that it waits in the intake
            sock.sendall(b"Connection: close\r\n\r\n")
            answers.append(sock.recv(65536)[:15])
    assert answers == [b"", b"", b"", b"HTTP/1.1 200 OK"]
    assert names_of_ended(server.threads) == []


def test_requests_are_served_side_by_side(serve: Callable[..., Server]) -> None:
    both = threading.Barrier(2, timeout=5)

    def wait(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        both.wait()
        return _text(start_response, "met")

    server = serve(wait)
    answers: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(requests.get(server.address, timeout=5).text)
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["met", "met"]


# --- HTTP, byte by byte --------------------------------------------------------------------------


def test_few_functions_of_ours_stand_between_thread_and_application(
    serve: Callable[..., Server],
) -> None:
    """Whoever stops in an application sees at once where they are."""
    seen: list[list[str]] = []

    def look(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        frames = traceback.extract_stack(sys._getframe(1))
        seen.append([frame.name for frame in frames if "adapter" in Path(frame.filename).parts])
        return _text(start_response, "")

    for app in (look, Mount({"/a": look})):
        requests.get(f"{serve(app).address}/a/b", timeout=5)
    assert seen == [["go_on", "_work"]] * 2  # the first is what keeps any thread of ours


def test_an_absolute_target_is_taken_and_its_host_wins(serve: Callable[..., Server]) -> None:
    seen: list[dict[str, Any]] = []

    def look(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.append(environ)
        return _text(start_response, "")

    request = b"GET http://a.example:81/b%20c?d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert talk(serve(Mount({"/b c": look})), request).startswith(b"HTTP/1.1 200 OK\r\n")
    names = ("HTTP_HOST", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_URI")
    assert [seen[0][name] for name in names] == ["a.example:81", "/b c", "", "d", "/b%20c?d"]


def test_who_asks_whether_to_send_too_much_is_refused_at_once(
    serve: Callable[..., Server],
) -> None:
    """RFC 9110 section 10.1.1: no `100 Continue` before the 413."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n"
    answer = talk(serve(unread, max_body_bytes=100), head)
    assert answer.startswith(b"HTTP/1.1 413 Content Too Large\r\n")


def test_a_caller_that_asks_first_is_told_to_go_on(serve: Callable[..., Server]) -> None:
    with socket.create_connection(("127.0.0.1", serve(echo).port), timeout=5) as sock:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        sock.sendall(head)
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"abc" + head)
        answers = b""
        while b"100 Continue" not in answers:
            answers += sock.recv(1000)
        assert answers.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answers.endswith(b"POST 3HTTP/1.1 100 Continue\r\n\r\n")


def test_what_is_refused_for_its_header_is_refused_before_its_body(
    serve: Callable[..., Server],
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    started = time.perf_counter()
    assert talk(serve(unread), head).startswith(b"HTTP/1.1 413 Content Too Large\r\n")
    assert time.perf_counter() - started < 4


def test_one_who_sends_no_more_is_answered(serve: Callable[..., Server]) -> None:
    """`nc -N` and old clients close their half when they have asked."""
    server = serve(echo)
    for data, status in (
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", b"200 OK"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", b"200 OK"),  # echo reads 3
        (b"POST / HTTP/1.1\r\nHost", b"400 Bad Request"),
        (b"", b""),
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            answer = b""
            while block := sock.recv(65536):
                answer += block
        assert answer.startswith(b"HTTP/1.1 " + status if status else b""), data
        assert answer.endswith((b"POST 3", b"its header.\n")) or not data


def test_head_has_the_header_of_get_and_no_body(serve: Callable[..., Server]) -> None:
    server = serve(echo)
    answer = talk(server, b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"\r\nContent-Length: 6\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_http_1_0_is_answered_and_closed(serve: Callable[..., Server]) -> None:
    answer = talk(serve(echo), b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"POST 2")


def test_an_answer_without_a_length_comes_in_chunks(serve: Callable[..., Server]) -> None:
    def parts(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        write = start_response("200 OK", [])
        write(b"a")
        yield b"bc"
        yield b""
        yield b"d"

    server = serve(parts)
    assert requests.get(server.address, timeout=5).text == "abcd"
    last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert talk(server, last).endswith(b"1\r\na\r\n2\r\nbc\r\n1\r\nd\r\n0\r\n\r\n")
    assert talk(server, b"GET / HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\nabcd")


@pytest.mark.parametrize("length", ["2", "4"])
def test_an_answer_of_another_length_than_it_says_ends_the_connection(
    serve: Callable[..., Server], length: str
) -> None:
    def wrong(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", length)])
        return [b"abc"]

    with structlog.testing.capture_logs() as logs:
        answer = talk(serve(wrong), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"200 OK" not in answer or answer.endswith(b"abc")
    assert [line["error.type"] for line in logs] == ["LocalProtocolError"]


def test_every_answer_has_a_date_and_no_header_twice(serve: Callable[..., Server]) -> None:
    def noon() -> datetime:
        return datetime(2026, 3, 1, 12, tzinfo=UTC)

    server = serve(echo, clock=noon, headers=(("x-env", "test"),))
    for request in (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"GET /\r\n\r\n"):
        head = talk(server, request).partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        names = [line.partition(":")[0].lower() for line in head]
        assert len(set(names)) == len(names)
        assert "Date: Sun, 01 Mar 2026 12:00:00 GMT" in head
        assert "x-env: test" in head


def test_stopping_finishes_what_is_under_way_and_takes_nothing_more() -> None:
    began, may_end = threading.Event(), threading.Event()

    def slow(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        began.set()
        assert may_end.wait(5)
        return _text(start_response, "done")

    server = Server(slow, threads=1).start()
    busy = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    waits, half = (
        socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(2)
    )
    with busy, waits, half:
        busy.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert began.wait(5)
        waits.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        half.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(0.3)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert half.recv(100) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=5)
        may_end.set()
        stopping.join(timeout=10)
        for sock in (busy, waits):
            answer = sock.recv(10_000)
            assert answer.endswith(b"done")
            assert b"\r\nConnection: close\r\n" in answer
            assert sock.recv(100) == b""


# --- several applications ------------------------------------------------------------------


def named(name: str) -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return _text(start_response, f"{name} {environ['SCRIPT_NAME']} {environ['PATH_INFO']}")

    return app


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/services", "soap /services "),
        ("/services/", "soap /services /"),
        ("/services/a/b", "soap /services /a/b"),
        ("/services/inner/x", "inner /services/inner /x"),
        ("/servicesx", "rest  /servicesx"),
        ("/", "rest  /"),
    ],
)
def test_the_longest_path_that_fits_wins(path: str, expected: str) -> None:
    app = Mount({"": named("rest"), "/services": named("soap"), "/services/inner": named("inner")})
    answer = app({"PATH_INFO": path, "REQUEST_METHOD": "GET"}, lambda *_: bytes)
    assert b"".join(answer).decode() == expected


def test_where_nothing_is_mounted_is_404_with_what_there_is() -> None:
    told: list[str] = []

    def start_response(status: str, *_: Any) -> Any:
        told.append(status)

    app = Mount({"/services": named("soap"), "/console": named("console")})
    for method, length in (("GET", 44), ("HEAD", 0)):
        environ = {"PATH_INFO": "/servic", "REQUEST_METHOD": method}
        assert len(b"".join(app(environ, start_response))) == length
    assert told == ["404 Not Found"] * 2
