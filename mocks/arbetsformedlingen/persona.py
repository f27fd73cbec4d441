"""Arbetsförmedlingen: takes AF00213 and AF00251, and revocations. Sends nothing."""

from typing import Final

from intyg.mocks.server.plain import plain_authority

PERSONA: Final = plain_authority("Arbetsförmedlingen", "AF")
