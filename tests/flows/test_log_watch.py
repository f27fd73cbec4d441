"""The look over everything that is logged sees what it should."""

import logging

import pytest
import structlog
from structlog.testing import capture_logs

from tests import builders
from tests.log_watch import (
    SECRET_ON_PURPOSE,
    LogWatch,
    leaks,
    secrets,
)


def test_the_test_data_is_known() -> None:
    for number in (builders.PATIENT, builders.UNLISTED_PATIENT, builders.SAMORDNINGSNUMMER):
        assert {number, number[2:], f"{number[:8]}-{number[8:]}"} <= secrets().keys()
    assert "Påhittad Läkare" in secrets()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param(f"intyg.id={builders.PATIENT}", True, id="number"),
        pytest.param(f"({builders.PATIENT[:8]}-{builders.PATIENT[8:]})", True, id="with a hyphen"),
        pytest.param(f"a{builders.PATIENT[2:]}", False, id="ten digits in a hash"),
        pytest.param(f"/{builders.PATIENT[2:]}/", True, id="ten digits"),
        pytest.param(f"1{builders.PATIENT}", False, id="in a longer number"),
        pytest.param("by Påhittad Läkare", True, id="name"),
        pytest.param("all is well", False, id="nothing"),
    ],
)
def test_a_line_with_a_secret_is_found(line: str, found: bool) -> None:
    assert bool(list(leaks([line]))) == found


@pytest.mark.logs_on_purpose
def test_whoever_logs_is_seen(log_watch: LogWatch) -> None:
    assert SECRET_ON_PURPOSE == "logs_on_purpose"
    structlog.get_logger().info("event", number=builders.PATIENT)
    with capture_logs():
        structlog.get_logger().info("event", number=builders.PATIENT)
    logging.getLogger("somebody").warning("number %s", builders.PATIENT)
    assert len(log_watch.faults()) == 3
