"""
The personas, in the order in which they are told of: a table, and making them all.

A new one is a folder with a `persona.py` that has its `PERSONA`, and a line here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from intyg.mocks.clock.clock import Clock, system_clock
from intyg.mocks.conversations import Script
from intyg.mocks.conversations.interface import Talks
from intyg.mocks.pages.gate import Pages
from intyg.mocks.server.kind import PersonaKind
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.service import MockService
from intyg.mocks.wire.tls import AdapterTls
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes

_KEYS: Final = (
    "forsakringskassan",
    "journalsystem",
    "transportstyrelsen",
    "skatteverket",
    "socialstyrelsen",
    "arbetsformedlingen",
)
"""A new one comes last: where it listens goes by its place."""

FIRST_PORT: Final = 8081
"""Where the first of them listens when it may choose; each of the others one further on."""


def _load(key: str) -> PersonaKind[Persona]:
    kind: PersonaKind[Persona] = import_module(f"intyg.mocks.{key}.persona").PERSONA
    return kind


PERSONAS: Final[Mapping[str, PersonaKind[Persona]]] = {key: _load(key) for key in _KEYS}
"""By name in commands, fixtures, settings and files, which is that of the folder here."""


def ports_from(first: int) -> dict[str, int]:
    """A port for each, in a row; from 0, free ones."""
    return {key: first and first + place for place, key in enumerate(PERSONAS)}


def make_personas(
    contracts: Contracts,
    types: IntygTypes,
    adapter_url: str | None = None,
    ca_files: tuple[Path, ...] = (),
    clock: Clock = system_clock,
    *,
    control_token: str | None = None,
    journal_file: Path | None = None,
    run_by_client_certificate: bool = False,
    adapter_tls: AdapterTls = AdapterTls(),  # noqa: B008 -- frozen
    adapter_token: str | None = None,
) -> dict[str, MockService[Persona]]:
    """
    All of them, none running yet, by key.

    Args:
        adapter_url: Where the adapter serves its contracts; None: they send nothing.
        ca_files: CA certificates of signers; without any, no signature is verified.
        control_token: What their control interfaces want as Bearer; None: nothing.
        journal_file: SQLite file for their journals; None: they are kept in memory.
        run_by_client_certificate: Each client certificate has a run of its own.
        adapter_tls: Whom they believe at the adapter, and what they show.
        adapter_token: What the adapter's REST wants as Bearer; None: nothing.

    Raises:
        OSError, ValueError: A CA file or the journal's file cannot be used.
    """
    changes: dict[str, Any] = {
        "adapter_url": adapter_url,
        "adapter_tls": adapter_tls,
        "adapter_token": adapter_token,
        "ca_files": ca_files,
        "control_token": control_token,
        "journal_file": journal_file,
        "run_by_client_certificate": run_by_client_certificate,
    }
    made = {
        key: each.make(contracts, types, replace(each.settings, **changes), clock)
        for key, each in PERSONAS.items()
    }
    pages = Pages()
    for each in made.values():
        each.fellows, each.pages = tuple(made.values()), pages
    return made


def give_scripts(scripts: Iterable[Script], mocks: Mapping[str, MockService[Persona]]) -> None:
    """Give each script to the persona that it is for; all of them can act."""
    for script in scripts:
        persona = mocks[script.persona].persona
        assert isinstance(persona, Talks)  # no other has events
        persona.player.add([script])
