"""Försäkringskassan: takes certificates, and talks with care about them."""

from intyg.mocks.forsakringskassan.meddelanden import (
    Direction,
    Komplettering,
    Meddelande,
    State,
)
from intyg.mocks.forsakringskassan.persona import PERSONA, SETTINGS, Forsakringskassan

__all__ = [
    "PERSONA",
    "SETTINGS",
    "Direction",
    "Forsakringskassan",
    "Komplettering",
    "Meddelande",
    "State",
]
