"""
Databases for tests: a file of its own for SQLite, a schema of its own on a PostgreSQL server.

SQLite twice: the machine's own, and the one that the package `pysqlite3-binary` carries, which is
newer than what most machines have. A query has been planned by one of them and not by the other.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import make_url

SQLITE: Final = "sqlite"
CARRIED_SQLITE: Final = "sqlite+pysqlite3"
POSTGRESQL: Final = "postgresql"
KINDS: Final = (SQLITE, CARRIED_SQLITE, POSTGRESQL)

POSTGRES_URL = os.environ.get(
    "INTYG_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test"
)


class CarriedSqlite(SQLiteDialect_pysqlite):
    """What SQLAlchemy needs to take `sqlite+pysqlite3://`; of it only the module is another."""

    driver = "pysqlite3"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        return import_module("pysqlite3.dbapi2")


registry.register("sqlite.pysqlite3", __name__, CarriedSqlite.__name__)


@cache
def why_not(kind: str) -> str | None:
    """Why tests cannot use a kind of database; None when they can."""
    if kind == CARRIED_SQLITE and find_spec("pysqlite3") is None:
        return "no newer SQLite than the machine's: pysqlite3-binary is not installed"
    return why_no_postgresql() if kind == POSTGRESQL else None


@cache
def why_no_postgresql() -> str | None:
    """Why tests cannot use the server; None when they can."""
    try:
        with psycopg.connect(_driver_url(), connect_timeout=3):
            return None
    except psycopg.Error as error:
        return f"no PostgreSQL server at INTYG_TEST_POSTGRES_URL ({type(error).__name__})"


@contextmanager
def postgresql_schema() -> Iterator[str]:
    """The URL of an empty schema, dropped afterwards."""
    name = f"intyg_{uuid.uuid4().hex}"
    with psycopg.connect(_driver_url(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        try:
            url = make_url(POSTGRES_URL).update_query_dict({"options": f"-csearch_path={name}"})
            yield url.render_as_string(hide_password=False)
        finally:
            connection.execute(f"SET client_min_messages = error; DROP SCHEMA {name} CASCADE")


@contextmanager
def empty_database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of a kind in KINDS; on PostgreSQL dropped afterwards."""
    if kind == POSTGRESQL:
        with postgresql_schema() as url:
            yield url
    else:
        yield sqlite_url(folder, kind)


def sqlite_url(folder: Path, kind: str = SQLITE) -> str:
    """The URL of a file that is not there yet."""
    return f"{kind}:///{folder / 'adapter.sqlite'}"


def make_unreleased(url: str, revision: str) -> None:
    """Make a database as one of the revisions did that no release has had: what tells it apart."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{revision}')")
        connection.exec_driver_sql("CREATE TABLE intyg (seq INTEGER, intygs_id TEXT)")
        connection.exec_driver_sql("INSERT INTO intyg VALUES (1, 'intyg-1')")


def _driver_url() -> str:
    return POSTGRES_URL.replace("postgresql+psycopg://", "postgresql://", 1)
