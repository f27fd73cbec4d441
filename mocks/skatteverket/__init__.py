"""Skatteverket: takes Dödsbevis (DB), and revocations. Sends nothing."""

from typing import Final

from intyg.mocks.server.authority import Authority
from intyg.mocks.settings import MockSettings

__all__ = ["SETTINGS", "Skatteverket"]

SETTINGS: Final = MockSettings(name="Skatteverket", logical_address="SKV", part="SKV")


class Skatteverket(Authority):
    """The types whose recipient is SKV."""

    SETTINGS = SETTINGS
