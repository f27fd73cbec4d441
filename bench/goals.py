"""
What taking in a certificate costs beside what it must cost: the goals, as ratios within one run.

    python -m bench.goals [--seconds 2] [--calls 200]

The kernels are the calls that nobody can do without: parse, cut out, schema, rules, signature, and
one durable commit. The plain stack is what somebody would write with the same libraries. They all
take turns, and the best turn counts, in processor time: other work on the machine then
disturbs least. A FULL commit waits for the disk, which takes no processor time.

Then the same over HTTP, to the event's delivery: of the adapter's own process, since callers and
EHR are others (`over_http.py`). Of several courses the one with the least processor time counts,
and the one with the shortest waits. PostgreSQL's server is not counted; without one (as for the
tests, INTYG_TEST_POSTGRES_URL) its rows are left out.
"""

import argparse
import logging
import os
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from lxml import etree
from rich.console import Console
from rich.table import Table
from signxml.signer import XMLSigner
from signxml.verifier import XMLVerifier

from bench.intake import PATIENT, another
from bench.over_http import CALLERS, Course, Running
from bench.validate import Step
from intyg.adapter import signature
from intyg.adapter.bootstrap.app import build_services
from intyg.adapter.domain import log
from intyg.adapter.domain.clock import swedish_day, system_clock
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.flows.contracts import register_certificate
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats import safe_xml
from intyg.adapter.formats.intyg_bytes import find_intyg_bytes
from intyg.adapter.formats.result_writer import response_element
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID, make_test_keys
from intyg.mocks.journalsystem.sample import fk7804
from intyg.schemas import ns
from intyg.schemas.contract import findings as schema_findings
from tests.adapter.databases import postgresql_schema, why_no_postgresql

COURSES: Final = 3
CERTIFICATES: Final = 1000
AT_ONCE: Final = 8
_BODY: Final = f"{{{ns.SOAP11}}}Body/*"


@dataclass(frozen=True)
class Sample:
    """Services over a file, and messages that are new to them, for as long as there are any."""

    services: Services
    folder: Path
    key: signature.SigningKey
    unsigned: bytes
    messages: Iterator[bytes]

    def another(self) -> bytes:
        return another(self.unsigned, self.key)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="a row")
    parser.add_argument("--calls", type=int, default=200, help="of a course over HTTP; 0: none")
    arguments = parser.parse_args()
    log.configure(level=logging.ERROR)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    with tempfile.TemporaryDirectory() as name:
        sample = make_sample(Path(name))
        table, together = _table(sample, arguments.seconds)
        sample.services.store.close()
    os.sched_setaffinity(0, cores)
    if arguments.calls:
        for row in _over_http(arguments.calls, together):
            table.add_row(*row)
    Console().print(table)


def make_sample(folder: Path, count: int = CERTIFICATES) -> Sample:
    """An adapter that tells an EHR of each certificate; nobody delivers."""
    keys = make_test_keys(folder / "keys", system_clock())
    (folder / "list.csv").write_text(f"{PATIENT}\n")
    update = {"contract": "CertificateStatusUpdateForCare", "logical_address": "*"}
    services = build_services(
        load_settings(
            None,
            environment="demo",
            data_dir=folder,
            trust={"anchors": [keys.ca]},
            test_patients={"list_files": [folder / "list.csv"]},
            destinations={"ehr": {"kind": "mock", "role": "care", "url": "http://ehr.invalid"}},
            routes=[{**update, "destination": "ehr"}],
        )
    )
    assert services.audit is not None
    services.audit.check_key()
    key = signature.load_signing_key(keys.signer.key, keys.signer.cert)
    unsigned = fk7804(str(uuid.uuid4()), PATIENT, SIGNER_HSA_ID, datetime.now(UTC))
    messages = [another(unsigned, key) for _ in range(count)]
    return Sample(services, folder, key, unsigned, iter(messages))


def take_in(services: Services, message: bytes) -> bytes:
    """From a request's bytes to its answer's, without HTTP and spyne; the audit's row is in it."""
    contract = services.contracts.get("RegisterCertificate", 3)
    request = safe_xml.parse(message).getroot().find(_BODY)
    assert request is not None
    body = safe_xml.body_slice(message)
    cut, now = find_intyg_bytes(body), datetime.now(UTC)
    inbound = Inbound(contract, "A", request, body, cut, now, uuid.uuid4().hex)
    assert services.audit is not None
    with UnitOfWork(services.store, partial(services.audit.record_call, inbound)) as unit:
        result: Result = register_certificate.handle(inbound, services, unit)
    return safe_xml.envelope(etree.tostring(response_element(contract, result)), "A")


def kernels(sample: Sample) -> Mapping[str, Callable[[], object]]:
    """What nobody can do without, on the same message."""
    services, message, now = sample.services, sample.another(), datetime.now(UTC)
    contract = services.contracts.get("RegisterCertificate", 3)
    element = safe_xml.parse(message).getroot().find(_BODY)
    assert element is not None
    intyg, today = element[-1], swedish_day(now)
    intyg_type = services.types.find("LISJP", "1.3")
    connection = _full(sample.folder / "kernel.sqlite")
    return {
        "parse": lambda: safe_xml.parse(message),
        "cut": lambda: safe_xml.body_slice(message),
        "XSD": lambda: services.contracts.check(contract, element),
        "rules": lambda: services.types.check(intyg_type, intyg, today=today),
        "verify": lambda: signature.verify(intyg, services.trust, now),
        "commit": lambda: _insert(connection, message),
    }


class Plain:
    """What somebody would write: lxml, `xmlschema`, signxml, and one row that is on disk."""

    def __init__(self, sample: Sample) -> None:
        contract = sample.services.contracts.get("RegisterCertificate", 3)
        wsdl = sample.services.contracts.wsdl_path(contract)
        responder = next(wsdl.parent.glob("RegisterCertificateResponder_*.xsd"))
        self._schema: Any = schema_findings.compile_schema(responder)
        self._connection = _full(sample.folder / "plain.sqlite")
        self._message = sample.another()
        keys = sample.folder / "keys"
        key, cert = ((keys / name).read_bytes() for name in ("signer.key.pem", "signer.pem"))
        self._cert = cert.decode()
        intyg = etree.fromstring(etree.tostring(etree.fromstring(sample.unsigned)[-1]))
        self._signed = etree.tostring(XMLSigner().sign(intyg, key=key, cert=self._cert))

    @property
    def calls(self) -> Mapping[str, Callable[[], object]]:
        """Each by itself."""
        element = self._parse()
        return {
            "parse": self._parse,
            "validate": lambda: self._validate(element),
            "verify": self._verify,
            "insert": lambda: _insert(self._connection, self._message),
        }

    def __call__(self) -> None:
        """All of it."""
        element = self._parse()
        self._validate(element)
        self._verify()
        _insert(self._connection, self._message)

    def _parse(self) -> etree._Element:
        found = etree.fromstring(self._message).find(_BODY)
        assert found is not None
        return found

    def _validate(self, element: etree._Element) -> None:
        self._schema.validate(element)

    def _verify(self) -> None:
        XMLVerifier().verify(self._signed, x509_cert=self._cert)


def _full(path: Path) -> sqlite3.Connection:
    """A database as the adapter's: what is committed is on disk."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE certificate (id INTEGER PRIMARY KEY, body BLOB)")
    return connection


def _insert(connection: sqlite3.Connection, body: bytes) -> None:
    connection.execute("INSERT INTO certificate (body) VALUES (?)", (body,))


# --- what is told ---------------------------------------------------------------------------------


def _table(sample: Sample, seconds: float) -> tuple[Table, float]:
    """And what the kernels and one commit take together, in seconds."""
    ours = Step(_times(lambda: take_in(sample.services, next(sample.messages))))
    plain = Step(_times(Plain(sample)))
    parts = {name: Step(call) for name, call in kernels(sample).items()}
    before = _stored_bytes(sample.folder)
    for _ in range(max(3, int(seconds / 0.1))):
        for step in (ours, plain, *parts.values()):
            with suppress(StopIteration):  # no new message is left
                step.take_turn()
    ours.best, plain.best = ours.best / AT_ONCE, plain.best / AT_ONCE
    together = sum(step.best for step in parts.values())
    count = _count(sample.services)
    table = Table(title="FK7804, signed, with its event and the audit's row; ms of one core")
    for name in ("what", "found", "goal"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for name, step in parts.items():
        table.add_row(f"kernel: {name}", f"{step.best * 1000:.3f} ms", "")
    table.add_row("kernels and one commit", f"{together * 1000:.3f} ms", "")
    table.add_row("plain stack", f"{plain.best * 1000:.3f} ms", "")
    table.add_row("in process", f"{ours.best * 1000:.3f} ms", "")
    table.add_row(
        "in process against the plain stack", f"{plain.best / ours.best:.2f} ×", "≥ 3.5 ×"
    )
    table.add_row("kernels against in process", f"{together / ours.best:.2f}", "≥ 0.6")
    kept = (_stored_bytes(sample.folder) - before) / count / 1000
    table.add_row("disk a certificate", f"{kept:.1f} kB", "≤ 11 kB")
    alone, side_by_side = _a_second(sample, 1), _a_second(sample, CALLERS)
    table.add_row(f"a second, {CALLERS} callers against one", f"{side_by_side / alone:.2f} ×", "")
    return table, together


def _over_http(calls: int, together: float) -> Iterator[tuple[str, str, str]]:
    """Rows of the table: what, found, goal."""
    with _adapters() as running:
        courses = [running.course(calls) for _ in range(COURSES)]
        yield from _against_kernels("SQLite", courses, together, "≤ 3.5 ×")
        top = max(course.a_second for course in courses)
        waits = [running.course(calls, a_second=top / 2) for _ in range(COURSES)]
        p99 = min(quantiles(course.took, n=100)[98] for course in waits)
        what = f"SQLite: p99 with {CALLERS} callers at half of that"
        yield what, f"{p99 * 1000:.0f} ms", "< 40 ms"
    if why_no_postgresql():
        return
    with postgresql_schema() as url, _adapters(url) as running:
        courses = [running.course(calls) for _ in range(COURSES)]
        yield from _against_kernels("PostgreSQL", courses, together, "≤ 4.5 ×")
        alone = max(course.a_second for course in courses)
    with postgresql_schema() as url, _adapters(url, processes=2) as running:
        two = max(running.course(calls).a_second for _ in range(COURSES))
        yield "PostgreSQL: two processes against one", f"{two / alone:.2f} ×", "≥ 1.8 ×"


@contextmanager
def _adapters(database_url: str | None = None, processes: int = 1) -> Iterator[Running]:
    with (
        tempfile.TemporaryDirectory() as name,
        Running(Path(name), database_url, processes).up() as running,
    ):
        yield running


def _against_kernels(
    database: str, courses: Sequence[Course], together: float, goal: str
) -> Iterator[tuple[str, str, str]]:
    least = min(course.cpu_each for course in courses)
    top = max(course.a_second for course in courses)
    yield f"{database}: over HTTP, its event delivered", f"{least * 1000:.1f} ms", ""
    yield f"{database}: that against the kernels", f"{least / together:.1f} ×", goal
    yield f"{database}: a second, {CALLERS} callers", f"{top:,.0f}", ""


def _times(call: Callable[[], object]) -> Callable[[], None]:
    """Several calls as one, so that a turn is not the first of them alone."""

    def several() -> None:
        for _ in range(AT_ONCE):
            call()

    return several


def _count(services: Services) -> int:
    with services.store.read() as rows:
        return max(1, len(rows.intyg.listed_of_patient(PATIENT, 1_000_000)))


def _stored_bytes(folder: Path) -> int:
    """Of the database; its write-ahead log is what waits to be put there."""
    with sqlite3.connect(folder / "adapter.sqlite") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)


def _a_second(sample: Sample, callers: int) -> float:
    """Certificates by the clock on the wall, each new."""
    messages = [sample.another() for _ in range(25 * callers)]
    started = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(partial(take_in, sample.services), messages))
    return len(messages) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
