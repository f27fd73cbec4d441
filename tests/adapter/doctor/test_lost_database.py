"""A database that was here and is not is told before an empty one is made in its place."""

from pathlib import Path

import pytest

from intyg.adapter.audit.log import OWN_KEY
from intyg.adapter.bootstrap.store_watch import open_store
from intyg.adapter.doctor.lost_database import why_lost
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.settings.settings import Settings, SettingsError, load_settings
from intyg.adapter.store import Store, file_of


def settings_in(folder: Path) -> Settings:
    return load_settings(None, environment="demo", data_dir=folder)


def start(settings: Settings) -> None:
    store, _ = open_store(settings, lambda: Store(settings.effective_database_url, system_clock))
    store.close()


@pytest.fixture
def ran(tmp_path: Path) -> Settings:
    """Where an adapter has run and ended."""
    settings = settings_in(tmp_path)
    start(settings)
    return settings


def test_a_first_start_misses_nothing(tmp_path: Path) -> None:
    assert why_lost(settings_in(tmp_path)) is None


def test_one_that_is_there_is_not_lost(ran: Settings) -> None:
    assert why_lost(ran) is None
    start(ran)


def test_no_start_makes_an_empty_one_where_one_was(ran: Settings) -> None:
    path = file_of(ran.effective_database_url)
    assert path is not None
    path.unlink()
    why = why_lost(ran)
    assert why is not None
    assert why.startswith(f"there is no database {path}, but there was one: ")
    assert str(ran.data_dir / OWN_KEY) in why
    with pytest.raises(SettingsError) as refused:
        start(ran)
    assert str(refused.value) == f"not started: {why}"
    assert not path.exists()


def test_a_file_without_tables_is_none(ran: Settings) -> None:
    path = file_of(ran.effective_database_url)
    assert path is not None
    path.write_bytes(b"")
    with pytest.raises(SettingsError, match="there was one"):
        start(ran)
    assert path.read_bytes() == b""
