"""GetRecipientsForCertificate 1: whom the citizen may send a certificate to."""

from collections.abc import Mapping

from lxml import etree

from intyg.adapter.domain.errors import UnknownRecipientError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.recipient import KnownRecipient, RecipientKind
from intyg.adapter.domain.texts import NO_RECIPIENT
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.receivers import type_named
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.answer_writers import write_recipients
from intyg.adapter.formats.query_readers import read_get_recipients_for_certificate
from intyg.adapter.routing.recipients import RecipientRegister


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> etree._Element:
    """
    List those that care has approved; where care has said nothing, the type's main recipient.

    Raises:
        SchemaError: Not as the contract wants it.
        UnknownRecipientError: There is none, or no such type. A SOAP fault:
            the national answer, a result without recipients, is not valid by
            the contract's schema.
    """
    validate(inbound, services.contracts)
    intygs_id, typ = read_get_recipients_for_certificate(inbound.element)
    intyg_type = type_named(typ, services)
    possible = RecipientRegister(services.settings).possible(intyg_type) if intyg_type else ()
    approvals = unit.read(lambda rows: rows.approvals.of_intyg(intygs_id))
    chosen = [one for one in possible if _chosen(one, approvals)]
    if not chosen:
        raise UnknownRecipientError(NO_RECIPIENT)
    return write_recipients(inbound.contract, chosen, with_type=True)


def _chosen(recipient: KnownRecipient, approvals: Mapping[str, str]) -> bool:
    if not approvals:
        return recipient.kind is RecipientKind.HUVUDMOTTAGARE
    return approvals.get(recipient.part) == "YES"
