"""Threads that end when their work is done, and not when it fails."""

import threading
from collections.abc import Iterator

import pytest
import structlog

from intyg.adapter.domain import kept_thread
from intyg.adapter.domain.kept_thread import FAILURES, KeptThread, names_of_ended


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_thread, "AGAIN_SECONDS", 0.0)


class Work:
    """Fails with what it is given, one after the other; then it is done."""

    def __init__(self, *faults: BaseException) -> None:
        self.faults = list(faults)

    def __call__(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


def failures(name: str) -> float:
    return FAILURES.labels(name)._value.get()  # type: ignore[no-any-return]


def test_a_thread_goes_on_after_whatever_was_raised() -> None:
    work = Work(OSError("a"), SystemExit("b"), MemoryError())
    thread = KeptThread("kept", work)
    before = failures("kept")
    with structlog.testing.capture_logs() as lines:
        thread.start()
        thread.join(timeout=10)
    assert not thread.is_alive()
    assert work.faults == []
    assert failures("kept") - before == 3
    assert [line["error.type"] for line in lines] == ["OSError", "SystemExit", "MemoryError"]
    assert {line["process.thread.name"] for line in lines} == {"kept"}


@pytest.fixture
def running() -> Iterator[KeptThread]:
    end = threading.Event()

    def work() -> None:
        end.wait()

    thread = KeptThread("runs", work)
    thread.start()
    yield thread
    end.set()
    thread.join()


def test_who_has_ended_is_named_and_who_never_began(running: KeptThread) -> None:
    ended = KeptThread("ended", lambda: None)
    ended.start()
    ended.join()
    never = KeptThread("never", lambda: None)
    assert names_of_ended([running, ended, never]) == ["ended", "never"]
