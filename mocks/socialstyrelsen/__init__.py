"""Socialstyrelsen: takes Dödsorsaksintyg (DOI), and revocations. Sends nothing."""

from typing import Final

from intyg.mocks.server.authority import Authority
from intyg.mocks.settings import MockSettings

__all__ = ["SETTINGS", "Socialstyrelsen"]

SETTINGS: Final = MockSettings(name="Socialstyrelsen", logical_address="SOS", part="SOS")


class Socialstyrelsen(Authority):
    """The types whose recipient is SOS."""

    SETTINGS = SETTINGS
