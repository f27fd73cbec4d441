"""Deliveries: what has not arrived, by cause or one a row, and what can be done with it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import pydantic
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from intyg.adapter.console.delivery_requests import fault_of
from intyg.adapter.console.pages.causes import cause_of
from intyg.adapter.console.pages.delivery_query import (
    ALL,
    NO_ROUTE,
    PERIODS,
    STATES_SHOWN,
    Query,
    can,
    read_query,
)
from intyg.adapter.console.pages.delivery_signs import state_of
from intyg.adapter.console.pages.visit import PREFIX, Visit, visitor
from intyg.adapter.deliver.decision import RESENDABLE
from intyg.adapter.domain.delivery import DeliveryState, OutcomeKind
from intyg.adapter.domain.delivery_filter import CauseCount, DeliveryFilter, DeliverySummary
from intyg.adapter.domain.way import Stop
from intyg.adapter.flows.stop_retry import under_way
from intyg.adapter.settings.settings import ConsoleRole
from intyg.adapter.store import Rows
from intyg.adapter.store.delivery_search import UNTRIED
from intyg.adapter.store.intyg_rows import Listed
from intyg.pages.signs import chip
from intyg.pages.site import words
from intyg.pages.words import Words

PATH: Final = f"{PREFIX}/deliveries"
ACTIONS: Final = ("retry", "mark-delivered", "give-up")
PAGE: Final = 50
FEW: Final = 4
"""So many of the first cause are shown without asking."""

MOST: Final = 100_000
"""No more than so many are counted by cause."""

MOST_OF_LIST: Final = 10_000
"""A list is read page by page: beyond so many it only says that there are more."""


@dataclass(frozen=True)
class Line:
    """One delivery in a table."""

    one: DeliverySummary
    intyg: Listed | None
    form: str
    chip: Markup


@dataclass(frozen=True)
class Cause:
    """
    Deliveries that stand where they stand for one reason.

    Attributes:
        all_of_it: Where they are listed.
        actions: What may be done with them, and where it is asked for.
        lines: Some of them.
    """

    one: CauseCount
    sentence: str
    code: str
    chip: Markup
    all_of_it: str
    actions: Sequence[tuple[str, str]]
    lines: Sequence[Line] = ()


def build_delivery_site(visit: Visit) -> Blueprint:
    """`/console/deliveries`."""
    pages = Blueprint("deliveries", __name__)

    @pages.get(PATH)
    def deliveries() -> ResponseReturnValue:
        query = read_query(request.args)
        try:
            return render_template("deliveries.html", **shown(visit, query))
        except pydantic.ValidationError as exc:
            empty = shown(visit, Query({}))
            said = {"fault": fault_of(exc), "fields": query.fields}
            return render_template("deliveries.html", **{**empty, **said}), HTTPStatus.BAD_REQUEST

    return pages


def shown(visit: Visit, query: Query) -> dict[str, Any]:
    """
    What the page shows.

    Raises:
        pydantic.ValidationError: A field of the query is wrong.
    """
    with visit.services.store.read() as rows:
        stops = [stop for stop in rows.ways.stopped() if stop.cause is not None]
        return {
            "fields": query.fields,
            "query": query,
            "path": PATH,
            "choices": _choices(visit),
            "stops": [_stop(stop) for stop in stops],
            "acts": visitor().role == ConsoleRole.OPERATOR,
            "fault": None,
            "dialog": None,
            "done": _done(rows),
            "stopped": request.args.get("stopped", 0, type=int),
            "under_way": under_way(rows) if visitor().role == ConsoleRole.OPERATOR else (),
            **(_listed(visit, rows, query) if query.as_list else _grouped(visit, rows, query)),
        }


def _grouped(visit: Visit, rows: Rows, query: Query) -> dict[str, Any]:
    causes = _causes_of(rows, query)
    total = MOST if causes is None else sum(one.count for one in causes)
    return {
        "total": total,
        "too_many": causes is None,
        "causes": list(_causes(visit, rows, query, causes or ())),
        "lines": None,
        "next": None,
    }


def _causes_of(rows: Rows, query: Query) -> tuple[CauseCount, ...] | None:
    """Why what is asked for stands where it stands; None where that is more than are counted."""
    wanted = query.filter(rows.now)
    stand = DeliveryFilter(states=wanted.states)  # counted by an index alone, which is cheap
    if rows.search.count(stand, MOST) >= MOST and rows.search.count(wanted, MOST) >= MOST:
        return None
    return rows.search.causes(wanted)


def _listed(visit: Visit, rows: Rows, query: Query) -> dict[str, Any]:
    wanted = query.filter(rows.now)
    found = rows.search.find(wanted, PAGE + 1, query.after)
    more = len(found) > PAGE
    total = rows.search.count(wanted, MOST_OF_LIST)
    further = query.address(PATH, view="list", after=found[PAGE - 1].seq) if more else None
    return {
        "total": total,
        "too_many": total >= MOST_OF_LIST,
        "causes": (),
        "lines": _lines(visit, rows, found[:PAGE]),
        "next": further,
    }


def _causes(
    visit: Visit, rows: Rows, query: Query, causes: Sequence[CauseCount]
) -> Iterator[Cause]:
    say = words()
    for place, one in enumerate(causes):
        group = query.of_cause(one)
        few = rows.search.find(group.filter(rows.now), FEW) if place == 0 else ()
        yield Cause(
            one=one,
            sentence=sentence(say, one),
            code=f"HTTP {one.code}" if one.code.isdigit() else one.code,
            chip=_chip(say, one),
            all_of_it=group.address(PATH, view="list"),
            actions=[
                (_word_of(action, one.state), group.address(f"{PATH}/{action}"))
                for action in ACTIONS
                if can(action, one.state)
            ],
            lines=_lines(visit, rows, few),
        )


def _word_of(action: str, state: DeliveryState) -> str:
    """What waits is not sent again, but before its time."""
    waits = state in (DeliveryState.QUEUED, DeliveryState.HELD)
    return "hurry" if action == "retry" and waits else action


def sentence(say: Words, one: CauseCount) -> str:
    """What happened, in a sentence of ours."""
    if one.words == UNTRIED:
        return say("cause.untried")
    status = int(one.code) if one.code.isdigit() else None
    error_id = one.code if one.code and status is None and not one.code.startswith("VP") else None
    kind = _KINDS.get(one.state)
    return cause_of(say, kind, f"{one.words}; {one.code}", status, error_id)


_KINDS: Final[Mapping[DeliveryState, OutcomeKind]] = {
    DeliveryState.HELD: OutcomeKind.HELD,
    DeliveryState.BLOCKED: OutcomeKind.BLOCKED,
}


def _chip(say: Words, one: CauseCount) -> Markup:
    colour, word = state_of(one.state, one.words != UNTRIED, one.stopped)
    return chip(colour, say(f"state.{word}"))


def _lines(visit: Visit, rows: Rows, found: Sequence[DeliverySummary]) -> list[Line]:
    intyg = rows.intyg.listed({one.intygs_id for one in found}) if found else {}
    forms = {header.xml_code: header.code for header in visit.services.types.headers()}
    return [_line(words(), one, intyg.get(one.intygs_id), forms) for one in found]


def _line(say: Words, one: DeliverySummary, of: Listed | None, forms: Mapping[str, str]) -> Line:
    colour, word = state_of(one.state, bool(one.detail), one.stopped)
    form = forms.get(of.typ, of.typ) if of else ""
    return Line(one, of, form, chip(colour, say(f"state.{word}")))


def _choices(visit: Visit) -> dict[str, list[tuple[str, str]]]:
    """Values and words of the fields that are chosen from."""
    say, table = words(), visit.services.routes.table
    names = sorted(table.routing.destinations)
    contracts = sorted(key.partition(":")[0] for key in RESENDABLE)
    return {
        "destination": [
            ("", say("filter.all")), *((name, name) for name in names),
            (NO_ROUTE, say("filter.no_route")),
        ],
        "state": [
            ("", say("filter.not_there")),
            *((state, say(f"filter.state.{state}")) for state in STATES_SHOWN if state != ALL),
            (ALL, say("filter.any")),
        ],
        "contract": [("", say("filter.all")), *((name, name) for name in contracts)],
        "period": [
            ("", say("filter.always")),
            *((period, say(f"filter.period.{period}")) for period in PERIODS),
        ],
    }  # fmt: skip


def _done(rows: Rows) -> Mapping[str, Any] | None:
    """What somebody has just had done, who comes back from its dialog."""
    known = rows.operations.find(request.args.get("done", ""))
    if known is None:
        return None
    order, result = json.loads(known.request), json.loads(known.result)
    return {"action": order["action"], "changed": result["changed"], "left": result["left"]}


def _stop(stop: Stop) -> dict[str, Any]:
    colour, word = state_of(DeliveryState.QUEUED, True, stop.cause)
    return {"stop": stop, "chip": chip(colour, words()(f"state.{word}"))}
