"""`/console/utkast`: a unit's unsigned drafts, each as a form that saves as one types.

What is done with a draft is done by the functions that `/api/utkast` calls (`utkast_acts`); roles
are those of contents. Who writes says so in the form, as callers of the API do.
"""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.pages.certificate import masked
from intyg.adapter.console.pages.draft_page import (
    Conflict,
    Shown,
    actor_of,
    content_of,
    form_of,
    head_of,
    posted,
    reading_of,
    type_of_draft,
)
from intyg.adapter.console.pages.draft_typed import Parsed, parse
from intyg.adapter.console.pages.visit import (
    PREFIX,
    Visit,
    sees_contents,
    sees_draft,
    visitor,
    works_with,
)
from intyg.adapter.console.utkast_acts import Acts, Order
from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.draft import Draft, DraftState
from intyg.adapter.domain.errors import AdapterError, DraftConflictError, RuleError, StoreError
from intyg.adapter.domain.intyg import Enhet, HosPersonal
from intyg.adapter.flows.drafts import end, save
from intyg.adapter.rules.person_id import person_from
from intyg.adapter.settings.settings import ConsoleRole
from intyg.adapter.store import Rows
from intyg.pages.site import error_page
from intyg.schemas.intyg_model import IntygType

PATH: Final = f"{PREFIX}/utkast"


def build_draft_pages(visit: Visit) -> Blueprint:
    """The list, and a page a draft; everything that changes something comes by POST."""
    pages = Blueprint("drafts", __name__)

    @pages.get(PATH)
    def drafts() -> str:
        return render_template("drafts.html", **_listed(visit, {}, None))

    @pages.post(PATH)
    def new() -> ResponseReturnValue:
        return _new(visit)

    @pages.get(f"{PATH}/<id:intygs_id>")
    def show(intygs_id: str) -> ResponseReturnValue:
        return _with_draft(visit, intygs_id, lambda draft: _show(visit, draft))

    @pages.post(f"{PATH}/<id:intygs_id>")
    def act(intygs_id: str) -> ResponseReturnValue:
        return _with_draft(visit, intygs_id, lambda draft: _act(visit, draft))

    return pages


def _with_draft(
    visit: Visit, intygs_id: str, then: Callable[[Draft], ResponseReturnValue]
) -> ResponseReturnValue:
    """Go on with a draft that is there for who asks, and whose contents they may see."""
    with visit.services.store.read() as rows:
        draft = rows.drafts.get(intygs_id)
    if draft is None or draft.state is DraftState.DELETED or not sees_draft(visitor(), draft):
        return error_page(HTTPStatus.NOT_FOUND, "utkast")
    if works_with(visitor(), draft, visit.services.settings.environment):
        return then(draft)
    if request.method == "POST":
        return error_page(HTTPStatus.FORBIDDEN, "role")
    return render_template("draft_closed.html", **head_of(visit, draft, whole_number=False))


def _acts(visit: Visit) -> Acts:
    return Acts(visit.services, visitor().name)


# --- the list -------------------------------------------------------------------------------------


def _listed(visit: Visit, told: dict[str, str], fault: str | None) -> dict[str, Any]:
    own = visitor().unit if visitor().role == ConsoleRole.CARE else None
    with visit.services.store.read() as rows:
        units = [] if own else list(rows.drafts.units())
        unit = own or request.args.get("unit", units[0][0] if len(units) == 1 else "")
        found = rows.drafts.of_unit(unit) if unit else ()
        about = request.args.get("about", "")
        shown = _of_patient_of(visit, rows, found, about) if about else found
    named = next((each.skapad_av.enhet for each in found), None)
    return {
        "path": PATH,
        "units": units,
        "unit": unit,
        "own": own,
        "unit_name": named.enhetsnamn if named else unit,
        "unit_id": named.enhets_id if named else unit,
        "about": about,
        "listed": [_line(visit, draft) for draft in reversed(shown)],
        "types": _orderable(visit),
        "told": told,
        "fault": fault,
        "deleted": request.args.get("done") == "deleted",
    }


def _of_patient_of(
    visit: Visit, rows: Rows, drafts: tuple[Draft, ...], intygs_id: str
) -> tuple[Draft, ...]:
    """Those about the patient of a certificate; none where somebody may not read that."""
    stored = rows.intyg.get(intygs_id)
    if stored is None or not sees_contents(visitor(), stored, visit.services.settings.environment):
        return ()
    number = stored.intyg.patient.extension
    return tuple(draft for draft in drafts if draft.patient.extension == number)


def _line(visit: Visit, draft: Draft) -> dict[str, Any]:
    open_to = works_with(visitor(), draft, visit.services.settings.environment)
    shown = head_of(visit, draft, whole_number=False)
    number = masked(draft.patient.extension) if open_to else ""
    return {**shown, "form": type_of_draft(visit, draft).code, "number": number}


def _orderable(visit: Visit) -> list[IntygType]:
    """The newest version of each type that new drafts are made of."""
    newest = {each.code: each for each in visit.services.types.all()}
    usable = [each for each in newest.values() if each.usage.register]
    wanted = [each for each in usable if each.usage.replaced_by in (None, each.code)]
    return sorted(wanted, key=lambda each: each.code)


def _new(visit: Visit) -> ResponseReturnValue:
    told = request.form
    try:
        made = _acts(visit).order(_order(told.to_dict()))
    except (AdapterError, ValueError) as exc:
        fault = exc.text if isinstance(exc, AdapterError) else str(exc)
        page = _listed(visit, told.to_dict(), fault)
        return render_template("drafts.html", **page), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(f"{PATH}/{made.draft.intygs_id}", HTTPStatus.SEE_OTHER)


def _order(told: dict[str, str]) -> Order:
    """
    What somebody orders; care at its own unit.

    Raises:
        ValueError: That is no person number; the text does not repeat it.
    """
    own = visitor().unit if visitor().role == ConsoleRole.CARE else None
    unit = own or told.get("unit_id", "").strip()
    enhet = Enhet(unit, told.get("unit_name", "").strip() or unit, "")
    skapad_av = HosPersonal(
        told.get("by", "").strip(), told.get("by_name", "").strip(), enhet
    )  # fmt: skip
    return Order(
        typ=told.get("typ", ""),
        patient=person_from(told.get("patient", "").strip()),
        skapad_av=skapad_av,
    )


# --- one of them ----------------------------------------------------------------------------------


def _show(visit: Visit, draft: Draft) -> ResponseReturnValue:
    visit.record("show draft", draft.intygs_id)
    if not draft.is_editable or request.args.get("view") == "read":
        return _read(visit, draft)
    page = form_of(visit, draft, Shown(asked="asked" in request.args))
    return render_template("draft.html", path=PATH, deleting="delete" in request.args, **page)


def _read(visit: Visit, draft: Draft, *, whole_number: bool = False) -> str:
    page = reading_of(visit, draft, whole_number=whole_number)
    return render_template("draft_read.html", path=PATH, **page)


def _act(visit: Visit, draft: Draft) -> ResponseReturnValue:
    do = request.form.get("do", "save")
    if request.form.get("view") == "read" or not draft.is_editable:
        return _number(visit, draft)
    try:
        return _delete(visit, draft) if do == "delete" else _save_and(visit, draft, do)
    except StoreError:
        raise
    except DraftConflictError as exc:
        conflict = Conflict(exc.by, exc.at, exc.stamp)
        return _again(visit, draft, Shown(posted(), conflict=conflict), HTTPStatus.CONFLICT)
    except AdapterError as exc:
        shown = Shown(posted(), failed=exc.text, asked=bool(request.form.get("asked")))
        return _again(visit, draft, shown, HTTPStatus.FORBIDDEN)


def _number(visit: Visit, draft: Draft) -> ResponseReturnValue:
    visit.record("show number", draft.intygs_id)
    return _read(visit, draft, whole_number=True)


def _delete(visit: Visit, draft: Draft) -> ResponseReturnValue:
    unit, trace = _acts(visit).unit("utkast delete", draft.intygs_id)
    stamp, by = _stamp(request.form.get("stamp", "")), actor_of(posted())
    end.delete(draft.intygs_id, stamp, by, visit.services, unit, trace)
    to = urlencode({"done": "deleted", "unit": draft.skapad_av.enhet.enhets_id})
    return redirect(f"{PATH}?{to}", HTTPStatus.SEE_OTHER)


def _save_and(visit: Visit, draft: Draft, do: str) -> ResponseReturnValue:
    """Save what was typed, as far as it can be; then do what was asked for beside that."""
    typed, by = posted(), actor_of(posted())
    intyg_type = type_of_draft(visit, draft)
    parsed = parse(typed, intyg_type, swedish_day(visit.services.clock()))
    stamp = _stamp(request.form.get("over") or request.form.get("stamp", ""))
    content = content_of(draft, typed, parsed, by)
    saved = _acts(visit).save(draft.intygs_id, stamp, content, by)
    asked = do == "sign" or bool(request.form.get("asked"))
    shown = Shown(typed, parsed.findings, parsed.places, asked, saved=True)
    match do:
        case "sign":
            return _sign(visit, saved.draft, shown)
        case "number":
            visit.record("show number", draft.intygs_id)
            shown = replace(shown, whole_number=True)
        case "ready":
            _ready(visit, saved.draft)
        case "preview" if not parsed.findings:
            return redirect(f"{PATH}/{draft.intygs_id}?view=read", HTTPStatus.SEE_OTHER)
    return _saved(visit, saved.draft, shown, parsed)


def _stamp(text: str) -> int:
    """A version; what is none is that of no draft."""
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _saved(visit: Visit, draft: Draft, shown: Shown, parsed: Parsed) -> ResponseReturnValue:
    """The page again; by its address where it says no more than what is stored."""
    by_script = "HX-Request" in request.headers
    if by_script or parsed.findings or shown.asked or shown.whole_number:
        return _again(visit, draft, shown)
    return redirect(f"{PATH}/{draft.intygs_id}", HTTPStatus.SEE_OTHER)


def _ready(visit: Visit, draft: Draft) -> None:
    unit, trace = _acts(visit).unit("utkast ready", draft.intygs_id)
    save.ready(draft.intygs_id, actor_of(posted()), visit.services, unit, trace)


def _sign(visit: Visit, draft: Draft, shown: Shown) -> ResponseReturnValue:
    """Sign what was saved; or say what is missing, in production that it is done elsewhere."""
    if shown.unstored:
        return _again(visit, draft, shown, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        _acts(visit).sign(draft.intygs_id, draft.stamp, actor_of(posted()))
    except StoreError:
        raise
    except AdapterError as exc:
        faults = isinstance(exc, RuleError) and exc.findings
        shown = replace(shown, failed=None if faults else exc.text)
        return _again(visit, draft, shown, HTTPStatus.UNPROCESSABLE_ENTITY)
    return redirect(f"{PREFIX}/intyg/{draft.intygs_id}", HTTPStatus.SEE_OTHER)


def _again(
    visit: Visit, draft: Draft, shown: Shown, status: HTTPStatus = HTTPStatus.OK
) -> ResponseReturnValue:
    with visit.services.store.read() as rows:
        now = rows.drafts.get(draft.intygs_id)
    assert now is not None, "rows of drafts stay"
    if not now.is_editable:
        return redirect(f"{PATH}/{draft.intygs_id}", HTTPStatus.SEE_OTHER)
    page = form_of(visit, now, shown)
    return render_template("draft.html", path=PATH, deleting=False, **page), status
