"""ListApprovedReceivers 1: what care has said of a certificate's receivers."""

from lxml import etree

from adapter.answer_writers import write_receivers
from adapter.errors import UnknownIntygError
from adapter.model import Inbound
from adapter.parts import Parts
from adapter.query_readers import read_list_approved_receivers
from adapter.recipients import RecipientRegister
from adapter.texts import NO_INTYGS_ID
from adapter.validate import validate


def handle(inbound: Inbound, parts: Parts) -> etree._Element:
    """
    List each receiver that care has said YES, NO or UNDEFINED of; none where it has said nothing.

    A receiver that has left the register since is left out: nothing can be sent there.

    Raises:
        SchemaError: Not as the contract wants it.
        UnknownIntygError: The id is empty.
    """
    validate(inbound, parts.contracts)
    intygs_id = read_list_approved_receivers(inbound.element)
    if not intygs_id:
        raise UnknownIntygError(NO_INTYGS_ID)
    register = RecipientRegister(parts.settings)
    with parts.store.read() as rows:
        approvals = rows.approvals(intygs_id)
    return write_receivers(
        inbound.contract,
        [(known, status) for part, status in approvals.items() if (known := register.get(part))],
    )
