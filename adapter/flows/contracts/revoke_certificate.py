"""RevokeCertificate 2: a certificate is revoked, and everyone who has it is told.

Where it still waits, and it is certain that no attempt arrived, it is not sent any more, and nobody
is told there. Where an attempt may have arrived it is sent, then revoked, in that order.
"""

from dataclasses import astuple

import structlog

from intyg.adapter.domain.delivery import NewDelivery
from intyg.adapter.domain.errors import TestPatientError
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.intyg import IntygsStatus, RevokeRequest, StoredIntyg
from intyg.adapter.domain.log import shown
from intyg.adapter.domain.texts import ALREADY_REVOKED
from intyg.adapter.flows.services import Asked, Services
from intyg.adapter.flows.shared.announce import announce_revoked
from intyg.adapter.flows.shared.blocked import answer_block, is_blocked
from intyg.adapter.flows.shared.fragor import move_fragor, revoke_fragor, telling_of
from intyg.adapter.flows.shared.known_intyg import (
    known_intyg,
    parent_of,
    related_intyg,
    relation_of,
)
from intyg.adapter.flows.shared.send_anew import send_anew
from intyg.adapter.flows.shared.send_on import (
    REGISTER_KEY,
    accepted_by,
    may_have_arrived,
)
from intyg.adapter.flows.shared.staff import refuse_staff
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.shared.withdraw import WAITING, withdraw_unsent
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.intyg_reader import read_revoke_certificate
from intyg.adapter.routing.table import Recipient
from intyg.adapter.rules.engine_events import Act
from intyg.adapter.store import Rows
from intyg.schemas.codes import Part, Status, TypAvRelation

_log = structlog.get_logger()


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> Result:
    """
    Revoke a certificate; queue the revocation for each recipient that has it or may have it.

    Returns:
        OK; INFO when it was revoked before (what did not arrive is sent once
        more), or where the settings want to be told that the guard kept it here.

    Raises:
        SchemaError: Not as the contract wants it.
        RuleError: The staff directory says that whoever revokes may not.
        TechnicalError: It does not answer.
        UnknownIntygError: No such certificate for this patient. The revocation
            can have overtaken the registration, so callers try again.
    """
    validate(inbound, services.contracts)
    request = read_revoke_certificate(inbound.element)
    _refuse_staff(inbound, services, unit, request)
    asked = services.ask(request.patient)
    return unit.write(lambda rows: _revoke(rows, asked, request, inbound))


def _refuse_staff(
    inbound: Inbound, services: Services, unit: UnitOfWork, request: RevokeRequest
) -> None:
    """Those revoke who sign."""
    by = request.skickat_av

    def find() -> StoredIntyg | None:
        return unit.read(lambda rows: rows.intyg.read_of(request.patient, request.intygs_id))

    where = f"/{inbound.contract.name}/skickatAv/personal-id"
    refuse_staff(services, by.personal_id, by.enhet.enhets_id, find, where, revokes=True)


def _revoke(
    rows: Rows, asked: Asked, request: RevokeRequest, inbound: Inbound
) -> Result | TestPatientError:
    stored = known_intyg(rows, request.intygs_id, request.patient)
    intygs_id = stored.intyg.intygs_id
    if stored.revoked_at is not None:
        again = send_anew(rows, intygs_id, inbound.contract.key, inbound.correlation_id)
        return again or Result.info(ALREADY_REVOKED)
    at, correlation_id = inbound.received_at, inbound.correlation_id
    by = request.skickat_av.personal_id
    rows.intyg.set_revoked(intygs_id, at)
    rows.intyg.add_status(intygs_id, IntygsStatus(Status.CANCEL, Part.HSVARD, at))
    announce_revoked(rows, stored, asked, correlation_id)
    withdraw_unsent(rows, intygs_id, correlation_id)
    revoke_fragor(rows, asked, stored, correlation_id, hanterat_av=by)
    blocked = [
        name
        for recipient in sorted(_have_it(rows, asked, stored), key=astuple)
        if (name := _forward(rows, asked, stored, recipient, inbound))
    ]
    parent = _completed_by(rows, asked, stored)
    if parent is not None:
        move_fragor(rows, asked, parent, Act.COMPLEMENT_REVOKED, correlation_id, hanterat_av=by)
    return answer_block(asked, inbound.contract, ", ".join(blocked)) if blocked else Result.ok()


def _have_it(rows: Rows, asked: Asked, stored: StoredIntyg) -> set[Recipient]:
    """
    Each recipient that has the certificate or may have it.

    The addresses are those it was sent to, so that the revocation stands in the same queue and
    cannot overtake it. A recipient that has moved meanwhile is told at each of them.
    """
    intygs_id = stored.intyg.intygs_id
    have_it = {
        Recipient(one.new.part, one.new.logical_address)
        for one in rows.deliveries.find(intygs_id)
        if one.new.contract == REGISTER_KEY
        and (one.state in WAITING or may_have_arrived(rows, one))  # what was not withdrawn
    }
    for part in sorted(accepted_by(rows, intygs_id) - {one.part for one in have_it}):
        address = asked.routes.recipient_address(part)
        if address is not None:
            have_it.add(Recipient(part, address))
        else:  # it has left the settings; nationally skipped too, and logged
            _log.warning(
                "revoke_certificate.not_told",
                **{"intyg.id": shown(intygs_id), "intyg.part": shown(part)},
            )
    return have_it


def _forward(
    rows: Rows,
    asked: Asked,
    stored: StoredIntyg,
    recipient: Recipient,
    inbound: Inbound,
) -> str | None:
    """
    Queue the request for a recipient as it arrived.

    Without a route it is queued all the same: the worker waits for one, and asks the guard then.

    Returns:
        The destination's name when the guard blocked it; that is journalled.
    """
    contract = inbound.contract
    destination = asked.routes.find(contract.name, contract.major, recipient.logical_address)
    if destination is not None and is_blocked(rows, asked, stored, contract.key, destination):
        return destination.name
    delivery = NewDelivery(
        contract=contract.key,
        logical_address=recipient.logical_address,
        intygs_id=stored.intyg.intygs_id,
        patient=stored.intyg.patient,
        body=inbound.body,
        part=recipient.part,
        due_at=rows.now,
    )
    rows.deliveries.add(delivery, inbound.correlation_id)
    return None


def _completed_by(rows: Rows, asked: Asked, stored: StoredIntyg) -> StoredIntyg | None:
    """The certificate whose requests are open again, now that this complement is revoked."""
    relation = relation_of(stored.intyg)
    if relation is None or relation.typ != TypAvRelation.KOMPLT:
        return None
    parent = parent_of(rows, stored.intyg)
    if parent is None or parent.revoked_at is not None:
        return None
    complements = [one.intyg.intygs_id for one in related_intyg(rows, parent, TypAvRelation.KOMPLT)]
    if telling_of(asked, parent, Act.COMPLEMENT_REVOKED).newest_only:
        complements = complements[-1:]
    return parent if stored.intyg.intygs_id in complements else None
