"""
What the mock Försäkringskassan can take, beside a server that does nothing.

    python bench/mock.py [--seconds 5] [--clients 8]

Each server is a process of its own on loopback; the clients are threads of this one, and every call
a connection, since the mocks keep none alive. Certificates are signed FK7804; each is new the first
time round. The bare server is the mocks' own without the mock: it reads a call and answers OK.
Memory is resident, as the system says, after the run; the journal and the certificates are in it.
"""

import argparse
import itertools
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table
from werkzeug.wrappers import Request, Response

from intyg.adapter import signature
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.formats import safe_xml
from intyg.adapter.httpd.ports import held_port
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID, make_test_keys
from intyg.mocks.forsakringskassan import PERSONA, SETTINGS
from intyg.mocks.journalsystem.sample import fk7804
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.place import Place
from intyg.mocks.server.service import MockService
from intyg.mocks.server.serving import MockServer, allow_many_connections, serve
from intyg.mocks.wire import envelope
from intyg.mocks.wire.envelope import Answer
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes

PATIENT: Final = "189001019802"
CERTIFICATES: Final = 2000
PENDING: Final = 1000

KINDS: Final = {
    "checks": "the mock, all checks and journal on",
    "no-checks": "the mock, checks off, journal on",
    "bare": "a bare server that answers OK",
}


class Bare(MockService[Persona]):
    """Reads a call and answers OK."""

    def __init__(self) -> None:
        contracts = Contracts()
        super().__init__(Persona(Place(contracts, IntygTypes(), SETTINGS)))
        self._ok = envelope.write_answer(contracts.get("RegisterCertificate", 3), Answer.ok())

    def respond(self, request: Request) -> Response:
        request.get_data()
        return Response(self._ok, content_type=envelope.CONTENT_TYPE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each server")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--ca", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    allow_many_connections()
    if arguments.serve:
        _serve(arguments.serve, arguments.ca)
        return
    with tempfile.TemporaryDirectory() as name:
        calls, ca = _calls(Path(name))
        _throughput(calls, ca, arguments.seconds, arguments.clients)
        _waiting(calls, ca)
        _starting(calls)


# --- the servers ----------------------------------------------------------------------------------


def _serve(kind: str, ca: Path) -> None:
    """This process as a server: tells its port, and stops when its input ends."""
    with serve(_mock(kind, ca)) as server:
        print(server.port, flush=True)
        sys.stdin.read()


def _mock(kind: str, ca: Path) -> MockService[Persona]:
    if kind == "bare":
        return Bare()
    settings = replace(
        SETTINGS,
        ca_files=(ca,),
        require_signature=kind == "checks",
        checks=kind == "checks",
    )
    return PERSONA.make(Contracts(), IntygTypes(), settings)


@dataclass(frozen=True)
class Running:
    """A server process."""

    port: int
    pid: int

    @property
    def megabytes(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1])
        return pages * resource.getpagesize() / 1e6


@contextmanager
def _running(kind: str, ca: Path) -> Iterator[Running]:
    command = [sys.executable, __file__, "--serve", kind, "--ca", str(ca)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()
    ) as process:
        assert process.stdout is not None
        yield Running(int(process.stdout.readline()), process.pid)
        assert process.stdin is not None
        process.stdin.close()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


# --- the calls ------------------------------------------------------------------------------------


def _calls(folder: Path) -> tuple[list[bytes], Path]:
    """Signed certificates as whole HTTP requests, and the CA of their signer."""
    keys = make_test_keys(folder / "keys", system_clock())
    key = signature.load_signing_key(keys.signer.key, keys.signer.cert)
    now = datetime.now(UTC)
    calls = []
    for _ in range(CERTIFICATES):
        body = fk7804(str(uuid.uuid4()), PATIENT, SIGNER_HSA_ID, now)
        calls.append(_http(safe_xml.envelope(signature.sign_document(body, key), "FKASSA")))
    return calls, keys.ca


def _http(message: bytes) -> bytes:
    head = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml; charset=UTF-8\r\n"
    return f"{head}Content-Length: {len(message)}\r\n\r\n".encode() + message


def _late(call: bytes) -> bytes:
    """The same to an address that answers after 30 seconds."""
    _, _, message = call.partition(b"\r\n\r\n")
    return _http(message.replace(b">FKASSA<", b">FK-LATE-30S<", 1))


def _ask(port: int, call: bytes) -> float:
    """Seconds until the whole answer is here."""
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(call)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert b">OK<" in answer or b">INFO<" in answer, answer[-500:]
    return time.perf_counter() - started


# --- what is measured -----------------------------------------------------------------------------


def _throughput(calls: Sequence[bytes], ca: Path, seconds: float, clients: int) -> None:
    size = statistics.mean(map(len, calls))
    table = Table(title=f"FK7804, signed, {size:,.0f} bytes; {clients} clients, one process each")
    for column in ("server", "a second", "p50 ms", "p99 ms", "MB"):
        table.add_column(column, justify="left" if column == "server" else "right")
    for kind, name in KINDS.items():
        with _running(kind, ca) as server:
            for call in calls[-20:]:
                _ask(server.port, call)  # warm
            took, spent = _load(server.port, calls, seconds, clients)
            table.add_row(
                name,
                f"{len(took) / spent:,.0f}",
                f"{1000 * statistics.median(took):.1f}",
                f"{1000 * statistics.quantiles(took, n=100)[98]:.1f}",
                f"{server.megabytes:,.0f}",
            )
    Console().print(table)


def _load(
    port: int, calls: Sequence[bytes], seconds: float, clients: int
) -> tuple[list[float], float]:
    """What each call took, and how long all of it."""
    turns = itertools.cycle(calls)
    took: list[float] = []
    started = time.perf_counter()

    def client() -> None:
        while time.perf_counter() - started < seconds:
            took.append(_ask(port, next(turns)))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took, time.perf_counter() - started


def _waiting(calls: Sequence[bytes], ca: Path) -> None:
    with _running("checks", ca) as server, ExitStack() as open_calls:
        for call in calls[:PENDING]:
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            open_calls.enter_context(connection).sendall(_late(call))
        for call in calls[-20:]:
            _ask(server.port, call)
        time.sleep(1)
        took = [_ask(server.port, call) for call in calls[PENDING : PENDING + 200]]
        table = Table(title=f"{PENDING:,} answers that come 30 s late; others meanwhile, in turn")
        for column in ("p50 ms", "p99 ms", "worst ms", "MB"):
            table.add_column(column, justify="right")
        table.add_row(
            f"{1000 * statistics.median(took):.1f}",
            f"{1000 * statistics.quantiles(took, n=100)[98]:.1f}",
            f"{1000 * max(took):.1f}",
            f"{server.megabytes:,.0f}",
        )
        Console().print(table)


def _starting(calls: Sequence[bytes]) -> None:
    table = Table(title="from the start to the first answer, best of three")
    table.add_column("how")
    table.add_column("s", justify="right")
    table.add_row(
        "intyg mocks, all of them", f"{min(_from_command(calls[0]) for _ in range(3)):.2f}"
    )
    table.add_row("as a fixture", f"{min(_in_process(calls[0]) for _ in range(3)):.3f}")
    Console().print(table)


def _from_command(call: bytes) -> float:
    command = [sys.executable, "-m", "intyg.adapter", "mocks", "--no-token", "--ports-from", "0"]
    with held_port() as port:
        command += ["--port", f"forsakringskassan={port}"]
        started = time.perf_counter()
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=_environment()) as process:
            while True:
                try:
                    _ask(port, call)
                    break
                except ConnectionError:
                    time.sleep(0.005)
            spent = time.perf_counter() - started
            process.terminate()
    return spent


def _in_process(call: bytes) -> float:
    started = time.perf_counter()
    server = MockServer(PERSONA.make(Contracts(), IntygTypes())).start()
    _ask(server.port, call)
    spent = time.perf_counter() - started
    server.stop()
    return spent


if __name__ == "__main__":
    main()
