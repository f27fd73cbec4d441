"""What a delivery's outcome changes, beside the delivery itself.

SKICKA and the status SENTTO mean here that the authority has accepted the certificate. The national
services say SKICKA already when the sending is queued; here queued, accepted and refused are three
things, and the first and last of them are seen on the delivery alone.
"""

from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.intyg import IntygsStatus
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.send_on import REGISTER_KEY, accepted_by
from intyg.adapter.flows.shared.tell_care import tell_care
from intyg.adapter.store import Rows
from intyg.schemas.codes import Handelse, Status


def handle(rows: Rows, delivery: Delivery, outcome: Outcome, services: Services) -> None:
    """
    Record what follows from an outcome, in the transaction that records the outcome.

    Args:
        rows: That transaction.
        delivery: As it was claimed.
        outcome: What the attempt came to.
    """
    new = delivery.new
    if outcome.kind is OutcomeKind.DELIVERED and new.contract == REGISTER_KEY:
        _accepted(rows, delivery, services)
    elif outcome.kind is OutcomeKind.BLOCKED:
        to = _where(delivery, services)
        rows.blocks.add(new.intygs_id, new.contract, to, outcome.detail, services.clock())


def _where(delivery: Delivery, services: Services) -> str:
    """The destination's name, or the logical address if its route is gone."""
    name, _, major = delivery.new.contract.partition(":")
    address = delivery.new.logical_address
    found = services.routes.find(name, int(major), address)
    return found.name if found is not None else address


def _accepted(rows: Rows, delivery: Delivery, services: Services) -> None:
    """The authority has the certificate: told once, also when it was sent and accepted twice."""
    new = delivery.new
    stored = rows.intyg.lock(new.intygs_id)
    if stored is None:
        return
    if new.part not in accepted_by(rows, new.intygs_id):
        rows.intyg.add_status(
            new.intygs_id, IntygsStatus(Status.SENTTO, new.part, services.clock())
        )
    elif _delivered_before(rows, delivery):
        return  # otherwise SetCertificateStatus noted it, and nobody was told
    tell_care(
        rows,
        services,
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
