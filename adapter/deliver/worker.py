"""Take the next due delivery, make the attempt, record what came of it.

Each destination is a lane, with so many attempts under way at most (`lanes.py`). A receiver that
hangs keeps threads waiting, so another thread begins when all are taken.

The attempt is made outside any transaction. Its outcome, and whatever follows from it, are recorded
in one, which others share and in which the next deliveries are taken (`desk.py`). A process that
dies in between leaves the delivery in SENDING, and it is taken back.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final, Protocol

import structlog

from intyg.adapter.deliver import RESENDABLE, again_at
from intyg.adapter.deliver.desk import Consequence, Desk, Done, Recorded
from intyg.adapter.deliver.lanes import FindDestination, RouteLanes
from intyg.adapter.domain.clock import Clock
from intyg.adapter.domain.delivery import Delivery, Outcome, OutcomeKind
from intyg.adapter.domain.destination import Destination
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.domain.kept_thread import KeptThread
from intyg.adapter.domain.log import shown
from intyg.adapter.domain.way import WayPolicy
from intyg.adapter.settings.settings import DeliverySettings
from intyg.adapter.store import Ended, LeaseLostError, Store

WITHOUT_ROUTE: Final = "no route"
LEASE_MARGIN_SECONDS: Final = 30.0
"""For looking up the host name and for recording the outcome."""

RECORDING_WAITS_SECONDS: Final = (0.1, 0.5, 2.0, 5.0)
"""Before recording once more when the database does not answer. If it never does, the lease runs
out and the message is sent again."""

WhyNot = Callable[[str, str], str]
"""(contract's name, logical address) → why there is none."""

AfterDelivery = Callable[[Delivery, Outcome], Consequence]
"""Asks what must be known for that, before the transaction. The delivery is as claimed."""

SPARE_SECONDS: Final = 5.0
"""How long a thread beyond `workers` stays without work."""

MOST_THREADS: Final = 64
"""However many receivers hang."""

_log = structlog.get_logger()


class _RouteChangedError(Exception):
    """A claimed delivery goes to another destination than it was claimed for."""


class _Refusal:
    """Why the database refuses, which is told when that begins or changes, and not at each poll."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._text: str | None = None

    def begins(self, text: str) -> bool:
        """Whether that is news."""
        with self._lock:
            before, self._text = self._text, text
        return before != text

    def ends(self) -> None:
        """It does as told."""
        with self._lock:
            self._text = None


class MakesAttempts(Protocol):
    """What a worker needs of `intyg.adapter.deliver.Deliverer`."""

    def deliver(self, delivery: Delivery, destination: Destination) -> Outcome:
        """Make one attempt."""

    def longest_attempt_seconds(self, destination: Destination) -> float:
        """Longest time that an attempt takes."""


class Workers:
    """
    Threads that deliver.

    Args:
        store: Where deliveries are.
        deliverer: Makes the attempts.
        find_destination: The routes.
        after_delivery: What follows from an outcome.
        settings: How many threads, how often, how long.
        clock: Aware UTC.
        why_not: What the routes say where they lead nowhere.
        given_up: What follows where processes died at one and it is not tried again.

    Attributes:
        threads: Those that deliver, between `start` and `stop`.
        stop_until: When attempts under way are left (`time.monotonic`), once it ends.
    """

    def __init__(
        self,
        store: Store,
        deliverer: MakesAttempts,
        find_destination: FindDestination,
        after_delivery: AfterDelivery,
        settings: DeliverySettings,
        clock: Clock,
        why_not: WhyNot = lambda *_: "",
        given_up: Consequence = lambda *_: None,
    ) -> None:
        self._why_not = why_not
        self._given_up = given_up
        self._store = store
        self._deliverer = deliverer
        self._find_destination = find_destination
        self._after_delivery = after_delivery
        self._settings = settings
        self._clock = clock
        self._stopping = threading.Event()
        self.stop_until = 0.0
        self.threads: list[KeptThread] = []
        self._lanes = RouteLanes(find_destination, settings.workers)
        policy = WayPolicy(
            settings.breaker_failures, settings.probe_seconds, settings.breaker_seconds
        )
        self._desk = Desk(
            store,
            self._lanes,
            policy,
            settings.lease_seconds,
            lambda: not (self._held or self._stopping.is_set()),
        )
        self._refusal = _Refusal()
        self._pool = threading.Lock()
        self._busy = 0
        self._begun = 0
        self._turn = threading.Condition()
        self._attempting = 0
        self._held = False

    def start(self) -> None:
        """
        Take back what an earlier process left, and start the threads.

        Raises:
            StoreError: The database did not answer.
        """
        self.recover()
        self._stopping.clear()
        with self._pool:
            for _ in range(self._settings.workers):
                self._begin_thread(spare=False)

    def end(self) -> None:
        """Begin to stop: nothing more is taken, and what is under way has `stop_seconds` left."""
        if not self._stopping.is_set():
            self.stop_until = time.monotonic() + self._settings.stop_seconds
            self._stopping.set()
            self._store.wake_all()

    def stop(self) -> None:
        """
        End the threads; attempts under way are finished and recorded first.

        Those that take longer than `stop_seconds` are left to the lease: the message is taken back
        and sent again, which the receiver knows by its ids.
        """
        self.end()
        for thread in list(self.threads):
            thread.join(max(0.0, self.stop_until - time.monotonic()))
        left = [thread.name for thread in self.threads if thread.is_alive()]
        if left:
            _log.warning("delivery.left_under_way", **{"intyg.attempts": len(left)})
            with suppress(StoreError):
                self._store.leave_under_way()
        self.threads = []

    def _begin_thread(self, *, spare: bool) -> None:
        name = f"worker-{self._begun}"
        self._begun += 1
        thread = KeptThread(name, partial(self._run, name, spare))
        self.threads.append(thread)
        thread.start()

    @contextmanager
    def _busy_thread(self) -> Iterator[None]:
        """A thread has something to do: another one begins when all have."""
        with self._pool:
            self._busy += 1
            running = bool(self.threads) and not self._stopping.is_set()
            if running and len(self.threads) <= self._busy <= MOST_THREADS:
                self._begin_thread(spare=True)
        try:
            yield
        finally:
            with self._pool:
                self._busy -= 1

    def _leave(self) -> None:
        """A spare thread ends, and is missed by nobody."""
        with self._pool:
            me = threading.current_thread()
            self.threads = [thread for thread in self.threads if thread is not me]

    def run_once(self, worker: str = "worker") -> bool:
        """
        Take one delivery that is due, attempt it and record the outcome.

        Returns:
            Whether there was one.

        Raises:
            StoreError: The database did not answer.
        """
        with self._taking_part():
            delivery = self._desk.take(worker)
            if delivery is not None:
                with self._busy_thread():
                    done = self._done(delivery)
                    if done is not None:
                        self._record(done)
        return delivery is not None

    def _work(self, worker: str) -> bool:
        """The same, and then the next one as long as there is any."""
        with self._taking_part():
            delivery = self._desk.take(worker)
            found = delivery is not None
            while delivery is not None:
                with self._busy_thread():
                    done = self._done(delivery)
                    delivery = None if done is None else self._swap(worker, done)
        return found

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        No delivery is taken while the block runs; attempts under way come to their end first.

        For moving the clock: a lease must not run out because time jumped.
        """
        with self._turn:
            self._turn.wait_for(lambda: not self._held)
            self._held = True
            self._turn.wait_for(lambda: self._attempting == 0)
        try:
            yield
        finally:
            self._desk.look_again()  # for time may have gone on
            with self._turn:
                self._held = False
                self._turn.notify_all()

    def wait_until_done(self, timeout_seconds: float) -> bool:
        """
        Wait until every delivery that is due has been attempted, and none is under way.

        Returns:
            False when the time ran out.

        Raises:
            StoreError: The database did not answer.
        """
        self._store.wake_all()
        with self._turn:  # nobody takes one while it is asked whether there is any
            return self._turn.wait_for(
                lambda: self._attempting == 0 and not self._is_any_due(), timeout_seconds
            )

    def _is_any_due(self) -> bool:
        with self._store.read() as rows:
            return rows.deliveries.is_any_due()

    @contextmanager
    def _taking_part(self) -> Iterator[None]:
        with self._turn:
            self._turn.wait_for(lambda: not self._held)
            self._attempting += 1
        try:
            yield
        finally:
            with self._turn:
                self._attempting -= 1
                if self._attempting == 0:
                    self._turn.notify_all()

    def recover(self) -> None:
        """Take back deliveries whose worker is gone, and sort those whose route has changed."""
        for delivery_id in self._store.recover_expired(RESENDABLE, self._given_up):
            _log.warning("delivery.taken_back", **{"intyg.delivery_id": delivery_id})
        self.sort_anew()

    def sort_anew(self) -> None:
        """Let what waits stand where the routes lead now, and not where they led."""
        moved = self._store.write(lambda rows: rows.deliveries.sort_anew(self._lanes))
        if moved:
            _log.info("delivery.moved", **{"intyg.deliveries": moved})

    # --- inside ---

    def _run(self, worker: str, spare: bool = False) -> None:
        recovered = used = time.monotonic()
        found = woken = False
        while not self._stopping.is_set():
            seen = self._store.wakes
            try:
                if time.monotonic() - recovered > self._settings.lease_seconds / 2:
                    recovered = time.monotonic()
                    self.recover()
                # Whoever was woken, or has just had the last, asks only if there is news.
                found = not ((found or woken) and self._desk.has_nothing()) and self._work(worker)
            except StoreError as error:
                if self._refusal.begins(error.text):
                    _log.error("delivery.store_failed", **{"error.message": error.text})
                self._stopping.wait(self._settings.poll_seconds)
                continue
            self._refusal.ends()
            if found:
                used = time.monotonic()
                continue
            if spare and time.monotonic() - used > SPARE_SECONDS:
                self._leave()
                return
            wait = self._lanes.wait_seconds(self._settings.poll_seconds)
            woken = self._store.wait_for_work(wait, seen)

    def _done(self, delivery: Delivery) -> Done | None:
        """Make the attempt; None where it goes elsewhere after all."""
        try:
            outcome, counted = self._attempt(delivery)
        except _RouteChangedError:
            with self._losing_it(delivery):
                self._store.write(lambda rows: rows.deliveries.release(delivery))
            return None
        try:
            return Done(Ended(delivery, outcome, counted), self._after_delivery(delivery, outcome))
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  a door: what follows must not be lost
            return self._without_consequences(delivery, outcome, counted, error)

    @contextmanager
    def _losing_it(self, delivery: Delivery) -> Iterator[None]:
        try:
            yield
        except LeaseLostError:
            # Another attempt may be under way, and its outcome will count.
            _log.warning("delivery.lease_lost", **_ids(delivery))

    def _attempt(self, delivery: Delivery) -> tuple[Outcome, bool]:
        """Returns the outcome, and whether it counts as an attempt."""
        now = self._clock()
        if delivery.attempts > self._settings.max_attempts:
            # Every attempt before ended with the end of its process.
            return Outcome(OutcomeKind.UNKNOWN, detail="no attempt ever came to an end"), False
        name, _, major = delivery.new.contract.partition(":")
        try:
            destination = self._find_destination(name, int(major), delivery.new.logical_address)
            if destination is None:
                # Not the message's fault: it waits for a route, and uses up no attempt.
                look_again = now + timedelta(seconds=self._settings.waits_seconds[0])
                why = self._why_not(name, delivery.new.logical_address)
                detail = f"{WITHOUT_ROUTE}: {why}" if why else WITHOUT_ROUTE
                return Outcome(OutcomeKind.RETRY, retry_at=look_again, detail=detail), False
            if destination.name != delivery.destination:
                raise _RouteChangedError  # perhaps to where nothing may go just now
            needed = self._deliverer.longest_attempt_seconds(destination) + LEASE_MARGIN_SECONDS
            if needed > self._settings.lease_seconds:
                self._store.write(lambda rows: rows.deliveries.extend_lease(delivery, needed))
            return self._deliverer.deliver(delivery, destination), True
        except (StoreError, _RouteChangedError):
            raise
        except Exception as error:  # noqa: BLE001  a door: what our code does not foresee
            _log.error("delivery.failed", **_ids(delivery), **{"error.type": type(error).__name__})
            # What the network and the receiver do is an outcome, so this was before sending.
            retry_at = again_at(delivery.attempts, self._settings, self._clock())
            detail = f"internal error: {type(error).__name__}"
            return Outcome(OutcomeKind.RETRY, retry_at=retry_at, detail=detail), True

    def _swap(self, worker: str, done: Done) -> Delivery | None:
        """Record what was done, and take the next."""
        recorded, taken = self._desk.swap(worker, done)
        if recorded is not None:
            _tell(done, recorded)
        else:
            self._record(done)
        return taken

    def _record(self, done: Done) -> None:
        """By itself, also when the database does not answer at first."""
        with self._losing_it(done.delivery):
            _tell(*self._insisting(done))

    def _insisting(self, done: Done) -> tuple[Done, Recorded]:
        """As `_recorded`, again where the database does not answer; for the last time raising."""
        waits = iter(RECORDING_WAITS_SECONDS)
        while True:
            try:
                return self._recorded(done)
            except LeaseLostError:
                raise
            except StoreError as error:
                _refused(done.delivery, error)
                wait = next(waits, None)
                if wait is None:
                    raise
                time.sleep(wait)

    def _recorded(self, done: Done) -> tuple[Done, Recorded]:
        try:
            return done, self._desk.record(done)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  a door: what follows must not be lost
            ended = done.ended
            done = self._without_consequences(ended.delivery, ended.outcome, ended.counted, error)
            return done, self._desk.record(done)

    def _without_consequences(
        self, delivery: Delivery, outcome: Outcome, counted: bool, error: Exception
    ) -> Done:
        """
        What to record when the consequences of an outcome failed.

        Nothing is recorded as done whose consequences are missing: where that is harmless, it is
        sent again, is answered INFO, and the consequences have another chance.
        """
        name = type(error).__name__
        _log.error("delivery.consequences_failed", **_ids(delivery), **{"error.type": name})
        retry_at = None
        if delivery.new.contract in RESENDABLE:
            retry_at = again_at(delivery.attempts, self._settings, self._clock())
        detail = f"{outcome.kind.value}, but what follows failed: {name}"
        kept = replace(outcome, kind=OutcomeKind.UNKNOWN, retry_at=retry_at, detail=detail)
        return Done(Ended(delivery, kept, counted), lambda *_: None)


def _refused(delivery: Delivery, error: StoreError) -> None:
    _log.error("delivery.store_failed", **_ids(delivery), **{"error.message": error.text})


def _tell(done: Done, recorded: Recorded) -> None:
    """A line in the log."""
    delivery, outcome, stop = done.delivery, done.outcome, recorded.stop
    fields = {
        "intyg.outcome": outcome.kind.value,
        "intyg.delivery_state": recorded.delivery.state.value,
        "intyg.attempt": delivery.attempts,
        "intyg.detail": outcome.detail,
        "intyg.result_code": outcome.result_code,
        "intyg.error_id": outcome.error_id,
        "intyg.retry_at": recorded.delivery.due_at.isoformat() if outcome.retry_at else None,
        "intyg.destination": delivery.destination or None,
        "intyg.stopped": f"{stop.cause}: {stop.way}" if stop and stop.cause else None,
        "http.response.status_code": outcome.http_status,
    }
    _log.info(
        "delivery.attempt",
        **_ids(recorded.delivery),
        **{name: value for name, value in fields.items() if value is not None},
    )


def _ids(delivery: Delivery) -> dict[str, str | None]:
    """What a log line may say of a delivery."""
    return {
        "trace.id": shown(delivery.correlation_id),
        "intyg.id": shown(delivery.new.intygs_id),
        "intyg.contract": delivery.new.contract,
        "intyg.delivery_id": delivery.id,
        "intyg.logical_address": shown(delivery.new.logical_address),
    }
