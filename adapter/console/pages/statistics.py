"""Statistics: the overview and every report, as plots with the same figures as a table below.

What is shown stands in the address. Care sees its own unit. A report whose register is missing says
which; small figures that are hidden are neither shown nor drawn as zeros.
"""

from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.own_unit import NotYoursError, may_see, of_own_unit
from intyg.adapter.console.pages.statistics_cards import (
    PARTS,
    Card,
    card_of,
    figures_of,
    first_of,
    parts_of,
    wording,
)
from intyg.adapter.console.pages.statistics_query import OVERVIEW, Query, read_query
from intyg.adapter.console.pages.visit import PREFIX, Visit, visitor
from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.settings.settings import ConsoleRole
from intyg.adapter.statistics import groups, overview
from intyg.adapter.statistics.catalogue import REPORTS, Report, make_report
from intyg.adapter.statistics.formats import as_csv
from intyg.adapter.statistics.period import month_name
from intyg.adapter.statistics.registers import registers_from_settings
from intyg.adapter.statistics.report import (
    Level,
    MissingRegisterError,
    ReportError,
    Shape,
    Table,
)
from intyg.adapter.statistics.sjukfall_reports import Registers
from intyg.adapter.store import Rows
from intyg.pages.site import words
from intyg.pages.words import Words

PATH: Final = f"{PREFIX}/statistics"
MOST_UNITS: Final = 100
"""More units than these are not chosen from a list, but written."""

OPEN_ROWS: Final = 24
"""A longer table is folded under its plot."""

GROUPS: Final = (
    ("cases", ("sjukfall",)),
    ("intyg", ("intyg", "meddelanden", "completion-share", "completion-fraga")),
    ("own", ("",)),
)
"""Reports in the list, by what their names begin with: the first that fits."""


def build_statistics_site(visit: Visit) -> Blueprint:
    """`/console/statistics`, and below it the same as CSV."""
    pages = Blueprint("statistics", __name__)
    maker = Maker(visit, registers_from_settings(visit.services.settings, visit.services.staff))

    @pages.get(PATH)
    def statistics() -> ResponseReturnValue:
        query = read_query(request.args)
        try:
            return _page(maker, query, **maker.shown(query))
        except ReportError as exc:
            return _fault(maker, query, exc)

    @pages.get(f"{PATH}/csv")
    def download() -> ResponseReturnValue:
        query = read_query(request.args)
        try:
            return _csv(maker.report(query), maker.registers.cutoff)
        except ReportError as exc:
            return _fault(maker, query, exc)

    return pages


class Maker:
    """Makes what the pages show."""

    def __init__(self, visit: Visit, registers: Registers) -> None:
        self.registers = registers
        self._visit = visit

    def report(self, query: Query) -> Report:
        """
        The report that is asked for.

        Raises:
            ReportError: It cannot be made so, or not for who asks.
        """
        with self._visit.services.store.read() as rows:
            return self._report(rows, query)

    def _report(self, rows: Rows, query: Query) -> Report:
        if query.kind is None:
            raise ReportError(
                "report: there is none of this name", "no_report", report=query.report
            )
        said = of_own_unit(visitor(), query.kind, query.said())
        today = swedish_day(self._visit.services.clock())
        return make_report(rows, query.report, said, self.registers, today)

    def shown(self, query: Query) -> dict[str, Any]:
        """
        What the page shows of a report.

        Raises:
            ReportError: It cannot be made so, or not for who asks.
        """
        with self._visit.services.store.read() as rows:
            report = self._report(rows, query)
            say = words()
            shown = {"lede": _lede(say, rows, report), "notes": list(self._notes(query, report))}
            if _is_empty(report.table):
                return {**shown, "cards": [], "pair": [], "figures": [], "empty": True}
            if query.report != OVERVIEW:
                return {
                    **shown,
                    "cards": [card_of(say, report, self.registers.cutoff)],
                    "pair": [],
                    "figures": [],
                }
            return {
                **shown,
                "cards": [self._months(rows, query, report)],
                "figures": list(figures_of(say, report.table)),
                "pair": list(self._parts(query, report)),
            }

    def _months(self, rows: Rows, query: Query, report: Report) -> Card:
        """The same period of the overview, month by month."""
        period = report.wanted.period
        fields = {
            **query.fields, "from": month_name(period.first), "to": month_name(period.last),
            "shape": Shape.MONTHS.value,
        }  # fmt: skip
        monthly = Query("sjukfall", fields)
        card = card_of(words(), self._report(rows, monthly), self.registers.cutoff)
        return replace(card, more=monthly.address(PATH))

    def _parts(self, query: Query, report: Report) -> Iterator[Card]:
        """Parts of the overview, each with a way to the report that tells more of it."""
        fields = {**query.fields, "shape": Shape.PERIOD.value}
        cards = parts_of(words(), report, self.registers.cutoff)
        for name, card in zip(PARTS.values(), cards, strict=True):
            yield replace(card, more=Query(name, fields).address(PATH))

    def _notes(self, query: Query, report: Report) -> Iterator[str]:
        say, wanted = words(), report.wanted
        names = ", ".join(say(f"statistics.{name}") for name in query.not_taken())
        if names:
            yield say("statistics.not_taken", names=names)
        if wanted.notes:
            first, last = map(first_of, (wanted.period.first, wanted.period.last))
            yield say("statistics.cut", first=say.month(first), last=say.month(last))
        if wanted.level is not Level.VERKSAMHET and self.registers.cutoff:
            yield say("statistics.hidden", n=self.registers.cutoff)
        if overview.NO_COUNTIES in report.table.notes:
            yield say("statistics.no_counties")

    def units(self) -> list[tuple[str, str]]:
        """Units to choose from; none where there are too many, or for who has one alone."""
        if visitor().role == ConsoleRole.CARE:
            return []
        with self._visit.services.store.read() as rows:
            found = rows.statistics.units(MOST_UNITS + 1)
        return found if len(found) <= MOST_UNITS else []


def _page(maker: Maker, query: Query, **shown: Any) -> str:
    whole = {
        "path": PATH, "query": query, "fields": query.fields, "csv": query.address(f"{PATH}/csv"),
        "reports": _choice(), "units": maker.units(), "choices": _choices(query), "fault": None,
        "missing": None, "empty": False, "notes": [], "cards": [], "pair": [], "figures": [],
        "own_unit": visitor().unit, "lede": "", "open_rows": OPEN_ROWS,
    }  # fmt: skip
    return render_template("statistics.html", **{**whole, **shown})


def _fault(maker: Maker, query: Query, error: ReportError) -> ResponseReturnValue:
    """What is wrong, and what would be right; the form is there to do it."""
    say = words()
    if isinstance(error, MissingRegisterError):
        return _page(maker, query, missing=say(f"statistics.missing.{error.reason}"))
    if error.reason == "unit" and visitor().role == ConsoleRole.CARE:
        return _page(maker, query, empty=True)
    key = f"statistics.fault.{error.reason}"
    text = say(key, **error.values) if say.knows(key) else str(error)
    status = HTTPStatus.FORBIDDEN if isinstance(error, NotYoursError) else HTTPStatus.BAD_REQUEST
    return _page(maker, query, fault=text), status


def _csv(report: Report, cutoff: int) -> Response:
    answer = Response(as_csv(report, cutoff), content_type="text/csv; charset=utf-8")
    first, last = (month_name(at) for at in (report.wanted.period.first, report.wanted.period.last))
    name = f"{report.name}_{first}_{last}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# --- what can be chosen ---------------------------------------------------------------------------


def _choice() -> list[tuple[str, list[tuple[str, str]]]]:
    """Reports that somebody may see, in groups: names and titles."""
    who, text = visitor(), wording(words()).text
    left = {name: text(kind.title) for name, kind in REPORTS.items() if may_see(who, kind)}
    first = [(OVERVIEW, left.pop(OVERVIEW))]
    found = [("", first)]
    for group, begins in GROUPS:
        some = [(name, title) for name, title in left.items() if name.startswith(begins)]
        found.append((words()(f"statistics.reports.{group}"), some))
        left = {name: title for name, title in left.items() if not name.startswith(begins)}
    return found


def _choices(query: Query) -> dict[str, list[tuple[str, str]]]:
    """Values and words of the fields that are chosen from, which the report has."""
    say, kind = words(), query.kind
    if kind is None:
        return {}
    text = wording(say).text
    every = ("", say("statistics.all"))
    found: dict[str, list[tuple[str, str]]] = {
        "shape": [(one.value, say(f"statistics.shape.{one.value}")) for one in kind.shapes],
        "level": [
            ("" if one is Level.VERKSAMHET else one.value, say(f"statistics.level.{one.value}"))
            for one in Level
            if one in kind.levels and visitor().role != ConsoleRole.CARE
        ],
    }
    for name, known in (("age", groups.AGES), ("length", groups.LENGTHS)):
        labels = map(text, known.labels)
        found[name] = [every, *zip(known.names, labels, strict=True)]
    return {name: values for name, values in found.items() if query.takes(name) and values}


# --- whose figures, and of when ---


def _is_empty(table: Table) -> bool:
    return not any(value or row.hidden for row in table.rows for value in (*row.values, 0))


def _lede(say: Words, rows: Rows, report: Report) -> str:
    """Whose figures these are, and of when."""
    wanted = report.wanted
    first, last = (
        say.month(first_of(month)) for month in (wanted.period.first, wanted.period.last)
    )
    key = "statistics.lede" if first != last else "statistics.lede.month"
    units = ", ".join(_unit_name(rows, unit) for unit in sorted(wanted.units))
    return say(key, units=units or say("statistics.all_units"), first=first, last=last)


def _unit_name(rows: Rows, unit: str) -> str:
    listed = rows.intyg.of_unit(unit, 1)
    return listed[0].enhetsnamn if listed else unit
