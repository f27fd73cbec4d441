"""The clock that all mocks share, and the runs."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from intyg.mocks.control import ProblemError
from intyg.mocks.pages.address import PREFIX
from intyg.mocks.pages.reading import masked
from intyg.mocks.pages.visit import Visit, asked_mock, before, look, prefix, tell
from intyg.pages.words import SWEDEN

CLOCK: Final = "intyg_clock"
"""What the clock is called among fixtures."""

STEPS: Final = ("1h", "1d", "7d", "30d")
"""How far a button moves the clock."""


def build_time_pages(visit: Visit) -> Blueprint:
    """`/mock/clock` and `/mock/runs`."""
    pages = Blueprint("time", __name__)

    @pages.get(f"{PREFIX}/clock")
    def clock() -> ResponseReturnValue:
        return _clock(None)

    @pages.post(f"{PREFIX}/clock")
    def move() -> ResponseReturnValue:
        try:
            _move(visit, request.form)
        except ProblemError as exc:
            return _clock(masked(exc.detail)), exc.status
        return redirect(f"{prefix()}/clock", HTTPStatus.SEE_OTHER)

    @pages.get(f"{PREFIX}/runs")
    def runs() -> ResponseReturnValue:
        return render_template("runs.html", runs=_runs())

    @pages.post(f"{PREFIX}/runs")
    def end() -> ResponseReturnValue:
        tell(asked_mock(), "reset_mock", {"run": request.form.get("run"), "everywhere": True})
        return redirect(f"{PREFIX}/runs", HTTPStatus.SEE_OTHER)

    return pages


def _clock(fault: str | None) -> str:
    state = look(asked_mock(), "read_clock")
    return render_template(
        "clock.html", state=state, local=state.now.astimezone(SWEDEN), steps=STEPS, fault=fault
    )


def _move(visit: Visit, form: Mapping[str, str]) -> None:
    """
    What a button of the page does.

    Raises:
        ProblemError: The clock does not go there, or the adapter does not follow.
    """
    moment = before()
    match form.get("do", ""):
        case "freeze" | "run" as what:
            tell(asked_mock(), "set_clock", {"frozen": what == "freeze"})
            visit.record(moment, CLOCK, what, {})
        case "set":
            now = tell(asked_mock(), "set_clock", {"now": _moment(form.get("now", ""))}).now
            by = f"{(now - moment.at).total_seconds():.0f}s"
            visit.record(moment, CLOCK, "advance", {"by": by})
        case _:
            by = form.get("step") or form.get("by", "")
            tell(asked_mock(), "advance_clock", {"by": by})
            visit.record(moment, CLOCK, "advance", {"by": by})


def _moment(text: str) -> str:
    """`2026-12-24 15:00`, as Swedish clocks show it, with its zone."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=SWEDEN).isoformat()
    except ValueError:
        raise ProblemError.of_field("now", "write 2026-12-24 15:00") from None


def _runs() -> list[dict[str, Any]]:
    """Each run with what it has at all mocks together."""
    merged: dict[str, dict[str, Any]] = {}
    fellows = asked_mock().fellows if g.mocks else ()
    for each in (run for mock in fellows for run in look(mock, "list_runs").runs):
        row = merged.setdefault(each.run_id, {"id": each.run_id, "calls": 0, "mocks": 0})
        row["calls"] += each.calls
        row["mocks"] += 1
        row["began_at"] = min(row.get("began_at", each.began_at), each.began_at)
        row["idle"] = min(row.get("idle", each.idle_seconds), each.idle_seconds)
    return sorted(merged.values(), key=lambda row: str(row["began_at"]))
