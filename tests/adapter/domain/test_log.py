import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from intyg.adapter.domain import log


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log.configure(stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_one_json_object_with_ecs_names_first(lines: io.StringIO) -> None:
    structlog.get_logger().info("soap.call", **{"trace.id": "1", "intyg.contract": "å"})
    line = json.loads(lines.getvalue())
    assert list(line)[:3] == ["@timestamp", "log.level", "message"]
    assert line["message"] == "soap.call"
    assert line["log.level"] == "info"
    assert line["trace.id"] == "1"
    assert line["@timestamp"].endswith("Z")
    assert lines.getvalue().count("\n") == 1


def test_every_line_names_the_environment(lines: io.StringIO) -> None:
    log.configure(lines, environment="production")
    structlog.get_logger().info("soap.call")
    logging.getLogger("somewhere").warning("hm")
    for line in map(json.loads, lines.getvalue().splitlines()):
        assert line["service.environment"] == "production"
        assert list(line)[3] == "service.environment"


def test_a_library_line_is_its_template_without_values(lines: io.StringIO) -> None:
    try:
        raise ValueError("hemlig")
    except ValueError:
        logging.getLogger("somewhere").exception("failed with %s", "hemlig")
    line = json.loads(lines.getvalue())
    assert "hemlig" not in lines.getvalue()
    assert line["log.logger"] == "somewhere"
    assert line["log.template"] == "failed with %s"
    assert line["error.type"] == "ValueError"


def test_libraries_are_quiet_below_warning(lines: io.StringIO) -> None:
    for name in ("zeep.transports", "urllib3", "sqlalchemy.engine"):
        logging.getLogger(name).info("body")
    assert lines.getvalue() == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("SE2321000016-1003", "SE2321000016-1003"),
        ("5565594230", "5565594230"),  # an organisation number: third and fourth digit no month
        ("FKORG", "FKORG"),
        ("189001019802", "(masked)"),
        ("9001019802", "(masked)"),
        ("900101-9802", "(masked)"),
        ("SE189001019802", "(masked)"),
        ("189001619802", "(masked)"),  # samordningsnummer: day 01 + 60
        ("191711602399", "(masked)"),  # one without a known day of birth
        ("201900772383", "(masked)"),  # or month
        ("Ada Patient", "(not shown)"),
        ("Patientsson<", "(not shown)"),
        ("a" * 65, "(not shown)"),
        ("", "(not shown)"),
    ],
)
def test_only_short_tokens_without_person_numbers_are_shown(
    value: str | None, expected: str | None
) -> None:
    assert log.shown(value) == expected
