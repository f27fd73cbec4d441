import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intyg.mocks.rules.model import fits


@pytest.mark.parametrize(
    ("expected", "got", "hit"),
    [
        ("*", "", True),
        ("**", "x", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("*a*b", "ab-ab", True),
        ("a*b*c", "a-c-b", False),
        ("ab*ba", "aba", False),
        ("*b*", "a\nb", True),
        ("a.c", "abc", False),
    ],
)
def test_a_star_is_any_characters(expected: str, got: str, hit: bool) -> None:
    assert fits(expected, got) is hit


@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_it_is_what_a_regular_expression_would_say(expected: str, got: str) -> None:
    pattern = ".*".join(map(re.escape, expected.split("*")))
    assert fits(expected, got) is (re.fullmatch(pattern, got, re.DOTALL) is not None)


def test_many_stars_take_no_longer_than_one() -> None:
    started = time.thread_time()
    assert not fits("*a" * 1000 + "*b", "a" * 1_000_000)
    assert time.thread_time() - started < 0.5
