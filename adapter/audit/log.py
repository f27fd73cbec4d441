"""The audit log: who did what, when, about which certificate, and how it ended.

Each call about a certificate or a patient, each delivery that came to an end and each mark set in
the console adds an entry, in the transaction of what it records: there is neither without the
other, and nothing is shown that is not recorded. Requests that are no messages of their contract
are in the log alone, since nothing can be known of them.

Entries are chained: HMAC-SHA-256 over the row, its place and the hash before it, under a key that
is not in the database. `verify` finds every row that was changed, removed, moved or added by
somebody without the key, and a chain's end that was cut off. It does not find a whole database put
back as it once was; for that `anchors` are written to the log, and compared.

A person number is kept as HMAC-SHA-256 under the same secret, cut to 128 bits.
"""

import hmac
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, fields
from datetime import UTC
from pathlib import Path
from typing import Final, TypeAlias

import structlog
from lxml import etree

from intyg.adapter.domain.delivery import Delivery, Outcome, OutcomeKind
from intyg.adapter.domain.errors import (
    AdapterError,
    FaultError,
    SignatureError,
)
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.log import looks_like_person_number, shown
from intyg.adapter.settings.settings import AuditSettings, SettingsError
from intyg.adapter.store import (
    AuditEntry,
    AuditHead,
    AuditRow,
    Rows,
    Store,
)
from intyg.adapter.store.audit_rows import CHAINS, GENESIS

OWN_KEY: Final = "audit.key"
"""In `data_dir`, where the settings name no other."""

KEY_BYTES: Final = 32
ANCHOR_EVERY: Final = 256
"""How many rows of a chain there are between two lines with anchors in the log."""

PIECE_ROWS: Final = 1000
"""So many are checked between two transactions."""

NOT_ABOUT_A_PATIENT: Final = frozenset(
    {
        "PingForConfiguration:1",
        "ListKnownRecipients:1",
        "ListPossibleReceivers:1",
        "GetRecipientsForCertificate:1",
    }
)
"""Contracts whose calls are not recorded: they tell nothing of anybody."""

_ENDS: Final = frozenset({OutcomeKind.DELIVERED, OutcomeKind.REFUSED, OutcomeKind.BLOCKED})
_INTYGS_ID: Final = ("{*}intygs-id", "{*}intyg-id", "{*}certificateId")
_PERSON: Final = ("{*}patientPerson-id", "{*}person-id")
_MAX_ID: Final = 255
_ANCHOR: Final = re.compile(r"(\d{1,3})\.(\d{1,18})\.([0-9a-f]{64})")

_log = structlog.get_logger()


class AuditKey:
    """
    The secret of the audit log.

    Args:
        secret: At least 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._rows = self._derive(secret, b"rows")
        self._persons = self._derive(secret, b"persons")
        self._statistics = self._derive(secret, b"statistics")
        self.key_id = self._derive(secret, b"name").hex()[:16]
        self._others = self._derive(secret, b"others")

    @staticmethod
    def _derive(secret: bytes, purpose: bytes) -> bytes:
        return hmac.digest(secret, b"intyg audit " + purpose, "sha256")

    def secret_for(self, purpose: bytes) -> bytes:
        """Another secret, from which neither this one nor that of another purpose can be told."""
        return hmac.digest(self._others, purpose, "sha256")

    @classmethod
    def from_settings(
        cls, settings: AuditSettings, data_dir: Path, *, make: bool = False
    ) -> "AuditKey":
        """
        The key that the settings name, or the one in `data_dir`.

        Args:
            make: Make the one in `data_dir` if it is needed and not there.

        Raises:
            SettingsError: It is not there, cannot be read or made, or is too short.
        """
        if settings.key is not None:
            secret = settings.key.get_secret_value().encode()
        else:
            secret = _read_key(settings.key_file, data_dir / OWN_KEY, make)
        if len(secret) < KEY_BYTES:
            raise SettingsError(f"audit: the key must have at least {KEY_BYTES} bytes")
        return cls(secret)

    def must_have_sealed(self, rows: Rows) -> None:
        """
        Refuse a log that another key has sealed.

        Raises:
            SettingsError: It was begun with another.
        """
        if {head.key_id for head in rows.audit.heads()} - {self.key_id}:
            raise SettingsError("audit: the database's audit log was begun with another key")

    def person(self, number: str) -> str:
        """A person number as it is kept."""
        return hmac.digest(self._persons, number.encode(), "sha256").hex()[:32]

    def person_in_statistics(self, number: str) -> str:
        """The same for statistics: nobody can tell by it which rows of the log are whose."""
        return hmac.digest(self._statistics, number.encode(), "sha256").hex()[:32]

    def hash(
        self,
        previous: str,
        chain: int,
        number: int,
        entry: AuditEntry,
        seq: int | None = None,
    ) -> str:
        """
        Of a row in its place.

        Args:
            seq: Of the row before it; None where there is none, or where it was not kept yet.
        """
        row = [previous, chain, number, *(_plain(entry, one.name) for one in fields(entry))]
        if seq is not None:
            row.append(seq)
        return self._mac(json.dumps(row, ensure_ascii=True, separators=(",", ":")))

    def seal(self, chain: int, number: int, row_hash: str, seq: int | None = None) -> str:
        """Of a chain's end; `seq` as in `hash`, of its last row."""
        return self._mac(f"end {chain} {number} {row_hash}" + ("" if seq is None else f" {seq}"))

    def _mac(self, text: str) -> str:
        return hmac.digest(self._rows, text.encode("ascii"), "sha256").hex()


def _plain(entry: AuditEntry, name: str) -> str | None:
    if name == "at":
        return entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    value: str | None = getattr(entry, name)
    return value


def _read_key(named: Path | None, own: Path, make: bool) -> bytes:
    path = named or own
    try:
        if make and named is None:
            own.parent.mkdir(parents=True, exist_ok=True)
            _make_key(own)
        return path.read_bytes().strip()
    except FileNotFoundError as exc:
        raise SettingsError(
            f"audit: the key {path} is not there: put back the one that the audit log was begun "
            "with; a new one could neither verify nor continue it"
        ) from exc
    except OSError as exc:
        raise SettingsError(f"audit.key_file: {path}: {exc.strerror}") from exc


def _make_key(path: Path) -> None:
    """A new key, readable by its owner alone, if there is none; whole, whoever else starts now."""
    if path.exists():
        return
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
    with suppress(FileExistsError):
        os.link(new, path)
    new.unlink()


# --- what is recorded -----------------------------------------------------------------------------


class AuditLog:
    """
    Writes entries.

    Args:
        store: Where they are kept.
        key: Seals them.
    """

    def __init__(self, store: Store, key: AuditKey) -> None:
        self._store = store
        self._key = key

    def check_key(self) -> None:
        """
        Refuse to go on where another key left off; begin the log where there is none.

        Raises:
            SettingsError: The database's log was begun with another key.
        """
        with self._store.begin() as rows:
            rows.audit.begin(self._key)
            self._key.must_have_sealed(rows)

    def verify(self) -> "Verification":
        """Check every chain of the log as it stands now."""
        return verify(self._store.read, self._key)

    def record_call(self, inbound: Inbound, rows: Rows, outcome: object) -> None:
        """
        Record a call of a contract.

        Args:
            outcome: What it was answered, or the `AdapterError` that refused it.
        """
        self.add(rows, self._of_call(inbound, *_ended(outcome)))

    def record_delivery(self, rows: Rows, delivery: Delivery, outcome: Outcome) -> None:
        """Record that a message left for good, or will not."""
        if outcome.kind not in _ENDS and outcome.retry_at is not None:
            return
        new = delivery.new
        entry = AuditEntry(
            at=rows.now,
            action=f"deliver {new.contract}",
            outcome=outcome.kind.value,
            detail=f"{new.part} {shown(new.logical_address)}",
            intygs_id=id_as_kept(new.intygs_id, self._key),
            person=self._key.person(new.patient.extension),
            sender=None,
            actor=shown(new.requested_by),
            correlation_id=delivery.correlation_id,
        )
        self.add(rows, entry)

    def secret_for(self, purpose: bytes) -> bytes:
        """As `AuditKey.secret_for`: the same in every process that has the key."""
        return self._key.secret_for(purpose)

    def record_console(
        self, rows: Rows, action: str, intygs_id: str, correlation_id: str, by: str | None
    ) -> None:
        """Record what somebody did or saw in the console."""
        self._record_by_hand(rows, f"console {action}", "", intygs_id, correlation_id, by)

    def record_operator(
        self,
        rows: Rows,
        action: str,
        detail: str,
        intygs_id: str | None,
        correlation_id: str,
        by: str,
    ) -> None:
        """Record what an operator did with deliveries; `detail` has a reason, and no person."""
        self._record_by_hand(rows, f"operator {action}", detail, intygs_id, correlation_id, by)

    def _record_by_hand(
        self,
        rows: Rows,
        action: str,
        detail: str,
        intygs_id: str | None,
        correlation_id: str,
        by: str | None,
    ) -> None:
        entry = AuditEntry(
            at=rows.now,
            action=action,
            outcome="OK",
            detail=detail,
            intygs_id=id_as_kept(intygs_id, self._key),
            person=None,
            sender=None,
            actor=shown(by),
            correlation_id=correlation_id,
        )
        self.add(rows, entry)

    def log_anchors(self) -> None:
        """Write every chain's end to the log, where the database's owner cannot change it."""
        with self._store.read() as rows:
            ends = anchors(rows)
        if ends:
            _log.info("audit.anchors", **{"intyg.audit_anchors": ends})

    def add(self, rows: Rows, entry: AuditEntry) -> None:
        """Add an entry; every so often its chain's end goes to the log, too, once it is there."""
        rows.audit.add(entry, self._key, _tell)

    def _of_call(self, inbound: Inbound, outcome: str, detail: str) -> AuditEntry:
        number = _first(inbound.element, _PERSON)
        return AuditEntry(
            at=inbound.received_at,
            action=inbound.contract.key,
            outcome=outcome,
            detail=detail,
            intygs_id=id_as_kept(_first(inbound.element, _INTYGS_ID), self._key),
            person=self._key.person(number) if number else None,
            sender=shown(inbound.sender),
            actor=shown(_first(inbound.element, ("{*}personal-id",))),
            correlation_id=inbound.correlation_id,
        )


def _tell(head: AuditHead) -> None:
    if head.number % ANCHOR_EVERY == 0:
        _log.info("audit.anchors", **{"intyg.audit_anchors": [anchor(head)]})


def id_as_kept(intygs_id: str | None, key: AuditKey) -> str | None:
    """Ids are kept as they are, unless they are too long, or hide a person number."""
    if not intygs_id:
        return None
    if len(intygs_id) > _MAX_ID or looks_like_person_number(intygs_id):
        return f"hash:{key.person(intygs_id)}"
    return intygs_id


def _first(request: etree._Element, tags: tuple[str, ...]) -> str | None:
    """The extension, or else the text, of the first of these elements; the message is valid."""
    found = next(request.iter(*tags), None)
    if found is None:
        return None
    text = found.findtext("{*}extension")
    return ((found.text if text is None else text) or "").strip() or None


def _ended(outcome: object) -> tuple[str, str]:
    """How a call ended, and by which codes."""
    if isinstance(outcome, AdapterError):
        return _refusal(outcome)
    if isinstance(outcome, Result):
        return outcome.code.value, outcome.error_id.value if outcome.error_id else ""
    return "OK", ""


def _refusal(error: AdapterError) -> tuple[str, str]:
    rules = [finding.rule for finding in error.findings]
    if isinstance(error, SignatureError):
        rules.append(error.code)
    outcome = "FAULT" if isinstance(error, FaultError) else "ERROR"
    return outcome, " ".join([error.error_id.value, *dict.fromkeys(rules)])


# --- anchors and verification ---------------------------------------------------------------------


def anchor(head: AuditHead) -> str:
    """A chain's end in one word, to keep elsewhere: `3.120.<hash>`."""
    return f"{head.chain}.{head.number}.{head.hash}"


def anchors(rows: Rows) -> list[str]:
    """Where each chain ends that has a row."""
    return [anchor(head) for head in rows.audit.heads() if head.number]


def anchors_in(text: str) -> frozenset[tuple[int, int, str]]:
    """Every anchor in a log, or in any other text: chain, number, hash."""
    return frozenset((int(c), int(n), h) for c, n, h in _ANCHOR.findall(text))


@dataclass(frozen=True)
class AuditFault:
    """What is wrong at one place of the log."""

    chain: int
    number: int
    text: str


@dataclass(frozen=True)
class Verification:
    """What `verify` found."""

    rows: int
    anchors: int  # how many were compared
    faults: tuple[AuditFault, ...]


def verify(
    read: Callable[[], AbstractContextManager[Rows]],
    key: AuditKey,
    kept: Iterable[tuple[int, int, str]] = (),
) -> Verification:
    """
    Check every chain from its first row to its end, and that it holds the anchors.

    In pieces, each in a transaction of its own: one that goes on for long lets SQLite's journal
    grow, since nothing that it may still read can be cut off.

    Args:
        read: Opens a transaction.
        kept: Chain, number and hash of rows that must be there.
    """
    wanted = {(chain, number): row_hash for chain, number, row_hash in kept if number}
    compared = len(wanted)
    with read() as rows:
        chains = sorted({*range(CHAINS), *rows.audit.other_chains()})
    walks = [_Walk(chain, key, wanted) for chain in chains]
    for walk in walks:
        walk.go(read)
    faults = [fault for walk in walks for fault in walk.faults]
    faults += [AuditFault(*place, "an anchor names a row that is gone") for place in wanted]
    faults += [fault for walk in walks for fault in walk.at_end]
    return Verification(sum(walk.count for walk in walks), compared, tuple(faults))


_End: TypeAlias = tuple[int, str, int | None]
"""Number, hash and seq of a chain's last row so far."""


class _Walk:
    """Along one chain, from its first row to where its head says that it ends."""

    def __init__(self, chain: int, key: AuditKey, wanted: dict[tuple[int, int], str]) -> None:
        self._chain = chain
        self._key = key
        self._wanted = wanted
        self._end: _End = (0, GENESIS, None)
        self.count = 0
        self.faults: list[AuditFault] = []
        self.at_end: list[AuditFault] = []

    def go(self, read: Callable[[], AbstractContextManager[Rows]]) -> None:
        """The head is read with the last rows: more may come until then, and none in between."""
        after, is_whole = None, False
        while not is_whole:
            with read() as rows:
                piece = rows.audit.piece(self._chain, after, PIECE_ROWS)
                head = rows.audit.head(self._chain)
            for row in piece:
                self._take(row)
                after = row.number
            is_whole = len(piece) < PIECE_ROWS
        self.at_end += _check_end(self._chain, self._end, head, self._key)

    def _take(self, row: AuditRow) -> None:
        self.count += 1
        self.faults += _check_row(row, self._end, self._key)
        place = (row.chain, row.number)
        if self._wanted.pop(place, row.hash) != row.hash:
            self.faults.append(AuditFault(*place, "not the row that an anchor names"))
        self._end = (row.number, row.hash, row.seq)


def _check_row(row: AuditRow, end: _End, key: AuditKey) -> Iterator[AuditFault]:
    last, previous, seq = end
    if row.number != last + 1:
        gone = f"{last + 1}" if row.number == last + 2 else f"{last + 1} to {row.number - 1}"
        yield AuditFault(row.chain, row.number, f"before it {gone} should be, and is not")
        return
    place = (previous, row.chain, row.number, row.entry)
    # Rows from before seq was sealed have a hash without it, and nobody without the key makes one.
    if row.hash not in (key.hash(*place, seq), key.hash(*place)):
        yield AuditFault(
            row.chain,
            row.number,
            "changed (or the seq before it), moved, or not written by the adapter",
        )


def _check_end(
    chain: int, end: _End, head: AuditHead | None, key: AuditKey
) -> Iterator[AuditFault]:
    number, row_hash, seq = end
    if head is None:
        yield AuditFault(chain, number, "the chain's head is gone")
        return
    if head.key_id != key.key_id:
        yield AuditFault(chain, head.number, "the chain's head names another key")
    if head.seal != key.seal(chain, head.number, head.hash, head.seq):
        yield AuditFault(chain, head.number, "the chain's head was not written by the adapter")
    elif (head.number, head.hash) != (number, row_hash):
        yield AuditFault(chain, head.number, f"the chain ends at {number}, its head says otherwise")
    elif head.seq not in (None, seq):
        yield AuditFault(chain, head.number, "its seq was changed: it came in another order")
