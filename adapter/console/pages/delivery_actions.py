"""What an operator does with deliveries: each is asked for in a dialog that says how many, and done
by the same flow as `intyg deliveries` and `/api/deliveries`."""

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import pydantic
from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.delivery_requests import fault_of
from intyg.adapter.console.pages.deliveries import ACTIONS, MOST, PATH, sentence, shown
from intyg.adapter.console.pages.delivery_query import Query, read_query
from intyg.adapter.console.pages.visit import Visit, visitor
from intyg.adapter.domain.delivery_filter import CauseCount
from intyg.adapter.flows import operate, stop_retry
from intyg.adapter.settings.settings import ConsoleRole
from intyg.pages.site import error_page, words

MOST_AT_ONCE: Final = 10_000
PER_SECOND: Final = "2"


def build_delivery_actions(visit: Visit) -> Blueprint:
    """`/console/deliveries/retry` and the others, `pause` and `resume`."""
    pages = Blueprint("delivery actions", __name__)

    @pages.before_request
    def only_operators() -> ResponseReturnValue | None:
        if visitor().role != ConsoleRole.OPERATOR:
            return error_page(HTTPStatus.FORBIDDEN, "role")
        return None

    @pages.errorhandler(pydantic.ValidationError)
    def wrong(error: pydantic.ValidationError) -> ResponseReturnValue:
        page = {**shown(visit, Query({})), "fault": fault_of(error)}
        return render_template("deliveries.html", **page), HTTPStatus.BAD_REQUEST

    for action in ACTIONS:
        _add_action(pages, visit, operate.Action(action))
    _add_pauses(pages, visit)
    _add_stop(pages, visit)
    return pages


def _add_action(pages: Blueprint, visit: Visit, action: operate.Action) -> None:
    @pages.get(f"{PATH}/{action}", endpoint=f"ask {action}")
    def ask() -> ResponseReturnValue:
        return _dialog(visit, action, read_query(request.args), {})

    @pages.post(f"{PATH}/{action}", endpoint=f"do {action}")
    def do() -> ResponseReturnValue:
        return _carry_out(visit, action, read_query(request.args))


def _add_pauses(pages: Blueprint, visit: Visit) -> None:
    @pages.get(f"{PATH}/pause")
    def ask_pause() -> ResponseReturnValue:
        return _pause_dialog(visit, None)

    @pages.post(f"{PATH}/pause")
    def pause() -> ResponseReturnValue:
        form, by = request.form, visitor().name
        try:
            operate.pause(visit.services, form.get("destination", ""), form.get("reason", ""), by)
        except operate.OperatorError as exc:
            return _pause_dialog(visit, exc.text), HTTPStatus.BAD_REQUEST
        return redirect(PATH, HTTPStatus.SEE_OTHER)

    @pages.post(f"{PATH}/resume")
    def resume() -> ResponseReturnValue:
        try:
            operate.resume(visit.services, request.form.get("destination", ""), visitor().name)
        except operate.OperatorError as exc:
            page = {**shown(visit, Query({})), "fault": exc.text}
            return render_template("deliveries.html", **page), HTTPStatus.BAD_REQUEST
        return redirect(PATH, HTTPStatus.SEE_OTHER)


def _add_stop(pages: Blueprint, visit: Visit) -> None:
    @pages.get(f"{PATH}/stop")
    def ask_stop() -> ResponseReturnValue:
        return _stop_dialog(visit, None)

    @pages.post(f"{PATH}/stop")
    def stop() -> ResponseReturnValue:
        form = request.form
        asked, reason = form.get("request", ""), form.get("reason", "")
        try:
            done = stop_retry.stop(visit.services, asked, reason, visitor().name)
        except operate.OperatorError as exc:
            return _stop_dialog(visit, exc.text), HTTPStatus.BAD_REQUEST
        return redirect(f"{PATH}?stopped={len(done['stopped'])}", HTTPStatus.SEE_OTHER)


def _stop_dialog(visit: Visit, fault: str | None) -> str:
    page = shown(visit, Query({}))
    asked = request.values.get("request", "")
    count = sum(one.count for one in page["under_way"] if one.request_id == asked)
    dialog = {
        "action": "stop",
        "request": asked,
        "count": count,
        "fault": fault,
        "form": request.form,
    }
    return render_template("deliveries.html", **{**page, "dialog": dialog})


def _pause_dialog(visit: Visit, fault: str | None) -> str:
    page = shown(visit, Query({}))
    names = sorted(visit.services.routes.table.routing.destinations)
    dialog = {"action": "pause", "names": names, "fault": fault, "form": request.form}
    return render_template("deliveries.html", **{**page, "dialog": dialog})


def _carry_out(visit: Visit, action: operate.Action, query: Query) -> ResponseReturnValue:
    """Does it, if the number that was typed is how many there are just now."""
    form, count = request.form, _count(visit, query)
    if count > 1 and form.get("count", "").strip() != str(count):
        key = "dialog.count.changed" if form.get("asked") != str(count) else "dialog.count.wrong"
        return _dialog(visit, action, query, form, words()(key, n=count)), HTTPStatus.CONFLICT
    try:
        done = operate.carry_out(_order(visit, action, query, form), visit.services)
    except operate.OperatorError as exc:
        return _dialog(visit, action, query, form, exc.text), HTTPStatus.BAD_REQUEST
    return redirect(f"{PATH}?done={done['requestId']}", HTTPStatus.SEE_OTHER)


def _order(
    visit: Visit, action: operate.Action, query: Query, form: Mapping[str, str]
) -> operate.Order:
    rate = form.get("rate", "").replace(",", ".")
    return operate.Order(
        action=action,
        wanted=query.filter(visit.services.clock()),
        reason=form.get("reason", ""),
        by=visitor().name,
        request_id=form.get("request", ""),
        at_most=MOST_AT_ONCE,
        per_second=float(rate) if _is_rate(rate) else float(PER_SECOND),
    )


def _is_rate(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal() and 0 < float(text) <= 1000


def _count(visit: Visit, query: Query) -> int:
    with visit.services.store.read() as rows:
        return rows.search.count(query.filter(rows.now), MOST)


def _dialog(
    visit: Visit,
    action: operate.Action,
    query: Query,
    form: Mapping[str, str],
    fault: str | None = None,
) -> str:
    page = shown(visit, query)
    causes = tuple(each.one for each in page["causes"]) or _causes(visit, query)
    dialog = {
        "action": action.value,
        "count": min(sum(one.count for one in causes), MOST),
        "to": query.address(f"{PATH}/{action}"),
        "facts": _facts(causes),
        "request": form.get("request") or secrets.token_hex(16),
        "rate": form.get("rate", PER_SECOND),
        "form": form,
        "fault": fault,
    }
    return render_template("deliveries.html", **{**page, "dialog": dialog})


def _causes(visit: Visit, query: Query) -> tuple[CauseCount, ...]:
    """Of what the page shows one a row, or finds too much of to show."""
    with visit.services.store.read() as rows:
        return rows.search.causes(query.filter(rows.now))


def _facts(causes: tuple[CauseCount, ...]) -> list[tuple[str, str]]:
    """Where to, why, and since when."""
    say = words()
    if not causes:
        return []
    to = sorted({one.destination or say("filter.no_route") for one in causes})
    why = [
        f"{one.code}: {sentence(say, one)}" if one.code else sentence(say, one) for one in causes
    ]
    oldest, newest = min(one.oldest for one in causes), max(one.newest for one in causes)
    return [
        (say("dialog.to"), ", ".join(to)),
        (say("dialog.cause"), "; ".join(dict.fromkeys(why))),
        (say("dialog.when"), f"{say.short(oldest)} – {say.short(newest)}"),
    ]
