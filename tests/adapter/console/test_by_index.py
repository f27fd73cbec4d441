"""What is asked again and again reads no table of a million rows from end to end."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from intyg.adapter.console.app import build_console
from intyg.adapter.store import Store, file_of
from tests import builders
from tests.adapter.databases import SQLITE
from tests.adapter.flows.rig import Rig, copied_rig

GROWING = "delivery|attempt|intyg|meddelande|audit|body|handelse"
"""Tables that grow with every message. Of `block` the newest rows are read, from its end."""

WHOLE = re.compile(
    rf"SCAN ({GROWING})(?! USING (COVERING )?INDEX ix_delivery_(due|lane|queue|standing))"
)
"""Read from end to end; of what waits, or somebody must look at, the index may be."""


@contextmanager
def asked(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """Every statement of the block, with its parameters."""
    found: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        found.append((statement, parameters))

    sa.event.listen(store._engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(store._engine, "before_cursor_execute", note)


def plans(store: Store, statements: list[tuple[str, Any]]) -> list[str]:
    with store._engine.connect() as connection:
        return [
            row.detail
            for statement, parameters in statements
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


@pytest.fixture
def rig(migrated_urls: dict[str, str], tmp_path: Path) -> Iterator[Rig]:
    """A certificate was sent and accepted, and its events wait."""
    empty = Path(str(file_of(migrated_urls[SQLITE])))
    with copied_rig(empty.parent, tmp_path) as rig:
        rig.ok(builders.register_certificate(), builders.send_certificate_to_recipient())
        rig.deliver()
        rig.ok(builders.send_message_to_care("q-1", "KONTKT", sista_datum="2026-12-01"))
        yield rig


@pytest.fixture
def console(rig: Rig) -> FlaskClient:
    return build_console(rig.services).test_client()


@pytest.mark.parametrize("path", ["/metrics", "/api/blocked", "/api/ways", "/health"])
def test_no_large_table_is_read_from_end_to_end(console: FlaskClient, rig: Rig, path: str) -> None:
    with asked(rig.services.store) as statements:
        assert console.get(path).status_code == 200
    steps = plans(rig.services.store, statements)
    assert steps
    assert [step for step in steps if WHOLE.match(step)] == []


def test_reading_a_table_from_end_to_end_would_be_seen(rig: Rig) -> None:
    store = rig.services.store
    with asked(store) as statements, store.read() as rows:
        rows.deliveries.count()
    assert any(WHOLE.match(step) for step in plans(store, statements))


def test_counts_are_those_of_the_whole_table(rig: Rig) -> None:
    with rig.services.store.read() as rows:
        exact, standing, added = (
            rows.deliveries.count(),
            rows.search.standing(),
            rows.search.added(),
        )
    assert standing.items() <= exact.items()
    assert set(exact) - set(standing) == {"delivered", "withdrawn"}
    assert added == sum(exact.values())
