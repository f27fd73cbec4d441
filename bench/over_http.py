"""
An adapter as it runs: a process that is called over HTTP and tells an EHR of each certificate.

`python -m bench.goals` measures it; here are its parts. Adapters, callers and the EHR are processes
of their own, so that the processor time of an adapter is its own alone.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, TextIO

from bench.intake import PATIENT, another
from intyg.adapter import signature
from intyg.adapter.bootstrap.app import App, build_services
from intyg.adapter.domain import log
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID, make_test_keys
from intyg.mocks.journalsystem.sample import fk7804
from intyg.mocks.wire import envelope
from intyg.mocks.wire.envelope import Answer
from intyg.schemas.contract.contract import Contracts

CALLERS: Final = 8
WARM: Final = 40
"""Calls before it counts."""

TOO_LONG_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Course:
    """
    How calls fared.

    Attributes:
        count: How many there were.
        seconds: By the clock on the wall, until the last was answered.
        cpu_seconds: Of all adapters, until the last event was delivered.
        took: What each call took, in seconds.
    """

    count: int
    seconds: float
    cpu_seconds: float
    took: Sequence[float]

    @property
    def a_second(self) -> float:
        return self.count / self.seconds

    @property
    def cpu_each(self) -> float:
        return self.cpu_seconds / self.count


class Running:
    """
    Adapters over one database, and the EHR.

    Args:
        folder: For keys, logs and a SQLite file.
        database_url: None: the file.
        processes: How many adapters.
    """

    def __init__(self, folder: Path, database_url: str | None = None, processes: int = 1) -> None:
        self._folder = folder
        self._keys = make_test_keys(folder / "keys", system_clock())
        (folder / "list.csv").write_text(f"{PATIENT}\n")
        self._database_url = database_url
        self._processes = processes
        self._ports: list[int] = []
        self._pids: list[int] = []
        self._ehr_port = 0

    @contextmanager
    def up(self) -> Iterator["Running"]:
        """While the block lasts."""
        with ExitStack() as stack:
            lines = stack.enter_context((self._folder / "log").open("a"))
            (self._ehr_port, _) = stack.enter_context(_process("ehr", lines))
            values = {
                "folder": str(self._folder),
                "ca": str(self._keys.ca),
                "ehr": self._ehr_port,
                "database_url": self._database_url,
            }
            for _ in range(self._processes):
                port, pid = stack.enter_context(_process("adapter", lines, **values))
                self._ports.append(port)
                self._pids.append(pid)
            self.course(WARM * self._processes)
            yield self

    def course(self, count: int, a_second: float | None = None) -> Course:
        """
        New certificates, and all their events delivered.

        Args:
            a_second: How many callers begin in a second; None: each calls again at once.
        """
        events, before = self._events(), self._cpu()
        asked = {
            "ports": self._ports,
            "count": count,
            "a_second": a_second,
            "key": str(self._keys.signer.key),
            "cert": str(self._keys.signer.cert),
        }
        command = [*_COMMAND, "callers", json.dumps(asked)]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        until = time.monotonic() + TOO_LONG_SECONDS
        while self._events() < events + count:
            assert time.monotonic() < until, "events are missing"
            time.sleep(0.02)
        return Course(count, told["seconds"], self._cpu() - before, told["took"])

    def _events(self) -> int:
        """How many the EHR has."""
        connection = http.client.HTTPConnection("127.0.0.1", self._ehr_port)
        connection.request("GET", "/")
        found = int(connection.getresponse().read())
        connection.close()
        return found

    def _cpu(self) -> float:
        """Seconds of the adapters, in user and system mode. Source: proc(5), stat 14 and 15."""
        ticks = 0
        for pid in self._pids:
            stat = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
            ticks += int(stat[11]) + int(stat[12])
        return ticks / os.sysconf("SC_CLK_TCK")


# --- the processes --------------------------------------------------------------------------------

_COMMAND: Final = [sys.executable, "-m", "bench.over_http"]


@contextmanager
def _process(kind: str, lines: TextIO, **values: Any) -> Iterator[tuple[int, int]]:
    """Its port and its id; it stops when its input ends."""
    with subprocess.Popen(
        [*_COMMAND, kind, json.dumps(values)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=lines,
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            assert process.stdin is not None
            process.stdin.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("adapter", "ehr", "callers"))
    parser.add_argument("values", type=json.loads)
    arguments = parser.parse_args()
    {"adapter": _adapter, "ehr": _ehr, "callers": _callers}[arguments.kind](arguments.values)


def _adapter(values: Mapping[str, Any]) -> None:
    folder = Path(values["folder"])
    log.configure()
    ehr = {"kind": "mock", "role": "care", "url": f"http://127.0.0.1:{values['ehr']}/"}
    update = {"contract": "CertificateStatusUpdateForCare", "logical_address": "*"}
    database = {"database_url": values["database_url"]} if values["database_url"] else {}
    settings = load_settings(
        None,
        environment="demo",
        data_dir=folder,
        trust={"anchors": [values["ca"]]},
        test_patients={"list_files": [folder / "list.csv"]},
        destinations={"ehr": ehr},
        routes=[{**update, "destination": "ehr"}],
        server={"port": 0},
        **database,
    )
    with App(build_services(settings)) as app:
        print(app.url.rpartition(":")[2], flush=True)
        sys.stdin.read()


def _ehr(_values: Mapping[str, Any]) -> None:
    contract = Contracts().get("CertificateStatusUpdateForCare", 3)
    ok = envelope.write_answer(contract, Answer.ok())
    lock, seen = threading.Lock(), [0]

    class Ehr(BaseHTTPRequestHandler):
        """Says OK to each event, and how many there were."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(ok)
            with lock:
                seen[0] += 1

        def do_GET(self) -> None:
            self._answer(str(seen[0]).encode())

        def _answer(self, body: bytes) -> None:
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {envelope.CONTENT_TYPE}\r\n"
            self.wfile.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Ehr) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_port, flush=True)
        sys.stdin.read()
        server.shutdown()


def _callers(values: Mapping[str, Any]) -> None:
    key = signature.load_signing_key(Path(values["key"]), Path(values["cert"]))
    unsigned = fk7804(str(uuid.uuid4()), PATIENT, SIGNER_HSA_ID, datetime.now(UTC))
    calls = iter([another(unsigned, key) for _ in range(values["count"])])
    callers = [Caller(values["ports"][n % len(values["ports"])]) for n in range(CALLERS)]
    lock, number, pace = threading.Lock(), [0], values["a_second"]
    started = time.perf_counter()

    def work(caller: Caller) -> list[float]:
        took: list[float] = []
        while True:
            with lock:
                message, due = next(calls, None), started + (number[0] / pace if pace else 0.0)
                number[0] += 1
            if message is None:
                return took
            time.sleep(max(0.0, due - time.perf_counter()))
            begun = max(due, started) if pace else time.perf_counter()
            caller.call(message)
            took.append(time.perf_counter() - begun)

    with ThreadPoolExecutor(CALLERS) as pool:
        took = [one for each in pool.map(work, callers) for one in each]
    print(json.dumps({"seconds": time.perf_counter() - started, "took": took}))


PATH: Final = "/services/clinicalprocess/healthcond/certificate/RegisterCertificate/3/rivtabp21"


class Caller:
    """Somebody with one connection, which is kept."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, message: bytes) -> None:
        """Send a certificate, which must be taken."""
        headers = {"Content-Type": "text/xml; charset=UTF-8"}
        self._connection.request("POST", PATH, message, headers)
        answer = self._connection.getresponse().read()
        assert b">OK<" in answer or b">INFO<" in answer, answer[-500:]


if __name__ == "__main__":
    main()
