"""
What is to happen when, on a clock that can be moved.

Alarms go off in the order of their moments, one at a time. While the clock runs, a thread waits for
the next; when it is moved forward, everything on the way is carried out first, each alarm with the
clock standing at its own moment. So a month of dialogue takes as long as its messages do.

Others may have a clock that goes with this one: an adapter, whose retries fall due between two
alarms. It is led to each moment, and the next one does not begin before it has done what was due.
"""

import logging
import threading
import weakref
from bisect import insort
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, Self

from intyg.mocks.clock.clock import (
    Clock,
    ClockError,
    VirtualClock,
    checked,
    system_clock,
)

_log = logging.getLogger(__name__)

MAX_STEPS: Final = 20_000
"""More in one move are taken for messages that go round in a circle."""


@dataclass(frozen=True, order=True)
class Alarm:
    """
    Something to do at a moment.

    Attributes:
        due: When.
        order: Decides between alarms of one moment, so that the order is the
            same whoever was quicker to set one; then the number does.
        owner: Whose it is, for taking back.
    """

    due: datetime
    order: str
    number: int
    action: Callable[[], None] = field(compare=False, repr=False)
    owner: object = field(compare=False, repr=False)


@dataclass(frozen=True)
class Moment:
    """
    Where a timeline stands.

    Attributes:
        frozen: Whether its clock stands still.
        pending: Alarms that are set.
        next_due: When the first of them goes off.
        carried_out: How many went off in the move that led here.
    """

    now: datetime
    frozen: bool
    pending: int
    next_due: datetime | None
    carried_out: int = 0


class Follower(Protocol):
    """A clock elsewhere that goes with this one. Its methods raise ClockError when it does not."""

    def freeze(self) -> datetime:
        """Let it stand still; returns where."""

    def lead(self, moment: datetime, *, backwards: bool = False) -> datetime | None:
        """
        Move it, standing still, and wait until all that fell due there is done.

        Returns:
            When the next thing falls due there, if anything does.
        """

    def run(self) -> None:
        """Let it go on from where it stands."""


class Outlasted(Protocol):
    """Waits without an end, which a move of the clock is longer than."""

    def outlasted(self) -> AbstractContextManager[None]:
        """Within it none of them lasts."""


class Timeline:
    """
    A clock with alarms. Itself a `Clock`.

    Args:
        clock: What it follows while it runs.
    """

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = VirtualClock(clock)
        self._alarms: list[Alarm] = []  # by due; guarded by the clock's condition, as the rest
        self._numbers = 0
        self._thread: threading.Thread | None = None
        self._followers: list[Follower] = []
        self._turn = threading.Lock()
        """Held while alarms go off, so that only one does."""
        self._outlasted: weakref.WeakSet[Outlasted] = weakref.WeakSet()

    @classmethod
    def of(cls, clock: Clock) -> Self:
        """A clock as a timeline: itself, if it is one."""
        return clock if isinstance(clock, cls) else cls(clock)

    def __call__(self) -> datetime:
        return self._clock()

    def read(self, carried_out: int = 0) -> Moment:
        """Where it stands."""
        with self._clock.moved:
            next_due = self._alarms[0].due if self._alarms else None
            return Moment(
                self._clock(), self._clock.frozen, len(self._alarms), next_due, carried_out
            )

    def follow(self, follower: Follower) -> None:
        """Take another clock along from now on."""
        self._followers.append(follower)

    def outlast(self, waits: Outlasted) -> None:
        """End these whenever the clock is moved."""
        self._outlasted.add(waits)

    # --- alarms ---------------------------------------------------------------------------------

    def at(self, due: datetime, action: Callable[[], None], order: str, owner: object) -> None:
        """Set an alarm; one whose moment has passed goes off as soon as may be."""
        with self._clock.moved:
            self._numbers += 1
            insort(self._alarms, Alarm(due, order, self._numbers, action, owner))
            if self._thread is None:
                self._thread = threading.Thread(target=self._wait, name="timeline", daemon=True)
                self._thread.start()
            self._clock.moved.notify_all()

    def cancel(self, owner: object) -> None:
        """Take back every alarm of an owner; the one that is going off is not ended."""
        with self._clock.moved:
            self._alarms = [each for each in self._alarms if each.owner is not owner]
            self._clock.moved.notify_all()

    def clear(self) -> None:
        """Take back every alarm, and let those who follow go their own way."""
        with self._clock.moved:
            self._alarms.clear()
            self._followers.clear()
            self._clock.moved.notify_all()

    def _wait(self) -> None:
        """The thread: there as long as an alarm is set."""
        while self._sleep():
            with self._turn:
                while (alarm := self._take()) is not None:
                    _carry_out(alarm)

    def _sleep(self) -> bool:
        """Until an alarm is due; returns whether there is any left to wait for."""
        with self._clock.moved:
            while self._alarms:
                left = (self._alarms[0].due - self._clock()).total_seconds()
                if left <= 0:
                    return True
                self._clock.moved.wait(None if self._clock.frozen else left)
            self._thread = None
            return False

    def _take(self) -> Alarm | None:
        """The next alarm, if it is due."""
        with self._clock.moved:
            if self._alarms and self._alarms[0].due <= self._clock():
                return self._alarms.pop(0)
            return None

    # --- moving ---------------------------------------------------------------------------------

    def freeze(self) -> Moment:
        """Let time stand still, here and for those who follow."""
        with self._moving():
            self._forward(self._stop())
        return self.read()

    def run(self, carried_out: int = 0) -> Moment:
        """Let time go on."""
        with self._turn:
            self._go_on()
        return self.read(carried_out)

    def advance(self, by: timedelta) -> Moment:
        """
        Move forward, and carry out what falls due on the way, in order.

        Raises:
            ClockError: `by` is negative; somebody who follows was not done in
                time; or messages go round in a circle.
        """
        if by < timedelta():
            raise ClockError("by: must not be negative")
        return self._while_stopped(lambda now: self._forward(checked("by", now, by)))

    def move_to(self, moment: datetime, *, backwards: bool = False) -> Moment:
        """
        Move to a moment: forward as `advance`, or back, which carries out nothing.

        Raises:
            ClockError: It has no zone, lies in the past without `backwards`;
                or as `advance`.
        """
        checked("now", moment)

        def go(now: datetime) -> int:
            if moment < now:
                self._clock.move_to(moment, backwards=backwards)
                self._lead(backwards=True)
                return 0
            return self._forward(moment)

        return self._while_stopped(go)

    def _while_stopped(self, go: Callable[[datetime], int]) -> Moment:
        """Move while time stands still; afterwards it stands or runs as it did before."""
        with self._moving():
            was_frozen = self._clock.frozen
            try:
                carried_out = go(self._stop())
            finally:
                if not was_frozen:
                    self._go_on()
            return self.read(carried_out)

    @contextmanager
    def _moving(self) -> Iterator[None]:
        """Nobody else moves it, and nothing lasts for ever meanwhile."""
        with self._turn, ExitStack() as stack:
            for waits in tuple(self._outlasted):
                stack.enter_context(waits.outlasted())
            yield

    def _stop(self) -> datetime:
        """Stand still, all together, where the one that had come farthest is; returns where."""
        now = max([self._clock.freeze(), *(each.freeze() for each in self._followers)])
        self._clock.move_to(now)
        return now

    def _go_on(self) -> None:
        self._clock.run()
        for each in self._followers:
            each.run()

    def _forward(self, target: datetime) -> int:
        """From one due moment to the next; returns how many alarms went off."""
        carried_out = 0
        for _ in range(MAX_STEPS):
            due = self._lead()
            alarm = self._take()
            if alarm is not None:
                _carry_out(alarm)
                carried_out += 1
                continue
            now = self._clock()
            if now >= target:
                return carried_out
            stops = (due, self.read().next_due, target)
            self._clock.move_to(max(now, min(stop for stop in stops if stop is not None)))
        raise ClockError(f"by: more than {MAX_STEPS} steps; do messages go round in a circle?")

    def _lead(self, *, backwards: bool = False) -> datetime | None:
        """Take those who follow to where this clock stands; returns what falls due there next."""
        now = self._clock()
        dues = [each.lead(now, backwards=backwards) for each in self._followers]
        return min((due for due in dues if due is not None), default=None)


def _carry_out(alarm: Alarm) -> None:
    try:
        alarm.action()
    except Exception as exc:  # noqa: BLE001 -- a door: one alarm must not stop those after it
        _log.error("alarm_failed order=%s exception=%s", alarm.order, type(exc).__name__)
