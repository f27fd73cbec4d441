"""All rows of one transaction."""

from adapter.store.delivery_rows import Attempt, Block, DeliveryRows
from adapter.store.meddelande_rows import MeddelandeRows

__all__ = ["Attempt", "Block", "Rows"]


class Rows(DeliveryRows, MeddelandeRows):
    """
    All rows of one transaction.

    Every method runs inside the transaction of the `with` block that gave the object, and nothing
    is kept unless that block ends without an error.
    """
