"""A caller repeats what did not arrive: it is sent once more."""

from dataclasses import replace
from typing import Final

from intyg.adapter.domain.delivery import Delivery, DeliveryState
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.texts import SENT_ANEW
from intyg.adapter.store import Rows

ENDED: Final = frozenset({DeliveryState.REFUSED, DeliveryState.FAILED, DeliveryState.UNKNOWN})
"""Nobody sends it any more, and it has not been accepted. What the guard blocked is not there."""


def send_anew(
    rows: Rows,
    intygs_id: str,
    contract: str,
    correlation_id: str,
    *,
    meddelande_id: str | None = None,
) -> Result | None:
    """
    Make a new delivery of each that ended without arriving, as it was.

    Args:
        contract: Of the delivery, `RevokeCertificate:2`.
        meddelande_id: Of the message that it carries, if it carries one.

    Returns:
        INFO that says so; None when there is none.
    """
    ended = [one for one in _newest(rows, intygs_id, contract, meddelande_id) if one.state in ENDED]
    for one in ended:
        rows.deliveries.add(replace(one.new, due_at=rows.now), correlation_id)
    if not ended:
        return None
    return Result.info(SENT_ANEW.format(parts=", ".join(sorted({one.new.part for one in ended}))))


def _newest(
    rows: Rows, intygs_id: str, contract: str, meddelande_id: str | None
) -> tuple[Delivery, ...]:
    """The last delivery to each address."""
    newest = {
        one.new.logical_address: one
        for one in rows.deliveries.find(intygs_id)
        if (one.new.contract, one.new.meddelande_id) == (contract, meddelande_id)
    }
    return tuple(newest.values())
