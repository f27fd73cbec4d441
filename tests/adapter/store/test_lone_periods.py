"""Periods of sick leave that no other can join: known once looked at, on each database."""

from typing import Any

import pytest
import sqlalchemy as sa

from intyg.adapter.flows.lone_periods import STEP, look_for_lone
from intyg.adapter.statistics.sjukfall import MAX_GAP
from intyg.adapter.store import Store, tables
from intyg.adapter.store.statistics_rows import REACH
from tests.adapter.statistics.history import (
    ANNA,
    BO,
    CIA,
    NORTH,
    OTHER,
    SOUTH,
    Cert,
    keep,
    keep_cert,
    leave,
    report,
)

CERTS = (
    Cert(ANNA, (leave("01-05", "01-10"),)),
    Cert(ANNA, (leave("01-17", "01-20"),)),  # six days between
    Cert(ANNA, (leave("01-26", "01-30"),), SOUTH),  # five days
    Cert(BO, (leave("01-05", "01-10"),)),
    Cert(BO, (leave("01-11", "01-20"),), OTHER),  # another care provider's
    Cert(CIA, (leave("01-05", "04-10"),), diagnosis="F43.8"),
    Cert(CIA, typ="TS8071"),
)


def known(store: Store) -> list[bool | None]:
    asked = sa.select(tables.intyg_fact.c.lone).order_by(tables.intyg_fact.c.intyg_seq)
    with store.begin() as rows:
        return list(rows.transaction.connection.scalars(asked))


def test_how_near_is_near() -> None:
    assert REACH == MAX_GAP + 1


def test_who_is_alone_is_found_out_later_and_again_when_somebody_comes(store: Store) -> None:
    with store.begin() as rows:
        keep(rows, CERTS)
    assert known(store) == [None] * 7
    assert look_for_lone(store) == 6
    assert known(store) == [True, False, False, True, True, True, None]
    assert look_for_lone(store) == 0
    with store.begin() as rows:
        for place, one in enumerate((leave("01-13", "01-13"), leave("02-05", "02-06"))):
            keep_cert(rows, f"late-{place}", Cert((BO, CIA)[place], (one,)))
    assert look_for_lone(store) == 2
    assert known(store) == [True, False, False, False, True, False, None, False, False]


def test_no_more_than_a_step_at_a_time(store: Store) -> None:
    with store.begin() as rows:
        keep(rows, CERTS)
        assert rows.statistics.look_for_lone(4) == 4
    assert STEP >= 4
    assert look_for_lone(store) == 2


REPORTS = [
    pytest.param("sjukfall", {"shape": "months"}, id="by month"),
    pytest.param("sjukfall", {"shape": "period", "unit": [SOUTH]}, id="of a unit"),
    pytest.param("sjukfall", {"level": "nation", "to": "2026-02"}, id="of the nation"),
    pytest.param("sjukfall-age", {"age": ["26-30", "61-65"]}, id="by age"),
    pytest.param("sjukfall-length", {"length": ["0-14", "31-60"]}, id="by length"),
    pytest.param("sjukfall-long", {"shape": "period"}, id="long ones"),
    pytest.param("sjukfall-level", {"diagnosis": ["M00-M99"]}, id="by degree, of a diagnosis"),
    pytest.param("sjukfall-unit", {"shape": "months"}, id="by unit"),
    pytest.param("sjukfall-doctor", {"shape": "period"}, id="by doctor"),
    pytest.param("sjukfall-diagnosis", {"within": "F00-F99"}, id="within a chapter"),
    pytest.param("sjukfall-compare", {"diagnosis": ["F43", "M54"]}, id="compared"),
    pytest.param("overview", {}, id="the overview"),
]


@pytest.mark.parametrize(("name", "said"), REPORTS)
def test_a_report_is_the_same_before_and_after(store: Store, name: str, said: Any) -> None:
    with store.begin() as rows:
        keep(rows, CERTS)
    asked = {"first": "2026-01", "to": "2026-03", "cutoff": 0, **said}
    before = report(store, name, **asked)
    assert any(value for row in before.table.rows for value in row.values)
    with store.begin() as rows:
        rows.statistics.look_for_lone(2)
    some = report(store, name, **asked)
    look_for_lone(store)
    assert before.table == some.table == report(store, name, **asked).table


def test_units_are_found_by_steps_of_the_index(store: Store) -> None:
    with store.begin() as rows:
        assert rows.statistics.units(10) == []
        keep(rows, CERTS)
        assert [unit for unit, _ in rows.statistics.units(10)] == [NORTH, OTHER, SOUTH]
        assert [unit for unit, _ in rows.statistics.units(2)] == [NORTH, OTHER]
        assert {name for _, name in rows.statistics.units(10)} == {"Påhittade vårdcentralen"}
