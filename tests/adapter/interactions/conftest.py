"""The rig, on SQLite, empty or with a certificate in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.store import Store
from tests import builders
from tests.adapter.interactions.rig import (
    Rig,
    VirtualClock,
    empty_database,
    make_parts,
    make_settings,
)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "adapter.sqlite"
    store = Store(f"sqlite:///{path}", VirtualClock())
    store.migrate()
    store.close()
    return path


@pytest.fixture
def rig(migrated: Path, tmp_path: Path) -> Iterator[Rig]:
    """Nothing is stored yet."""
    clock = VirtualClock()
    store = Store(empty_database(migrated, tmp_path), clock)
    yield Rig(make_parts(make_settings(data_dir=tmp_path), store, clock), clock)
    store.close()


@pytest.fixture
def registered(rig: Rig) -> Rig:
    """The builders' certificate is registered."""
    rig.ok(builders.register_certificate())
    return rig


@pytest.fixture
def sent(registered: Rig) -> Rig:
    """It is sent to Försäkringskassan too, and accepted; nothing is under way."""
    registered.ok(builders.send_certificate_to_recipient())
    registered.deliver()
    return registered
