"""What the table of the personas has of each: what it is, and how it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from intyg.mocks.clock.clock import Clock, system_clock
from intyg.mocks.server.place import Place
from intyg.mocks.server.service import MockService, P_co
from intyg.mocks.settings import MockSettings
from intyg.schemas.codes import Part
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes


@dataclass(frozen=True)
class PersonaKind(Generic[P_co]):
    """
    One of the personas.

    Attributes:
        settings: What it is unless told otherwise.
        build: Makes it, where it is to stand.
    """

    settings: MockSettings
    build: Callable[[Place], P_co]

    def make(
        self,
        contracts: Contracts,
        types: IntygTypes,
        settings: MockSettings | None = None,
        clock: Clock = system_clock,
    ) -> MockService[P_co]:
        """
        A mock of it.

        Args:
            contracts: The contracts' schemas.
            types: The certificate types and their rules.
            settings: Name, address, bounds; None: its own.
            clock: Stamps what is kept; injected in tests.

        Raises:
            OSError, ValueError: A CA file or the journal's file cannot be used.
        """
        place = Place(contracts, types, settings or self.settings, clock)
        return MockService(self.build(place))

    @property
    def is_authority(self) -> bool:
        """Whether certificates are sent to it."""
        return self.settings.part != Part.HSVARD
