"""Databases for tests: a file of its own for SQLite, a schema of its own on a PostgreSQL server."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

POSTGRES_URL = os.environ.get(
    "INTYG_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test"
)


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


def sqlite_url(folder: Path) -> str:
    """The URL of a file that is not there yet."""
    return f"sqlite:///{folder / 'adapter.sqlite'}"


def _driver_url() -> str:
    return POSTGRES_URL.replace("postgresql+psycopg://", "postgresql://", 1)
