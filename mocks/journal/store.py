"""Where calls are kept: in memory, or in a SQLite file that outlives the mock."""

import errno
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from pydantic import TypeAdapter

from intyg.mocks.journal.entry import Entry
from intyg.mocks.rules.trace import AnswerState


class Kept(NamedTuple):
    """What the bounds ask of a call."""

    number: int
    weight: int  # bytes
    kept_at: float  # seconds since 1970, by the machine's own clock


class Store(Protocol):
    """
    Keeps calls in the order in which they are added; the journal sees to it that one thread writes.

    Reading may go on beside it.
    """

    @property
    def last_number(self) -> int:
        """The highest number ever kept, 0 if none was."""

    def add(self, entry: Entry, kept_at: float) -> None:
        """Keep a call."""

    def update(self, entry: Entry) -> None:
        """Keep what has become of a call that is there; its request stays."""

    def kept(self) -> Iterable[Kept]:
        """Of what is there now, in the order in which it was added."""

    def remove(self, number: int) -> None:
        """Drop a call."""

    def clear(self) -> None:
        """Drop every call, but not the memory of their numbers."""

    def get(self, number: int) -> Entry | None:
        """The call of that number, with its bytes."""

    def scan(self, with_bytes: bool) -> Iterable[Entry]:
        """The calls by number; without bytes where those are dear and not asked for."""

    def close(self) -> None:
        """Keep nothing any more."""


class MemoryStore:
    """Keeps calls for as long as the mock lives."""

    def __init__(self) -> None:
        self.last_number = 0
        self._entries: dict[int, tuple[Entry, float]] = {}

    def add(self, entry: Entry, kept_at: float) -> None:
        self._entries[entry.number] = (entry, kept_at)
        self.last_number = max(self.last_number, entry.number)

    def update(self, entry: Entry) -> None:
        _, kept_at = self._entries[entry.number]
        self._entries[entry.number] = (entry, kept_at)

    def kept(self) -> Iterable[Kept]:
        return [Kept(number, each.weight, at) for number, (each, at) in self._entries.items()]

    def remove(self, number: int) -> None:
        self._entries.pop(number, None)

    def clear(self) -> None:
        self._entries = {}

    def get(self, number: int) -> Entry | None:
        found = self._entries.get(number)
        return None if found is None else found[0]

    def scan(self, with_bytes: bool) -> Iterable[Entry]:  # noqa: ARG002 -- they are at hand
        # Calls are added in another order than they arrive.
        return [entry for _, (entry, _) in sorted(self._entries.copy().items())]

    def close(self) -> None:
        pass


_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS call (
    id INTEGER PRIMARY KEY,
    journal TEXT NOT NULL,
    number INTEGER NOT NULL,
    kept_at REAL NOT NULL,
    entry TEXT NOT NULL,
    request BLOB NOT NULL,
    reply BLOB NOT NULL,
    UNIQUE (journal, number)
);
CREATE TABLE IF NOT EXISTS numbers (journal TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE VIEW IF NOT EXISTS calls AS SELECT
    journal,
    number,
    entry ->> 'received_at' AS received_at,
    entry ->> 'contract' AS contract,
    entry ->> 'logical_address' AS logical_address,
    entry ->> 'intygs_id' AS intygs_id,
    entry ->> 'answer' AS answer,
    entry ->> 'http_status' AS http_status,
    entry ->> 'result_code' AS result_code,
    entry ->> 'error_id' AS error_id,
    entry ->> 'result_text' AS result_text,
    request,
    reply
FROM call ORDER BY journal, number;
"""


_OPEN_SECONDS: Final = 30.0
_BUSY_SECONDS: Final = 0.25
"""So long the file is waited for: by a mock that starts, and by a call that is to be answered."""


@cache
def _entries() -> TypeAdapter[Entry]:
    """Made when a journal is first kept in a file; most are not."""
    return TypeAdapter(Entry)


class FileStore:
    """
    Keeps calls in a SQLite file; several journals may share one, in one process.

    The view `calls` is for people who look into the file with other tools.

    Args:
        path: Made if it is not there, for its owner alone: it holds what care writes about people.
        journal: What the journal is called in the file.

    Attributes:
        path: The same.

    Raises:
        OSError: The file cannot be made or opened, or is something else.
    """

    def __init__(self, path: Path, journal: str) -> None:
        self.path = path
        self._journal = journal
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        try:
            with ExitStack() as undo:
                self._writer = undo.enter_context(closing(self._open()))
                # What was answered outlives a crash of the mock, if not one of the machine.
                self._writer.executescript(
                    f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_SCHEMA}"
                )
                self._end_what_waited()
                undo.pop_all()
        except sqlite3.Error as exc:
            raise OSError(errno.EINVAL, str(exc), str(path)) from exc

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self.path, timeout=_OPEN_SECONDS, isolation_level=None, check_same_thread=False
        )

    def _end_what_waited(self) -> None:
        """A call that was not answered when the last mock died will not be."""
        waited = (self._journal, AnswerState.NOT_YET)
        some = "journal = ? AND entry ->> 'answer' = ?"
        if [*self._writer.execute(f"SELECT 1 FROM call WHERE {some} LIMIT 1", waited)]:  # noqa: S608 -- ours
            self._writer.execute(
                f"UPDATE call SET entry = json_set(entry, '$.answer', ?) WHERE {some}",  # noqa: S608 -- ours
                (AnswerState.STOPPED, *waited),
            )

    def forget_parts(self) -> None:
        """
        Drop the journals whose names begin with this one's and a slash.

        Raises:
            OSError: Somebody else holds the file.
        """
        try:
            for table in ("call", "numbers"):
                self._writer.execute(
                    f"DELETE FROM {table} WHERE substr(journal, 1, ?) = ?",  # noqa: S608 -- ours
                    (len(self._journal) + 1, f"{self._journal}/"),
                )
        except sqlite3.Error as exc:
            raise OSError(errno.EINVAL, str(exc), str(self.path)) from exc

    def hurry(self) -> None:
        """From now on, rather fail than wait long for somebody else who holds the file."""
        self._writer.execute(f"PRAGMA busy_timeout = {round(_BUSY_SECONDS * 1000)}")

    @property
    def last_number(self) -> int:
        [[last]] = self._writer.execute(
            "SELECT max((SELECT coalesce(max(number), 0) FROM call WHERE journal = :journal),"
            " (SELECT coalesce(max(last), 0) FROM numbers WHERE journal = :journal))",
            {"journal": self._journal},
        )
        return int(last)

    def add(self, entry: Entry, kept_at: float) -> None:
        self._writer.execute(
            "INSERT INTO call (journal, number, kept_at, entry, request, reply)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (journal, number)"
            " DO UPDATE SET entry = excluded.entry, reply = excluded.reply",
            (
                self._journal,
                entry.number,
                kept_at,
                _text(entry),
                entry.request,
                entry.reply,
            ),
        )

    def update(self, entry: Entry) -> None:
        self._writer.execute(
            "UPDATE call SET entry = ?, reply = ? WHERE journal = ? AND number = ?",
            (_text(entry), entry.reply, self._journal, entry.number),
        )

    def kept(self) -> Iterable[Kept]:
        return [
            Kept(*row)
            for row in self._writer.execute(
                "SELECT number, length(request) + length(reply) + (SELECT"
                " coalesce(sum(length(value ->> 0) + length(value ->> 1)), 0)"
                " FROM json_each(entry, '$.headers')), kept_at FROM call"
                " WHERE journal = ? ORDER BY id",
                (self._journal,),
            )
        ]

    def remove(self, number: int) -> None:
        self._writer.execute(
            "DELETE FROM call WHERE journal = ? AND number = ?", (self._journal, number)
        )

    def clear(self, last_number: int = 0) -> None:
        """Drop every call; `last_number` is remembered, too, if it is higher than theirs."""
        last = max(last_number, self.last_number)
        self._writer.execute("BEGIN IMMEDIATE")
        with self._writer:  # takes both back, or keeps both
            self._writer.execute("REPLACE INTO numbers VALUES (?, ?)", (self._journal, last))
            self._writer.execute("DELETE FROM call WHERE journal = ?", (self._journal,))

    def get(self, number: int) -> Entry | None:
        found = [*self._read("entry, request, reply", " AND number = ?", (number,))]
        return found[0] if found else None

    def scan(self, with_bytes: bool) -> Iterable[Entry]:
        columns = "entry, request, reply" if with_bytes else "entry"
        return self._read(columns, " ORDER BY number", ())

    def _read(self, columns: str, rest: str, values: tuple[Any, ...]) -> Iterator[Entry]:
        """On a connection of its own: reading does not keep calls from being added."""
        with closing(self._open()) as reader:
            for row in reader.execute(
                f"SELECT {columns} FROM call WHERE journal = ?{rest}",  # noqa: S608 -- ours
                (self._journal, *values),
            ):
                yield _entry(*row)

    def close(self) -> None:
        self._writer.close()


def _text(entry: Entry) -> str:
    return _entries().dump_json(replace(entry, request=b"", reply=b"")).decode()


def _entry(text: str, request: bytes = b"", reply: bytes = b"") -> Entry:
    found = _entries().validate_json(text)
    return replace(found, request=request, reply=reply) if request or reply else found
