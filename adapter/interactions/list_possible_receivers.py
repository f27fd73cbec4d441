"""ListPossibleReceivers 1: whom certificates of a type can be sent to."""

from lxml import etree

from adapter.answer_writers import write_receivers
from adapter.interactions.receivers import type_named
from adapter.model import Inbound
from adapter.parts import Parts
from adapter.query_readers import read_list_possible_receivers
from adapter.recipients import RecipientRegister
from adapter.validate import validate


def handle(inbound: Inbound, parts: Parts) -> etree._Element:
    """
    List the active recipients that take the type: none for a type that is not known.

    Raises:
        SchemaError: Not as the contract wants it.
    """
    validate(inbound, parts.contracts)
    intyg_type = type_named(read_list_possible_receivers(inbound.element), parts)
    possible = RecipientRegister(parts.settings).possible(intyg_type) if intyg_type else ()
    return write_receivers(inbound.contract, [(known, None) for known in possible])
