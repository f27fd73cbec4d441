"""What an adapter under test is set to: as in the demonstration, but for what a test wants."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import pytest

from intyg.adapter.domain.environment import Environment
from intyg.adapter.settings.settings import Settings, SettingsError, load_settings
from intyg.mocks.personas import PERSONAS
from intyg.mocks.rules.model import unknown
from intyg.sandbox.demo.settings_file import CARE, settings_text, write_lists
from intyg.sandbox.demo.stage import TEST_PERSONS
from intyg.sandbox.signing_keys import SigningKeys

MARKER: Final = "intyg"

TOKEN: Final = "of-an-adapter-under-test"  # noqa: S105 -- it guards nothing else
"""What its own interface wants outside the demonstration."""

Table = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """
    What `@pytest.mark.intyg(…)` says of a test's adapter.

    Attributes:
        environment: `demo`, `test` or `production`. Outside `demo` it speaks TLS, mocks and EHR
            show it a client certificate, and its clock is the machine's; in production the mocks
            count as real authorities.
        timeout: Seconds that it waits for an answer; None: 30, as by default.
        destinations: By the mock's name, what its destination is set to: `{"kind": "real"}`.
        settings: Any other setting, by its name in the settings file; a table is merged into the
            one that is there.
    """

    environment: Environment = Environment.DEMO
    timeout: float | None = None
    destinations: Mapping[str, Table] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def by(cls, mark: pytest.Mark | None) -> Self:
        """
        What a marker says; None: nothing.

        Raises:
            SettingsError: It says what there is not; names the nearest.
        """
        if mark is None:
            return cls()
        if mark.args:
            raise SettingsError(f"@pytest.mark.{MARKER} takes keywords alone")
        told = dict(mark.kwargs)
        environment = told.pop("environment", Environment.DEMO)
        if environment not in tuple(Environment):
            raise SettingsError(f"environment: {unknown(environment, Environment)}")
        timeout, destinations = told.pop("timeout", None), told.pop("destinations", {})
        for key in destinations:
            if key not in PERSONAS:
                raise SettingsError(f"destinations: {unknown(key, PERSONAS)}")
        for name in told:
            if name not in Settings.model_fields:
                known = ("environment", "timeout", "destinations", *Settings.model_fields)
                raise SettingsError(f"{name}: {unknown(name, known)}")
        return cls(Environment(environment), timeout, destinations, told)


def settings_for(
    folder: Path, urls: Mapping[str, str], keys: SigningKeys, wanted: Wanted
) -> Settings:
    """
    Write the settings file of an adapter, and read it with what a test wants.

    Args:
        folder: Of the adapter; gets the lists that the settings name, too.
        urls: Where the mocks are.

    Raises:
        SettingsError: What the test wants cannot be.
    """
    write_lists(folder, TEST_PERSONS)
    file = folder / "adapter.toml"
    file.write_text(settings_text(0, keys.files.ca.parent, urls, None), "utf-8")
    written = tomllib.loads(file.read_text("utf-8"))
    values: dict[str, Any] = {
        "environment": wanted.environment,
        "destinations": _destinations(written["destinations"], wanted),
    }
    if wanted.environment is not Environment.DEMO:
        values |= _guarded(written, keys)
    for name, value in wanted.settings.items():
        values[name] = _merged(values.get(name, written.get(name)), value)
    return load_settings(file, **values)


def _destinations(written: Mapping[str, Table], wanted: Wanted) -> dict[str, Table]:
    """Those of the file; what a test says of one goes before what goes for all."""
    for_all: dict[str, Any] = {}
    if wanted.environment is Environment.PRODUCTION:
        for_all["kind"] = "real"
    if wanted.timeout is not None:
        for_all["timeout_seconds"] = wanted.timeout
    said = {_name(key): table for key, table in wanted.destinations.items()}
    return {name: {**table, **for_all, **said.get(name, {})} for name, table in written.items()}


def _name(key: str) -> str:
    return key if PERSONAS[key].is_authority else CARE


def _guarded(written: Table, keys: SigningKeys) -> dict[str, Any]:
    """Who calls is asked outside the demonstration; EHR and mocks show one certificate."""
    server = keys.files.server
    tls = {"cert": server.cert, "key": server.key, "client_ca": [keys.ca]}
    row = {"sender": keys.caller, "contract": "*", "logical_address": "*"}
    return {
        "server": {**written["server"], "tls": tls},
        "permissions": [row],
        "recipients": {
            part: {**one, "callers": [keys.caller]} for part, one in written["recipients"].items()
        },
        "console": {"token": TOKEN},
    }


def _merged(there: object, value: object) -> object:
    if isinstance(there, Mapping) and isinstance(value, Mapping):
        return {**there, **value}
    return value
