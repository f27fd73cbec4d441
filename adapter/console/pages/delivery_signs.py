"""Where a delivery stands: the colour of its chip, and its word."""

from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.way import WayCause


def state_of(state: DeliveryState, tried: bool, stopped: WayCause | None = None) -> tuple[str, str]:
    """
    Colour and word.

    Args:
        tried: Whether an attempt has been made.
        stopped: Why its way is stopped, where it waits for that.
    """
    if stopped is not None:
        return "parked", "paused" if stopped is WayCause.PAUSED else "parked"
    match state:
        case DeliveryState.QUEUED:
            return ("retrying", "retrying") if tried else ("waiting", "waiting")
        case DeliveryState.FAILED:
            return "refused", "failed"
        case DeliveryState.WITHDRAWN:
            return "waiting", "withdrawn"
    return state.value, state.value
