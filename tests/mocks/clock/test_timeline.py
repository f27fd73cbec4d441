import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from intyg.mocks.clock import timeline as timeline_module
from intyg.mocks.clock.clock import ClockError, system_clock
from intyg.mocks.clock.timeline import Timeline

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Diary:
    """A timeline that stands still, and what went off when."""

    def __init__(self) -> None:
        self.line = Timeline(lambda: NOON)
        self.seen: list[tuple[str, datetime]] = []

    def plan(self, name: str, after: timedelta, then: Callable[[], None] | None = None) -> None:
        def action() -> None:
            self.seen.append((name, self.line()))
            if then:
                then()

        self.line.at(self.line() + after, action, name, self)


@pytest.fixture
def diary() -> Iterator[Diary]:
    diary = Diary()
    yield diary
    diary.line.cancel(diary)


def test_a_month_goes_off_in_order_each_at_its_own_moment(diary: Diary) -> None:
    for days in (20, 3, 40, 7):
        diary.plan(f"day {days}", days * DAY)
    moment = diary.line.advance(30 * DAY)
    assert diary.seen == [
        ("day 3", NOON + 3 * DAY),
        ("day 7", NOON + 7 * DAY),
        ("day 20", NOON + 20 * DAY),
    ]
    assert (moment.now, moment.carried_out) == (NOON + 30 * DAY, 3)
    assert (moment.pending, moment.next_due) == (1, NOON + 40 * DAY)


def test_what_goes_off_may_set_what_goes_off_later_on_the_way(diary: Diary) -> None:
    diary.plan("ask", DAY, lambda: diary.plan("remind", 7 * DAY))
    diary.plan("close", 9 * DAY)
    assert diary.line.advance(30 * DAY).carried_out == 3
    assert [name for name, _ in diary.seen] == ["ask", "remind", "close"]
    assert diary.seen[1][1] == NOON + 8 * DAY


def test_order_of_one_moment_does_not_depend_on_who_was_quicker(diary: Diary) -> None:
    for name in ("c", "a", "b"):
        diary.plan(name, DAY)
    diary.line.advance(DAY)
    assert [name for name, _ in diary.seen] == ["a", "b", "c"]


def test_one_that_fails_does_not_stop_the_next(diary: Diary) -> None:
    diary.plan("wrong", DAY, lambda: [][0])
    diary.plan("right", 2 * DAY)
    assert diary.line.advance(3 * DAY).carried_out == 2
    assert [name for name, _ in diary.seen] == ["wrong", "right"]


def test_alarms_are_taken_back_by_owner(diary: Diary) -> None:
    diary.plan("mine", DAY)
    diary.line.at(NOON + DAY, lambda: diary.seen.append(("other", NOON)), "other", "other")
    diary.line.cancel(diary)
    diary.line.advance(2 * DAY)
    assert diary.seen == [("other", NOON)]


def test_messages_that_go_round_in_a_circle_come_to_an_end(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline_module, "MAX_STEPS", 50)

    diary.line.freeze()

    def again() -> None:
        if len(diary.seen) < 60:
            diary.plan("again", timedelta(), again)

    diary.plan("again", DAY, again)
    with pytest.raises(ClockError, match="circle"):
        diary.line.advance(DAY)


def test_going_back_carries_out_nothing(diary: Diary) -> None:
    diary.line.move_to(NOON + DAY)
    diary.plan("later", DAY)
    diary.line.move_to(NOON - DAY, backwards=True)
    assert diary.line() == NOON - DAY
    assert diary.seen == []
    with pytest.raises(ClockError, match="backwards must be meant"):
        diary.line.move_to(NOON - 2 * DAY)
    with pytest.raises(ClockError, match=r"^by: must not be negative"):
        diary.line.advance(-DAY)
    with pytest.raises(ClockError, match=r"^by: a clock goes from"):
        diary.line.advance(365_000 * DAY)


class Adapter:
    """Somebody with a clock of their own, who tries again every two days; three times."""

    def __init__(self, diary: Diary, ahead: timedelta = timedelta()) -> None:
        self.diary = diary
        self.now = NOON + ahead
        self.due: list[datetime] = []
        self.stands = False

    def freeze(self) -> datetime:
        self.stands = True
        return self.now

    def lead(self, moment: datetime, *, backwards: bool = False) -> datetime | None:
        assert moment >= self.now or backwards
        self.now = moment
        for due in [each for each in self.due if each <= moment]:
            self.due.remove(due)
            self.diary.seen.append(("attempt", moment))
            if self.diary.line() < NOON + 5 * DAY:
                self.due.append(moment + 2 * DAY)
        return min(self.due, default=None)

    def run(self) -> None:
        self.stands = False


def test_who_follows_is_led_to_each_moment_of_either(diary: Diary) -> None:
    adapter = Adapter(diary)
    diary.line.follow(adapter)
    diary.plan("ask", DAY, lambda: adapter.due.append(diary.line()))
    diary.plan("remind", 4 * DAY)
    diary.line.advance(30 * DAY)
    assert [(name, (at - NOON).days) for name, at in diary.seen] == [
        ("ask", 1),
        ("attempt", 1),
        ("attempt", 3),
        ("remind", 4),
        ("attempt", 5),
    ]
    assert adapter.now == diary.line() == NOON + 30 * DAY
    assert not adapter.stands


def test_who_is_ahead_is_caught_up_with_and_never_moved_back(diary: Diary) -> None:
    adapter = Adapter(diary, ahead=timedelta(milliseconds=3))
    diary.line.follow(adapter)
    diary.line.advance(DAY)
    assert adapter.now == diary.line() == NOON + DAY + timedelta(milliseconds=3)


def test_time_goes_on_when_somebody_does_not_follow(diary: Diary) -> None:
    class Deaf(Adapter):
        def lead(self, moment: datetime, *, backwards: bool = False) -> datetime | None:
            raise ClockError(f"not done in time: {moment}, {backwards}")

    deaf = Deaf(diary)
    diary.line.follow(deaf)
    with pytest.raises(ClockError, match="not done in time"):
        diary.line.advance(DAY)
    assert not diary.line.read().frozen
    assert not deaf.stands


def test_alarms_go_off_by_themselves_while_the_clock_runs() -> None:
    line = Timeline(system_clock)
    rang = threading.Event()
    began = time.monotonic()
    line.at(line() + timedelta(seconds=0.1), rang.set, "", line)
    assert rang.wait(10)
    assert time.monotonic() - began >= 0.1


def test_the_thread_wakes_when_time_jumps_and_ends_when_nothing_is_left() -> None:
    line = Timeline(system_clock)
    rang = threading.Event()
    line.freeze()
    line.at(line() + timedelta(hours=1), rang.set, "", line)
    assert not rang.wait(0.05)
    line.advance(timedelta(hours=2))
    assert rang.is_set()
    assert line.read().frozen
    deadline = time.monotonic() + 10
    while any(thread.name == "timeline" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_alarms_set_from_many_threads_all_go_off_in_order(diary: Diary) -> None:
    def plan(number: int) -> None:
        for step in range(50):
            diary.plan(f"{number:02} {step:02}", timedelta(minutes=1 + step * 8 + number))

    threads = [threading.Thread(target=plan, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert diary.line.advance(DAY).carried_out == 400
    assert [at for _, at in diary.seen] == sorted(at for _, at in diary.seen)
