"""What the parts of a mock have in common: settings, schemas, time, rules and one lock."""

import threading
from typing import Final

from intyg.mocks.clock.clock import Clock, system_clock
from intyg.mocks.clock.timeline import Timeline
from intyg.mocks.rules import trouble
from intyg.mocks.rules.book import RuleBook
from intyg.mocks.rules.model import Rule
from intyg.mocks.settings import ANY, MockSettings
from intyg.mocks.wire.ids import same_hsa_id
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes


class Place:
    """
    Where a mock stands.

    Args:
        contracts: The contracts' schemas.
        types: The certificate types and their rules.
        settings: Name, address, bounds.
        clock: Stamps what is kept; injected in tests.

    Attributes:
        book: The behaviour rules.
        lock: Guards what the mock keeps: check and change are one step.
    """

    def __init__(
        self,
        contracts: Contracts,
        types: IntygTypes,
        settings: MockSettings,
        clock: Clock = system_clock,
    ) -> None:
        self.contracts: Final = contracts
        self.types: Final = types
        self.settings = settings
        self.timeline: Final = Timeline.of(clock)
        self.lock: Final = threading.RLock()
        self.book: Final = RuleBook(lambda facts: self.trouble_at(facts.logical_address))

    def trouble_at(self, logical_address: str | None) -> Rule | None:
        """The rule behind a trouble address; None: it is none of the mock's."""
        settings = self.settings
        return trouble.find(logical_address, settings.part, settings.logical_address)

    def takes_address(self, logical_address: str | None) -> bool:
        """Its own logical address, one of its trouble addresses, or one that a rule names."""
        return (
            self.settings.logical_address == ANY
            or same_hsa_id(self.settings.logical_address, logical_address)
            or self.trouble_at(logical_address) is not None
            or self.book.speak_of(logical_address)
        )

    def another(self, settings: MockSettings) -> "Place":
        """One like this with other settings, and no rules yet."""
        return Place(self.contracts, self.types, settings, self.timeline)
