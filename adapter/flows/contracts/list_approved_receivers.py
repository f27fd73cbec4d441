"""ListApprovedReceivers 1: what care has said of a certificate's receivers."""

from lxml import etree

from intyg.adapter.domain.errors import UnknownIntygError
from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.domain.texts import NO_INTYGS_ID
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.answer_writers import write_receivers
from intyg.adapter.formats.query_readers import read_list_approved_receivers
from intyg.adapter.routing.recipients import RecipientRegister


def handle(inbound: Inbound, services: Services, unit: UnitOfWork) -> etree._Element:
    """
    List each receiver that care has said YES, NO or UNDEFINED of; none where it has said nothing.

    A receiver that has left the register since is left out: nothing can be sent there.

    Raises:
        SchemaError: Not as the contract wants it.
        UnknownIntygError: The id is empty.
    """
    validate(inbound, services.contracts)
    intygs_id = read_list_approved_receivers(inbound.element)
    if not intygs_id:
        raise UnknownIntygError(NO_INTYGS_ID)
    register = RecipientRegister(services.settings)
    approvals = unit.read(lambda rows: rows.approvals.of_intyg(intygs_id))
    return write_receivers(
        inbound.contract,
        [(known, status) for part, status in approvals.items() if (known := register.get(part))],
    )
