"""An EHR: is told what happens to its certificates, and gets the messages about them."""

from intyg.mocks.journalsystem.persona import (
    SETTINGS,
    Arenden,
    Handelse,
    Journalsystem,
    MeddelandeTillVarden,
)

__all__ = ["SETTINGS", "Arenden", "Handelse", "Journalsystem", "MeddelandeTillVarden"]
