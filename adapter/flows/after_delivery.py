"""What a delivery's outcome changes, beside the delivery itself.

SKICKA and the status SENTTO mean here that the authority has accepted the certificate. The national
services say SKICKA already when the sending is queued; here queued, accepted and refused are three
things, and the first and last of them are seen on the delivery alone. So a certificate can be
accepted after it was revoked; SKICKA is not told then: nothing follows MAKULE but what closes.
"""

from collections.abc import Callable

from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.intyg import IntygsStatus
from intyg.adapter.flows.services import Asked, Services
from intyg.adapter.flows.shared.announce import announce_delivery, announce_sent, announce_ways
from intyg.adapter.flows.shared.send_on import REGISTER_KEY, accepted_by
from intyg.adapter.flows.shared.tell_care import tell_care
from intyg.adapter.flows.shared.withdraw import withdraw_after_attempt
from intyg.adapter.store import Rows
from intyg.schemas.codes import Handelse, Status


def handle(
    delivery: Delivery, outcome: Outcome, services: Services
) -> Callable[[Rows, Delivery], None]:
    """
    Ask what must be known for what follows from an outcome, before the transaction.

    Args:
        delivery: As it was claimed.
        outcome: What the attempt came to.

    Returns:
        What writes it, in the transaction that records the outcome; of the delivery as recorded.
    """
    follow = _follow(delivery, outcome, services)

    def write(rows: Rows, recorded: Delivery) -> None:
        follow(rows, recorded)
        announce_delivery(rows, recorded, services)
        announce_ways(rows, services, recorded.correlation_id)

    return write


def _follow(
    delivery: Delivery, outcome: Outcome, services: Services
) -> Callable[[Rows, Delivery], None]:
    new = delivery.new
    if outcome.kind is OutcomeKind.DELIVERED and new.contract == REGISTER_KEY:
        asked = services.ask(new.patient)
        return lambda rows, recorded: _accepted(rows, asked, recorded)
    if outcome.kind is OutcomeKind.BLOCKED:
        to, why = _where(delivery, services), outcome.detail
        return lambda rows, recorded: _blocked(rows, recorded, to, why)
    if new.contract == REGISTER_KEY and not outcome.may_have_arrived:
        return lambda rows, recorded: withdraw_after_attempt(rows, recorded.id)
    return lambda *_: None


def _blocked(rows: Rows, delivery: Delivery, to: str, why: str) -> None:
    new = delivery.new
    rows.blocks.add(new.intygs_id, new.contract, to, why, rows.now)
    if new.contract == REGISTER_KEY:
        withdraw_after_attempt(rows, delivery.id)


def _where(delivery: Delivery, services: Services) -> str:
    """The destination's name, or the logical address if its route is gone."""
    name, _, major = delivery.new.contract.partition(":")
    address = delivery.new.logical_address
    found = services.routes.find(name, int(major), address)
    return found.name if found is not None else address


def _accepted(rows: Rows, asked: Asked, delivery: Delivery) -> None:
    """The authority has the certificate: told once, also when it was sent and accepted twice."""
    new = delivery.new
    stored = rows.intyg.lock(new.intygs_id)
    if stored is None:
        return
    if new.part not in accepted_by(rows, new.intygs_id):
        rows.intyg.add_status(new.intygs_id, IntygsStatus(Status.SENTTO, new.part, rows.now))
        announce_sent(rows, stored, new.part, asked, delivery.correlation_id)
    elif _delivered_before(rows, delivery):
        return  # otherwise SetCertificateStatus noted it, and nobody was told
    if stored.revoked_at is not None:
        return
    tell_care(
        rows,
        asked,
        stored,
        Handelse.SKICKA,
        delivery.correlation_id,
        hanterat_av=new.requested_by,
    )


def _delivered_before(rows: Rows, delivery: Delivery) -> bool:
    """Whether another delivery of the same certificate to the same part has been accepted."""
    return any(
        one.id != delivery.id
        and (one.new.contract, one.new.part) == (REGISTER_KEY, delivery.new.part)
        and one.state is DeliveryState.DELIVERED
        for one in rows.deliveries.find(delivery.new.intygs_id)
    )
