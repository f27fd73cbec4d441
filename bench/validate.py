"""
What it costs to say whether a certificate is right: parse, contract's schema, rules of its type.

    python bench/validate.py [--seconds 1] [--checks 100000]

Every type's full example, on one core. Types and steps take turns, a few milliseconds each, and a
row is the best turn in processor time: other work on the machine then disturbs least. Exit code 1
when one of the limits below is missed.
"""

import argparse
import gc
import os
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import xmlschema
from lxml import etree
from rich.console import Console
from rich.table import Table

from intyg.adapter.formats import safe_xml
from intyg.schemas.contract import findings as schema_findings
from intyg.schemas.contract.contract import Contract, Contracts
from intyg.schemas.examples.example import example
from intyg.schemas.intyg_model import IntygType
from intyg.schemas.typefile.lookup import IntygTypes

LEAST_A_SECOND: Final = 1500  # of a full FK7804 version 1
LEAST_TIMES_FASTER: Final = 8  # than xmlschema alone
MOST_TIMES_SLOWER: Final = 2  # any other type, for its size
MOST_LOADING_SECONDS: Final = 0.5
MOST_GROWTH: Final = 100_000  # bytes over all checks

SIGNED_AT: Final = datetime(2026, 11, 23, 10)  # noqa: DTZ001  Swedish local time
TURN_SECONDS: Final = 0.004


@dataclass
class Step:
    """Something to time; `best` is in seconds a call."""

    call: Callable[[], object]
    best: float = field(default=float("inf"))

    def take_turn(self) -> None:
        """Call it for a while, and keep the time if it is the best so far."""
        count, started = 0, time.process_time()
        while (spent := time.process_time() - started) < TURN_SECONDS:
            self.call()
            count += 1
        self.best = min(self.best, spent / count)


class Certificate:
    """A full example of a type, and what is done with it."""

    def __init__(self, intyg_type: IntygType, types: IntygTypes, contracts: Contracts) -> None:
        self.intyg_type = intyg_type
        # not indented: as systems send it
        self.data = etree.tostring(example(intyg_type, signed_at=SIGNED_AT), encoding="utf-8")
        self._types, self._contracts = types, contracts
        self._contract = register_certificate(contracts)
        request = safe_xml.parse(self.data).getroot()
        self.parse = Step(lambda: safe_xml.parse(self.data))
        self.schema = Step(lambda: contracts.check(self._contract, request))
        self.rules = Step(lambda: self._check(request))
        self.whole = Step(self.validate)
        self.steps = (self.parse, self.schema, self.rules, self.whole)

    def validate(self) -> None:
        """Everything: this is what the limits are about."""
        request = safe_xml.parse(self.data).getroot()
        assert not self._contracts.check(self._contract, request)
        self._check(request)

    def _check(self, request: etree._Element) -> None:
        found = self._types.check(self.intyg_type, request[0], today=SIGNED_AT.date())
        assert not found, found


def register_certificate(contracts: Contracts) -> Contract:
    return contracts.get("RegisterCertificate", 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="a type")
    parser.add_argument("--checks", type=int, default=100_000, help="to look for growth of memory")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    out = Console()
    missed = [*_speed(out, arguments.seconds), *_growth(out, arguments.checks)]
    for text in missed:
        out.print(f"[red]missed: {text}[/red]")
    sys.exit(bool(missed))


def _speed(out: Console, seconds: float) -> list[str]:
    """Print the table; what was missed."""
    loading = Step(lambda: IntygTypes().all(), time_of(lambda: IntygTypes().all()))
    types, contracts = IntygTypes(), Contracts()
    certificates = [Certificate(each, types, contracts) for each in types.all()]
    main_one = next(each for each in certificates if each.intyg_type.key == "FK7804/1")
    alone = Step(_xmlschema(contracts, main_one.data))
    for _ in range(max(1, int(seconds / TURN_SECONDS / 4))):
        for certificate in certificates:
            for step in certificate.steps:
                step.take_turn()
        main_one.whole.take_turn()
    for _ in range(max(1, int(seconds / 0.02))):
        alone.take_turn()
        main_one.whole.take_turn()
    a_byte = main_one.whole.best / len(main_one.data)
    table = Table(title="Full examples; ms each on one core, best turn")
    for name in ("type", "bytes", "parse", "XSD", "rules", "whole", "a second", "a kB, × FK7804/1"):
        table.add_column(name, justify="left" if name == "type" else "right")
    missed = []
    for each in certificates:
        slower = each.whole.best / len(each.data) / a_byte
        table.add_row(
            each.intyg_type.key,
            f"{len(each.data):,}",
            *(f"{step.best * 1000:.3f}" for step in each.steps),
            f"{1 / each.whole.best:,.0f}",
            f"{slower:.2f}",
        )
        if slower > MOST_TIMES_SLOWER:
            missed.append(f"{each.intyg_type.key} takes {slower:.1f} times as long for its size")
    out.print(table)
    faster, a_second = alone.best / main_one.whole.best, 1 / main_one.whole.best
    out.print(
        f"xmlschema alone on FK7804/1: {alone.best * 1000:.1f} ms, {faster:.0f} times as long\n"
        f"all {len(certificates)} types loaded in {loading.best:.2f} s"
    )
    if a_second < LEAST_A_SECOND:
        missed.append(f"{a_second:,.0f} FK7804/1 a second, not {LEAST_A_SECOND:,}")
    if faster < LEAST_TIMES_FASTER:
        missed.append(f"{faster:.1f} times faster than xmlschema, not {LEAST_TIMES_FASTER}")
    if loading.best > MOST_LOADING_SECONDS:
        missed.append(f"types loaded in {loading.best:.2f} s, not {MOST_LOADING_SECONDS}")
    return missed


def _xmlschema(contracts: Contracts, data: bytes) -> Callable[[], object]:
    wsdl = contracts.wsdl_path(register_certificate(contracts))
    responder = next(wsdl.parent.glob("RegisterCertificateResponder_*.xsd"))
    schema: xmlschema.XMLSchema10 = schema_findings.compile_schema(responder)
    tree = etree.ElementTree(etree.fromstring(data))

    def check() -> None:
        assert schema.is_valid(tree)

    return check


def time_of(call: Callable[[], object]) -> float:
    """Seconds of processor time, the best of three: the first also reads the files from disk."""
    spent = []
    for _ in range(3):
        started = time.process_time()
        call()
        spent.append(time.process_time() - started)
    return min(spent)


def _resident() -> int:
    """Bytes of memory that the process has now (not the most it ever had)."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def _growth(out: Console, checks: int) -> list[str]:
    """Check many times over, and look at what stays in memory; what was missed."""
    types, contracts = IntygTypes(), Contracts()
    certificates = [Certificate(each, types, contracts) for each in types.all()]

    def run(times: int) -> None:
        for number in range(times):
            certificates[number % len(certificates)].validate()
        gc.collect()

    run(len(certificates) * 50)
    resident = _resident()
    run(checks)
    resident = _resident() - resident
    tracemalloc.start()
    run(len(certificates) * 10)
    before = tracemalloc.get_traced_memory()[0]
    run(min(checks, 5_000))  # slow while memory is traced
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    out.print(
        f"after {checks:,} checks the process is {resident:,} bytes larger;"
        f" of Python's own, {grown:,} bytes more stay"
    )
    missed = []
    if resident > 10 * MOST_GROWTH:
        missed.append(f"the process grew by {resident:,} bytes")
    if grown > MOST_GROWTH:
        missed.append(f"Python's memory grew by {grown:,} bytes")
    return missed


if __name__ == "__main__":
    main()
