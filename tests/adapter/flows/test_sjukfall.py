"""Cases of sick leave are made later; until then reports are the same, on each database."""

from typing import Any

import pytest
import sqlalchemy as sa

from intyg.adapter.flows.sjukfall import STEP, make_cases
from intyg.adapter.statistics.case_rows import look
from intyg.adapter.store import Store, base, tables
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


def new(store: Store) -> int:
    """How many periods nobody has looked at."""
    asked = sa.select(sa.func.count()).where(sa.text(tables.NOT_LOOKED))
    with store.read() as rows:
        return rows.transaction.connection.scalar(asked.select_from(tables.intyg_fact)) or 0


def cases(store: Store) -> set[tuple[int, ...]]:
    """Each row as its last certificate, from 1, uses, length in days and how many certificates."""
    table = tables.sjukfall
    before = sa.select(sa.func.min(tables.intyg.c.seq) - 1).scalar_subquery()
    asked = sa.select(table.c.intyg_seq - before, table.c.uses, table.c.length, table.c.intyg)
    with store.read() as rows:
        return {tuple(row) for row in rows.transaction.connection.execute(asked)}


def test_cases_are_made_later_and_again_when_somebody_comes(store: Store) -> None:
    with store.begin() as rows:
        keep(rows, CERTS)
    assert (new(store), cases(store)) == (6, set())
    assert make_cases(store) == 6
    alone = {(1, 7, 6, 1), (4, 7, 6, 1), (5, 7, 10, 1), (6, 7, 96, 1)}
    two = {(3, 3, 9, 2), (3, 4, 9, 2)}  # six days between the first two, five before the third
    assert (new(store), cases(store)) == (0, alone | two)
    assert make_cases(store) == 0
    with store.begin() as rows:
        keep_cert(rows, "late", Cert(BO, (leave("01-13", "01-13"),)))
    assert make_cases(store) == 1
    bo = {(8, 3, 7, 2), (8, 4, 7, 2)}
    assert cases(store) == alone - {(4, 7, 6, 1)} | two | bo


def test_a_revoked_certificate_is_new_again(store: Store) -> None:
    with store.begin() as rows:
        keep(rows, CERTS)
    make_cases(store)
    with store.begin() as rows:
        rows.intyg.set_revoked("c2", rows.now)
    assert new(store) == 1
    figures = report(store, "sjukfall", first="2026-01", to="2026-01", shape="period").table.rows
    assert figures[0].values == (3, 2, 5)
    assert make_cases(store) == 1
    again = report(store, "sjukfall", first="2026-01", to="2026-01", shape="period").table.rows
    assert again == figures
    assert (2, 7, 4, 1) in cases(store)


def test_what_comes_while_cases_are_made_stays_new(store: Store) -> None:
    if not store.is_postgresql:
        pytest.skip("one transaction writes at a time")
    with store.begin() as rows:
        keep(rows, CERTS)
    with store.begin() as rows:
        assert look(rows, 100) == 6
        with store.begin() as other:
            keep_cert(other, "late", Cert(CIA, (leave("04-12", "04-20"),)))
        with store.begin() as other:
            assert look(other, 100) == 0  # one at a time
    assert new(store) == 1
    asked: dict[str, Any] = {"first": "2026-01", "to": "2026-03", "shape": "period"}
    before = report(store, "sjukfall-length", **asked).table
    assert make_cases(store) == 1
    assert report(store, "sjukfall-length", **asked).table == before


def test_a_report_is_of_one_moment(store: Store) -> None:
    with store.begin() as rows:
        keep(rows, CERTS)
    if store.is_postgresql:
        with store.read() as rows:
            assert rows.sjukfall.has_to_look()
            assert make_cases(store) == 6
            assert rows.sjukfall.has_to_look()  # as it was
            assert rows.sjukfall.all_words("diagnosis") == []
    make_cases(store)
    with store.read() as rows:
        assert not rows.sjukfall.has_to_look()
        assert sorted(rows.sjukfall.all_words("diagnosis")) == ["F438", "M545"]


def test_words_too_long_for_an_index_are_counted_one_by_one(store: Store) -> None:
    doctor = "SE0-" + "X" * 2000
    with store.begin() as rows:
        keep(rows, [Cert(ANNA, (leave("01-05", "01-10"),), doctor=doctor)])
    asked: dict[str, Any] = {"first": "2026-01", "to": "2026-01", "shape": "period"}
    before = report(store, "sjukfall-doctor", **asked).table
    assert make_cases(store) == 1
    assert report(store, "sjukfall-doctor", **asked).table == before
    assert [row.group for row in before.rows] == [doctor]


def test_no_more_than_a_step_at_a_time(store: Store) -> None:
    with store.begin() as rows:
        keep(rows, CERTS)
        assert look(rows, 4) == 4
    assert STEP >= 4
    assert make_cases(store) == 2


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


@pytest.mark.parametrize("at_a_time", [500, 1])
@pytest.mark.parametrize(("name", "said"), REPORTS)
def test_a_report_is_the_same_before_and_after(
    store: Store, monkeypatch: pytest.MonkeyPatch, name: str, said: Any, at_a_time: int
) -> None:
    """Also where more is looked up than one statement takes."""
    monkeypatch.setattr(base, "AT_A_TIME", at_a_time)
    with store.begin() as rows:
        keep(rows, CERTS)
    asked = {"first": "2026-01", "to": "2026-03", "cutoff": 0, **said}
    before = report(store, name, **asked)
    assert any(value for row in before.table.rows for value in row.values)
    with store.begin() as rows:
        look(rows, 2)
    some = report(store, name, **asked)
    make_cases(store)
    assert before.table == some.table == report(store, name, **asked).table


def test_units_are_found_by_steps_of_the_index(store: Store) -> None:
    with store.begin() as rows:
        assert rows.statistics.units(10) == []
        keep(rows, CERTS)
        assert [unit for unit, _ in rows.statistics.units(10)] == [NORTH, OTHER, SOUTH]
        assert [unit for unit, _ in rows.statistics.units(2)] == [NORTH, OTHER]
        assert {name for _, name in rows.statistics.units(10)} == {"Påhittade vårdcentralen"}
