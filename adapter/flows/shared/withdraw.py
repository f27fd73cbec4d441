"""Give up certificates that were revoked while they waited, when it is certain that none arrived.

A receiver that cannot have a certificate is sent neither it nor its revocation. What may have
arrived is sent all the same, then revoked, in that order: only so does the receiver know.
"""

from typing import Final

import structlog

from intyg.adapter.domain.delivery import Delivery, DeliveryState
from intyg.adapter.domain.log import shown
from intyg.adapter.domain.texts import NOTHING_TO_REVOKE, WITHDRAWN
from intyg.adapter.flows.shared.send_on import REGISTER_KEY, accepted_by, may_have_arrived
from intyg.adapter.store import Rows

REVOKE_KEY: Final = "RevokeCertificate:2"

WAITING: Final = frozenset({DeliveryState.QUEUED, DeliveryState.HELD})

_log = structlog.get_logger()


def withdraw_unsent(rows: Rows, intygs_id: str, correlation_id: str) -> None:
    """
    Withdraw a revoked certificate wherever it waits and cannot have arrived.

    What still waits afterwards may arrive: it may have done so before, or a worker is just taking
    it, which on PostgreSQL shows as a lock and not yet as a state.

    Args:
        correlation_id: Of the request that revoked it.
    """
    for one in rows.deliveries.find(intygs_id):
        if one.new.contract == REGISTER_KEY:
            _withdraw(rows, one, WITHDRAWN.format(correlation_id=correlation_id))


def withdraw_after_attempt(rows: Rows, delivery_id: str) -> None:
    """
    Look again at a certificate that was revoked during an attempt, which came to nothing.

    While the attempt was under way nobody knew, so its revocation was queued behind it: that one is
    withdrawn, too, when there is nothing to revoke.
    """
    tried = rows.deliveries.get(delivery_id)
    assert tried is not None
    stored = rows.intyg.lock(tried.new.intygs_id)
    if stored is None or stored.revoked_at is None:
        return
    queue = [
        one
        for one in rows.deliveries.find(tried.new.intygs_id)
        if one.new.logical_address == tried.new.logical_address
    ]
    revocations = [one for one in queue if one.new.contract == REVOKE_KEY]
    by = revocations[0].correlation_id if revocations else "(kept here by the guard)"
    _withdraw(rows, tried, WITHDRAWN.format(correlation_id=by))
    sent = [one for one in queue if one.new.contract == REGISTER_KEY]
    has_it = tried.new.part in accepted_by(rows, tried.new.intygs_id)
    if not has_it and not any(may_have_arrived(rows, one) for one in sent):
        for revocation in revocations:
            _withdraw(rows, revocation, NOTHING_TO_REVOKE)


def _withdraw(rows: Rows, delivery: Delivery, why: str) -> None:
    if delivery.state not in WAITING or may_have_arrived(rows, delivery):
        return
    if rows.deliveries.withdraw(delivery, why):
        _log.info(
            "delivery.withdrawn",
            **{
                "trace.id": shown(delivery.correlation_id),
                "intyg.id": shown(delivery.new.intygs_id),
                "intyg.contract": delivery.new.contract,
                "intyg.delivery_id": delivery.id,
                "intyg.detail": why,
            },
        )
