"""What is kept of certificates and messages as they arrive, and that a rebuild finds the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from lxml import etree

from intyg.adapter.domain.environment import Environment
from intyg.adapter.formats.intyg_reader import read_register_certificate
from intyg.adapter.statistics.facts import FactMaker, month_number, plain_code
from intyg.adapter.statistics.rebuild import rebuild_part
from intyg.adapter.store import IntygFact, Store
from tests import builders
from tests.adapter.flows.rig import Rig, new_rig
from tests.builders import cv, delsvar, svar

DAY = date(2026, 11, 23)


@pytest.fixture
def rig(store: Store) -> Rig:
    return new_rig(store)


def sick_leave(level: str, first: str, last: str, instans: int = 1) -> str:
    period = f"<t:datePeriod><t:start>{first}</t:start><t:end>{last}</t:end></t:datePeriod>"
    return svar(
        "32",
        delsvar("32.1", cv(level, "KV_FKMU_0003")),
        delsvar("32.2", period),
        instans=instans,
    )


def made(
    *svars: str,
    environment: Environment = Environment.TEST,
    is_test: bool | None = True,
    **how: Any,
) -> list[IntygFact]:
    body = builders.register_certificate(svar=svars, **how)
    request = etree.fromstring(body)
    maker = FactMaker(lambda number: f"hash of {number}", environment)
    return maker.facts_of(read_register_certificate(request), request, builders.NOW, is_test)


def days(facts: list[IntygFact]) -> list[tuple[int | None, str, str]]:
    return [
        (one.level, f"{date.fromordinal(one.first_day)}", f"{date.fromordinal(one.last_day)}")
        for one in facts
        if one.first_day is not None and one.last_day is not None
    ]


def test_a_certificate_has_a_fact_for_each_period() -> None:
    facts = made(
        svar("6", delsvar("6.2", cv("m54.5", "icd"))),
        sick_leave("HELT_NEDSATT", "2026-01-10", "2026-01-31"),
        sick_leave("EN_FJARDEDEL", "2026-02-01", "2026-02-14", 2),
    )
    assert days(facts) == [(100, "2026-01-10", "2026-01-31"), (25, "2026-02-01", "2026-02-14")]
    assert [one.line for one in facts] == [0, 1]
    assert {one.diagnosis for one in facts} == {"M545"}
    assert {one.signed_day for one in facts} == {DAY.toordinal()}
    assert {one.signed_month for one in facts} == {month_number(DAY)}
    assert {one.person for one in facts} == {f"hash of {builders.PATIENT}"}


def test_one_without_periods_counts_too() -> None:
    (only,) = made(typ="TS8071", version="1.0")
    assert (only.level, only.first_day, only.diagnosis) == (None, None, None)


@pytest.mark.parametrize(
    ("person", "last", "age"),
    [
        ("195801082743", "2026-01-07", 67),
        ("195801082743", "2026-01-08", 68),  # birthday on the last day of sick leave
    ],
)
def test_age_is_that_on_the_last_day_of_sick_leave(person: str, last: str, age: int) -> None:
    facts = made(
        sick_leave("HALFTEN", "2025-12-01", last),
        sick_leave("HELT_NEDSATT", "2025-11-01", "2025-11-30", 2),
        person=person,
        signed_at="2026-01-20T09:30:00",
    )
    assert {one.age for one in facts} == {age}  # fixed for the whole certificate
    assert {one.age_signed for one in facts} == {68}
    assert {one.age_month for one in facts} == {67}  # on 1 January


@pytest.mark.parametrize(
    ("first", "last", "counts"),
    [
        ("2009-12-31", "2010-01-05", False),
        ("2010-01-01", "2010-01-05", True),
        ("2026-12-01", "2031-11-23", True),  # five years after it arrived
        ("2026-12-01", "2031-11-24", False),
        ("2026-02-10", "2026-02-09", False),
    ],
)
def test_a_period_out_of_all_bounds_is_left_out(first: str, last: str, counts: bool) -> None:
    facts = made(sick_leave("HELT_NEDSATT", first, last))
    assert len(days(facts)) == counts
    assert len(facts) == 1  # the certificate counts all the same


def test_a_level_that_there_is_not_is_left_out() -> None:
    assert days(made(sick_leave("NASTAN_HELT", "2026-01-10", "2026-01-31"))) == []


@pytest.mark.parametrize(
    ("environment", "is_test", "counts"),
    [
        (Environment.PRODUCTION, True, False),
        (Environment.PRODUCTION, None, False),  # it could not be told
        (Environment.PRODUCTION, False, True),
        (Environment.TEST, True, True),
        (Environment.DEMO, True, True),
        (Environment.DEMO, None, True),
    ],
)
def test_test_patients_count_in_demo_and_test_alone(
    environment: Environment, is_test: bool | None, counts: bool
) -> None:
    assert bool(made(environment=environment, is_test=is_test)) is counts


@pytest.mark.parametrize(
    ("written", "plain"),
    [("m54.59-", "M5459"), (" F43.8 ", "F438"), ("...", None), (None, None), ("Å1", "Å1")],
)
def test_a_code_is_letters_and_digits(written: str | None, plain: str | None) -> None:
    assert plain_code(written) == plain


# --- in a database --------------------------------------------------------------------------------


def facts(rig: Rig) -> list[tuple[Any, ...]]:
    with rig.services.store.read() as rows:
        return rows.statistics.all()


def intyg_facts(rig: Rig) -> list[tuple[Any, ...]]:
    return [row for row in facts(rig) if len(row) > 10]


def rebuild(rig: Rig, limit: int) -> int:
    """Make all facts anew, `limit` certificates at a time; how many transactions it took."""
    assert rig.services.facts is not None
    after, parts = 0, 0
    while True:
        with rig.services.store.begin() as rows:
            progress = rebuild_part(rows, rig.services.facts, after, limit)
        after, parts = progress.seq, parts + 1
        if progress.is_whole:
            return parts


def a_busy_week(rig: Rig) -> None:
    rig.ok(
        builders.register_certificate("one"),
        builders.register_certificate("two", builders.OTHER_PATIENT),
        builders.register_certificate("three"),
        builders.send_certificate_to_recipient("one"),
        builders.send_certificate_to_recipient("two", builders.OTHER_PATIENT),
    )
    rig.deliver()
    rig.ok(
        builders.send_message_to_care(
            "q1", "KOMPLT", intygs_id="one", komplettering=[("6", "Mer"), ("32", "Mer")]
        ),
        builders.send_message_to_care("r1", "PAMINN", intygs_id="one", paminner="q1"),
        builders.revoke_certificate("two", builders.OTHER_PATIENT),
    )


def test_what_arrives_is_kept_and_what_becomes_of_it_too(rig: Rig) -> None:
    a_busy_week(rig)
    assert [row[-2:] for row in intyg_facts(rig)] == [(True, True), (False, True), (True, False)]
    messages = [row[1:5] for row in facts(rig) if len(row) <= 10]
    assert [(line, amne, frage) for line, _, amne, frage in messages] == [
        (0, "KOMPLT", None),
        (1, "KOMPLT", "6"),
        (2, "KOMPLT", "32"),
        (0, "PAMINN", None),
    ]


@pytest.mark.parametrize(("limit", "parts"), [(1, 3), (2, 2), (100, 1)])
def test_a_rebuild_finds_the_same(rig: Rig, limit: int, parts: int) -> None:
    a_busy_week(rig)
    before = facts(rig)
    assert rebuild(rig, limit) == parts
    assert facts(rig) == before


def test_a_rebuild_makes_facts_of_what_was_stored_before_there_were_any(rig: Rig) -> None:
    without = replace(rig, services=replace(rig.services, facts=None))
    a_busy_week(without)
    assert facts(rig) == []
    rebuild(rig, 100)
    there = facts(rig)
    assert [row[-2:] for row in there if len(row) > 10] == [
        (True, True),
        (False, True),
        (True, False),
    ]
    assert len(there) == 3 + 4


def test_an_empty_database_is_rebuilt_at_once(rig: Rig) -> None:
    assert rebuild(rig, 1) == 1


def test_a_message_about_a_certificate_that_does_not_count_does_not_count(rig: Rig) -> None:
    assert rig.services.facts is not None
    without = replace(rig, services=replace(rig.services, facts=None))
    without.ok(builders.register_certificate("one"))
    without.accept(intygs_id="one")
    without.ok(builders.send_message_to_care("q1", "KOMPLT", intygs_id="one"))
    assert facts(rig) == []


@contextmanager
def inserts_into_facts() -> Iterator[list[bool]]:
    """Each statement that writes facts: whether it was one for several rows."""
    seen: list[bool] = []

    def note(_c: object, _cur: object, statement: str, _p: object, _x: object, many: bool) -> None:
        if "intyg_fact" in statement and not statement.startswith("SELECT"):
            seen.append(many)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def test_registering_writes_its_facts_by_one_statement(rig: Rig) -> None:
    svars = [one for one in builders.fk7804_svar() if 'id="32"' not in one]
    svars.insert(6, sick_leave("HELT_NEDSATT", "2026-11-20", "2026-11-30"))
    svars.insert(7, sick_leave("HALFTEN", "2026-12-01", "2026-12-10", 2))
    svars.insert(8, svar("33", delsvar("33.1", "false")))
    with inserts_into_facts() as statements:
        rig.ok(builders.register_certificate("one", svar=svars))
    assert len(statements) == 1
    assert len(intyg_facts(rig)) == 2
