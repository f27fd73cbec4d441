"""Queue a certificate for a recipient, when the guard lets it, and know who has it."""

from dataclasses import dataclass

from intyg.adapter.domain.delivery import Delivery, DeliveryState, NewDelivery
from intyg.adapter.domain.destination import Destination, DestinationRole
from intyg.adapter.domain.errors import UnknownRecipientError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.person import GuardDecision, PatientVerdict
from intyg.adapter.domain.texts import NO_ROUTE
from intyg.adapter.flows.services import Asked
from intyg.adapter.flows.shared.blocked import journal_block
from intyg.adapter.routing.recipients import NEVER_SENT_TO
from intyg.adapter.routing.table import Recipient
from intyg.adapter.store import Rows
from intyg.schemas.codes import Status

REGISTER = "RegisterCertificate"
REGISTER_MAJOR = 3
REGISTER_KEY = f"{REGISTER}:{REGISTER_MAJOR}"
"""Sending a certificate to an authority is a RegisterCertificate there."""

UNDER_WAY = frozenset({DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.HELD})
"""A certificate in one of these will reach the recipient unless something stops it."""

MAY_HAVE_ARRIVED = UNDER_WAY | {
    DeliveryState.DELIVERED,
    DeliveryState.UNKNOWN,
    DeliveryState.FAILED,  # an attempt that timed out can have arrived all the same
}
"""A recipient whose delivery is in one of these has it, may have it, or will get it."""


@dataclass(frozen=True)
class Sending:
    """What came of trying to queue a certificate."""

    decision: GuardDecision
    destination: Destination
    verdict: PatientVerdict


def send_on(
    rows: Rows,
    asked: Asked,
    stored: StoredIntyg,
    recipient: Recipient,
    inbound: Inbound,
    *,
    requested_by: str | None,
) -> Sending:
    """
    Queue a certificate for a recipient, byte for byte as it is stored.

    When the guard blocks it, the block is journalled and nothing is queued. When the guard cannot
    tell, it is queued: the guard is asked again before anything leaves.

    Args:
        requested_by: HSA-id of who sends it; None: the citizen.

    Raises:
        UnknownRecipientError: There is no route to an authority for it.
    """
    destination = asked.routes.find(REGISTER, REGISTER_MAJOR, recipient.logical_address)
    if destination is None or destination.role is not DestinationRole.AUTHORITY:
        raise UnknownRecipientError(NO_ROUTE.format(part=recipient.part, contract=REGISTER))
    intyg = stored.intyg
    decision, verdict = asked.guard.decision(intyg.patient, destination, flagged=stored.is_test)
    if decision is GuardDecision.BLOCK:
        journal_block(rows, stored, REGISTER_KEY, destination.name, verdict)
    else:
        delivery = NewDelivery(
            contract=REGISTER_KEY,
            logical_address=recipient.logical_address,
            intygs_id=intyg.intygs_id,
            patient=intyg.patient,
            body=stored.body,
            part=recipient.part,
            due_at=rows.now,
            requested_by=requested_by,
        )
        rows.deliveries.add(delivery, inbound.correlation_id)
    return Sending(decision, destination, verdict)


def accepted_by(rows: Rows, intygs_id: str) -> frozenset[str]:
    """
    The parts that have accepted a certificate.

    Care and the citizen hold it without being sent it: what SetCertificateStatus notes of them is
    kept and shown, and counts for nothing.
    """
    sent_to = {s.part for s in rows.intyg.statuses(intygs_id) if s.status is Status.SENTTO}
    return frozenset(sent_to - NEVER_SENT_TO)


def sent_towards(
    rows: Rows, intygs_id: str, states: frozenset[DeliveryState]
) -> frozenset[Recipient]:
    """
    The recipients that a delivery of it goes to and is in one of the states.

    One that has moved between two sendings is there with each of its addresses.
    """
    return frozenset(
        Recipient(d.new.part, d.new.logical_address)
        for d in rows.deliveries.find(intygs_id)
        if d.new.contract == REGISTER_KEY and d.state in states
    )


def may_have_arrived(rows: Rows, delivery: Delivery) -> bool:
    """Whether its receiver can have what a delivery carries; one under way may arrive."""
    match delivery.state:
        case DeliveryState.SENDING | DeliveryState.DELIVERED | DeliveryState.UNKNOWN:
            return True
        case DeliveryState.FAILED:  # thirty attempts: to be told of what it lacks harms no receiver
            return True
        case DeliveryState.WITHDRAWN:
            return False
        case _:  # refused or blocked says nothing of what an attempt before did
            attempts = rows.deliveries.attempts(delivery.id)
            return any(one.outcome.may_have_arrived for one in attempts)


def who_has(rows: Rows, stored: StoredIntyg) -> set[str]:
    """The parts that have a certificate, may have it, or will get it."""
    intygs_id = stored.intyg.intygs_id
    towards = sent_towards(rows, intygs_id, MAY_HAVE_ARRIVED)
    return {*accepted_by(rows, intygs_id), *(recipient.part for recipient in towards)}
