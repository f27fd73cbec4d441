"""What the table of the personas has of each: what it is, and how it is made."""

from collections.abc import Callable
from dataclasses import dataclass

from intyg.mocks.clock.clock import Clock, system_clock
from intyg.mocks.server.agency import Agency
from intyg.mocks.settings import MockSettings
from intyg.schemas.codes import Part
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes


@dataclass(frozen=True)
class PersonaKind:
    """
    One of the mocks that can be started by name.

    Attributes:
        settings: What it is unless told otherwise.
        build: From contracts, certificate types, settings and clock.
    """

    settings: MockSettings
    build: Callable[[Contracts, IntygTypes, MockSettings, Clock], Agency]

    def make(
        self,
        contracts: Contracts,
        types: IntygTypes,
        settings: MockSettings | None = None,
        clock: Clock = system_clock,
    ) -> Agency:
        """A mock of it; with its own settings, unless it is given others."""
        return self.build(contracts, types, settings or self.settings, clock)

    @property
    def is_authority(self) -> bool:
        """Whether certificates are sent to it."""
        return self.settings.part != Part.HSVARD
