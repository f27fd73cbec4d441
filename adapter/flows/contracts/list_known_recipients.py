"""ListKnownRecipients 1: everybody in the register of recipients, active or not."""

from lxml import etree

from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.answer_writers import write_recipients
from intyg.adapter.routing.recipients import RecipientRegister


def handle(inbound: Inbound, services: Services, _unit: UnitOfWork) -> etree._Element:
    """
    List them all. Care and the citizen are always known, so the list is never empty.

    Raises:
        SchemaError: Not as the contract wants it. A SOAP fault: the schema
            knows no answer without recipients.
    """
    validate(inbound, services.contracts)
    known = RecipientRegister(services.settings).all()
    return write_recipients(inbound.contract, known, with_type=False)
