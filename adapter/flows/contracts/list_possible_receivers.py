"""ListPossibleReceivers 1: whom certificates of a type can be sent to."""

from lxml import etree

from intyg.adapter.domain.inbound import Inbound
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared.receivers import type_named
from intyg.adapter.flows.shared.validate import validate
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.formats.answer_writers import write_receivers
from intyg.adapter.formats.query_readers import read_list_possible_receivers
from intyg.adapter.routing.recipients import RecipientRegister


def handle(inbound: Inbound, services: Services, _unit: UnitOfWork) -> etree._Element:
    """
    List the active recipients that take the type: none for a type that is not known.

    Raises:
        SchemaError: Not as the contract wants it.
    """
    validate(inbound, services.contracts)
    intyg_type = type_named(read_list_possible_receivers(inbound.element), services)
    possible = RecipientRegister(services.settings).possible(intyg_type) if intyg_type else ()
    return write_receivers(inbound.contract, [(known, None) for known in possible])
