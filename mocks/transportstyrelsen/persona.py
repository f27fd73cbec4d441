"""Transportstyrelsen: takes certificates about fitness to drive, and revocations. Sends nothing."""

from typing import Final

from intyg.mocks.server.plain import plain_authority

PERSONA: Final = plain_authority("Transportstyrelsen", "TRANSP")
