"""A certificate: its way in lanes and as a table, and what it says, to whom that may be shown."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from intyg.adapter.console.pages.reading import (
    Reading,
    changed_lines,
    findings,
    readable,
    signed_headers,
    source,
)
from intyg.adapter.console.pages.timeline import (
    AUDIT_ROWS,
    Happening,
    Told,
    drawn,
    happenings,
    subject,
)
from intyg.adapter.console.pages.visit import PREFIX, Visit, may_audit, sees, sees_contents, visitor
from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.routing.recipients import RecipientRegister
from intyg.adapter.store import Rows
from intyg.pages.lanes import Party, lanes
from intyg.pages.signs import chip
from intyg.pages.site import error_page, words
from intyg.pages.words import Words
from intyg.schemas.codes import Amne, Part, Status

TABS: Final = (
    "timeline", "readable", "xml", "headers", "findings", "signature", "questions", "compare",
    "audit",
)  # fmt: skip
CONTENTS: Final = frozenset({"readable", "xml", "questions", "compare"})
"""Tabs that show what the certificate or its messages say: not to everybody, and recorded."""


@dataclass(frozen=True)
class Page:
    """What a tab works with."""

    visit: Visit
    rows: Rows
    stored: StoredIntyg
    told: Told
    say: Words
    whole_number: bool  # somebody has just asked for it


def build_certificate_pages(visit: Visit) -> Blueprint:
    """`/console/intyg/<id>`, a tab each; POST shows a person number or gives the file."""
    pages = Blueprint("certificate", __name__)
    path = f"{PREFIX}/intyg/<id:intygs_id>"

    @pages.get(path)
    def show(intygs_id: str) -> ResponseReturnValue:
        return _shown(visit, intygs_id, request.args.get("tab", "timeline"), whole_number=False)

    @pages.post(path)
    def ask(intygs_id: str) -> ResponseReturnValue:
        if request.form.get("do") == "download":
            return _download(visit, intygs_id)
        return _shown(visit, intygs_id, request.form.get("tab", "readable"), whole_number=True)

    return pages


def _nothing() -> ResponseReturnValue:
    """The same for what is not there and for what is not theirs."""
    return error_page(HTTPStatus.NOT_FOUND, "intyg")


def _shown(visit: Visit, intygs_id: str, tab: str, *, whole_number: bool) -> ResponseReturnValue:
    if tab not in TABS:
        return error_page(HTTPStatus.NOT_FOUND)
    with visit.services.store.read() as rows:
        stored = rows.intyg.get(intygs_id)
        if stored is None or not sees(visitor(), stored):
            return _nothing()
        contents = _sees_contents(visit, stored)
        whole_number = whole_number and contents
        page = Page(visit, rows, stored, Told.read(rows, stored), words(), whole_number)
        wanted = contents or tab not in CONTENTS
        values = _TAB_VALUES[tab](page) if wanted else {}
        frame = _frame(page, tab)
    if whole_number or (tab in CONTENTS and wanted):
        visit.record("show number" if whole_number else f"show {tab}", stored.intyg.intygs_id)
    name = f"certificate_{tab}.html" if wanted else "certificate_closed.html"
    return render_template(name, **frame, **values)


def _sees_contents(visit: Visit, stored: StoredIntyg) -> bool:
    return sees_contents(visitor(), stored, visit.services.settings.environment)


def _download(visit: Visit, intygs_id: str) -> ResponseReturnValue:
    """The bytes that came, unchanged."""
    with visit.services.store.read() as rows:
        stored, received = rows.intyg.get(intygs_id), rows.intyg.received(intygs_id)
    if stored is None or received is None or not sees(visitor(), stored):
        return _nothing()
    if not _sees_contents(visit, stored):
        return error_page(HTTPStatus.FORBIDDEN, "role")
    visit.record("download", stored.intyg.intygs_id)
    answer = Response(received.body, content_type="application/xml")
    answer.headers["Content-Disposition"] = "attachment; filename=intyg.xml"
    return answer


# --- what every tab shows ---


def _frame(page: Page, tab: str) -> dict[str, object]:
    intyg, say = page.stored.intyg, page.say
    reading = Reading.of(page.visit.services.types, page.stored)
    counts = {"questions": sum(1 for each in page.told.meddelanden if each.state is not None)}
    has_older = intyg.relation is not None
    return {
        "intyg": intyg,
        "stored": page.stored,
        "title": _headline(reading.name or intyg.typ),
        "form": reading.code or intyg.typ,
        "number": _number(page),
        "chips": _chips(page.told, say),
        "receiver": _receiver(page),
        "tab": tab,
        "tabs": [
            (each, say(f"tab.{each}"), counts.get(each, 0))
            for each in TABS
            if (each != "compare" or has_older) and (each != "audit" or may_audit(visitor()))
        ],
        "kind": say("patient.test" if page.stored.is_test else "patient.other"),
        "commands": _commands(page),
    }


def _headline(name: str) -> str:
    return name[:1].upper() + name[1:]


def _number(page: Page) -> str:
    whole = page.stored.intyg.patient.extension
    return whole if page.whole_number else masked(whole)


def masked(number: str) -> str:
    """`19890101-••••`: the day, as everybody may see it."""
    return f"{number[:8]}-••••"


def _chips(told: Told, say: Words) -> list[Markup]:
    """At most two: where the certificate stands, and what is asked of whom."""
    found = []
    if told.stored.revoked_at is not None:
        found.append(chip("refused", say("intyg.revoked")))
    elif any(each.state is DeliveryState.DELIVERED and each.new.part != Part.HSVARD
             for each in told.deliveries):  # fmt: skip
        found.append(chip("sending", say("intyg.sent")))
    else:
        found.append(chip("waiting", say("intyg.not_sent")))
    open_questions = [each for each in told.meddelanden if each.state is FragaState.OPEN_CARE]
    if any(each.meddelande.amne == Amne.KOMPLT for each in open_questions):
        found.append(chip("retrying", say("intyg.waits_komplt")))
    elif open_questions:
        found.append(chip("retrying", say("intyg.waits_answer")))
    return found


def _receiver(page: Page) -> tuple[str, str]:
    """Who has it, or is to have it; and since when."""
    register = RecipientRegister(page.visit.services.settings)
    sent = [
        each for each in page.rows.intyg.statuses(page.stored.intyg.intygs_id)
        if each.status is Status.SENTTO
    ]  # fmt: skip
    if sent:
        known = register.get(sent[-1].part)
        when = page.say("receiver.since", time=page.say.short(sent[-1].tidpunkt))
        return (known.name if known else sent[-1].part), when
    waiting = [each.new.part for each in page.told.deliveries if each.new.part != Part.HSVARD]
    if waiting:
        known = register.get(waiting[-1])
        return (known.name if known else waiting[-1]), page.say("receiver.not_yet")
    return page.say("receiver.none"), page.say("receiver.not_sent")


def _commands(page: Page) -> list[str]:
    """The same from a terminal."""
    intygs_id = page.stored.intyg.intygs_id
    address = f"{request.host_url}api/intyg/{intygs_id}"
    return [
        f"intyg audit list --intygs-id {shlex.quote(intygs_id)}",
        f'curl -H "Authorization: Bearer $TOKEN" {shlex.quote(address)}',
    ]


# --- what each tab shows ---


def _timeline(page: Page) -> dict[str, object]:
    say, found = page.say, happenings(page.told, page.say)
    parties = _parties(page)
    days: list[tuple[str, list[Happening]]] = []
    for each in found:
        day = say.day(each.at)
        if not days or days[-1][0] != day:
            days.append((day, []))
        days[-1][1].append(each)
    drawing = lanes(
        parties, drawn(found, say), say("way.title"), (say("way.time"), say("way.outcome"))
    )
    return {"drawing": drawing, "days": days, "count": len(found), "parties": parties}


def _parties(page: Page) -> list[Party]:
    enhet = page.stored.intyg.skapad_av.enhet
    authorities = sorted(
        {each.new.part for each in page.told.deliveries}
        | {each.meddelande.part for each in page.told.meddelanden if each.meddelande.part}
        - {Part.HSVARD}
    )
    authorities = [each for each in authorities if each != Part.HSVARD]
    register = RecipientRegister(page.visit.services.settings)
    known = register.get(authorities[0]) if len(authorities) == 1 else None
    authority = known.name if known else page.say("party.authority")
    return [
        Party(page.say("party.ehr"), enhet.enhets_id),
        Party(page.say("party.adapter"), page.say("party.this")),
        Party(authority, " ".join(authorities)),
    ]


def _readable(page: Page) -> dict[str, object]:
    reading = readable(page.visit.services.types, page.stored)
    number = page.stored.intyg.patient.extension
    hide = (lambda text: text) if page.whole_number else partial(_hidden, number)
    return {"reading": reading, "hide": hide}


def _hidden(number: str, text: str) -> str:
    return text.replace(number, masked(number))


def _xml(page: Page) -> dict[str, object]:
    received = page.rows.intyg.received(page.stored.intyg.intygs_id)
    assert received is not None, "it is stored with its certificate"
    text, number = source(received.body), page.stored.intyg.patient.extension
    return {"text": text if page.whole_number else _hidden(number, text), "received": received}


def _headers(page: Page) -> dict[str, object]:
    return {"received": page.rows.intyg.received(page.stored.intyg.intygs_id)}


def _findings(page: Page) -> dict[str, object]:
    return {"findings": findings(page.visit.services.types, page.stored)}


def _signature(page: Page) -> dict[str, object]:
    known = page.say.knows(f"signature.{page.stored.signature}")
    verdict = page.say(f"signature.{page.stored.signature}") if known else page.stored.signature
    colour = {"VALID": "delivered", "ABSENT": "waiting"}.get(page.stored.signature, "refused")
    return {"verdict": chip(colour, verdict), "facts": signed_headers(page.stored)}


def _questions(page: Page) -> dict[str, object]:
    asked = [
        (each, subject(each.meddelande.amne, bool(each.meddelande.svar_pa), page.say))
        for each in page.told.meddelanden
    ]
    number = page.stored.intyg.patient.extension
    return {"asked": asked, "hide": partial(_hidden, number)}


def _compare(page: Page) -> dict[str, object]:
    """Against the older certificate that this one names."""
    relation = page.stored.intyg.relation
    older = page.rows.intyg.get(relation.intygs_id) if relation else None
    number = page.stored.intyg.patient.extension
    if older is None or not sees(visitor(), older) or not _sees_contents(page.visit, older):
        return {"older": relation.intygs_id if relation else "", "lines": None}
    lines = changed_lines(older, page.stored)
    return {
        "older": older.intyg.intygs_id,
        "lines": [(kind, _hidden(number, text)) for kind, text in lines],
    }


def _audit(page: Page) -> dict[str, object]:
    return {"audit": page.told.audit if may_audit(visitor()) else (), "most": AUDIT_ROWS}


_TAB_VALUES: Final[Mapping[str, Callable[[Page], dict[str, object]]]] = {
    "timeline": _timeline,
    "readable": _readable,
    "xml": _xml,
    "headers": _headers,
    "findings": _findings,
    "signature": _signature,
    "questions": _questions,
    "compare": _compare,
    "audit": _audit,
}
