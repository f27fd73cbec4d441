"""Rows and transactions: the only package that knows SQLAlchemy.

    tables.py  what the database holds
    rows.py    what can be done inside one transaction; each `…_rows.py` holds a part of it
    engine.py  `Store`: connections, transactions, claims, waking the workers
    upkeep.py  what a database needs beside its rows: room, its file, copies, its journal

Nothing here logs, and no error text holds a value from a row: rows are person data.
"""

from intyg.adapter.store.audit_rows import AuditEntry, AuditHead, AuditRow
from intyg.adapter.store.backup import Copied, Missing
from intyg.adapter.store.block_rows import Block, Hold
from intyg.adapter.store.delivery_rows import Attempt, Ended
from intyg.adapter.store.engine import Store, database_version
from intyg.adapter.store.faults import (
    CannotWriteError,
    ConstraintError,
    DamagedError,
    DiskFullError,
    DuplicateRow,
    LeaseLostError,
    NewerTablesError,
    UnreleasedTablesError,
    WrongEnvironmentError,
)
from intyg.adapter.store.own_file import Seen, file_of, lock_of, seen_of
from intyg.adapter.store.rows import Rows
from intyg.adapter.store.sjukfall_rows import Line
from intyg.adapter.store.statistics_rows import FactFilter, IntygFact

__all__ = [
    "Attempt",
    "AuditEntry",
    "AuditHead",
    "AuditRow",
    "Block",
    "CannotWriteError",
    "ConstraintError",
    "Copied",
    "DamagedError",
    "DiskFullError",
    "DuplicateRow",
    "Ended",
    "FactFilter",
    "Hold",
    "IntygFact",
    "LeaseLostError",
    "Line",
    "Missing",
    "NewerTablesError",
    "Rows",
    "Seen",
    "Store",
    "UnreleasedTablesError",
    "WrongEnvironmentError",
    "database_version",
    "file_of",
    "lock_of",
    "seen_of",
]
