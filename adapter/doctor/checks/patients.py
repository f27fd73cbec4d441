"""What says who is a test patient."""

from collections.abc import Iterator
from typing import Final

from intyg.adapter.doctor.checks.check import Facts, Remark
from intyg.adapter.doctor.checks.destinations import is_clear
from intyg.adapter.domain.person import PatientKind, PersonId
from intyg.adapter.guard import RegisterSignal
from intyg.schemas.codes import PERSONNUMMER_ROOT

SOMEBODY: Final = PersonId(PERSONNUMMER_ROOT, "189001019802")
"""Whom a register is asked for to see whether it answers: one of the published test numbers."""

PUBLISHED: Final = (
    "192501019216",
    "193301205419",
    "194001167743",
    "195801082743",
    "196601062620",
    "199601012397",
    "200401012398",
    "201501012395",
    "191401682396",
)
"""Published test numbers that look like anybody's, of most decades, and a samordningsnummer: whole
lists hold them all."""


def test_patients(facts: Facts) -> Iterator[Remark]:
    for damage in facts.guard.patients.damage():
        yield Remark(
            f"test_patients: {damage}; whether a patient is a test patient cannot be told",
            "put a whole list in its place; it is read within seconds",
            refuses=False,
        )
    for remark in facts.guard.patients.remarks():
        yield Remark(f"test_patients: {remark}", "put a whole file in its place", refuses=False)
    if not facts.guard.patients.can_clear():
        yield Remark(
            "test_patients: no list or register, so whether a patient is one cannot be told",
            "set test_patients.list_files: without it nothing is sent",
            refuses=False,
        )
    yield from _lists_are_whole(facts)
    url = facts.settings.test_patients.population_register.url
    if facts.is_production and url is not None and is_clear(url):
        yield Remark(
            "test_patients.population_register.url is not https",
            "use https, or http to a proxy on this machine that does",
        )


def _lists_are_whole(facts: Facts) -> Iterator[Remark]:
    """Asked in production, where what no list knows is sent; a register knows without lists."""
    signals = facts.guard.patients.signals
    if not facts.is_production or any(isinstance(one, RegisterSignal) for one in signals):
        return
    people = [PersonId(PERSONNUMMER_ROOT, number) for number in PUBLISHED]
    missing = [one for one in people if facts.guard.verdict(one).kind is PatientKind.NOT_TEST]
    if missing:
        yield Remark(
            f"test_patients: no list knows {len(missing)} of {len(PUBLISHED)} published test "
            "numbers that were looked up",
            "get Skatteverket's whole lists, of personnummer and of samordningsnummer",
            refuses=False,
        )


def register(facts: Facts) -> Iterator[Remark]:
    for signal in facts.guard.patients.signals:
        if isinstance(signal, RegisterSignal):
            signal.kind(SOMEBODY)
            if signal.damage is not None:
                todo = "see that it runs and may be asked from here; meanwhile messages are held"
                yield Remark(f"{signal.name}: {signal.damage}", todo)
