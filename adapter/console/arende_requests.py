"""Which questions a list is about: read from an address, as `/api` and the pages take it."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from intyg.adapter.console.delivery_requests import Text
from intyg.adapter.domain.arende import ArendeFilter, Atgard, Place, Turn
from intyg.adapter.domain.meddelande import Direction

_PLACE: Final = re.compile(r"(\d{1,18})\.(\d{1,18})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)


class Asker(StrEnum):
    """Who asked."""

    AUTHORITY = "authority"
    CARE = "care"


DIRECTIONS: Final = {
    Asker.AUTHORITY: Direction.TO_CARE,
    Asker.CARE: Direction.TO_RECIPIENT,
}


class ArendeWanted(BaseModel):
    """Which questions; all that is said must hold."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    unit: Text | None = Field(default=None, description="HSA-id; with the units under it")
    only: Text | None = Field(default=None, description="HSA-id of one of these")
    turn: Turn | None = Field(default=None, description=", ".join(Turn))
    atgard: Atgard | None = Field(
        default=None, description=f"{', '.join(Atgard)}; the last: what is handled"
    )
    amne: Text | None = Field(default=None, description="KOMPLT, AVSTMN, KONTKT or OVRIGT")
    asker: Asker | None = Field(default=None, description=", ".join(Asker))
    signer: Text | None = Field(default=None, description="HSA-id of who signed the certificate")
    forwarded: bool | None = Field(default=None, description="somebody was asked to go on with it")
    overdue: bool | None = Field(default=None, description="its last day for an answer has passed")
    before: str | None = Field(default=None, description="`next` of the last answer")

    @pydantic.field_validator("before")
    @classmethod
    def _is_place(cls, text: str | None) -> str | None:
        if text is not None and _PLACE.fullmatch(text) is None:
            raise ValueError("take `next` as it was answered")
        return text

    @property
    def place(self) -> Place | None:
        """Where the list goes on."""
        found = _PLACE.fullmatch(self.before or "")
        if found is None:
            return None
        return Place(_EPOCH + int(found[1]) * _TICK, int(found[2]))

    def filter(self, units: frozenset[str] | None, patient: str | None = None) -> ArendeFilter:
        """
        As the store takes it.

        Args:
            units: What `unit` means, as HSA-ids; None: every unit.
        """
        return ArendeFilter(
            units=units,
            patient=patient,
            handled=self.atgard is Atgard.NONE or self.turn is Turn.NOBODY,
            unit=self.only,
            turn=self.turn,
            atgard=self.atgard,
            amne=self.amne,
            asker=DIRECTIONS[self.asker] if self.asker else None,
            signer_id=self.signer,
            forwarded=self.forwarded,
            overdue=self.overdue,
        )


def as_text(place: Place) -> str:
    """What `ArendeWanted.before` is told."""
    return f"{(place.latest_at - _EPOCH) // _TICK}.{place.seq}"
