from datetime import UTC, datetime, timedelta

import pytest

from intyg.adapter.domain.meddelande import Arenden, StoredHandelse
from intyg.adapter.flows.shared.handelse import next_tidpunkt
from intyg.schemas.codes import Handelse
from tests import builders

NONE = Arenden(0, 0, 0, 0)


def at(tidpunkt: datetime) -> StoredHandelse:
    return StoredHandelse(Handelse.SIGNAT, builders.INTYGS_ID, tidpunkt, NONE, NONE)


def test_the_first_event_is_now_in_whole_milliseconds() -> None:
    now = datetime(2026, 11, 23, 9, 0, 0, 123_999, tzinfo=UTC)
    assert next_tidpunkt([], now).microsecond == 123_000


@pytest.mark.parametrize(
    "ahead",
    [
        pytest.param(timedelta(0), id="in the same millisecond"),
        pytest.param(timedelta(seconds=2), id="the clock was set back"),
    ],
)
def test_events_of_a_certificate_keep_their_order(ahead: timedelta) -> None:
    earlier = [at(builders.NOW + ahead)]
    for _ in range(3):
        earlier.append(at(next_tidpunkt(earlier, builders.NOW)))
    times = [handelse.tidpunkt for handelse in earlier]
    assert times == sorted(set(times))
    assert times[-1] - times[0] == timedelta(milliseconds=3)


def test_a_later_event_has_its_own_time() -> None:
    later = builders.NOW + timedelta(minutes=1)
    assert next_tidpunkt([at(builders.NOW)], later) == later
