"""Transportstyrelsen: takes certificates about fitness to drive, and revocations. Sends nothing."""

from typing import Final

from mocks.authority import Authority
from mocks.settings import MockSettings

__all__ = ["SETTINGS", "Transportstyrelsen"]

SETTINGS: Final = MockSettings(name="Transportstyrelsen", logical_address="TRANSP", part="TRANSP")


class Transportstyrelsen(Authority):
    """The types whose recipient is TRANSP."""

    SETTINGS = SETTINGS
