"""Histories: certificates and messages as a few words, and a store that has them.

They go the way of real ones: as messages that are read, and facts that are made of them; but no
type's rules are asked, so that a certificate says no more than statistics want to know.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from lxml import etree

from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import IntygsStatus
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.formats.intyg_bytes import find_intyg_bytes
from intyg.adapter.formats.intyg_reader import (
    read_register_certificate,
    read_send_message_to_care,
)
from intyg.adapter.statistics.case_rows import look
from intyg.adapter.statistics.catalogue import Report, make_report
from intyg.adapter.statistics.diagnoses import Icd10
from intyg.adapter.statistics.facts import FactMaker
from intyg.adapter.statistics.sjukfall_reports import Registers
from intyg.adapter.store import Rows, Store
from intyg.schemas.codes import Status
from intyg.schemas.contract.contract import Contracts
from tests import builders
from tests.builders import cv, delsvar, svar

CONTRACTS = Contracts()
MAKER = FactMaker(lambda number: f"hash of {number}", Environment.DEMO)

ANNA = "198001249286"  # woman, born 24 January 1980
BO = "196007212613"  # man, born 21 July 1960
CIA = "199511872385"  # woman, 27 November 1995; samordningsnummer
DAN = "196001209136"  # man, 20 January 1960
PEOPLE = (ANNA, BO, CIA, DAN)

NORTH, SOUTH, OTHER = "SE0-NORTH", "SE0-SOUTH", "SE0-OTHER"
PROVIDER, OTHER_PROVIDER = "SE0-VG1", "SE0-VG2"
PROVIDERS = {NORTH: PROVIDER, SOUTH: PROVIDER, OTHER: OTHER_PROVIDER}
LEVELS = {25: "EN_FJARDEDEL", 50: "HALFTEN", 75: "TRE_FJARDEDEL", 100: "HELT_NEDSATT"}

TODAY = date(2026, 3, 31)


@dataclass(frozen=True)
class Leave:
    """A period of sick leave; both days are in it."""

    first: date
    last: date
    level: int = 100


@dataclass(frozen=True)
class Cert:
    """A certificate, as far as statistics look at it."""

    person: str
    leaves: tuple[Leave, ...] = ()
    unit: str = NORTH
    doctor: str = "SE0-DOC1"
    diagnosis: str | None = "M54.5"
    signed: date = date(2026, 1, 1)
    typ: str = "LISJP"
    sent: bool = False
    revoked: bool = False


@dataclass(frozen=True)
class Asked:
    """A message of Försäkringskassan's about a certificate, by the certificate's place."""

    about: int
    amne: str = "KOMPLT"
    fragor: tuple[str, ...] = ()
    sent: date = date(2026, 1, 20)


def leave(first: str, last: str, level: int = 100) -> Leave:
    """`leave("01-05", "01-18")`: in 2026."""
    return Leave(date.fromisoformat(f"2026-{first}"), date.fromisoformat(f"2026-{last}"), level)


def keep(
    rows: Rows,
    certs: Sequence[Cert],
    messages: Iterable[Asked] = (),
    looked_after: Collection[int] = (),
) -> None:
    """Store a history, in order; after some certificates cases are made."""
    for place, cert in enumerate(certs):
        keep_cert(rows, f"c{place}", cert)
        if place in looked_after:
            look(rows, 100)
    for place, message in enumerate(messages):
        inbound = _inbound(_message(f"m{place}", message, certs[message.about]))
        m = read_send_message_to_care(inbound.element)
        rows.meddelanden.add(m, inbound, FragaState.OPEN_CARE if m.is_question else None)
        rows.statistics.add_meddelande(m)


def keep_cert(rows: Rows, intygs_id: str, cert: Cert) -> None:
    """Store one certificate."""
    inbound = _inbound(_certificate(intygs_id, cert))
    intyg = read_register_certificate(inbound.element)
    rows.intyg.add(intyg, inbound, body=inbound.body, is_test=True, signature="VALID")
    facts = MAKER.facts_of(intyg, inbound.element, inbound.received_at, is_test=True)
    rows.statistics.add(intygs_id, facts)
    if cert.sent:
        status = IntygsStatus(Status.SENTTO, "FKASSA", inbound.received_at)
        rows.intyg.add_status(intygs_id, status)
    if cert.revoked:
        rows.intyg.set_revoked(intygs_id, inbound.received_at)


def _certificate(intygs_id: str, cert: Cert) -> bytes:
    svars = [svar("6", delsvar("6.2", cv(cert.diagnosis, "icd")))] if cert.diagnosis else []
    for number, one in enumerate(cert.leaves, 1):
        period = f"<t:start>{one.first}</t:start><t:end>{one.last}</t:end>"
        level = delsvar("32.1", cv(LEVELS[one.level], "KV_FKMU_0003"))
        days = delsvar("32.2", f"<t:datePeriod>{period}</t:datePeriod>")
        svars.append(svar("32", level, days, instans=number))
    body = builders.register_certificate(
        intygs_id,
        cert.person,
        typ=cert.typ,
        signed_at=f"{cert.signed}T10:00:00",
        unit=cert.unit,
        doctor=cert.doctor,
        svar=svars,
    )
    return body.replace(builders.CARE_PROVIDER.encode(), PROVIDERS[cert.unit].encode())


def _message(meddelande_id: str, message: Asked, cert: Cert) -> bytes:
    body = builders.send_message_to_care(
        meddelande_id,
        message.amne,
        intygs_id=f"c{message.about}",
        person=cert.person,
        komplettering=[(fraga, "Mer") for fraga in message.fragor],
    )
    assert b"2026-11-23T10:00:00" in body
    return body.replace(b"2026-11-23T10:00:00", f"{message.sent}T10:00:00".encode())


def _inbound(body: bytes) -> Inbound:
    element = etree.fromstring(body)
    contract = CONTRACTS.by_request(str(element.tag))
    assert contract is not None
    return Inbound(
        contract=contract,
        logical_address="INTYGSADAPTER",
        element=element,
        body=body,
        intyg=find_intyg_bytes(body),
        received_at=datetime(2026, 3, 30, 12, tzinfo=UTC),
        correlation_id="c",
    )


def report(
    store: Store, name: str, *, icd10: Icd10 | None = None, cutoff: int = 5, **said: Any
) -> Report:
    """A report on a store; `report(store, "sjukfall", first="2026-01", to="2026-03")`."""
    words: Mapping[str, Sequence[str]] = {
        {"first": "from"}.get(key, key): [value] if isinstance(value, str) else list(value)
        for key, value in said.items()
    }
    registers = Registers(icd10 or Icd10(), cutoff=cutoff)
    with store.read() as rows:
        return make_report(rows, name, words, registers, TODAY)


def figures(made: Report) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Month (without its year, "" for the period) and group → female, male; without zeros."""
    return {
        ("" if row.month is None else f"{row.month % 12 + 1:02d}", row.group): row.values[:2]
        for row in made.table.rows
        if any(row.values[:2])
    }
