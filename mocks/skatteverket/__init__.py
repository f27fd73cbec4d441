"""Skatteverket: takes certificates and their revocations."""

from typing import Final

from mocks.authority import Authority
from mocks.clock import Clock, system_clock
from mocks.settings import MockSettings
from schemas.contract import Contracts
from schemas.intyg_type import IntygTypes

__all__ = ["SETTINGS", "Skatteverket"]

SETTINGS: Final = MockSettings(name="Skatteverket", logical_address="SKV", part="SKV")


class Skatteverket(Authority):
    """The types whose recipient is SKV; it sends no messages."""

    def __init__(
        self,
        contracts: Contracts,
        types: IntygTypes,
        settings: MockSettings = SETTINGS,
        clock: Clock = system_clock,
    ) -> None:
        super().__init__(contracts, types, settings, clock)
