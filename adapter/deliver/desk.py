"""Where threads hand in what came of an attempt and take the next delivery: one commit for all.

Whoever leads (`leading.py`) records the outcomes of all that have come, and takes as many
deliveries as there are threads that want one, in the same transaction. So no outcome waits for
anything but the commit before, and every delivery that is taken is begun at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from intyg.adapter.deliver.lanes import RouteLanes
from intyg.adapter.domain.delivery import Delivery, Outcome
from intyg.adapter.domain.leading import Leading, Visit
from intyg.adapter.domain.way import Stop, WayPolicy
from intyg.adapter.store import Ended, Rows, Store

MOST: Final = 32
"""Outcomes in a commit, and deliveries in a claim."""

Consequence: TypeAlias = Callable[[Rows, Delivery], None]
"""Writes what follows from an outcome, in the transaction that records it. The delivery is as
recorded. It asks no network and no clock: the transaction may be anybody's, and run again."""


@dataclass(frozen=True)
class Done:
    """
    What is to be recorded.

    Attributes:
        ended: The attempt.
        follow: What follows from its outcome.
    """

    ended: Ended
    follow: Consequence

    @property
    def delivery(self) -> Delivery:
        return self.ended.delivery

    @property
    def outcome(self) -> Outcome:
        return self.ended.outcome


@dataclass(frozen=True)
class Recorded:
    """The delivery as it then stands, and what stops its way."""

    delivery: Delivery
    stop: Stop | None


class _Call(Visit):
    """A thread at the desk: what it brings, and what it gets."""

    def __init__(self, worker: str, done: Done | None = None) -> None:
        super().__init__()
        self.worker = worker
        self.done = done
        self.recorded: Recorded | None = None
        self.taken: Delivery | None = None
        self.failed = False


class Desk:
    """
    One for all threads of a process.

    Args:
        store: Where deliveries are.
        lanes: Where they go.
        policy: When a way is stopped.
        lease_seconds: How long one that is taken is held.
        goes_on: Whether who brings an outcome takes another delivery just now.
    """

    def __init__(
        self,
        store: Store,
        lanes: RouteLanes,
        policy: WayPolicy,
        lease_seconds: float,
        goes_on: Callable[[], bool],
    ) -> None:
        self._store = store
        self._lanes = lanes
        self._policy = policy
        self._lease_seconds = lease_seconds
        self._goes_on = goes_on
        self._calls: Leading[_Call] = Leading()
        self._came_short: int | None = None

    def take(self, worker: str) -> Delivery | None:
        """
        A delivery to begin, if one is due.

        Raises:
            StoreError: The database did not answer.
        """
        call = _Call(worker)
        if self._calls.come(call):
            self._lead()
        if call.failed:  # it is told to whoever asks for himself alone
            return self._claim([call], None)
        return call.taken

    def swap(self, worker: str, done: Done) -> tuple[Recorded | None, Delivery | None]:
        """
        Hand in what was done, and take the next.

        Returns:
            What was recorded, None where it could not be with the others': nothing of it is kept,
            and it is to be recorded by itself. And a delivery to begin, if one is due.
        """
        call = _Call(worker, done)
        if self._calls.come(call):
            self._lead()
        return call.recorded, call.taken

    def record(self, done: Done) -> Recorded:
        """
        Record what was done, by itself.

        Raises:
            LeaseLostError: As `DeliveryRows.record_attempts`.
            StoreError: The database did not answer.
        """
        recorded = self._store.write(lambda rows: self._write(rows, [done])[0])
        self.look_again()
        return recorded

    def has_nothing(self) -> bool:
        """Whether a claim came short, and since it began nothing new was heard of."""
        return self._came_short == self._store.wakes

    def look_again(self) -> None:
        """There may be something to take that nobody tells of."""
        self._came_short = None

    # --- inside ---

    def _lead(self) -> None:
        calls = [self._calls.take()]
        try:
            while len(self._calls) and len(calls) < MOST:
                calls.append(self._calls.take())
            self._serve(calls)
        except BaseException as error:
            for call in calls:
                call.failed, call.recorded, call.taken = True, None, None
            asks_alone = len(calls) == 1 and calls[0].done is None
            if asks_alone or not isinstance(error, Exception):
                raise
        finally:
            self._calls.leave(calls[1:])

    def _serve(self, calls: Sequence[_Call]) -> None:
        """Record and take for all of them, in one transaction."""
        bring = [call for call in calls if call.done is not None]
        want = [call for call in calls if call.done is None or self._goes_on()]
        written: dict[_Call, Recorded] = {}

        def write(rows: Rows) -> None:
            written.clear()
            left = self._with_others(rows, bring)
            done = [call.done for call in left if call.done is not None]
            written.update(zip(left, self._write(rows, done), strict=True))

        if want:
            self._claim(want, write if bring else None)
        elif bring:
            self._store.write(write)
        for call, recorded in written.items():
            call.recorded = recorded

    def _claim(
        self, calls: Sequence[_Call], first: Callable[[Rows], None] | None
    ) -> Delivery | None:
        """Give each a delivery, as long as there are any. Returns the first."""
        seen, worker = self._store.wakes, calls[0].worker
        taken = self._store.claim(worker, len(calls), self._lease_seconds, self._lanes, first)
        if len(taken) < len(calls):
            self._came_short = seen
        for delivery in taken:
            self._lanes.used(delivery.destination)
        for call, delivery in zip(calls, taken, strict=False):
            call.taken = delivery
        return taken[0] if taken else None

    def _with_others(self, rows: Rows, calls: Sequence[_Call]) -> Sequence[_Call]:
        """Those that can be recorded together: without waiting for a lock while others are held."""
        if len(calls) < 2:
            return calls
        of = {call: call.done.delivery.new.intygs_id for call in calls if call.done}
        busy = rows.intyg.lock_free(set(of.values()))
        return [call for call in calls if of[call] not in busy]

    def _write(self, rows: Rows, done: Sequence[Done]) -> list[Recorded]:
        if not done:
            return []
        stops = self._note(rows, done)
        ended = [
            replace(one.ended, outcome=replace(one.outcome, retry_at=stop.probe_at))
            if stop and stop.probe_at and one.outcome.stops
            else one.ended
            for one, stop in zip(done, stops, strict=True)
        ]
        recorded = rows.deliveries.record_attempts(ended)
        for one, stands in zip(done, recorded, strict=True):
            one.follow(rows, stands)
        return [Recorded(*pair) for pair in zip(recorded, stops, strict=True)]

    def _note(self, rows: Rows, done: Sequence[Done]) -> list[Stop | None]:
        """What the attempts say of their ways; always in the same order of ways."""

        def way(place: int) -> tuple[str, str, str]:
            delivery = done[place].delivery
            return delivery.destination or "", delivery.new.contract, delivery.new.logical_address

        stops: dict[int, Stop | None] = {}
        for place in sorted(range(len(done)), key=way):
            one = done[place]
            stops[place] = rows.ways.note(one.delivery, one.outcome, self._policy)
        return [stops[place] for place in range(len(done))]
