"""Statements that are made once: text and types are worked out the first time, then only run.

Building a statement with its values costs ten times what SQLite needs to run it. SQLAlchemy's own
cache spares the text, but asks each time what it depends on; of the hot path's statements that is
known, since they stand in modules and nobody changes them.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement

Values: TypeAlias = Mapping[str, Any]
"""By parameter's name; of an insert by column's, and one that is missing is NULL."""


@dataclass(frozen=True)
class _Text:
    """A statement as one driver wants it."""

    sql: str
    names: Sequence[str]
    positional: bool
    processors: Mapping[str, Callable[[Any], Any]]
    all_names: frozenset[str]
    fixed: Mapping[str, Any]  # what need not be given
    finds: bool  # gives rows back

    def row(self, values: Values) -> Any:
        ready = {**self.fixed, **values}
        if ready.keys() != self.all_names:
            raise KeyError(f"parameters: {sorted(ready.keys() ^ self.all_names)}")
        try:
            for name, process in self.processors.items():
                ready[name] = process(ready[name])
        except (TypeError, ValueError) as error:
            raise sa.exc.InvalidRequestError("a value is none of its column's") from error
        return tuple([ready[name] for name in self.names]) if self.positional else ready


@dataclass(frozen=True)
class Found:
    """
    What a statement gave back, as the driver gives it: numbers, texts and bytes alone.

    Attributes:
        rowcount: How many rows it changed.
        rows: What it found, or gave back of what it wrote.
    """

    rowcount: int
    rows: Sequence[tuple[Any, ...]]

    def first(self) -> tuple[Any, ...] | None:
        """The first row, if there is any."""
        return self.rows[0] if self.rows else None

    def one(self) -> tuple[Any, ...]:
        """The only row."""
        (row,) = self.rows
        return row

    def scalars(self) -> list[Any]:
        """The first column of each."""
        return [row[0] for row in self.rows]


class Prepared:
    """
    One statement, for every kind of database.

    Args:
        make: The statement for a dialect's name, `sqlite` or `postgresql`. Nothing of it may differ
            from one call to the next but the values.
        columns: Of an insert, those that it fills.
    """

    def __init__(
        self, make: Callable[[str], ClauseElement], columns: Sequence[str] | None = None
    ) -> None:
        self._make = make
        self._columns = columns
        self._texts: dict[tuple[str, str], _Text] = {}

    def run(self, connection: sa.Connection, values: Values) -> Found:
        """Run it once."""
        text = self._text(connection.dialect)
        return _execute(connection, text, text.row(values))

    def run_many(self, connection: sa.Connection, rows: Sequence[Values]) -> int:
        """Run it for each of several, as one. Returns how many rows were changed in all."""
        text = self._text(connection.dialect)
        ready = [text.row(row) for row in rows]
        return _execute(connection, text, ready[0] if len(ready) == 1 else ready).rowcount

    def _text(self, dialect: Dialect) -> _Text:
        key = (dialect.name, dialect.driver)
        if key not in self._texts:
            self._texts[key] = self._compile(dialect)
        return self._texts[key]

    def _compile(self, dialect: Dialect) -> _Text:
        compiled: Any = self._make(dialect.name).compile(
            dialect=dialect,
            column_keys=None if self._columns is None else list(self._columns),
        )
        if compiled.post_compile_params:
            raise ValueError("a list of values is made anew each time: not in a prepared statement")
        binds, processors = compiled.binds, compiled._bind_processors
        fixed = dict.fromkeys(self._columns or ())
        fixed |= {name: bind.value for name, bind in binds.items() if not bind.required}
        names = compiled.positiontup if compiled.positional else list(binds)
        all_names = frozenset(binds)
        sql = str(compiled).strip()
        finds = sql.startswith(("SELECT", "WITH")) or "RETURNING" in sql.split()
        return _Text(sql, names, compiled.positional, processors, all_names, fixed, finds)


def _execute(connection: sa.Connection, text: _Text, parameters: Any) -> Found:
    """
    Run a statement by the driver's own cursor, which costs a third of going through SQLAlchemy.

    Whoever listens to what is run is told as ever; errors are those of SQLAlchemy.
    """
    if connection.dispatch.before_cursor_execute:
        result = connection.exec_driver_sql(text.sql, parameters)
        rows = [tuple(row) for row in result] if result.returns_rows else []
        return Found(result.rowcount, rows)
    dialect: Any = connection.dialect
    cursor = connection.connection.cursor()
    try:
        if isinstance(parameters, list):
            cursor.executemany(text.sql, parameters)
        else:
            cursor.execute(text.sql, parameters)
        return Found(cursor.rowcount, cursor.fetchall() if text.finds else [])
    except dialect.loaded_dbapi.Error as error:
        kind = dialect.loaded_dbapi.Error
        if dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor):
            connection.invalidate(error)
        raise sa.exc.DBAPIError.instance(
            text.sql, None, error, kind, hide_parameters=True, dialect=dialect
        ) from error
    finally:
        cursor.close()


def same(statement: ClauseElement) -> Prepared:
    """One that reads the same on every kind of database."""
    return Prepared(lambda _: statement)


def one_of(kind: str, column: sa.Column[Any], name: str) -> sa.ColumnElement[bool]:
    """Whether a column has one of the values that `values_of` makes of several, under a name."""
    values: sa.BindParameter[Any] = sa.bindparam(name, type_=sa.types.NullType())
    if kind == "postgresql":
        return column == sa.func.any(values)
    return column.in_(sa.select(sa.func.json_each(values).table_valued("value").c.value))


def values_of(connection: sa.Connection, values: Collection[str] | Collection[int]) -> Any:
    """Several values as one, for `one_of`: as many as there are, the statement stays the same."""
    return list(values) if connection.dialect.name == "postgresql" else json.dumps(list(values))


def insert(table: sa.Table, *returned: sa.Column[Any]) -> Prepared:
    """A row, every column but what the database fills itself; gives back what is asked for."""
    statement = sa.insert(table).inline()
    made = statement.returning(*returned) if returned else statement
    return Prepared(lambda _: made, _filled(table))


def insert_new(table: sa.Table) -> Prepared:
    """The same, if no unique value of it is taken; otherwise no row is changed."""

    def make(kind: str) -> ClauseElement:
        statement = postgresql.insert if kind == "postgresql" else sqlite.insert
        return statement(table).on_conflict_do_nothing().inline()

    return Prepared(make, _filled(table))


def _filled(table: sa.Table) -> list[str]:
    return [
        column.name
        for column in table.columns
        if column.autoincrement is not True and column.server_default is None
    ]
