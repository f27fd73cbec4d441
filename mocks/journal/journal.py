"""The calls in order of arrival, within bounds; and waiting for them."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from intyg.mocks.journal.entry import Entry
from intyg.mocks.journal.filters import Filter
from intyg.mocks.journal.store import Kept, MemoryStore, Store
from intyg.mocks.rules.trace import AnswerState


@dataclass(frozen=True)
class Bounds:
    """
    How much a journal keeps; beyond any of it the oldest calls are dropped.

    Attributes:
        max_calls: So many calls.
        max_bytes: So many bytes of requests, replies and headers; the newest
            call is kept even if it is larger.
        max_age_seconds: For so long, by the machine's own clock; None: for ever.
    """

    max_calls: int = 10_000
    max_bytes: int = 256 * 1024 * 1024
    max_age_seconds: float | None = None


@dataclass(frozen=True)
class Dropped:
    """How many calls each bound has pushed out."""

    calls: int = 0
    bytes: int = 0
    age: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.calls + self.bytes + self.age


@dataclass(frozen=True)
class Page:
    """
    A part of what a filter finds.

    Attributes:
        count: How many calls there are in all.
        next: Give it as `after` to get what follows; None: nothing does.
    """

    entries: tuple[Entry, ...]
    count: int
    next: int | None


class Journal:
    """
    Safe under concurrent calls.

    Args:
        bounds: How much it keeps.
        store: Where; in memory if nothing else is said.
        now: Seconds since 1970, for the age of what is kept.
    """

    def __init__(
        self,
        bounds: Bounds = Bounds(),
        store: Store | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._bounds = bounds
        self._store = store or MemoryStore()
        self._now = now
        self._changed = threading.Condition()
        # Not a dict, whose first key is the slower to find the more have been dropped before it.
        self._kept = OrderedDict((each.number, each) for each in self._store.kept())
        self._bytes = sum(each.weight for each in self._kept.values())
        self._next = self._store.last_number + 1
        self._under_way: set[int] = set()
        self._dropped = Dropped()
        self._waiters: set[_Waiter] = set()
        self._version = 0
        self._closed = False

    def number(self) -> int:
        """Take the number of a call that has just arrived."""
        with self._changed:
            number = self._next
            self._next += 1
            self._under_way.add(number)
            return number

    def add(self, entry: Entry) -> None:
        """Keep a call, answered or not; one that comes after `close` is not kept."""
        with self._changed:
            self._under_way.discard(entry.number)
            if self._closed:
                return
            now = self._now()
            self._store.add(entry, now)
            self._keep(entry, now)

    def update(self, entry: Entry) -> None:
        """
        Keep what has become of a call that was added.

        One that was dropped or forgotten meanwhile does not come back.
        """
        with self._changed:
            before = self._kept.get(entry.number)
            if before is None or self._closed:
                return
            self._store.update(entry)
            self._bytes -= before.weight
            self._keep(entry, before.kept_at)

    def settle(self, number: int, answer: AnswerState, duration_seconds: float) -> None:
        """Keep where the answer to a call is that was added; the rest of it stays."""
        with self._changed:
            entry = None if self._closed else self._store.get(number)
            if entry is not None:
                self.update(replace(entry, answer=answer, duration_seconds=duration_seconds))

    def get(self, number: int, wait_seconds: float = 0.0) -> Entry | None:
        """
        The call of that number, None if there is none or it was dropped.

        Args:
            wait_seconds: How long for one that has its number and is not kept yet: what a
                call has brought can be seen a moment before the call itself.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or number not in self._under_way, wait_seconds
            )
            self._drop()
        return self._store.get(number)

    def range(self) -> tuple[int, int] | None:
        """The lowest and the highest number that is kept; None: the journal is empty."""
        with self._changed:
            self._drop()
            numbers = list(self._kept)
        return (min(numbers), max(numbers)) if numbers else None

    def entries(self, where: Filter | str | None = None, **fields: str | None) -> tuple[Entry, ...]:
        """
        Calls in order of arrival.

        Args:
            where: Which; see `filters`.
            fields: The same as keywords, `contract="RegisterCertificate"`; None is any.

        Raises:
            FilterError: There is no such filter.
        """
        wanted = _filter(where, fields)
        with self._changed:
            self._drop()
            found = self._store.scan(with_bytes=True)
        return tuple(each for each in found if wanted.matches(each))

    def heads(self, *filters: Filter) -> tuple[Entry, ...]:
        """Every call; with its bytes only if they are at hand or a filter needs them."""
        with self._changed:
            self._drop()
            return tuple(self._store.scan(any(each.needs_bytes for each in filters)))

    def count(self, where: Filter | str | None = None, **fields: str | None) -> int:
        """How many calls there are; arguments as for `entries`."""
        return len(self._numbers(_filter(where, fields)))

    def page(
        self, where: Filter, after: int = 0, limit: int = 100, *, newest_first: bool = False
    ) -> Page:
        """
        A part of the calls that a filter finds, in order of arrival.

        Args:
            after: The `next` of the page before; 0 for the first.
            limit: At most so many.
            newest_first: In the opposite order.
        """
        numbers = self._numbers(where)
        if newest_first:
            rest = [number for number in reversed(numbers) if not after or number < after]
        else:
            rest = [number for number in numbers if number > after]
        shown = [entry for n in rest[:limit] if (entry := self._store.get(n)) is not None]
        more = rest[limit - 1] if 0 < limit < len(rest) else None
        return Page(tuple(shown), len(numbers), more)

    def wait(
        self,
        count: int = 1,
        *,
        timeout_seconds: float,
        where: Filter | str | None = None,
        **fields: str | None,
    ) -> tuple[Entry, ...]:
        """
        Wait until at least `count` calls match, be they answered or not.

        Args:
            where, fields: As for `entries`.

        Returns:
            The matching calls; fewer than `count` when the time ran out or
            somebody called `wake`.
        """
        wanted = _filter(where, fields)
        self.wait_until(wanted, count, timeout_seconds)
        return self.entries(wanted)

    def wait_until(self, where: Filter, count: int, timeout_seconds: float) -> None:
        """Wait as `wait` does."""
        with self._changed:
            waiter = _Waiter(where, count, self._scan(where))
            self._waiters.add(waiter)
            try:
                self._changed.wait_for(lambda: waiter.done, timeout_seconds)
            finally:
                self._waiters.discard(waiter)

    @property
    def version(self) -> int:
        """Another number whenever a call has been added, or something has become of one."""
        with self._changed:
            return self._version

    def wait_change(self, version: int, timeout_seconds: float) -> None:
        """Wait until `version` is another number than this, or somebody calls `wake`."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version, timeout_seconds)

    def wake(self) -> None:
        """End every `wait` now."""
        with self._changed:
            for waiter in self._waiters:
                waiter.done = True
            self._version += 1
            self._changed.notify_all()

    @property
    def dropped(self) -> Dropped:
        """How many calls the bounds have pushed out."""
        with self._changed:
            self._drop()
            return self._dropped

    def forget(self, where: Filter | str | None = None, **fields: str | None) -> int:
        """
        Forget the calls that match, as if they had never come; numbers go on.

        Args:
            where, fields: As for `entries`.

        Returns:
            How many there were.
        """
        wanted = _filter(where, fields)
        with self._changed:
            gone = {each.number for each in self._scan(wanted) if wanted.matches(each)}
            for number in gone:
                self._store.remove(number)
                self._bytes -= self._kept.pop(number).weight
            for waiter in self._waiters:
                waiter.look_again(self._scan(waiter.where))
        return len(gone)

    def clear(self) -> None:
        """Forget every call, and what was dropped; numbers go on."""
        with self._changed:
            self._store.clear()
            self._kept.clear()
            self._bytes = 0
            self._dropped = Dropped()
            for waiter in self._waiters:
                waiter.look_again(())

    def close(self) -> None:
        """End every `wait` and give the store back."""
        self.wake()
        with self._changed:
            self._closed = True
            self._store.close()

    def _scan(self, where: Filter) -> tuple[Entry, ...]:
        return tuple(self._store.scan(where.needs_bytes))

    def _numbers(self, where: Filter) -> list[int]:
        with self._changed:
            self._drop()
            found = self._store.scan(where.needs_bytes)
        return [each.number for each in found if where.matches(each)]

    def _keep(self, entry: Entry, kept_at: float) -> None:
        """Count a call that the store has, and tell those who wait; the caller holds the lock."""
        self._kept[entry.number] = Kept(entry.number, entry.weight, kept_at)
        self._bytes += entry.weight
        self._version += 1
        self._drop()
        for waiter in self._waiters:
            waiter.see(entry)
        self._changed.notify_all()

    def _drop(self) -> None:
        """Push out what is beyond the bounds; the caller holds the lock."""
        while self._kept:
            oldest = next(iter(self._kept.values()))
            reason = self._beyond(oldest)
            if reason is None:
                return
            del self._kept[oldest.number]
            self._store.remove(oldest.number)
            self._bytes -= oldest.weight
            counted = getattr(self._dropped, reason) + 1
            self._dropped = Dropped(**{**vars(self._dropped), reason: counted})

    def _beyond(self, oldest: Kept) -> str | None:
        """Which bound the oldest call breaks; None if none."""
        bounds = self._bounds
        if len(self._kept) > bounds.max_calls:
            return "calls"
        if self._bytes > bounds.max_bytes and len(self._kept) > 1:
            return "bytes"
        age = self._now() - oldest.kept_at
        return None if bounds.max_age_seconds is None or age <= bounds.max_age_seconds else "age"


class _Waiter:
    """Somebody who waits; sees each call when it changes, so that many can wait for little."""

    def __init__(self, where: Filter, count: int, there: Iterable[Entry]) -> None:
        self.where = where
        self._count = count
        self._matching: set[int] = set()
        self.done = False
        self.look_again(there)

    def see(self, entry: Entry) -> None:
        """Look at a call that is new, or has been answered."""
        if self.done:
            return
        if self.where.matches(entry):
            self._matching.add(entry.number)
        else:
            self._matching.discard(entry.number)
        self.done = len(self._matching) >= self._count

    def look_again(self, entries: Iterable[Entry]) -> None:
        """Look at all that is there, after some were forgotten."""
        self._matching = {each.number for each in entries if self.where.matches(each)}
        self.done = self.done or len(self._matching) >= self._count


def _filter(where: Filter | str | None, fields: dict[str, str | None]) -> Filter:
    given = where if isinstance(where, Filter) else Filter.parse(where or "")
    named = Filter.of((name, value) for name, value in fields.items() if value is not None)
    return Filter((*given.criteria, *named.criteria))
