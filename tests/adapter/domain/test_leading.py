"""Who comes first serves all that wait; everybody is served, in the order they came."""

import threading
from concurrent.futures import ThreadPoolExecutor

from intyg.adapter.domain.leading import Leading, Visit

CALLERS = 8
EACH = 200


class Number(Visit):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.served = False


def serve(waiting: Leading[Number], visit: Number, at_once: int, order: list[int]) -> None:
    """Come, and if it leads, serve at most so many."""
    if not waiting.come(visit):
        return
    served: list[Number] = []
    while len(waiting) and len(served) < at_once:
        served.append(waiting.take())
        served[-1].served = True
        order.append(served[-1].number)
    waiting.leave(served[1:])


def test_everybody_is_served_once_however_many_come_at_once() -> None:
    waiting: Leading[Number] = Leading()
    order: list[int] = []

    def calls(caller: int) -> None:
        for n in range(EACH):
            visit = Number(caller * EACH + n)
            serve(waiting, visit, 3, order)
            assert visit.served

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(calls, range(CALLERS)))
    assert sorted(order) == list(range(CALLERS * EACH))
    assert len(waiting) == 0


def test_those_that_wait_are_served_in_the_order_they_came_and_the_next_leads() -> None:
    waiting: Leading[Number] = Leading()
    order: list[int] = []
    first = Number(0)
    assert waiting.come(first)
    threads = []
    for n in range(1, 6):
        threads.append(threading.Thread(target=serve, args=(waiting, Number(n), 2, order)))
        threads[-1].start()
        while len(waiting) <= n:
            threading.Event().wait(0.001)
    assert waiting.take() is first
    with_first = waiting.take()
    waiting.leave(())
    for thread in threads[1:]:
        thread.join(10)
    assert (with_first.number, order) == (1, [2, 3, 4, 5])
    assert threads[0].is_alive()  # it was taken, and who leads has not let it go
    with_first.wake()
    threads[0].join(10)
    assert not threads[0].is_alive()
