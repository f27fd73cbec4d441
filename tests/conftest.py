"""What tests measured, shown after them: their properties named `table`, also from workers."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

pytest_plugins = ["pytester"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    lines = sorted(
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == "table"
    )
    if lines:
        terminalreporter.section("tables")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def logging_left_as_it_was() -> Iterator[None]:
    """A test that sets up logging, as commands do, must not leave its closed streams to others."""
    configured, before = structlog.is_configured(), structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    if (structlog.is_configured(), structlog.get_config()) == (configured, before):
        return
    if configured:
        structlog.configure(**before)
    else:
        structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
