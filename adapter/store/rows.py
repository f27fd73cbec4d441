"""All rows of one transaction."""

from intyg.adapter.store.audit_rows import AuditRows
from intyg.adapter.store.block_rows import Block, BlockRows, Hold
from intyg.adapter.store.delivery_rows import Attempt, DeliveryRows
from intyg.adapter.store.meddelande_rows import MeddelandeRows
from intyg.adapter.store.receiver_rows import ReceiverRows
from intyg.adapter.store.search_rows import SearchRows

__all__ = ["Attempt", "Block", "Hold", "Rows"]


class Rows(DeliveryRows, BlockRows, MeddelandeRows, ReceiverRows, SearchRows, AuditRows):
    """
    All rows of one transaction.

    Every method runs inside the transaction of the `with` block that gave the object, and nothing
    is kept unless that block ends without an error.
    """
