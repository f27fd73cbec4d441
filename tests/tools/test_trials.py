"""Crash trials for as long as a suite may take; `python -m tools.trials` runs thousands."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.crash import cluster, disk
from tools.crash.draft_checker import Versions
from tools.crash.drafts import Asked
from tools.crash.messages import Event, answer_in, read, request_of
from tools.crash.mistakes import MISTAKES
from tools.crash.model import events_of
from tools.crash.plan import FAULTS, RECEIVER_FAULTS, draw

ROOT = Path(__file__).parents[2]
SECONDS = 6
Note = Callable[[str, object], None]

slow = pytest.mark.timeout(300)  # on a machine that has others to serve


def trials(record: Note, *options: str, seed: int | None = None) -> str:
    """Run the tool, and show what it says; the seed is another one each time."""
    chosen = seed if seed is not None else random.SystemRandom().randrange(10**7)
    command = [sys.executable, "-m", "tools.trials", f"--seed={chosen}", *options]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env=os.environ, check=False
    )
    summary = done.stdout.splitlines()[-1] if done.stdout else ""
    record("table", f"crash trials {' '.join(options)} from seed {chosen}: {summary}")
    assert done.returncode == 0, f"seed {chosen}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@slow
def test_nothing_is_lost_on_sqlite(record_property: Note) -> None:
    if why := disk.why_no_libfiu():
        record_property("table", f"fsync and write errors WERE NOT TRIED: {why}")
    assert "0 with violations" in trials(record_property, f"--seconds={SECONDS}")


@slow
def test_nothing_is_lost_on_postgresql(record_property: Note) -> None:
    if why := cluster.why_no_cluster():
        pytest.skip(f"crashes of PostgreSQL WERE NOT TRIED: {why}")
    told = trials(record_property, "--postgres", f"--seconds={SECONDS}")
    assert "0 with violations" in told


@slow
def test_every_planted_mistake_is_found(record_property: Note) -> None:
    told = trials(record_property, "--judge", "--count=1", seed=2)
    assert told.count(": found by trial ") == len(MISTAKES)


def test_a_trial_follows_from_its_seed() -> None:
    assert draw(7, postgresql=True) == draw(7, postgresql=True)
    drawn = {fault for seed in range(3000) for fault in draw(seed, postgresql=False).faults}
    on_postgresql = {fault for seed in range(3000) for fault in draw(seed, postgresql=True).faults}
    assert drawn | on_postgresql == set(FAULTS)


@pytest.mark.parametrize("fault", RECEIVER_FAULTS)
def test_a_wanted_fault_is_in_every_trial(fault: str) -> None:
    assert all(fault in draw(seed, postgresql=False, fault=fault).faults for seed in range(50))


def test_the_model_counts_questions_as_they_stand_after_each_event() -> None:
    """Of the engine of FK7804 version 1: MAKULE with the numbers before, then what it closes."""
    told = events_of(["register", "ask", "fk-ask", "fk-answer", "revoke"])
    assert told == [
        Event("SIGNAT", (0, 0, 0, 0), (0, 0, 0, 0)),
        Event("NYFRFV", (1, 1, 0, 0), (0, 0, 0, 0)),
        Event("NYFRFM", (1, 1, 0, 0), (1, 1, 0, 0)),
        Event("NYSVFM", (1, 0, 1, 0), (1, 1, 0, 0)),
        Event("MAKULE", (1, 0, 1, 0), (1, 1, 0, 0)),
        Event("HANFRFV", (1, 0, 0, 1), (1, 1, 0, 0)),
        Event("HANFRFM", (1, 0, 0, 1), (1, 0, 0, 1)),
    ]


def test_answers_and_messages_are_read_off_their_bytes() -> None:
    assert answer_in(b"<a:resultCode>OK</a:resultCode>") == ("OK", "")
    error = b"<resultCode>ERROR</resultCode><errorId>TECHNICAL_ERROR</errorId>"
    assert answer_in(error + b"<resultText>no</resultText>") == ("TECHNICAL_ERROR", "no")
    assert answer_in(b"<faultstring>no</faultstring>") == ("FAULT", "no")
    found = read("SendMessageToCare", request_of("fk-ask", "one").body)
    assert (found.intygs_id, found.key) == ("one", "one-fk-ask")


def saved(stamp: int, text: str, status: int | None, version: int | None = None) -> Asked:
    """A save, answered at the second that its text is."""
    return Asked("", "save", "one", stamp, text, status, version, float(text) - 0.5, float(text))


def test_a_version_is_of_the_save_that_was_answered_or_of_one_that_was_not() -> None:
    asked = (saved(0, "1", 200, 1), saved(1, "2", 409, 1), saved(1, "3", None), saved(1, "4", 503))
    versions = Versions(asked)
    assert (versions.last, versions.before(1.0), versions.before(1.1)) == (1, 0, 1)
    assert [versions.texts(number) for number in range(4)] == [{""}, {"1"}, {"3", "4"}, set()]
    assert versions.faults == []


def test_a_version_is_saved_once() -> None:
    both = Versions((saved(0, "1", 200, 1), saved(0, "2", 200, 1)))
    wrong = Versions((saved(0, "1", 200, 7),))
    assert both.faults == ["two saves were answered version 1"]
    assert wrong.faults == ["saved over 0 and answered version 7"]


@pytest.mark.parametrize("point", ["draft.before", "draft.after", "sign.before", "sign.after"])
def test_a_process_that_dies_in_a_draft_has_one(point: str) -> None:
    wanted = f"kill:{point}"
    plans = [draw(seed, postgresql=False, fault=wanted) for seed in range(50)]
    steps = [one for plan in plans for one in plan.drafts]
    assert all(one[0].startswith("save") for one in steps)
    assert not point.startswith("sign") or all("sign" in one for one in steps)
