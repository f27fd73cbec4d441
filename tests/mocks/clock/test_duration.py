from datetime import timedelta

import pytest

from intyg.mocks.clock.duration import read_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        pytest.param("0s", timedelta(), id="nothing"),
        pytest.param("5m", timedelta(minutes=5), id="minutes"),
        pytest.param("7d", timedelta(days=7), id="days"),
        pytest.param("1d 12h", timedelta(hours=36), id="added up"),
        pytest.param(" 1w2d ", timedelta(days=9), id="without a blank between"),
        pytest.param("1.5h", timedelta(minutes=90), id="with a fraction"),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, duration: timedelta) -> None:
    assert read_duration(text) == duration


@pytest.mark.parametrize("text", ["", "  ", "7", "d", "7 days", "-7d", "7d x", "1e9d", "99999w"])
def test_what_is_no_duration_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration; write 30s, 5m"):
        read_duration(text)
