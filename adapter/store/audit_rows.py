"""The audit log's rows: added, read, never changed.

Rows stand in `CHAINS` chains, each certificate's in one of them. A row's hash covers the row, its
place in its chain and the hash before it; each chain's head says where it ends. Several chains,
because a transaction that adds a row holds its chain's head until it is committed: with a single
one, everything that is taken in would wait for every other commit in turn.

What the hashes are made of and with is not known here, see `adapter/audit/log.py`.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

import sqlalchemy as sa

from intyg.adapter.store import tables
from intyg.adapter.store.base import Transaction, is_id
from intyg.adapter.store.prepared import Prepared, insert, one_of, same, values_of

CHAINS: Final = 8
GENESIS: Final = "0" * 64
"""Stands before the first row of a chain."""


@dataclass(frozen=True)
class AuditEntry:
    """
    Who did what, when, about which certificate, and how it ended.

    Attributes:
        at: Aware UTC.
        action: Contract (`RegisterCertificate:3`), `deliver …` or `console …`.
        outcome: OK, INFO, ERROR, FAULT; of a delivery its outcome.
        detail: Codes: error id, rules; of a delivery to whom.
        intygs_id: The certificate; None where there is none, e.g. for lists.
        person: Keyed hash of the patient's number.
        sender: HSA-id of the calling system.
        actor: HSA-id of the person who signed, sent or asked.
        correlation_id: As in the log.
    """

    at: datetime
    action: str
    outcome: str
    detail: str
    intygs_id: str | None
    person: str | None
    sender: str | None
    actor: str | None
    correlation_id: str


@dataclass(frozen=True)
class AuditRow:
    """An entry in its place."""

    chain: int
    number: int  # in its chain, from 1
    entry: AuditEntry
    hash: str
    seq: int  # in the order in which rows came, over all chains


@dataclass(frozen=True)
class AuditHead:
    """Where a chain ends."""

    chain: int
    number: int  # of its last row
    hash: str  # of its last row
    seal: str  # that it was us who wrote so
    key_id: str  # which key; a name for it, not the key
    seq: int | None = None  # of its last row; None before there is one


Told: TypeAlias = Callable[[AuditHead], None]

_End: TypeAlias = tuple[int, str, int | None]
_END: Final = ("number", "hash", "seal", "seq")
"""Of a head what changes with each row."""


class Sealer(Protocol):
    """Makes what only the holder of the key can make."""

    key_id: str

    def hash(
        self, previous: str, chain: int, number: int, entry: AuditEntry, seq: int | None
    ) -> str:
        """Of a row in its place; `seq` is that of the row before it."""

    def seal(self, chain: int, number: int, row_hash: str, seq: int | None) -> str:
        """Of a chain's end; `seq` is its last row's."""


def chain_of(entry: AuditEntry) -> int:
    """All of one certificate in one chain; what is about none is spread."""
    key = entry.intygs_id or entry.correlation_id
    return hashlib.sha256(key.encode()).digest()[0] % CHAINS


class AuditRows:
    """The audit log's rows."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self._to_add: list[tuple[int, AuditEntry, Sealer, Told]] = []

    def add(self, entry: AuditEntry, sealer: Sealer, told: Told = lambda _: None) -> None:
        """
        Add an entry. It is written when the transaction ends, as the last thing before the commit,
        so that chains are held as short as can be, and always in the same order.

        Args:
            told: Called with the chain's new end, once that is committed.
        """
        if not self._to_add:
            self._transaction.at_end.append(self._write)
        self._to_add.append((chain_of(entry), entry, sealer, told))

    def _write(self) -> None:
        to_add = sorted(self._to_add, key=lambda one: one[0])
        ends = self._lock_ends([chain for chain, *_ in to_add], to_add[0][2])
        moved: dict[int, AuditHead] = {}
        for chain, entry, sealer, told in to_add:
            moved[chain] = head = self._append(chain, entry, sealer, ends[chain])
            ends[chain] = (head.number, head.hash, head.seq)
            self._transaction.after_commit.append(partial(told, head))
        _MOVE_HEAD.run_many(
            self._connection,
            [
                {"at": chain, **{f"to_{name}": getattr(head, name) for name in _END}}
                for chain, head in moved.items()
            ],
        )

    def _append(self, chain: int, entry: AuditEntry, sealer: Sealer, end: _End) -> AuditHead:
        number, previous, last = end
        number += 1
        row_hash = sealer.hash(previous, chain, number, entry, last)
        values = {"chain": chain, "number": number, **vars(entry), "hash": row_hash}
        # A row's own seq is known only when it is there: the row after it, and the chain's end,
        # are sealed with it.
        seq = _INSERT.run(self._connection, values).one()[0]
        seal = sealer.seal(chain, number, row_hash, seq)
        return AuditHead(chain, number, row_hash, seal, sealer.key_id, seq)

    def _lock_ends(self, chains: Sequence[int], sealer: Sealer) -> dict[int, _End]:
        """Number, hash and seq that chains end with; nobody else adds to them from now on."""
        found = self._ends(chains)
        if found.keys() != set(chains):
            self.begin(sealer)
            found = self._ends(chains)
        for chain in sorted(set(chains) - found.keys()):
            # Its end is gone, with whatever was before it: that stays to be seen.
            self._add_head(chain, 1, sealer)
            found |= self._ends([chain])
        return found

    def _ends(self, chains: Sequence[int]) -> dict[int, _End]:
        at = values_of(self._connection, sorted(set(chains)))
        rows = _LOCK_ENDS.run(self._connection, {"at": at}).rows
        return {chain: (number, row_hash, seq) for chain, number, row_hash, seq in rows}

    def begin(self, sealer: Sealer) -> None:
        """Begin every chain where none has begun; a single one that is not there has been lost."""
        if not self.heads():
            for chain in range(CHAINS):
                self._add_head(chain, 0, sealer)

    def _add_head(self, chain: int, number: int, sealer: Sealer) -> None:
        seal = sealer.seal(chain, number, GENESIS, None)
        head = AuditHead(chain, number, GENESIS, seal, sealer.key_id)
        self._transaction.insert_new(tables.audit_head, vars(head))

    def heads(self) -> tuple[AuditHead, ...]:
        """Every chain's end, in order of chains."""
        table = tables.audit_head
        rows = self._connection.execute(sa.select(table).order_by(table.c.chain))
        return tuple(map(_to_head, rows))

    def head(self, chain: int) -> AuditHead | None:
        """A chain's end."""
        table = tables.audit_head
        row = self._connection.execute(sa.select(table).where(table.c.chain == chain)).first()
        return _to_head(row) if row is not None else None

    def other_chains(self) -> frozenset[int]:
        """Those that rows stand in and that there should not be."""
        column = tables.audit.c.chain
        others = sa.select(column).where(sa.or_(column < 0, column >= CHAINS)).distinct()
        return frozenset(self._connection.scalars(others))

    def piece(self, chain: int, after: int | None, limit: int) -> list[AuditRow]:
        """
        The next rows of a chain, in order of their numbers.

        Args:
            after: Number of the row before them; None: from the first.
            limit: At most so many.
        """
        table = tables.audit
        select = sa.select(table).where(table.c.chain == chain).order_by(table.c.number)
        if after is not None:
            select = select.where(table.c.number > after)
        return list(self._select(select.limit(limit)))

    def newest(
        self, limit: int, before: int | None = None, *, action: str = "", who: str = ""
    ) -> list[AuditRow]:
        """
        The newest rows, the newest first.

        Args:
            before: Only those that were written before this place, `AuditRow.seq`.
            action: Only those whose action begins so.
            who: Only those of this actor or sender.
        """
        table = tables.audit
        select = sa.select(table).order_by(table.c.seq.desc()).limit(limit)
        if before is not None:
            select = select.where(table.c.seq < before)
        if action:
            select = select.where(table.c.action.startswith(action, autoescape=True))
        if who:
            select = select.where(sa.or_(table.c.actor == who, table.c.sender == who))
        return list(self._select(select))

    def find(self, intygs_id: str | None, limit: int) -> list[AuditRow]:
        """The newest rows, all or of one certificate; the oldest of them first."""
        table = tables.audit
        select = sa.select(table).order_by(table.c.seq.desc()).limit(limit)
        if intygs_id is not None:
            select = select.where(is_id(table.c.intygs_id, intygs_id))
        return list(self._select(select))[::-1]

    def _select(self, select: sa.Select[Any]) -> Iterator[AuditRow]:
        options = {"yield_per": 1000}
        for row in self._connection.execute(select, execution_options=options):
            entry = AuditEntry(**{name: getattr(row, name) for name in _FIELDS})
            yield AuditRow(row.chain, row.number, entry, row.hash, row.seq)


def _to_head(row: sa.Row[Any]) -> AuditHead:
    return AuditHead(row.chain, row.number, row.hash, row.seal, row.key_id, row.seq)


_FIELDS: Final = tuple(AuditEntry.__dataclass_fields__)
_INSERT: Final = insert(tables.audit, tables.audit.c.seq)
_LOCK_ENDS: Final = Prepared(
    lambda kind: (
        sa.select(*tables.audit_head.c["chain", "number", "hash", "seq"])
        .where(one_of(kind, tables.audit_head.c.chain, "at"))
        .order_by(tables.audit_head.c.chain)
        .with_for_update()
    )
)
_MOVE_HEAD: Final = same(
    sa.update(tables.audit_head)
    .where(tables.audit_head.c.chain == sa.bindparam("at"))
    .values(
        number=sa.bindparam("to_number"),
        hash=sa.bindparam("to_hash"),
        seal=sa.bindparam("to_seal"),
        seq=sa.bindparam("to_seq"),
    )
)
