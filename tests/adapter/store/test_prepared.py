"""Statements that are made once do what they would if they were made each time."""

import pytest
import sqlalchemy as sa

from intyg.adapter.domain.errors import StoreError
from intyg.adapter.store import Store, tables
from intyg.adapter.store.prepared import insert, insert_new, same
from tests.adapter.samples import NOW

_ADD = insert(tables.block)
_ADD_NEW = insert_new(tables.environment)
_BLOCK = {"intygs_id": "i1", "contract": "c", "destination": "d", "at": NOW}


def test_values_come_in_by_their_columns_types(store: Store) -> None:
    with store.begin() as rows:
        connection = rows.transaction.connection
        _ADD.run(connection, {**_BLOCK, "signal": "å"})
        assert _ADD.run_many(connection, [_BLOCK, {**_BLOCK, "intygs_id": "i2"}]) == 2
        found = [(one.intygs_id, one.signal, one.at) for one in rows.blocks.find()]
    assert found == [("i1", "å", NOW), ("i1", None, NOW), ("i2", None, NOW)]


def test_what_is_fixed_in_a_statement_stays_in_it(store: Store) -> None:
    change = same(
        sa.update(tables.block)
        .where(tables.block.c.intygs_id == "i1", tables.block.c.contract == "c")
        .values(signal=sa.bindparam("to_signal"))
    )
    with store.begin() as rows:
        connection = rows.transaction.connection
        _ADD.run_many(connection, [_BLOCK, {**_BLOCK, "intygs_id": "i2"}])
        assert change.run(connection, {"to_signal": "list"}).rowcount == 1
        assert [one.signal for one in rows.blocks.find()] == ["list", None]


def test_a_row_that_is_there_is_left_as_it_is(store: Store) -> None:
    with store.begin() as rows:
        connection = rows.transaction.connection
        done = [_ADD_NEW.run(connection, {"name": "test"}).rowcount for _ in range(2)]
    assert done == [1, 0]


def test_a_name_that_is_no_parameter_is_refused(store: Store) -> None:
    with store.begin() as rows, pytest.raises(KeyError, match="colour"):
        _ADD.run(rows.transaction.connection, {**_BLOCK, "colour": "red"})


def test_a_parameter_that_is_missing_is_refused(store: Store) -> None:
    drop = same(sa.delete(tables.block).where(tables.block.c.seq == sa.bindparam("of_seq")))
    with store.begin() as rows, pytest.raises(KeyError, match="of_seq"):
        drop.run(rows.transaction.connection, {})


def test_a_value_that_is_none_of_its_columns_is_a_store_error(store: Store) -> None:
    with pytest.raises(StoreError), store.begin() as rows:
        _ADD.run(rows.transaction.connection, {**_BLOCK, "at": NOW.replace(tzinfo=None)})


def test_a_list_of_values_is_refused(store: Store) -> None:
    drop = same(sa.delete(tables.block).where(tables.block.c.seq.in_([1, 2])))
    with store.begin() as rows, pytest.raises(ValueError, match="list"):
        drop.run(rows.transaction.connection, {})
