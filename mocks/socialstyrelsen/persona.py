"""Socialstyrelsen: takes Dödsorsaksintyg (DOI), and revocations. Sends nothing."""

from typing import Final

from intyg.mocks.server.plain import plain_authority

PERSONA: Final = plain_authority("Socialstyrelsen", "SOS")
