"""Settings with a key for every role."""

from collections.abc import Mapping
from typing import Any

import pytest

from intyg.adapter.domain.environment import Environment
from intyg.adapter.settings.settings import ConsoleSettings, Settings
from tests.adapter.console.pages.entering import KEYS
from tests.adapter.flows.rig import make_settings


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, Any], ...]:
    folder = tmp_path_factory.mktemp("tokens")
    rows = []
    for name, (key, unit) in KEYS.items():
        (folder / name).write_text(key + "\n", "utf-8")
        role = "care" if unit else name
        rows.append({"name": name, "role": role, "unit": unit, "token_file": folder / name})
    return tuple(rows)


@pytest.fixture
def settings(tokens: tuple[Mapping[str, Any], ...]) -> Settings:
    return make_settings(
        environment=Environment.TEST,
        console=ConsoleSettings.model_validate({"tokens": tokens}),
        caller={"identity": "proxy", "proxies": ["127.0.0.1/32"]},
    )
