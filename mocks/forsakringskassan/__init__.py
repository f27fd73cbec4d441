"""Försäkringskassan: takes certificates, and talks with care about them."""

from intyg.mocks.forsakringskassan.meddelanden import (
    Direction,
    Komplettering,
    Meddelande,
    State,
)
from intyg.mocks.forsakringskassan.persona import SETTINGS, Forsakringskassan

__all__ = [
    "SETTINGS",
    "Direction",
    "Forsakringskassan",
    "Komplettering",
    "Meddelande",
    "State",
]
