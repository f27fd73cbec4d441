"""The rig, on SQLite: empty, or with things in it.

What several tests start from is made once and copied: making it takes longer than most tests.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from intyg.adapter.store import Store
from tests import builders
from tests.adapter.flows.rig import (
    Rig,
    VirtualClock,
    copied_rig,
    new_rig,
)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty database."""
    folder = tmp_path_factory.mktemp("migrated")
    store = Store(f"sqlite:///{folder / 'adapter.sqlite'}", VirtualClock())
    store.migrate()
    store.close()
    return folder


MakeFolder = Callable[[Path, Callable[[Rig], None]], Path]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> MakeFolder:
    """Goes on from one folder's database to the next one's."""

    def make(before: Path, happens: Callable[[Rig], None]) -> Path:
        folder = tmp_path_factory.mktemp("made")
        with copied_rig(before, folder) as rig:
            happens(rig)
        return folder

    return make


@pytest.fixture(scope="session")
def registered_folder(migrated: Path, made: MakeFolder) -> Path:
    return made(migrated, lambda rig: rig.ok(builders.register_certificate()))


@pytest.fixture(scope="session")
def sent_folder(registered_folder: Path, made: MakeFolder) -> Path:
    def send(rig: Rig) -> None:
        rig.ok(builders.send_certificate_to_recipient())
        rig.deliver()

    return made(registered_folder, send)


@pytest.fixture
def rig(migrated: Path, tmp_path: Path) -> Iterator[Rig]:
    """Nothing is stored yet."""
    with copied_rig(migrated, tmp_path) as rig:
        yield rig


@pytest.fixture
def registered(registered_folder: Path, tmp_path: Path) -> Iterator[Rig]:
    """The builders' certificate is registered."""
    with copied_rig(registered_folder, tmp_path) as rig:
        yield rig


@pytest.fixture
def sent(sent_folder: Path, tmp_path: Path) -> Iterator[Rig]:
    """It is sent to Försäkringskassan too, and accepted; nothing is under way."""
    with copied_rig(sent_folder, tmp_path) as rig:
        yield rig


@pytest.fixture
def shared(store: Store) -> Rig:
    """Nothing is stored yet; on SQLite and on PostgreSQL, for what threads do to each other."""
    return new_rig(store)
