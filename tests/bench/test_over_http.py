"""What is called over HTTP is taken in, and each of its events is delivered, before it counts."""

from pathlib import Path

import pytest

from bench import over_http
from bench.over_http import Running

CALLS = 16
A_SECOND = 20.0


def test_a_course_counts_what_was_answered_and_delivered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_http, "WARM", 1)
    with Running(tmp_path).up() as running:
        before = running._events()
        course = running.course(CALLS)
        assert running._events() - before == CALLS
        paced = running.course(CALLS, a_second=A_SECOND)
    assert (course.count, len(course.took), len(paced.took)) == (CALLS, CALLS, CALLS)
    assert course.cpu_each > 0
    assert paced.seconds >= (CALLS - 1) / A_SECOND  # the last begins then
