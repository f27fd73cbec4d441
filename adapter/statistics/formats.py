"""Reports as JSON and as CSV: the same figures as in the plots.

CSV is RFC 4180 with semicolons and decimal commas, UTF-8 with a mark at its beginning, so that a
spreadsheet of this country opens it as it is.
"""

import csv
import io
from typing import Final

from intyg.adapter.statistics.catalogue import Report
from intyg.adapter.statistics.period import month_name
from intyg.adapter.statistics.plots import title
from intyg.adapter.statistics.report import Row, month_label
from intyg.adapter.statistics.texts import COLUMNS, GROUP, MONTH, PERIOD, too_few

UTF8_MARK: Final = "\ufeff"
_FORMULA: Final = ("=", "+", "-", "@", "\t")
"""What a spreadsheet would take for the beginning of a formula."""


def as_json(report: Report) -> dict[str, object]:
    """A report and everything that it is of, for machines."""
    wanted, table = report.wanted, report.table
    return {
        "report": report.name,
        "title": title(report),
        "from": month_name(wanted.period.first),
        "to": month_name(wanted.period.last),
        "shape": wanted.shape.value,
        "level": wanted.level.value,
        "filters": {name: list(values) for name, values in wanted.filters().items()},
        "unit": table.unit,
        "columns": list(table.columns),
        "notes": list(report.notes),
        "rows": [_json_row(report, row) for row in table.rows],
    }


def _json_row(report: Report, row: Row) -> dict[str, object]:
    said: dict[str, object] = {
        "month": month_label(row.month),
        "group": row.group or None,
        "label": row.label,
        **dict(zip(report.table.columns, row.values, strict=True)),
    }
    return {**said, "hidden": sorted(row.hidden)} if row.hidden else said


def table_of(report: Report, cutoff: int) -> list[list[str]]:
    """A report as people read it: the head, then a line a row."""
    head = [MONTH, GROUP, *(COLUMNS[name] for name in report.table.columns)]
    return [head, *(_line(report, row, cutoff) for row in report.table.rows)]


def _line(report: Report, row: Row, cutoff: int) -> list[str]:
    figures = [
        too_few(cutoff) if name in row.hidden else _figure(value)
        for name, value in zip(report.table.columns, row.values, strict=True)
    ]
    return [month_label(row.month) or PERIOD, row.label, *figures]


def _figure(value: float | None) -> str:
    return "" if value is None else str(value).replace(".", ",")


def as_csv(report: Report, cutoff: int) -> str:
    """The same as CSV."""
    text = io.StringIO()
    text.write(UTF8_MARK)
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([_plain(field) for field in line] for line in table_of(report, cutoff))
    return text.getvalue()


def _plain(field: str) -> str:
    """Names come from certificates: none of them shall be taken for a formula."""
    return f"'{field}" if field.startswith(_FORMULA) else field
