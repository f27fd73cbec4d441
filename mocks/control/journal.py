"""The journal over HTTP: query, count, wait, verify, download, forget."""

import io
import json
import time
import zipfile
from collections.abc import Sequence
from typing import Annotated, Any, Final, Protocol, TypeAlias

from pydantic import Field, model_validator

from intyg.mocks.control.operation import (
    MAX_WAIT_SECONDS,
    Answered,
    Asked,
    Moment,
    Operation,
    ProblemError,
)
from intyg.mocks.journal import (
    AnswerState,
    Entry,
    Filter,
    FilterError,
    Journal,
    Verdict,
    Verification,
    nearest,
    verify,
    verify_order,
)
from intyg.mocks.rules.trace import Why

_GROUP: Final = "Journal"

_FilterText: TypeAlias = Annotated[
    str, Field(examples=["contract=RegisterCertificate&result_code=ERROR"])
]


UNDER_WAY_SECONDS: Final = 5.0
"""How long a call is waited for that has its number and is not in the journal yet."""


class Journalled(Protocol):
    """A mock, as far as its journal goes."""

    @property
    def journal(self) -> Journal:
        """Its calls."""


class StepState(Answered):
    """One step of the check of a call."""

    name: str
    verdict: Verdict
    detail: str


class CriterionAsked(Answered):
    """One thing that a rule asks of a call."""

    name: str
    expected: str
    got: str | None
    hit: bool


class RuleAsked(Answered):
    """What came of a rule for one call."""

    rule_id: str
    acted: bool
    why: Why
    criteria: tuple[CriterionAsked, ...]


class Call(Answered):
    """One call; its bytes are had by `request` and `reply`."""

    number: int = Field(description="in order of arrival, from 1")
    received_at: Moment
    duration_seconds: float = Field(description="until the answer began to go, or so far")
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    contract: str | None
    logical_address: str | None
    sender: str | None = Field(description="HSA-id of who called")
    tls_subject: str | None = Field(description="of the client certificate")
    intygs_id: str | None
    meddelande_id: str | None
    typ: str | None = Field(description="of the certificate that it is about")
    version: str | None
    unit: str | None = Field(description="HSA-id of the care unit")
    amne: str | None = Field(description="of a message")
    handelse: str | None = Field(description="event code of a status update")
    rules: tuple[RuleAsked, ...] = Field(description="which acted, and why the others did not")
    steps: tuple[StepState, ...] = Field(description="what was checked, in order")
    answer: AnswerState = Field(description="where it is; `not_yet`: a rule holds it back")
    http_status: int | None = Field(
        description="null: a rule left the call without HTTP answer, or nothing is decided yet"
    )
    result_code: str | None = Field(description="null when a fault or a bare status was answered")
    error_id: str | None
    result_text: str | None
    request_bytes: int
    request_cut_off: bool = Field(description="it was too large, and its beginning is kept")
    reply_bytes: int

    @model_validator(mode="before")
    @classmethod
    def _sizes(cls, value: object) -> object:
        if not isinstance(value, Entry):
            return value
        sizes = {"request_bytes": len(value.request), "reply_bytes": len(value.reply)}
        return {**vars(value), **sizes}


class DroppedCalls(Answered):
    """How many calls each bound of the journal has pushed out."""

    calls: int
    bytes: int
    age: int


class FieldCompared(Answered):
    """One field of a call beside what was expected of it."""

    field: str
    expected: str
    actual: str
    met: bool


class NearestCall(Answered):
    """The call that comes nearest to what is missing."""

    number: int
    fields: tuple[FieldCompared, ...]


class Calls(Answered):
    """A page of calls."""

    count: int = Field(description="how many there are in all")
    dropped: int = Field(description="how many calls the bounds have pushed out")
    dropped_by: DroppedCalls
    next: int | None = Field(description="give it as `after` to get what follows")
    calls: tuple[Call, ...]
    nearest: NearestCall | None = Field(description="when none matches: the call that nearly does")


class Counted(Answered):
    """How many calls there are."""

    count: int
    last: int | None = Field(description="number of the newest call of all; null: there is none")
    dropped: int = Field(description="how many calls the bounds have pushed out")
    dropped_by: DroppedCalls


class Verified(Answered):
    """Everything that was expected came; what did not is a problem with the same fields."""

    met: bool
    text: str
    numbers: tuple[int, ...] = Field(description="the calls that matched, in order")
    nearest: NearestCall | None


class Paging(Asked):
    """Which part of a listing."""

    after: int = Field(default=0, ge=0, description="`next` of the page before")
    limit: int = Field(default=100, ge=0, le=1000)
    newest_first: bool = Field(default=False, description="instead of in order of arrival")


class Waiting(Asked):
    """How long to wait for how much."""

    count: int = Field(default=1, ge=1)
    timeout: float = Field(
        default=10.0, ge=0, allow_inf_nan=False, description="seconds, at most 60"
    )

    @property
    def seconds(self) -> float:
        """What is granted of `timeout`."""
        return min(self.timeout, MAX_WAIT_SECONDS)


class WaitingForCalls(Waiting):
    """The same for calls."""

    limit: int = Field(default=100, ge=0, le=1000)


class Expected(Asked):
    """What should have come: calls that match `filter`, or calls `in_order`."""

    filter: _FilterText | None = None
    in_order: Annotated[tuple[_FilterText, ...], Field(min_length=1)] | None = Field(
        None, description="each matched by a call after the one before; others may come between"
    )
    at_least: int | None = Field(default=None, ge=0, description="1 if nothing else is said")
    at_most: int | None = Field(default=None, ge=0)
    count: int | None = Field(default=None, ge=0, description="exactly so many")
    timeout: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="seconds to wait for what is missing"
    )

    @model_validator(mode="after")
    def _fits(self) -> "Expected":
        if (self.filter is None) is (self.in_order is None):
            raise ValueError("either filter or in_order must be given")
        amounts = (self.at_least, self.at_most, self.count)
        if self.in_order is not None and any(each is not None for each in amounts):
            raise ValueError("in_order goes without at_least, at_most and count")
        if self.count is not None and (self.at_least, self.at_most) != (None, None):
            raise ValueError("count goes without at_least and at_most")
        return self

    @property
    def bounds(self) -> tuple[int, int | None]:
        """Least and most, None: any number."""
        if self.count is not None:
            return self.count, self.count
        if self.at_least is None:
            return (0 if self.at_most is not None else 1), self.at_most
        return self.at_least, self.at_most


def query_calls(mock: Journalled, where: Filter, query: Paging) -> Calls:
    """Calls that match, page by page."""
    page = mock.journal.page(where, query.after, query.limit, newest_first=query.newest_first)
    return Calls(
        count=page.count,
        **_dropped(mock.journal),
        next=page.next,
        calls=tuple(map(Call.model_validate, page.entries)),
        nearest=None if page.count else _nearest(mock.journal, where),
    )


def count_calls(mock: Journalled, where: Filter) -> Counted:
    """How many calls match."""
    there = mock.journal.range()
    last = None if there is None else there[1]
    return Counted(count=mock.journal.count(where), last=last, **_dropped(mock.journal))


def wait_for_calls(mock: Journalled, where: Filter, query: WaitingForCalls) -> Calls:
    """
    The same as a query, once `count` calls match or the time is over.

    A `count` below what was asked for says that the time was over.
    """
    mock.journal.wait_until(where, query.count, query.seconds)
    return query_calls(mock, where, Paging(limit=query.limit))


def verify_calls(mock: Journalled, body: Expected) -> Verified:
    """
    Whether what was expected came.

    If it did not, the answer is 409 and says which call came nearest and, field by field, why it is
    not the one.
    """
    verification = _verify(mock.journal, body)
    verified = Verified.model_validate(verification)
    if not verified.met:
        more = verified.model_dump(mode="json", exclude={"text"})
        raise ProblemError(409, verified.text, more=more)
    return verified


def get_call(mock: Journalled, number: int) -> Call:
    """One call."""
    return Call.model_validate(_entry(mock, number))


def get_request(mock: Journalled, number: int) -> bytes:
    """The bytes of a call as they arrived."""
    return _entry(mock, number).request


def get_reply(mock: Journalled, number: int) -> bytes:
    """The bytes of its answer as they went."""
    return _entry(mock, number).reply


class Forgotten(Answered):
    """What was forgotten."""

    count: int


def download_calls(mock: Journalled, where: Filter) -> bytes:
    """
    The calls that match, as a ZIP archive.

    `<number>-request.xml` and `<number>-reply.xml` have the bytes, `calls.json` all the rest.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        shown = []
        for entry in mock.journal.entries(where):
            made.writestr(f"{entry.number:06}-request.xml", entry.request)
            made.writestr(f"{entry.number:06}-reply.xml", entry.reply)
            shown.append(Call.model_validate(entry).model_dump(mode="json"))
        made.writestr("calls.json", json.dumps(shown, ensure_ascii=False, indent=1))
    return archive.getvalue()


def forget_calls(mock: Journalled, where: Filter) -> Forgotten:
    """Forget the calls that match, all without a filter; numbers go on."""
    if where.criteria:
        return Forgotten(count=mock.journal.forget(where))
    count = mock.journal.count()
    mock.journal.clear()
    return Forgotten(count=count)


def operations() -> tuple[Operation, ...]:
    """What can be done with a journal."""
    return (
        Operation("GET", "/journal", query_calls, _GROUP),
        Operation("DELETE", "/journal", forget_calls, _GROUP),
        Operation("GET", "/journal/count", count_calls, _GROUP),
        Operation("GET", "/journal/wait", wait_for_calls, _GROUP),
        Operation(
            "GET", "/journal/download", download_calls, _GROUP, content_type="application/zip"
        ),
        Operation("POST", "/journal/verify", verify_calls, _GROUP),
        Operation("GET", "/journal/<int:number>", get_call, _GROUP),
        Operation("GET", "/journal/<int:number>/request", get_request, _GROUP),
        Operation("GET", "/journal/<int:number>/reply", get_reply, _GROUP),
    )


def _nearest(journal: Journal, where: Filter) -> NearestCall | None:
    found = nearest(journal.heads(where), where)
    return None if found is None else NearestCall.model_validate(found)


def _verify(journal: Journal, expected: Expected) -> Verification:
    least, most = expected.bounds
    if expected.in_order is not None:
        filters = [
            _filter(f"in_order.{place}", text) for place, text in enumerate(expected.in_order)
        ]
        return _in_order(journal, filters, min(expected.timeout, MAX_WAIT_SECONDS))
    where = _filter("filter", expected.filter or "")
    if expected.timeout and least:
        journal.wait_until(where, least, min(expected.timeout, MAX_WAIT_SECONDS))
    return verify(journal.heads(where), where, least, most)


def _in_order(journal: Journal, filters: Sequence[Filter], seconds: float) -> Verification:
    """Look again after each call, until it is as expected or the time is over."""
    end = time.monotonic() + seconds
    while True:
        version = journal.version
        found = verify_order(journal.heads(*filters), filters)
        left = end - time.monotonic()
        if found.met or left <= 0:
            return found
        journal.wait_change(version, left)


def _filter(field: str, text: str) -> Filter:
    try:
        return Filter.parse(text)
    except FilterError as exc:
        raise ProblemError.of_field(field, str(exc)) from None


def _entry(mock: Journalled, number: int) -> Entry:
    entry = mock.journal.get(number, UNDER_WAY_SECONDS)
    if entry is not None:
        return entry
    there = mock.journal.range()
    held = "the journal is empty" if there is None else f"it has {there[0]} to {there[1]}"
    raise ProblemError(404, f"the journal has no call {number}; {held}")


def _dropped(journal: Journal) -> dict[str, Any]:
    dropped = journal.dropped
    return {"dropped": dropped.total, "dropped_by": DroppedCalls.model_validate(dropped)}
