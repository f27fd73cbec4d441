"""GetRecipientsForCertificate 1: whom the citizen may send a certificate to."""

from collections.abc import Mapping

from lxml import etree

from adapter.answer_writers import write_recipients
from adapter.errors import UnknownRecipientError
from adapter.interactions.receivers import type_named
from adapter.model import Inbound
from adapter.parts import Parts
from adapter.query_readers import read_get_recipients_for_certificate
from adapter.recipients import KnownRecipient, RecipientRegister
from adapter.settings import RecipientKind
from adapter.texts import NO_RECIPIENT
from adapter.validate import validate


def handle(inbound: Inbound, parts: Parts) -> etree._Element:
    """
    List those that care has approved; where care has said nothing, the type's main recipient.

    Raises:
        SchemaError: Not as the contract wants it.
        UnknownRecipientError: There is none, or no such type. A SOAP fault:
            the national answer, a result without recipients, is not valid by
            the contract's schema.
    """
    validate(inbound, parts.contracts)
    intygs_id, typ = read_get_recipients_for_certificate(inbound.element)
    intyg_type = type_named(typ, parts)
    possible = RecipientRegister(parts.settings).possible(intyg_type) if intyg_type else ()
    with parts.store.read() as rows:
        approvals = rows.approvals(intygs_id)
    chosen = [one for one in possible if _chosen(one, approvals)]
    if not chosen:
        raise UnknownRecipientError(NO_RECIPIENT)
    return write_recipients(inbound.contract, chosen, with_type=True)


def _chosen(recipient: KnownRecipient, approvals: Mapping[str, str]) -> bool:
    if not approvals:
        return recipient.kind is RecipientKind.HUVUDMOTTAGARE
    return approvals.get(recipient.part) == "YES"
