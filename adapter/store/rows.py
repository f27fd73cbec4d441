"""All rows of one transaction."""

from intyg.adapter.store.approval_rows import ApprovalRows
from intyg.adapter.store.arende_rows import ArendeRows
from intyg.adapter.store.audit_rows import AuditRows
from intyg.adapter.store.base import Transaction
from intyg.adapter.store.block_rows import BlockRows
from intyg.adapter.store.course_rows import CourseRows
from intyg.adapter.store.delivery_rows import DeliveryRows
from intyg.adapter.store.delivery_search import DeliverySearch
from intyg.adapter.store.draft_rows import DraftRows
from intyg.adapter.store.event_rows import EventRows
from intyg.adapter.store.intyg_rows import IntygRows
from intyg.adapter.store.leftover_rows import LeftoverRows
from intyg.adapter.store.meddelande_rows import MeddelandeRows
from intyg.adapter.store.operation_rows import OperationRows
from intyg.adapter.store.overview_rows import OverviewRows
from intyg.adapter.store.search_rows import SearchRows
from intyg.adapter.store.sjukfall_rows import SjukfallRows
from intyg.adapter.store.statistics_rows import StatisticsRows
from intyg.adapter.store.way_rows import WayRows


class Rows:
    """
    All rows of one transaction, by what they are of.

    Every method runs inside the transaction that gave the object, and nothing is kept unless that
    ends without an error.

    Attributes:
        transaction: What they share.
        now: When it began, aware UTC; nobody else asks for the time in it.
        intyg: Certificates and their state history.
        drafts: Certificates that nobody has signed yet.
        approvals: Which receivers care has approved for a certificate.
        ways: Where the outbox leads, and what is stopped there.
        deliveries: The outbox.
        search: The outbox by what is asked for.
        leftovers: What of the outbox is finished.
        operations: What operators asked for.
        meddelanden: Questions, answers and reminders.
        arenden: Questions, as a unit follows them up.
        events: What care is told.
        blocks: What the guard stopped.
        audit: The audit log's own.
        course: How questions, deliveries and events fare, counted.
        sjukfall: Cases of sick leave.
        statistics: What other reports are made of.
        overview: Counts over all of it.
        ids: What an id is of.
    """

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self.now = transaction.now
        self.intyg = IntygRows(transaction)
        self.drafts = DraftRows(transaction)
        self.approvals = ApprovalRows(transaction)
        self.ways = WayRows(transaction)
        self.deliveries = DeliveryRows(transaction, self.intyg, self.ways)
        self.search = DeliverySearch(transaction)
        self.leftovers = LeftoverRows(transaction)
        self.operations = OperationRows(transaction)
        self.meddelanden = MeddelandeRows(transaction)
        self.arenden = ArendeRows(transaction)
        self.events = EventRows(transaction)
        self.blocks = BlockRows(transaction)
        self.audit = AuditRows(transaction)
        self.course = CourseRows(transaction)
        self.sjukfall = SjukfallRows(transaction)
        self.statistics = StatisticsRows(transaction, self.intyg, self.sjukfall)
        self.overview = OverviewRows(transaction)
        self.ids = SearchRows(transaction)
