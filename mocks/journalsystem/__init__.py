"""An EHR: is told what happens to its certificates, and gets the messages about them."""

from intyg.mocks.journalsystem.persona import (
    PERSONA,
    SETTINGS,
    Arenden,
    Handelse,
    Journalsystem,
    MeddelandeTillVarden,
)

__all__ = ["PERSONA", "SETTINGS", "Arenden", "Handelse", "Journalsystem", "MeddelandeTillVarden"]
