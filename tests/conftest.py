"""What tests measured, shown after them: their properties named `table`, also from workers."""

from typing import Any


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
