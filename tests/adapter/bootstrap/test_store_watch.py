"""What is said at the start of a database that is older than what was here."""

from pathlib import Path

from intyg.adapter.bootstrap.store_watch import told_of_missing
from intyg.adapter.store import Store
from tests.adapter.conftest import VirtualClock


def test_of_a_database_that_is_the_newest_nothing_is_said(
    tmp_path: Path, clock: VirtualClock
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'adapter.sqlite'}", clock)
    store.migrate()
    assert list(told_of_missing(store)) == []
    store.close()
