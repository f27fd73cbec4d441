"""
What a certificate with its delivered event leaves in the database: rows and bytes, by table.

    python -m bench.kept [--calls 300]

Bytes are those of whole pages, with indexes, as the database counts them, of what came in the run.
On SQLite, and on PostgreSQL where there is one (as for the tests, INTYG_TEST_POSTGRES_URL).
"""

import argparse
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from bench.over_http import Running
from intyg.adapter.store import tables
from tests.adapter.databases import postgresql_schema, why_no_postgresql

NAMES: Final = sorted(table.name for table in tables.metadata.sorted_tables)


@dataclass(frozen=True)
class Kept:
    """Rows and bytes, by table."""

    rows: Mapping[str, int]
    bytes: Mapping[str, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--calls", type=int, default=300)
    calls = parser.parse_args().calls
    _on_sqlite(calls)
    if not why_no_postgresql():
        _on_postgresql(calls)


def _on_sqlite(calls: int) -> None:
    with tempfile.TemporaryDirectory() as name, Running(Path(name)).up() as running:
        before = _of_sqlite(Path(name))
        running.course(calls)
        Console().print(_table("SQLite", before, _of_sqlite(Path(name)), calls))


def _of_sqlite(folder: Path) -> Kept:
    with closing(sqlite3.connect(folder / "adapter.sqlite")) as connection:
        rows = {name: connection.execute(_COUNT.format(name)).fetchone()[0] for name in NAMES}
        pages = connection.execute(
            "SELECT m.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema m "
            "ON m.name = d.name GROUP BY m.tbl_name"
        )
        return Kept(rows, dict(pages.fetchall()))


_COUNT: Final = 'SELECT count(*) FROM "{}"'


def _on_postgresql(calls: int) -> None:
    with (
        postgresql_schema() as url,
        tempfile.TemporaryDirectory() as name,
        Running(Path(name), url).up() as running,
    ):
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        before = _of_postgresql(engine)
        running.course(calls)
        Console().print(_table("PostgreSQL", before, _of_postgresql(engine), calls))


def _of_postgresql(engine: sa.Engine) -> Kept:
    with engine.connect() as connection:
        size = sa.text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
        rows = {
            name: connection.exec_driver_sql(_COUNT.format(name)).scalar_one() for name in NAMES
        }
        sizes = {name: connection.execute(size, {"name": name}).scalar_one() for name in NAMES}
    return Kept(rows, sizes)


def _table(database: str, before: Kept, after: Kept, calls: int) -> Table:
    table = Table(title=f"{database}: a certificate with its event, delivered")
    for name in ("table", "rows", "bytes"):
        table.add_column(name, justify="left" if name == "table" else "right")
    total = 0.0
    for name in NAMES:
        rows = (after.rows[name] - before.rows[name]) / calls
        if rows > 0:
            size = (after.bytes[name] - before.bytes[name]) / calls
            total += size
            table.add_row(name, f"{rows:.1f}", f"{size:,.0f}")
    table.add_row("together", "", f"{total:,.0f}")
    return table


if __name__ == "__main__":
    main()
