"""A mock's journal: the calls that came, and of each why it was answered as it was."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from intyg.mocks.control import ProblemError
from intyg.mocks.control.journal import Call, Paging, query_calls
from intyg.mocks.journal import AnswerState, Entry, Filter, FilterError
from intyg.mocks.pages.address import PREFIX
from intyg.mocks.pages.reading import fields, masked, readable, source
from intyg.mocks.pages.visit import Shown, Visit, look, mock_of
from intyg.mocks.rules.trace import Why

PAGE: Final = 50
TABS: Final = ("why", "readable", "request", "reply", "headers")

ASKED: Final = ("contract", "result_code", "intygs_id", "where")
"""Fields of the form; `where` is anything in the journal's language."""

_PAGING: Final = ("after",)

_CHIPS: Final[Mapping[Why, str]] = {
    Why.ACTED: "delivered",
    Why.MISSED: "waiting",
    Why.DISABLED: "parked",
    Why.OUTRANKED: "retrying",
    Why.USED_UP: "parked",
    Why.SPARED: "retrying",
}
"""What a rule's fate looks like."""

_ANSWERS: Final[Mapping[AnswerState, str]] = {
    AnswerState.NOT_YET: "waiting",
    AnswerState.BROKEN: "unknown",
    AnswerState.CALLER_GONE: "unknown",
    AnswerState.STOPPED: "unknown",
}


@dataclass(frozen=True)
class Row:
    """A call in the list: what it is, and the colour and key of what was answered."""

    call: Call
    colour: str
    word: str
    detail: str


def build_journal_pages(visit: Visit) -> Blueprint:
    """`/mock/<key>/journal` and `/mock/<key>/journal/<number>`."""
    del visit
    pages = Blueprint("journal", __name__)
    path = f"{PREFIX}/<key>/journal"

    @pages.get(path)
    def calls(key: str) -> ResponseReturnValue:
        try:
            return _list(key, mock_of(key), _where())
        except (FilterError, ProblemError) as exc:
            fault = masked(str(exc))
            return _list(key, mock_of(key), Filter(), fault), HTTPStatus.BAD_REQUEST

    @pages.get(f"{path}/<int:number>")
    def call(key: str, number: int) -> ResponseReturnValue:
        return _entry(key, number, request.args.get("tab", "why"), whole=False)

    @pages.post(f"{path}/<int:number>")
    def ask(key: str, number: int) -> ResponseReturnValue:
        """By POST, since what it shows or gives has the numbers of people in it."""
        do, tab = request.form.get("do"), request.form.get("tab", "why")
        return _file(key, number, tab) if do == "file" else _entry(key, number, tab, whole=True)

    return pages


def _where() -> Filter:
    """
    What the address asks for; a field of the form that was left empty asks for nothing.

    Raises:
        FilterError: There is no such filter.
    """
    pairs = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if name not in (*_PAGING, "where") and (value or name not in ASKED)
    ]
    more = Filter.parse(request.args.get("where", ""))
    return Filter((*Filter.of(pairs).criteria, *more.criteria))


def _list(key: str, mock: Shown, where: Filter, fault: str | None = None) -> str:
    after = request.args.get("after", 0, int)
    found = query_calls(mock, where, Paging(after=max(after, 0), limit=PAGE, newest_first=True))
    older = {**request.args.to_dict(), "after": found.next} if found.next else None
    return render_template(
        "journal.html",
        mock=mock,
        key=key,
        tab="journal",
        found=found,
        rows=[_row(each) for each in found.calls],
        asked={name: request.args.get(name, "") for name in ASKED},
        filtered=bool(where.criteria),
        contracts=[each.partition(":")[0] for each in look(mock, "describe_mock").contracts],
        older=older and urlencode(older),
        fault=fault,
        refreshing=not after,
    )


def _row(call: Call) -> Row:
    return Row(call, *_answered(call))


def _answered(call: Call) -> tuple[str, str, str]:
    """Colour, word and detail of what was answered."""
    late = _ANSWERS.get(call.answer)
    if late is not None:
        return late, f"answer.{call.answer.value}", call.result_code or str(call.http_status or "")
    if call.result_code is None:
        return "refused", "answer.http", str(call.http_status or "–")
    if call.error_id or call.result_code == "ERROR":
        return "refused", "answer.error", call.error_id or ""
    return "delivered", f"answer.{call.result_code.lower()}", masked(call.result_text or "")


def _entry(key: str, number: int, tab: str, *, whole: bool) -> ResponseReturnValue:
    mock = mock_of(key)
    call: Call = look(mock, "get_call", number=number)
    entry = mock.journal.get(number)
    if tab not in TABS or entry is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no {tab!r} of call {number}")
    hide = str if whole else masked
    return render_template(
        "entry.html",
        mock=mock,
        key=key,
        tab=tab,
        tabs=TABS,
        row=_row(call),
        call=call,
        hide=hide,
        colour=_CHIPS,
        **_SHOWN[tab](mock, entry),
    )


def _why(_: Shown, entry: Entry) -> dict[str, Any]:
    refused = next((each for each in entry.steps if each.verdict == "failed"), None)
    return {"rules": entry.rules, "refused": refused}


def _words(mock: Shown, entry: Entry) -> dict[str, Any]:
    reading = readable(mock.place.types, entry)
    return {"reading": reading, "fields": () if reading else fields(entry)}


def _request(_: Shown, entry: Entry) -> dict[str, Any]:
    return {"text": source(entry.request), "bytes": len(entry.request)}


def _reply(_: Shown, entry: Entry) -> dict[str, Any]:
    return {"text": source(entry.reply), "bytes": len(entry.reply)}


def _headers(_: Shown, __: Entry) -> dict[str, Any]:
    return {}


_SHOWN: Final = {
    "why": _why,
    "readable": _words,
    "request": _request,
    "reply": _reply,
    "headers": _headers,
}


def _file(key: str, number: int, tab: str) -> ResponseReturnValue:
    """The bytes as they came, or as they went."""
    which = "reply" if tab == "reply" else "request"
    data: bytes = look(mock_of(key), f"get_{which}", number=number)
    answer = Response(data, content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = f"attachment; filename={key}-{number}-{which}.xml"
    return answer
