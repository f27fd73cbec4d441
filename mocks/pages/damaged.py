"""A damaged example: chosen, sent as the EHR sends, and what the adapter answered."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from intyg.mocks.control import ProblemError
from intyg.mocks.pages.address import PREFIX
from intyg.mocks.pages.reading import masked, source
from intyg.mocks.pages.recorder import Click
from intyg.mocks.pages.visit import Shown, Visit, before, look, mock_of, prefix, run_id, tell


def build_damage_pages(visit: Visit) -> Blueprint:
    """`/mock/<key>/damaged?typ=`; POST sends an example."""
    pages = Blueprint("damaged", __name__)
    path = f"{PREFIX}/<key>/damaged"

    @pages.get(path)
    def choose(key: str) -> ResponseReturnValue:
        return _page(visit, key, request.args.get("typ", ""))

    @pages.post(path)
    def send(key: str) -> ResponseReturnValue:
        typ = request.args.get("typ", "")
        try:
            click = _send(visit, key, typ, request.form)
        except ProblemError as exc:
            return _page(visit, key, typ, exc)
        query = urlencode({"typ": typ, "did": click.number})
        return redirect(f"{prefix()}/{key}/damaged?{query}", HTTPStatus.SEE_OTHER)

    return pages


def types_to_damage(mock: Shown) -> list[tuple[str, str]]:
    """Key and name of each type and version of which new certificates are taken."""
    headers = mock.place.types.headers()
    return [(each.key, each.name) for each in headers if each.usage.register]


def _page(
    visit: Visit, key: str, typ: str, fault: ProblemError | None = None
) -> ResponseReturnValue:
    """Of a type, or of the usual one where there is none of that name."""
    mock = mock_of(key)
    try:
        there = look(mock, "list_damages", {"typ": typ} if typ else {})
    except ProblemError as exc:
        there, fault = look(mock, "list_damages"), exc
    did = visit.recorder.find(run_id(), request.args.get("did", 0, int))
    sent = did if did is not None and did.what == "damaged" else None
    chosen = request.form.get("damage") or (sent.values["damage"] if sent else "")
    page = render_template(
        "damaged.html",
        mock=mock,
        key=key,
        tab="intyg",
        fault=masked(fault.detail) if fault else None,
        types=types_to_damage(mock),
        there=there,
        chosen=chosen,
        sent=sent,
        **({} if sent is None else _shown(sent.values)),
    )
    return page, HTTPStatus.OK if fault is None else fault.status


def _shown(values: Mapping[str, Any]) -> dict[str, str]:
    """What went and what came, without anybody's number."""
    return {
        "said": masked(values["result_text"] or ""),
        "request_text": masked(source(values["request"].encode())),
        "reply_text": masked(source(values["reply"].encode())),
    }


def _send(visit: Visit, key: str, typ: str, form: Mapping[str, str]) -> Click:
    """
    Have an example sent, and keep what was answered.

    Raises:
        ProblemError: There is no such type or damage, or nobody answers.
    """
    moment, damage = before(), form.get("damage", "")
    told = tell(mock_of(key), "send_damaged", {"typ": typ, "damage": damage})
    values = {**told.model_dump(), "damage": damage}
    said = " ".join(filter(None, (told.result_code, told.error_id, told.result_text)))
    accepted = told.result_code != "ERROR"
    return visit.record(moment, key, "damaged", values, accepted=accepted, said=said)
