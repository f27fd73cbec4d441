"""Lists that change while the adapter runs, and the reserved numbers."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog.testing

from intyg.adapter.clients.watched_file import LOOK_SECONDS, MAX_FILE_BYTES, WatchedFile
from intyg.adapter.domain.person import PatientKind, PersonId
from intyg.adapter.guard import (
    NO_SIGNAL,
    ListFile,
    ReservedNumbers,
    TestPatients,
)
from tests.builders import (
    OTHER_PATIENT,
    PATIENT,
    SAMORDNINGSNUMMER,
    UNLISTED_PATIENT,
)

TEST, NOT_TEST, CANNOT_TELL = PatientKind.TEST, PatientKind.NOT_TEST, PatientKind.CANNOT_TELL
DAMAGED = f"{PATIENT}\n18900101980\n"


class Seconds:
    """Seconds that grow when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """A list file, and who asks it."""

    def __init__(self, path: Path, text: str | None) -> None:
        self.path = path
        self.seconds = Seconds()
        self.writes = 0
        if text is not None:
            self.write(text)
        self.list = ListFile("list", path, self.seconds)

    def write(self, text: str) -> None:
        """In place, as an editor might, and a moment ago however long the test takes."""
        self.path.write_text(text)
        self.writes += 1
        self.changed_at(time.time() + 3600 + self.writes)

    def changed_at(self, seconds: float) -> None:
        os.utime(self.path, (seconds, seconds))

    def looks(self, count: int = 2) -> None:
        """Let that many looks at the file system come due, and happen."""
        for _ in range(count):
            self.seconds.now += LOOK_SECONDS
            self.kind(PATIENT)

    def kind(self, number: str) -> PatientKind:
        return self.list.kind(PersonId("1.2.752.129.2.1.3.1", number))


@pytest.fixture
def watch(tmp_path: Path) -> Callable[[str | None], Watched]:
    return lambda text: Watched(tmp_path / "list.csv", text)


def test_a_number_that_is_added_counts_after_two_looks(
    watch: Callable[[str | None], Watched],
) -> None:
    watched = watch(f"{PATIENT}\n")
    assert watched.kind(OTHER_PATIENT) is NOT_TEST
    watched.write(f"{PATIENT}\n{OTHER_PATIENT}\n")
    assert watched.kind(OTHER_PATIENT) is NOT_TEST  # it is not time to look yet
    watched.looks(1)
    assert watched.kind(OTHER_PATIENT) is NOT_TEST  # it may still be being written
    watched.looks(1)
    assert watched.kind(OTHER_PATIENT) is TEST
    assert watched.list.remark is None


def test_a_change_while_nobody_asked_counts_at_the_first_question(
    watch: Callable[[str | None], Watched],
) -> None:
    watched = watch(f"{PATIENT}\n")
    assert watched.kind(OTHER_PATIENT) is NOT_TEST
    watched.write(f"{PATIENT}\n{OTHER_PATIENT}\n")
    watched.changed_at(time.time() - 60)
    watched.seconds.now += 60
    assert watched.kind(OTHER_PATIENT) is TEST


def test_a_file_that_keeps_growing_is_not_read_half(
    watch: Callable[[str | None], Watched],
) -> None:
    watched = watch(f"{PATIENT}\n")
    for text in (f"{OTHER_PATIENT}\n", f"{OTHER_PATIENT}\n{UNLISTED_PATIENT}\n", DAMAGED):
        watched.write(text)
        watched.looks(1)
        assert (watched.kind(PATIENT), watched.list.remark) == (TEST, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(DAMAGED, "list.csv, line 2", id="a broken line"),
        pytest.param("", "holds no number", id="emptied"),
        pytest.param(f"{UNLISTED_PATIENT}\n", "0 of the 2 numbers", id="another list"),
        pytest.param(None, "No such file", id="removed"),
    ],
)
def test_a_list_that_is_damaged_later_is_refused_and_the_old_one_kept(
    watch: Callable[[str | None], Watched], text: str | None, says: str
) -> None:
    watched = watch(f"{PATIENT}\n{OTHER_PATIENT}\n")
    if text is None:
        watched.path.unlink()
    else:
        watched.write(text)
    with structlog.testing.capture_logs() as logged:
        watched.looks(5)
    assert [watched.kind(n) for n in (PATIENT, OTHER_PATIENT)] == [TEST, TEST]
    assert watched.kind(UNLISTED_PATIENT) is NOT_TEST
    assert watched.list.damage is None
    assert says in (watched.list.remark or "")
    assert [line["event"] for line in logged] == ["guard.file_refused"]  # once
    assert PATIENT[:4] not in str(logged)


def test_a_list_cut_off_between_lines_is_refused(watch: Callable[[str | None], Watched]) -> None:
    watched = watch(f"{PATIENT}\n{OTHER_PATIENT}\n{SAMORDNINGSNUMMER}\n")
    watched.write(f"{PATIENT}\n")
    watched.looks()
    assert watched.kind(OTHER_PATIENT) is TEST
    assert "1 of the 3 numbers" in (watched.list.remark or "")


def test_a_mended_list_is_read_and_the_remark_goes(
    watch: Callable[[str | None], Watched],
) -> None:
    watched = watch(f"{PATIENT}\n")
    watched.write(DAMAGED)
    watched.looks()
    watched.write(f"{PATIENT}\n{OTHER_PATIENT}\n")
    watched.looks()
    assert (watched.kind(OTHER_PATIENT), watched.list.remark) == (TEST, None)


def test_a_pipe_or_a_huge_file_is_not_read(
    watch: Callable[[str | None], Watched], tmp_path: Path
) -> None:
    """A pipe would keep whoever asks waiting until somebody writes to it."""
    watched = watch(f"{PATIENT}\n")
    for says in ("no ordinary file", "larger than 64 MiB"):
        watched.path.unlink()
        if says == "no ordinary file":
            os.mkfifo(watched.path)
        else:
            with watched.path.open("wb") as file:
                file.truncate(MAX_FILE_BYTES + 1)  # takes up no room
        watched.looks()
        assert says in (watched.list.remark or "")
        assert watched.kind(PATIENT) is TEST
    assert ListFile("list", Path("/dev/zero")).damage == "zero: no ordinary file"


@pytest.mark.parametrize("text", [None, DAMAGED])
def test_only_a_list_that_was_never_good_cannot_tell(
    watch: Callable[[str | None], Watched], text: str | None
) -> None:
    watched = watch(text)
    assert watched.kind(PATIENT) is CANNOT_TELL
    assert watched.list.damage is not None
    watched.write(f"{PATIENT}\n")
    watched.looks()
    assert [watched.kind(n) for n in (PATIENT, OTHER_PATIENT)] == [TEST, NOT_TEST]
    assert watched.list.damage is None


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    seconds = Seconds()

    def read(file: Path) -> str:
        text = file.read_text()
        if text == "half":
            file.write_text("whole")
        return text

    watched = WatchedFile(path, read, monotonic=seconds)
    path.write_text("half")
    for _ in range(4):
        seconds.now += LOOK_SECONDS
        assert watched.content != "half"
    assert watched.content == "whole"


def test_who_asks_does_not_wait_for_who_reads(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    seconds, reading, go_on = Seconds(), threading.Event(), threading.Event()

    def read(file: Path) -> str:
        text = file.read_text()
        if text == "newer":
            reading.set()
            assert go_on.wait(10)
        return text

    watched = WatchedFile(path, read, monotonic=seconds)
    path.write_text("newer")
    os.utime(path, (time.time() + 3600,) * 2)  # a moment ago however long the test takes
    seconds.now += LOOK_SECONDS
    assert watched.content == "old"
    seconds.now += LOOK_SECONDS
    reader = threading.Thread(target=lambda: watched.content)
    reader.start()
    assert reading.wait(10)
    seconds.now += LOOK_SECONDS
    assert watched.content == "old"
    go_on.set()
    reader.join()
    assert watched.content == "newer"


def test_looking_up_costs_no_look_at_the_file_system(
    watch: Callable[[str | None], Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(f"{PATIENT}\n")
    watched.looks(1)
    monkeypatch.setattr(Path, "stat", lambda _: pytest.fail("the file system was asked"))
    assert watched.kind(PATIENT) is TEST


def test_24000_numbers_are_looked_up_as_fast_as_one(tmp_path: Path) -> None:
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_text(f"{PATIENT}\n")
    numbers = (f"{y}0{m}{d:02}{n:03}" for y in range(1920, 1940) for m in range(1, 9)
               for d in range(1, 29) for n in range(6))  # fmt: skip
    large.write_text("".join(f"{number}{_last(number)}\n" for number in numbers))
    lists = [ListFile("list", path) for path in (small, large)]
    assert [one.damage for one in lists] == [None, None]
    assert "26880 numbers" in lists[1].explain(PersonId("", PATIENT))
    one, many = (min(_seconds(each) for _ in range(5)) for each in lists)
    assert many < 10 * one + 0.001


def _last(number: str) -> int:
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(number[2:])]
    return -sum(divmod(each, 10)[0] + each % 10 for each in doubled) % 10


def _seconds(each: ListFile) -> float:
    person = PersonId("", UNLISTED_PATIENT)
    start = time.perf_counter()
    for _ in range(1000):
        each.kind(person)
    return time.perf_counter() - start


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (PATIENT, TEST),  # birth number 980
        ("189001029819", TEST),
        ("191212129999", TEST),
        ("191212121212", NOT_TEST),
        (UNLISTED_PATIENT, NOT_TEST),
        ("191401689802", NOT_TEST),  # samordningsnummer have no such range
        ("98", NOT_TEST),
        ("", NOT_TEST),
        ("1890010198０2", NOT_TEST),
    ],
)
def test_reserved_numbers_say_who_is_one_and_clear_nobody(number: str, kind: PatientKind) -> None:
    reserved = ReservedNumbers()
    assert reserved.kind(PersonId("", number)) is kind
    assert not reserved.clears


def test_reserved_numbers_alone_clear_nobody() -> None:
    verdict = TestPatients([ReservedNumbers()]).verdict(PersonId("", UNLISTED_PATIENT))
    assert (verdict.kind, verdict.signal) == (CANNOT_TELL, NO_SIGNAL)
