"""The five personas, in the order in which they are told of: a table, and making them all."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from intyg.mocks.clock.clock import Clock, system_clock
from intyg.mocks.conversations import Script
from intyg.mocks.conversations.talker import Talker
from intyg.mocks.forsakringskassan import Forsakringskassan
from intyg.mocks.journalsystem import Journalsystem
from intyg.mocks.journalsystem.persona import SETTINGS as JOURNALSYSTEM
from intyg.mocks.server.agency import Agency
from intyg.mocks.server.authority import Authority
from intyg.mocks.settings import MockSettings
from intyg.mocks.skatteverket import Skatteverket
from intyg.mocks.socialstyrelsen import Socialstyrelsen
from intyg.mocks.transportstyrelsen import Transportstyrelsen
from intyg.mocks.wire.tls import AdapterTls
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes


@dataclass(frozen=True)
class Persona:
    """
    One of the mocks that can be started by name.

    Attributes:
        key: Its name in commands, settings and files; its folder here.
        settings: What it is unless told otherwise.
        make: From contracts, certificate types, settings and clock.
        port: Where it listens when it may choose.
    """

    key: str
    settings: MockSettings
    make: Callable[[Contracts, IntygTypes, MockSettings, Clock], Agency]
    port: int

    @property
    def is_authority(self) -> bool:
        """Whether certificates are sent to it."""
        return isinstance(self.make, type) and issubclass(self.make, Authority)


def _journalsystem(
    contracts: Contracts, _: IntygTypes, settings: MockSettings, clock: Clock
) -> Journalsystem:
    return Journalsystem(contracts, settings, clock)


_ROWS: Final = (
    Persona("forsakringskassan", Forsakringskassan.SETTINGS, Forsakringskassan, 8081),
    Persona("journalsystem", JOURNALSYSTEM, _journalsystem, 8082),
    Persona("transportstyrelsen", Transportstyrelsen.SETTINGS, Transportstyrelsen, 8083),
    Persona("skatteverket", Skatteverket.SETTINGS, Skatteverket, 8084),
    Persona("socialstyrelsen", Socialstyrelsen.SETTINGS, Socialstyrelsen, 8085),
)

PERSONAS: Final[Mapping[str, Persona]] = {row.key: row for row in _ROWS}
"""By key."""


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
) -> dict[str, Agency]:
    """
    All five, none of them running yet, by key.

    Args:
        adapter_url: Where the adapter serves its contracts; None: they send nothing.
        ca_files: CA certificates of signers; without any, no signature is verified.
        control_token: What their control interfaces want as Bearer; None: nothing.
        journal_file: SQLite file for their journals; None: they are kept in memory.
        run_by_client_certificate: Each client certificate has a run of its own.
        adapter_tls: Whom they believe at the adapter, and what they show.

    Raises:
        OSError, ValueError: A CA file or the journal's file cannot be used.
    """
    changes: dict[str, Any] = {
        "adapter_url": adapter_url,
        "adapter_tls": adapter_tls,
        "ca_files": ca_files,
        "control_token": control_token,
        "journal_file": journal_file,
        "run_by_client_certificate": run_by_client_certificate,
    }
    made = {
        key: each.make(contracts, types, replace(each.settings, **changes), clock)
        for key, each in PERSONAS.items()
    }
    for each in made.values():
        each.fellows = tuple(made.values())
    return made


def give_scripts(scripts: Iterable[Script], personas: Mapping[str, Agency]) -> None:
    """Give each script to the persona that it is for; all of them can act."""
    for script in scripts:
        persona = personas[script.persona]
        assert isinstance(persona, Talker)  # no other has events
        persona.player.add([script])
