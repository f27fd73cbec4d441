"""Bring a database's tables up to date, or refuse those from before the first release."""

import sqlite3
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from intyg.adapter.domain.errors import StoreError
from intyg.adapter.store.faults import NewerTablesError, UnreleasedTablesError

MIGRATION_LOCK: Final = 0x696E747967  # «intyg»; an advisory lock is a number per database

UNRELEASED: Final = frozenset({"0001", "0002", "0003", "0004", "0005"})
"""Revisions that no release has had; `r0001` makes in one what they made in five steps."""


_made_before: tuple[str, ...] = ()
"""What made SQLite's tables from nothing in this process, once that was done."""


def upgrade(connection: sa.Connection) -> None:
    """
    Make what is missing, inside the connection's transaction.

    Processes that do so at once on PostgreSQL wait for each other. The second empty SQLite file of
    a process gets at once what the steps made of the first: tests begin with one each.

    Raises:
        UnreleasedTablesError, NewerTablesError: As `refuse_others`.
        StoreError: A step could not be made.
    """
    global _made_before
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    refuse_others(connection)
    is_new = _is_new_sqlite(connection)
    if is_new and _made_before:
        for statement in _made_before:
            connection.exec_driver_sql(statement)
        return
    _take_steps(connection)
    if is_new:
        _made_before = tuple(_statements(connection))


def _take_steps(connection: sa.Connection) -> None:
    from alembic import command  # not above: who reads a database does without
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError:
        text = "the database's schema could not be brought up to date (CommandError)"
        raise StoreError(text) from None


def _is_new_sqlite(connection: sa.Connection) -> bool:
    if connection.dialect.name != "sqlite":
        return False
    return connection.exec_driver_sql("SELECT 1 FROM sqlite_master").first() is None


def _statements(connection: sa.Connection) -> list[str]:
    """What makes a SQLite database again, inside a transaction."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return list(driver.iterdump())[1:-1]  # without its BEGIN and COMMIT


def refuse_others(connection: sa.Connection) -> None:
    """
    Look which revision a database has; changes nothing.

    Raises:
        UnreleasedTablesError: One from before the first release; names what to remove.
        NewerTablesError: One that this version does not know.
    """
    heads = _heads(connection)
    url = connection.engine.url.render_as_string(hide_password=True)
    if found := UNRELEASED & heads:
        raise UnreleasedTablesError(
            f"the database {url} is from before the first release (tables {', '.join(found)}): "
            f"remove {_what_to_remove(connection)}"
        )
    if found := heads - known_revisions():
        raise NewerTablesError(
            f"the database {url} is of a newer version (tables {', '.join(sorted(found))}; this "
            f"one knows up to {max(known_revisions())}): run that version, or put back the backup "
            "from before the upgrade"
        )


def _heads(connection: sa.Connection) -> frozenset[str]:
    """What Alembic has written down; without its table there is nothing yet."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return frozenset()
    return frozenset(connection.scalars(sa.text("SELECT version_num FROM alembic_version")))


def known_revisions() -> frozenset[str]:
    """Those that this version can make: `r0001`, …"""
    versions = Path(__file__).parent / "versions"
    return frozenset(path.name[:5] for path in versions.glob("r[0-9][0-9][0-9][0-9]_*.py"))


def _what_to_remove(connection: sa.Connection) -> str:
    database = connection.engine.url.database
    if connection.dialect.name == "sqlite":
        return f"the file {database}"
    schema = connection.scalar(sa.select(sa.func.current_schema()))
    return f"the schema {schema} of the database {database}"
