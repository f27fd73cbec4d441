"""Calls that cannot be written at once: they are answered, kept in memory, and written later.

A journal's file may be held by somebody else: a backup, or a tool that looks into it and forgot to
commit. Nor does a full disk make an authority fail.
"""

import logging
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from intyg.mocks.journal.entry import Entry
from intyg.mocks.journal.store import FileStore, Kept

_log = logging.getLogger(__name__)

_RETRY_SECONDS: Final = 0.5
_LAST_SECONDS: Final = 2.0
"""So long a mock that ends tries to write what is left."""

_CLEAR: Final = 0
"""In place of a call's number: that everything is dropped, before whatever else is late."""


class _Late(NamedTuple):
    """What is to stand in the file of a call; nothing for one that was dropped."""

    entry: Entry | None = None
    kept_at: float | None = None  # seconds since 1970; None: the file has it


class LateStore:
    """
    A file of calls that keeps nobody waiting.

    Args:
        file: Where they belong.
        retry_seconds: How often it is tried again while the file cannot be had.
    """

    def __init__(self, file: FileStore, retry_seconds: float = _RETRY_SECONDS) -> None:
        file.hurry()
        self.last_number = file.last_number
        self._file = file
        self._retry_seconds = retry_seconds
        self._late: OrderedDict[int, _Late] = OrderedDict()
        self._lock = threading.Lock()  # of `_late`; nobody waits for the file under it but once
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, entry: Entry, kept_at: float) -> None:
        self.last_number = max(self.last_number, entry.number)
        with self._lock:
            self._put(entry.number, _Late(entry, kept_at))

    def update(self, entry: Entry) -> None:
        with self._lock:
            before = self._late.get(entry.number, _Late())
            self._put(entry.number, _Late(entry, before.kept_at))

    def remove(self, number: int) -> None:
        with self._lock:
            self._put(number, _Late())

    def clear(self) -> None:
        with self._lock:
            was_late = bool(self._late)
            self._late.clear()
            self._put(_CLEAR, _Late(), at_once=not was_late)

    def kept(self) -> Iterable[Kept]:
        return self._file.kept()

    def get(self, number: int) -> Entry | None:
        late = self._now_late()
        if number in late or _CLEAR in late:
            return late.get(number, _Late()).entry
        return self._file.get(number)

    def scan(self, with_bytes: bool) -> Iterable[Entry]:
        late = self._now_late()  # before the file is read: what is written meanwhile is the same
        if not late:
            return self._file.scan(with_bytes)
        return sorted(self._with(late, with_bytes), key=lambda entry: entry.number)

    def close(self) -> None:
        """Write what is left, if the file can be had soon."""
        self._ended.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()
        self._file.close()

    def _with(self, late: dict[int, _Late], with_bytes: bool) -> Iterator[Entry]:
        yield from (each.entry for each in late.values() if each.entry is not None)
        if _CLEAR not in late:
            written = self._file.scan(with_bytes)
            yield from (each for each in written if each.number not in late)

    def _now_late(self) -> dict[int, _Late]:
        with self._lock:
            return dict(self._late)

    def _put(self, number: int, what: _Late, *, at_once: bool = True) -> None:
        """Write, or keep for later; the caller holds the lock."""
        if at_once and not self._late:
            try:
                self._write(number, what)
            except sqlite3.DatabaseError as exc:
                _log.warning("journal_waits file=%s cause=%s", self._file.path, exc)
            else:
                return
        self._late[number] = what
        if self._thread is None:
            self._thread = threading.Thread(target=self._catch_up, name="journal", daemon=True)
            self._thread.start()

    def _write(self, number: int, what: _Late) -> None:
        if number == _CLEAR:
            self._file.clear(self.last_number)
        elif what.entry is None:
            self._file.remove(number)
        elif what.kept_at is None:
            self._file.update(what.entry)
        else:
            self._file.add(what.entry, what.kept_at)

    def _catch_up(self) -> None:
        give_up = _after_end(self._ended)
        while self._write_oldest() or not give_up():
            with self._lock:
                if not self._late:
                    self._thread = None
                    return
        _log.error("journal_lost file=%s calls=%d", self._file.path, len(self._late))

    def _write_oldest(self) -> bool:
        """Whether it could be written; if not, a while has passed."""
        with self._lock:
            number, what = next(iter(self._late.items()))
        try:
            self._write(number, what)
        except sqlite3.DatabaseError:
            self._ended.wait(self._retry_seconds)
            return False
        with self._lock:
            if self._late.get(number) is what:  # not another by now
                del self._late[number]
        return True


def _after_end(ended: threading.Event) -> Callable[[], bool]:
    """Asked again and again: whether the end is so long ago that nothing is tried any more."""
    since: list[float] = []

    def is_over() -> bool:
        if ended.is_set():
            since.append(time.monotonic())
        return bool(since) and since[-1] - since[0] >= _LAST_SECONDS

    return is_over
