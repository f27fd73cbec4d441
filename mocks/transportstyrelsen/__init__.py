"""Transportstyrelsen: takes certificates about fitness to drive, and revocations. Sends nothing."""

from typing import Final

from intyg.mocks.server.authority import Authority
from intyg.mocks.settings import MockSettings

__all__ = ["SETTINGS", "Transportstyrelsen"]

SETTINGS: Final = MockSettings(name="Transportstyrelsen", logical_address="TRANSP", part="TRANSP")


class Transportstyrelsen(Authority):
    """The types whose recipient is TRANSP."""

    SETTINGS = SETTINGS
