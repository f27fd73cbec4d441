"""A stage for journeys: adapter, mock Försäkringskassan, mock EHR and a tripwire, on free ports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from intyg.adapter.domain.clock import system_clock
from intyg.adapter.signature.demo_keys import make_test_keys
from intyg.sandbox.demo.stage import Stage, set_stage


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_test_keys(folder, system_clock())
    return folder


@pytest.fixture
def stage(tmp_path: Path, keys_folder: Path) -> Iterator[Stage]:
    with set_stage(tmp_path, keys_folder) as running:
        yield running


@pytest.fixture(scope="module")
def shared_stage(tmp_path_factory: pytest.TempPathFactory, keys_folder: Path) -> Iterator[Stage]:
    """One for a whole module: for what is refused, or stands in nobody's way."""
    with set_stage(tmp_path_factory.mktemp("stage"), keys_folder) as running:
        yield running
