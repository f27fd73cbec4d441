"""Which deliveries a page is about: read from its address, and written into the next one's."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from intyg.adapter.console.delivery_requests import STATES, Wanted
from intyg.adapter.console.pages.address import address, said
from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.delivery_filter import CauseCount, DeliveryFilter
from intyg.adapter.store.delivery_search import NO_CODE
from intyg.adapter.store.tables import NOT_THERE

ALL: Final = "all"
NO_ROUTE: Final = "-"
PERIODS: Final[Mapping[str, timedelta]] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
STATES_SHOWN: Final = (ALL, *STATES)
FIELDS: Final = (
    "destination", "state", "contract", "period", "code", "errorId", "words", "unit", "intygsId",
)  # fmt: skip


@dataclass(frozen=True)
class Query:
    """
    What is asked for.

    Attributes:
        fields: As they stand in the address; those that say nothing are left out.
        as_list: One a row, not by cause.
        after: The place after which the list begins.
    """

    fields: Mapping[str, str]
    as_list: bool = False
    after: int = 0

    def filter(self, now: datetime) -> DeliveryFilter:
        """
        As the store takes it; what has not arrived, unless a state is said.

        Raises:
            pydantic.ValidationError: A field is wrong.
        """
        asked: dict[str, object] = {
            name: value for name, value in self.fields.items() if name not in _OWN
        }
        state, to = self.fields.get("state"), self.fields.get("destination")
        if state and state != ALL:
            asked["state"] = [state]
        wanted = Wanted.model_validate(asked).filter()
        if not state:
            wanted = replace(wanted, states=frozenset(NOT_THERE))
        if to:
            wanted = replace(wanted, destination="" if to == NO_ROUTE else to)
        length = PERIODS.get(self.fields.get("period", ""))
        return replace(wanted, since=now - length) if length else wanted

    def address(self, path: str, **more: object) -> str:
        """A path with these fields, and more of them; None and '' take one away."""
        return address(path, {**self.fields, **more})

    def of_cause(self, one: CauseCount) -> "Query":
        """Those of one cause."""
        group = {
            "destination": one.destination or NO_ROUTE,
            "contract": one.contract,
            "state": one.state.value,
            "code": one.code or NO_CODE,
            "words": one.words,
        }
        return Query({**self.fields, **group})


_OWN: Final = frozenset({"state", "destination", "period"})


def read_query(given: Mapping[str, str]) -> Query:
    """From the fields of an address or a form."""
    after = given.get("after", "")
    return Query(
        said(given, FIELDS),
        as_list=given.get("view") == "list",
        after=int(after) if after.isascii() and after.isdigit() else 0,
    )


def can(action: str, state: DeliveryState) -> bool:
    """Whether something may be done with deliveries of a state."""
    return state in _MAY[action]


_WAITING: Final = frozenset({DeliveryState.QUEUED, DeliveryState.HELD})
_MAY: Final[Mapping[str, frozenset[DeliveryState]]] = {
    "retry": _WAITING
    | {DeliveryState.REFUSED, DeliveryState.UNKNOWN, DeliveryState.FAILED, DeliveryState.BLOCKED},
    "give-up": _WAITING | {DeliveryState.UNKNOWN},
    "mark-delivered": frozenset(
        {DeliveryState.REFUSED, DeliveryState.UNKNOWN, DeliveryState.FAILED}
    ),
}
