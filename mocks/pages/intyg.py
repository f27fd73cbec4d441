"""A mock's certificates, one of them with its messages, and buttons that say something of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from intyg.mocks.control import ProblemError
from intyg.mocks.pages.address import PREFIX
from intyg.mocks.pages.damaged import types_to_damage
from intyg.mocks.pages.reading import masked
from intyg.mocks.pages.recorder import Click
from intyg.mocks.pages.visit import (
    Shown,
    Visit,
    before,
    can,
    is_ehr,
    look,
    mock_of,
    prefix,
    run_id,
    tell,
)
from intyg.mocks.wire.ids import ById
from intyg.schemas.codes import Amne, Part

ASKABLE: Final = (Amne.OVRIGT, Amne.KONTKT, Amne.AVSTMN)
TYPES: Final = ("FK7804", "LISJP", "DB", "DOI")
"""Certificates that the EHR can be made to issue by a button; FK7804 at first."""

_STATUS: Final = {
    "unknown": "unknown",
    "draft": "waiting",
    "ready": "waiting",
    "signed": "delivered",
    "sent": "sending",
    "revoked": "parked",
    "deleted": "parked",
}
"""What a certificate's state in the EHR's list looks like."""

_STATES: Final = {
    "open": "retrying",
    "answered": "delivered",
    "refused": "refused",
    "closed": "parked",
}
"""What a question's state looks like."""

_NEWEST: Final = 200
"""So many certificates stand in a list."""


@dataclass(frozen=True)
class Message:
    """A message about a certificate, as a mock knows it."""

    meddelande_id: str
    direction: str
    amne: str
    text: str
    at: datetime
    state: str | None
    svar_pa: str | None
    paminner: str | None
    rows: Sequence[str] = ()


def build_intyg_pages(visit: Visit) -> Blueprint:
    """`/mock/<key>` and `/mock/<key>/intyg?id=`; POST says or does something."""
    pages = Blueprint("intyg", __name__)

    @pages.get(f"{PREFIX}/<key>")
    def every(key: str) -> ResponseReturnValue:
        return _list(visit, key, None)

    @pages.post(f"{PREFIX}/<key>")
    def issue(key: str) -> ResponseReturnValue:
        try:
            click = _issue(visit, key, request.form)
        except ProblemError as exc:
            return _list(visit, key, masked(exc.detail)), exc.status
        return redirect(f"{prefix()}/{key}?did={click.number}", HTTPStatus.SEE_OTHER)

    @pages.get(f"{PREFIX}/<key>/intyg")
    def one(key: str) -> ResponseReturnValue:
        return _one(visit, key, request.args.get("id", ""), None)

    @pages.post(f"{PREFIX}/<key>/intyg")
    def say(key: str) -> ResponseReturnValue:
        intygs_id, do = request.args.get("id", ""), request.form.get("do", "")
        try:
            click = _say(do)(visit, key, intygs_id, request.form)
        except ProblemError as exc:
            return _one(visit, key, intygs_id, masked(exc.detail)), exc.status
        query = urlencode({"id": intygs_id, "did": click.number})
        return redirect(f"{prefix()}/{key}/intyg?{query}", HTTPStatus.SEE_OTHER)

    return pages


# --- what is shown --------------------------------------------------------------------------------


def _list(visit: Visit, key: str, fault: str | None) -> str:
    mock = mock_of(key)
    found = look(mock, "list_intyg").intyg if can(mock, "list_intyg") else ()
    rows = found if is_ehr(mock) else tuple(reversed(found))
    open_by_id = ById[int]()
    for intygs_id, message in messages(mock, None):
        if message.state == "open":
            open_by_id[intygs_id] = open_by_id.get(intygs_id, 0) + 1
    return render_template(
        "mock_intyg_list.html",
        **_frame(visit, key, mock, fault),
        rows=rows[:_NEWEST],
        more=max(len(rows) - _NEWEST, 0),
        state=look(mock, "read_state"),
        open_by_id=open_by_id,
        types=TYPES if can(mock, "order_draft") else (),
        damageable=types_to_damage(mock),
        told=look(mock, "describe_mock"),
    )


def _one(visit: Visit, key: str, intygs_id: str, fault: str | None) -> str:
    mock = mock_of(key)
    about = [message for _, message in messages(mock, intygs_id)]
    return render_template(
        "mock_intyg.html",
        **_frame(visit, key, mock, fault),
        intyg=look(mock, "get_intyg", intygs_id=intygs_id),
        messages=about,
        events=_events(mock, intygs_id),
        askable=[each.value for each in ASKABLE] if can(mock, "ask") else (),
        parts=[each.value for each in Part if each not in (Part.HSVARD, Part.INVANA)],
        may_act=can(mock, "new_draft"),
        form=request.form,
    )


def _frame(visit: Visit, key: str, mock: Shown, fault: str | None) -> dict[str, Any]:
    did = visit.recorder.find(run_id(), request.args.get("did", 0, int))
    return {
        "mock": mock,
        "key": key,
        "tab": "intyg",
        "ehr": is_ehr(mock),
        "fault": fault,
        "did": did,
        "said": masked(did.said) if did else "",
        "colours": _STATUS,
        "states": _STATES,
    }


def messages(mock: Shown, intygs_id: str | None) -> list[tuple[str, Message]]:
    """The messages that a mock knows, about one certificate or all; each with whose it is."""
    if not can(mock, "list_meddelanden"):
        return []
    query = {} if intygs_id is None else {"intygs_id": intygs_id}
    found = look(mock, "list_meddelanden", query).meddelanden
    return [(each.intygs_id, _message(each)) for each in found]


def _message(told: Any) -> Message:
    """Of an authority's, or of the EHR's, which keeps less."""
    rows = getattr(told, "komplettering", None)
    texts = [f"{each.frage_id}: {each.text}" for each in rows or ()]
    return Message(
        meddelande_id=told.meddelande_id,
        direction=getattr(told, "direction", "to_care"),
        amne=told.amne,
        text=told.text,
        at=told.at if hasattr(told, "at") else told.received_at,
        state=getattr(told, "state", None),
        svar_pa=told.svar_pa,
        paminner=told.paminner,
        rows=texts if rows is not None else list(told.frage_ids),
    )


def _events(mock: Shown, intygs_id: str) -> Sequence[Any]:
    if not can(mock, "list_handelser"):
        return ()
    found: Sequence[Any] = look(mock, "list_handelser", {"intygs_id": intygs_id}).handelser
    return found


# --- what is said ---------------------------------------------------------------------------------


def _ask(visit: Visit, key: str, intygs_id: str, form: Mapping[str, str]) -> Click:
    body: dict[str, Any] = {"intygs_id": intygs_id, "text": form.get("text", "")}
    frage_id = form.get("frage_id", "").strip()
    if form.get("do") == "ask_komplt":
        amne, rows = Amne.KOMPLT.value, [{"frage_id": frage_id, "text": body["text"]}]
        body["komplettering"] = rows
    else:
        amne = body["amne"] = form.get("amne", "")
    if form.get("sista_datum"):
        body["sista_datum_for_svar"] = form["sista_datum"].strip()
    values = {"amne": amne, "frage_id": frage_id, **body}
    return _sent(visit, key, "ask", form.get("do", "ask"), body, values)


def _remind(visit: Visit, key: str, intygs_id: str, form: Mapping[str, str]) -> Click:
    body = {"meddelande_id": form.get("meddelande_id", "")}
    values = {"intygs_id": intygs_id, "question": _question(key, body["meddelande_id"])}
    return _sent(visit, key, "remind", "remind", body, {**body, **values})


def _answer(visit: Visit, key: str, intygs_id: str, form: Mapping[str, str]) -> Click:
    body = {"meddelande_id": form.get("meddelande_id", ""), "text": form.get("text", "")}
    values = {"intygs_id": intygs_id, "question": _question(key, body["meddelande_id"])}
    return _sent(visit, key, "answer", "answer", body, {**body, **values})


def _question(key: str, meddelande_id: str) -> Mapping[str, Any]:
    """What a message says, for whoever must ask it again."""
    told = look(mock_of(key), "get_meddelande", meddelande_id=meddelande_id)
    rows = {each.frage_id: each.text for each in told.komplettering}
    return {"amne": told.amne, "text": told.text, "frage": rows, "direction": told.direction}


def _sent(
    visit: Visit,
    key: str,
    what: str,
    operation: str,
    body: Mapping[str, Any],
    values: Mapping[str, Any],
) -> Click:
    """Have a message sent, and keep what was answered."""
    moment = before()
    sent = tell(mock_of(key), operation, body)
    parts = (sent.result_code, sent.error_id, sent.result_text or sent.fault or sent.failure)
    values = {**values, "sent": sent.meddelande_id}
    said = " ".join(filter(None, parts))
    return visit.record(moment, key, what, values, accepted=sent.accepted, said=said)


# --- what the EHR does ----------------------------------------------------------------------------


def _issue(visit: Visit, key: str, form: Mapping[str, str]) -> Click:
    """A new certificate, from its order to its signature."""
    moment, typ = before(), form.get("typ", TYPES[0])
    made = tell(mock_of(key), "order_draft", {"typ": typ})
    _sign(mock_of(key), made.intygs_id)
    values = {"typ": typ, "new": made.intygs_id}
    return visit.record(moment, key, "draft", values, said=made.intygs_id)


def _complement(visit: Visit, key: str, intygs_id: str, form: Mapping[str, str]) -> Click:
    """A certificate that completes another."""
    del form
    moment = before()
    made = tell(mock_of(key), "new_draft", {"intygs_id": intygs_id, "way": "complement"})
    _sign(mock_of(key), made.intygs_id)
    values = {"intygs_id": intygs_id, "new": made.intygs_id}
    return visit.record(moment, key, "complement", values, said=made.intygs_id)


def _sign(mock: Shown, intygs_id: str) -> None:
    for step in ("fill_draft", "ready_draft", "sign_draft"):
        tell(mock, step, {"intygs_id": intygs_id})


def _send(visit: Visit, key: str, intygs_id: str, form: Mapping[str, str]) -> Click:
    moment, to = before(), form.get("to", "FKASSA")
    told = tell(mock_of(key), "send_own", {"intygs_id": intygs_id, "to": to})
    said = " ".join(filter(None, (told.result_code, told.error_id, told.result_text)))
    accepted = told.result_code != "ERROR"
    values = {"intygs_id": intygs_id, "to": to}
    return visit.record(moment, key, "send", values, accepted=accepted, said=said)


_Say = Callable[[Visit, str, str, Mapping[str, str]], Click]

_SAYS: Final[Mapping[str, _Say]] = {
    "ask": _ask,
    "ask_komplt": _ask,
    "answer": _answer,
    "remind": _remind,
    "complement": _complement,
    "send": _send,
}


def _say(do: str) -> _Say:
    try:
        return _SAYS[do]
    except KeyError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"there is no {do!r}") from None
