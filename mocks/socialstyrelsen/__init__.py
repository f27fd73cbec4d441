"""Socialstyrelsen: takes Dödsorsaksintyg (DOI), and revocations. Sends nothing."""

from typing import Final

from mocks.authority import Authority
from mocks.settings import MockSettings

__all__ = ["SETTINGS", "Socialstyrelsen"]

SETTINGS: Final = MockSettings(name="Socialstyrelsen", logical_address="SOS", part="SOS")


class Socialstyrelsen(Authority):
    """The types whose recipient is SOS."""

    SETTINGS = SETTINGS
