"""What `/api` takes about deliveries, as pydantic reads it and `/api/openapi.json` tells it."""

from typing import Annotated, Final

import pydantic
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.delivery_filter import DeliveryFilter
from intyg.adapter.domain.way import WayCause
from intyg.adapter.flows.operate import MAX_REASON, MOST_AT_ONCE, Action, Order

STATES: Final = (*DeliveryState, *WayCause)
"""What `state` may be: a delivery's state, or why its way is stopped."""

Text = Annotated[str, Field(min_length=1, max_length=255)]


class Wanted(BaseModel):
    """Which deliveries; all that is said must hold."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    ids: list[Text] = Field(default=[], max_length=1000, description="of deliveries")
    state: list[str] = Field(
        default=[], description=f"any of these: {', '.join(STATES)}; the last three: what waits"
    )
    destination: Text | None = Field(default=None, description="its name in the routes")
    contract: Text | None = Field(default=None, description="RegisterCertificate, or with :3")
    code: Text | None = Field(default=None, description="of the last answer: VP007, 503, ERROR")
    error_id: Text | None = Field(default=None, alias="errorId")
    words: Text | None = Field(default=None, description="as `causes` have them")
    unit: Text | None = Field(default=None, description="HSA-id of the certificate's unit")
    intygs_id: Text | None = Field(default=None, alias="intygsId")
    since: AwareDatetime | None = Field(default=None, description="last changed then or later")
    until: AwareDatetime | None = Field(default=None, description="last changed before")

    @pydantic.field_validator("state")
    @classmethod
    def _known(cls, states: list[str]) -> list[str]:
        if unknown := sorted(set(states) - set(STATES)):
            raise ValueError(f"{unknown[0]} is none of {', '.join(STATES)}")
        causes = [state for state in states if state in set(WayCause)]
        if causes and len(states) > 1:
            raise ValueError(f"{causes[0]} stands alone")
        return states

    def filter(self) -> DeliveryFilter:
        """As the store takes it."""
        stopped = next((WayCause(one) for one in self.state if one in set(WayCause)), None)
        states = frozenset() if stopped else frozenset(map(DeliveryState, self.state))
        return DeliveryFilter(
            ids=tuple(self.ids),
            states=states,
            stopped=stopped,
            destination=self.destination,
            contract=self.contract,
            code=self.code,
            error_id=self.error_id,
            words=self.words,
            enhets_id=self.unit,
            intygs_id=self.intygs_id,
            since=self.since,
            until=self.until,
        )


class ActionRequest(Wanted):
    """An action for some deliveries; at least one thing must be said of them."""

    reason: str = Field(default="", max_length=MAX_REASON, description="why; no person in it")
    by: str = Field(default="", max_length=MAX_REASON, description="who")
    request_id: str = Field(
        default="", max_length=100, alias="requestId", description="the same twice is done once"
    )
    at_most: int = Field(default=MOST_AT_ONCE, ge=1, le=10_000, alias="atMost")
    per_second: float = Field(default=2.0, gt=0, le=1000, alias="perSecond")
    dry_run: bool = Field(default=False, alias="dryRun")

    @pydantic.model_validator(mode="after")
    def _not_everything(self) -> "ActionRequest":
        if self.filter() == DeliveryFilter():
            raise ValueError("say which deliveries")
        return self

    def order(self, action: Action) -> Order:
        """As the flow takes it."""
        return Order(
            action=action,
            wanted=self.filter(),
            reason=self.reason,
            by=self.by,
            request_id=self.request_id,
            at_most=self.at_most,
            per_second=self.per_second,
            dry_run=self.dry_run,
        )


class WayRequest(BaseModel):
    """Pause or resume a destination."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=MAX_REASON)
    by: str = Field(default="", max_length=MAX_REASON)


def fault_of(error: pydantic.ValidationError) -> str:
    """The first thing that is wrong, and where; never what was sent."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    said = first["msg"].removeprefix("Value error, ")
    return f"{place}: {said}" if place else said
