"""Stores for tests. Whoever asks for `store` runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapter.store import Store
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


@pytest.fixture
def store(database_url: str, clock: VirtualClock) -> Iterator[Store]:
    """An empty store, on each kind of database."""
    store = Store(database_url, clock)
    store.migrate()
    yield store
    store.close()
