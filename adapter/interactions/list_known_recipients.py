"""ListKnownRecipients 1: everybody in the register of recipients, active or not."""

from lxml import etree

from adapter.answer_writers import write_recipients
from adapter.model import Inbound
from adapter.parts import Parts
from adapter.recipients import RecipientRegister
from adapter.validate import validate


def handle(inbound: Inbound, parts: Parts) -> etree._Element:
    """
    List them all. Care and the citizen are always known, so the list is never empty.

    Raises:
        SchemaError: Not as the contract wants it. A SOAP fault: the schema
            knows no answer without recipients.
    """
    validate(inbound, parts.contracts)
    known = RecipientRegister(parts.settings).all()
    return write_recipients(inbound.contract, known, with_type=False)
