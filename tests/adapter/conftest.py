"""Stores for tests. Whoever asks for `store` runs on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from adapter.model import system_clock
from adapter.store import Store, tables
from tests.adapter.databases import postgresql_schema, sqlite_url, why_no_postgresql


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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, one of each kind."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path)
        return
    reason = why_no_postgresql()
    if reason:
        pytest.skip(reason)
    with postgresql_schema() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An empty, migrated database of each kind, for `store`: migrating takes longer than a test."""
    with ExitStack() as stack:
        urls = {"sqlite": sqlite_url(tmp_path_factory.mktemp("migrated"))}
        if why_no_postgresql() is None:
            urls["postgresql"] = stack.enter_context(postgresql_schema())
        for url in urls.values():
            store = Store(url, system_clock)
            store.migrate()
            store.close()
        yield urls


@pytest.fixture(params=["sqlite", "postgresql"])
def store(
    request: pytest.FixtureRequest,
    migrated_urls: dict[str, str],
    tmp_path: Path,
    clock: VirtualClock,
) -> Iterator[Store]:
    """An empty store, on each kind of database."""
    if request.param not in migrated_urls:
        pytest.skip(why_no_postgresql() or "no database")
    url = migrated_urls[request.param]
    if request.param == "sqlite":
        shutil.copy(str(make_url(url).database), tmp_path / "adapter.sqlite")
        url = sqlite_url(tmp_path)
    store = Store(url, clock)
    yield store
    if store.is_postgresql:
        with store._engine.begin() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(table.delete())
    store.close()
