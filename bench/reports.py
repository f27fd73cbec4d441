"""
What reports cost on a large database, and what counting costs when a certificate arrives.

    python bench/reports.py [--intyg 1000000] [--fragor 300000] [--url sqlite:///reports.sqlite]

Makes certificates, sick leave and questions (seeded, with types, ages and diagnosis chapters in
proportions like a nation's), then times every report: for one unit, and for all. Bodies are a few
bytes each, since no report reads them; what making facts anew costs is measured on real ones.
Times are of this process on the processor, so that other programs do not lengthen them; SQLite is
in it, and a PostgreSQL server is not.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from lxml import etree
from rich.console import Console
from rich.table import Table

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.environment import Environment
from intyg.adapter.flows.sjukfall import make_cases
from intyg.adapter.formats.intyg_reader import read_register_certificate
from intyg.adapter.statistics.catalogue import REPORTS, make_report
from intyg.adapter.statistics.diagnoses import Icd10
from intyg.adapter.statistics.facts import SICK_LEAVE_TYPES, FactMaker, month_number
from intyg.adapter.statistics.report import Level, ReportError
from intyg.adapter.statistics.sjukfall_reports import Registers
from intyg.adapter.store import Store, tables
from intyg.mocks.journalsystem.sample import fk7804

TODAY: Final = date(2026, 11, 29)
MONTHS: Final = 36
TYPES: Final = {
    "LISJP": 52, "AG7804": 14, "TS8071": 9, "AG1-14": 6, "LUSE": 3, "LUAE_NA": 2, "LUAE_FS": 1,
    "IGRAV": 4, "ITFP": 2, "DB": 3, "DOI": 3, "AF00213": 1,
}  # fmt: skip
CHAPTERS: Final = {
    "F43": 22, "F32": 14, "F41": 6, "M54": 14, "M75": 6, "M17": 4, "S82": 6, "S62": 3, "J06": 4,
    "J20": 2, "O26": 4, "R52": 4, "Z73": 3, "C50": 2, "I21": 1, "K80": 2, "G43": 2, "XX": 1,
}  # fmt: skip
CHUNK: Final = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1] if __doc__ else None)
    parser.add_argument("--intyg", type=int, default=1_000_000)
    parser.add_argument("--fragor", type=int, default=300_000)
    parser.add_argument("--url", help="default: a SQLite file that is removed afterwards")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(said.url or f"sqlite:///{folder}/reports.sqlite", system_clock)
        store.migrate()
        started = time.process_time()
        fill(store, said.intyg, said.fragor)
        spent = time.process_time() - started
        print(f"{said.intyg} certificates, {said.fragor} questions made in {spent:.0f} s")
        _time_reports(store)
        _time_facts()
        store.close()


def fill(store: Store, intyg: int, fragor: int, seed: int = 1) -> None:
    """Fill an empty store."""
    chance = random.Random(seed)
    units = max(intyg // 5000, 2)
    with store.begin() as rows:
        connection = rows.transaction.connection
        connection.execute(sa.insert(tables.body).values(sha256="0", data=b""))
    for start in range(0, intyg, CHUNK):
        with store.begin() as rows:
            connection = rows.transaction.connection
            made = [_intyg(chance, seq, units, intyg) for seq in _part(start, intyg)]
            connection.execute(sa.insert(tables.intyg), [one for one, _ in made])
            connection.execute(
                sa.insert(tables.intyg_fact), [f for _, facts in made for f in facts]
            )
    for start in range(0, fragor, CHUNK):
        with store.begin() as rows:
            connection = rows.transaction.connection
            asked = [_fraga(chance, seq, intyg) for seq in _part(start, fragor)]
            connection.execute(sa.insert(tables.meddelande), [one for one, _ in asked])
            facts = [fact for _, some in asked for fact in some]
            connection.execute(sa.insert(tables.meddelande_fact), facts)
    while make_cases(store):  # what a running adapter does meanwhile
        pass


def _part(start: int, end: int) -> range:
    return range(start + 1, min(start + CHUNK, end) + 1)


def _pick(chance: random.Random, weights: dict[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]


def _intyg(
    chance: random.Random, seq: int, units: int, total: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    unit = int(units * chance.random() ** 1.5)  # some are larger than others
    signed = TODAY - timedelta(days=int(30.4 * MONTHS * (1 - seq / total)))
    person = chance.randrange(max(total // 3, 1))
    typ = _pick(chance, TYPES)
    at = datetime(signed.year, signed.month, signed.day, 9, tzinfo=UTC)
    fact = {
        "intyg_seq": seq,
        "line": 0,
        "person": f"{person:032x}",
        "vardgivare_id": f"SE0-VG{unit % 20}",
        "enhets_id": f"SE0-UNIT{unit}",
        "personal_id": f"SE0-DOC{unit}-{chance.randrange(12)}",
        "typ": typ,
        "sex": "F" if person % 5 < 3 else "M",
        "age": (age := 18 + (person * 7919) % 50),
        "age_signed": age,
        "age_month": age,
        "diagnosis": f"{_pick(chance, CHAPTERS)}{chance.randrange(10)}",
        "signed_day": signed.toordinal(),
        "signed_month": month_number(signed),
        "level": None,
        "first_day": None,
        "last_day": None,
        "active": chance.random() > 0.02,
        "sent_to_fk": typ == "LISJP" and chance.random() < 0.7,
    }
    row = {
        "seq": seq,
        "intygs_id": f"intyg-{seq}",
        "typ": typ,
        "version": "1",
        "signeringstidpunkt": at,
        "patient_root": "1",
        "patient_extension": "1",
        "personal_id": fact["personal_id"],
        "fullstandigt_namn": f"Doctor {fact['personal_id']}",
        "enhets_id": fact["enhets_id"],
        "enhetsnamn": f"Unit {unit}",
        "vardgivare_id": fact["vardgivare_id"],
        "body_sha256": "0",
        "received_sha256": "0",
        "contract": "RegisterCertificate:3",
        "logical_address": "",
        "correlation_id": "",
        "received_at": at,
        "is_test": False,
        "signature": "VALID",
    }
    return row, list(_periods(chance, fact, signed))


def _periods(chance: random.Random, fact: dict[str, Any], signed: date) -> Iterator[dict[str, Any]]:
    if fact["typ"] not in SICK_LEAVE_TYPES:
        yield fact
        return
    first = signed.toordinal() - chance.randrange(8)
    for line in range(1 + (chance.random() < 0.2)):
        last = first + chance.choice((6, 13, 20, 29, 45, 60, 90))
        level = chance.choice((100, 100, 100, 50, 75, 25))
        yield {**fact, "line": line, "level": level, "first_day": first, "last_day": last}
        first = last + 1


def _fraga(chance: random.Random, seq: int, intyg: int) -> tuple[dict[str, Any], list[Any]]:
    about = chance.randrange(1, intyg + 1)
    day = TODAY - timedelta(days=int(30.4 * MONTHS * (1 - about / intyg)) - 5)
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    amne = _pick(chance, {"KOMPLT": 60, "AVSTMN": 8, "KONTKT": 12, "OVRIGT": 10, "PAMINN": 10})
    row = {
        "seq": seq,
        "meddelande_id": f"m{seq}",
        "direction": "to_care",
        "skickat_tidpunkt": at,
        "intygs_id": f"intyg-{about}",
        "patient_root": "1",
        "patient_extension": "1",
        "logisk_adress_mottagare": "",
        "amne": amne,
        "meddelande": "",
        "part": "FKASSA",
        "body_sha256": "0",
        "contract": "SendMessageToCare:2",
        "logical_address": "",
        "correlation_id": "",
        "received_at": at,
        "state": None if amne == "PAMINN" else "open_care",
    }
    fact = {
        "meddelande_seq": seq,
        "line": 0,
        "intyg_seq": about,
        "amne": amne,
        "frage_id": None,
        "sent_day": day.toordinal(),
        "sent_month": month_number(day),
    }
    listed = chance.sample(("6", "17", "32", "35", "39", "40"), 2) if amne == "KOMPLT" else []
    return row, [fact, *({**fact, "line": n, "frage_id": f} for n, f in enumerate(listed, 1))]


def _time_reports(store: Store) -> None:
    table = Table("report", "shape", "one unit, s", "all, s")
    registers = Registers(Icd10())
    for name, kind in REPORTS.items():
        said: dict[str, list[str]] = {}
        if Level.VERKSAMHET not in kind.levels:
            said["level"] = ["nation"]
        if name == "sjukfall-compare":
            said["diagnosis"] = ["M54", "F43"]
        for shape in kind.shapes:
            asked = {**said, "shape": [shape.value]}
            unit = {**asked, "unit": ["SE0-UNIT0"]}
            one = _timed(store, name, unit, registers) if "unit" in kind.filters else "–"
            table.add_row(name, shape.value, one, _timed(store, name, asked, registers))
    Console().print(table)


def _timed(store: Store, name: str, said: dict[str, list[str]], registers: Registers) -> str:
    started = time.process_time()
    try:
        with store.read() as rows:
            make_report(rows, name, said, registers, TODAY)
    except ReportError:
        return "not made"
    return f"{time.process_time() - started:.2f}"


def _time_facts() -> None:
    """Parsing and facts of real certificates, which is what a rebuild does beside the database."""
    body = fk7804("intyg-1", "189001019802", "SE0-DOC", datetime.now(UTC))
    maker = FactMaker(lambda number: number, Environment.TEST)
    started, count = time.process_time(), 500
    for _ in range(count):
        request = etree.fromstring(body)
        maker.facts_of(read_register_certificate(request), request, datetime.now(UTC), True)
    each = (time.process_time() - started) / count
    print(f"reading a certificate and making its facts: {1e6 * each:.0f} µs")


if __name__ == "__main__":
    main()
