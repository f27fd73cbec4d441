"""Stores for tests. Whoever asks for `store` runs on both SQLites and on PostgreSQL."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.store import Store, tables
from tests.adapter.databases import (
    KINDS,
    POSTGRESQL,
    empty_database,
    sqlite_url,
    why_not,
)


class VirtualClock:
    """A clock that stands still until it is told to go."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        """`advance(minutes=5)`."""
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, one of each kind."""
    reason = why_not(request.param)
    if reason:
        pytest.skip(reason)
    with empty_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An empty, migrated database of each kind, for `store`: migrating takes longer than a test."""
    with ExitStack() as stack:
        urls = {
            kind: stack.enter_context(empty_database(kind, tmp_path_factory.mktemp("migrated")))
            for kind in KINDS
            if why_not(kind) is None
        }
        for url in urls.values():
            store = Store(url, system_clock)
            store.migrate()
            store.close()
        yield urls


@pytest.fixture(params=KINDS)
def store(
    request: pytest.FixtureRequest,
    migrated_urls: dict[str, str],
    tmp_path: Path,
    clock: VirtualClock,
) -> Iterator[Store]:
    """An empty store, on each kind of database."""
    kind = request.param
    if kind not in migrated_urls:
        pytest.skip(why_not(kind) or "no database")
    url = migrated_urls[kind]
    if kind != POSTGRESQL:
        shutil.copy(str(make_url(url).database), tmp_path / "adapter.sqlite")
        url = sqlite_url(tmp_path, kind)
    store = Store(url, clock)
    yield store
    if store.is_postgresql:
        with store._engine.begin() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(table.delete())
    store.close()
