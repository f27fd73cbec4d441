"""
What it costs to take in a certificate, step by step, on one core.

    python bench/intake.py [--seconds 2]

Pins itself to one core. Each row runs for the given time after a warm-up; «a second» is the median
of five rounds.
"""

import argparse
import logging
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from intyg.adapter import signature
from intyg.adapter.bootstrap.app import build_services
from intyg.adapter.domain import log
from intyg.adapter.domain.clock import swedish_day, system_clock
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.flows.contracts import register_certificate
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats import safe_xml
from intyg.adapter.formats.intyg_bytes import cut_intyg, find_intyg_bytes
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.signature.demo_keys import SIGNER_HSA_ID, make_test_keys
from intyg.mocks.journalsystem.sample import fk7804
from intyg.schemas import ns

PATIENT: Final = "189001019802"
ROUNDS: Final = 5


def rate(step: Callable[[], object], seconds: float) -> float:
    """Calls a second: the median of the rounds."""
    step()
    rates = []
    for _ in range(ROUNDS):
        count, started = 0, time.perf_counter()
        while (spent := time.perf_counter() - started) < seconds / ROUNDS:
            step()
            count += 1
        rates.append(count / spent)
    return statistics.median(rates)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=2.0, help="a row")
    seconds = parser.parse_args().seconds
    log.configure(level=logging.ERROR)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as name:
        _measure(Path(name), seconds)


def _measure(folder: Path, seconds: float) -> None:
    keys = make_test_keys(folder / "keys", system_clock())
    (folder / "list.csv").write_text(f"{PATIENT}\n")
    services = build_services(
        load_settings(
            None,
            environment="demo",
            data_dir=folder,
            trust={"anchors": [keys.ca]},
            test_patients={"list_files": [folder / "list.csv"]},
        )
    )
    key = signature.load_signing_key(keys.signer.key, keys.signer.cert)
    now = datetime.now(UTC)
    today = swedish_day(now)
    unsigned = fk7804(str(uuid.uuid4()), PATIENT, SIGNER_HSA_ID, now)
    body = signature.sign_document(unsigned, key)
    message = safe_xml.envelope(body, "INTYGSADAPTER")
    contract = services.contracts.get("RegisterCertificate", 3)
    element = safe_xml.parse(message).getroot().find(f"{{{ns.SOAP11}}}Body/*")
    assert element is not None
    intyg = element.find(f"{{{contract.namespace}}}intyg")
    assert intyg is not None
    intyg_type = services.types.find("LISJP", "1.3")

    def checks(data: bytes) -> None:
        root = safe_xml.parse(data).getroot()
        request = root.find(f"{{{ns.SOAP11}}}Body/*")
        assert request is not None
        assert not services.contracts.check(contract, request)
        assert not services.types.check(intyg_type, request[-1], today=today)

    def inbound(data: bytes) -> Inbound:
        root = safe_xml.parse(data).getroot()
        request = root.find(f"{{{ns.SOAP11}}}Body/*")
        assert request is not None
        body = safe_xml.body_slice(data)
        return Inbound(
            contract,
            "A",
            request,
            body,
            find_intyg_bytes(body),
            datetime.now(UTC),
            uuid.uuid4().hex,
        )

    new = cycle([another(unsigned, key) for _ in range(2000)])
    rows: list[tuple[str, Callable[[], object]]] = [
        ("parse the envelope", lambda: safe_xml.parse(message)),
        ("cut out the request's bytes", lambda: safe_xml.body_slice(message)),
        ("cut out the bytes in intyg", lambda: cut_intyg(body)),
        ("XSD", lambda: services.contracts.check(contract, element)),
        ("rules of FK7804", lambda: services.types.check(intyg_type, intyg, today=today)),
        ("parse + XSD + rules", lambda: checks(message)),
        ("verify the signature", lambda: signature.verify(intyg, services.trust, now)),
        ("sign", lambda: signature.sign_document(unsigned, key)),
        (
            "all of RegisterCertificate, to disk",
            lambda: register_certificate.handle(
                inbound(next(new)), services, UnitOfWork(services.store)
            ),
        ),
    ]
    table = Table(title=f"FK7804, signed, {len(message)} bytes; one core")
    table.add_column("step")
    table.add_column("a second", justify="right")
    table.add_column("ms each", justify="right")
    for name, step in rows:
        found = rate(step, seconds)
        table.add_row(name, f"{found:,.0f}", f"{1000 / found:.3f}")
    Console().print(table)
    services.store.close()


def another(unsigned: bytes, key: signature.SigningKey) -> bytes:
    """The same certificate under a new id, signed and in its envelope."""
    start = unsigned.index(b"<t:extension>") + len(b"<t:extension>")
    end = unsigned.index(b"</t:extension>", start)
    body = unsigned[:start] + str(uuid.uuid4()).encode() + unsigned[end:]
    return safe_xml.envelope(signature.sign_document(body, key), "INTYGSADAPTER")


if __name__ == "__main__":
    main()
