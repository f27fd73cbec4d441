"""
The journal: every call to a mock, also the refused, the broken and the waiting ones, byte for byte.

    entry      one call, and the verdict of each step of its check
    filters    the one language in which calls are looked for
    store      where they are kept: in memory, or in a SQLite file
    late       what the file cannot take at once
    journal    numbers, bounds, waiting
    verify     whether what was expected came, and if not, what came nearest
"""

from intyg.mocks.journal.entry import Entry, Step, Verdict
from intyg.mocks.journal.filters import Filter, FilterError
from intyg.mocks.journal.journal import Bounds, Dropped, Journal
from intyg.mocks.journal.verify import (
    Mismatch,
    Verification,
    nearest,
    verify,
    verify_order,
)
from intyg.mocks.rules.trace import AnswerState

__all__ = [
    "AnswerState",
    "Bounds",
    "Dropped",
    "Entry",
    "Filter",
    "FilterError",
    "Journal",
    "Mismatch",
    "Step",
    "Verdict",
    "Verification",
    "nearest",
    "verify",
    "verify_order",
]
