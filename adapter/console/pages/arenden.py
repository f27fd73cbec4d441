"""A unit's questions: what waits for whom, until when, and what the EHR has been told.

Rows and every number on the page are of one statement (`ArendeRows.find`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from http import HTTPStatus
from typing import Any, Final

import pydantic
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from intyg.adapter.console.arende_pages import units_of
from intyg.adapter.console.arende_requests import Asker, as_text
from intyg.adapter.console.delivery_requests import fault_of
from intyg.adapter.console.pages.arende_card import Card, card_of
from intyg.adapter.console.pages.arende_query import CHOSEN, PATH, Query, read_query
from intyg.adapter.console.pages.arende_tabs import tabs_of
from intyg.adapter.console.pages.certificate import masked
from intyg.adapter.console.pages.delivery_signs import state_of
from intyg.adapter.console.pages.drafts import PATH as DRAFTS
from intyg.adapter.console.pages.visit import Visit, visitor
from intyg.adapter.console.unit_tree import units_under
from intyg.adapter.domain.arende import (
    Arende,
    ArendeFilter,
    ArendeList,
    Atgard,
    Place,
    Told,
    Turn,
)
from intyg.adapter.domain.clock import swedish_day
from intyg.adapter.domain.hsa_id import hsa_key
from intyg.adapter.domain.meddelande import Direction
from intyg.adapter.domain.uuids import same_id
from intyg.adapter.routing.recipients import RecipientRegister
from intyg.adapter.settings.settings import ConsoleRole
from intyg.adapter.store import Rows
from intyg.adapter.store.arende_rows import MOST, MOST_HANDLED
from intyg.pages.signs import SIGN_OF, sign
from intyg.pages.site import words
from intyg.pages.words import Words
from intyg.schemas.codes import Amne

PAGE: Final = 50
SUBJECTS: Final = (Amne.KOMPLT, Amne.AVSTMN, Amne.KONTKT, Amne.OVRIGT)


@dataclass(frozen=True)
class Line:
    """
    A question in the table.

    Attributes:
        told: What the EHR was told, as sign and words.
        reminded: How often, and when last; '' where never.
        day: Until when, how long that is, and whether it is past.
        to: Where its conversation is shown, or no longer.
    """

    one: Arende
    atgard: str
    sender: str
    subject: str
    form: str
    patient: str
    told: Markup | None
    reminded: str
    day: tuple[str, str] | None
    to: str
    card: Card | None


def build_arende_site(visit: Visit) -> Blueprint:
    """`/console/arenden`."""
    pages = Blueprint("arenden", __name__)

    @pages.get(PATH)
    def arenden() -> ResponseReturnValue:
        query = read_query(request.args)
        try:
            return render_template("arenden.html", **shown(visit, query))
        except pydantic.ValidationError as exc:
            plain = Query({"unit": query.unit} if query.unit else {})
            page = {**shown(visit, plain), "fault": fault_of(exc)}
            return render_template("arenden.html", **page), HTTPStatus.BAD_REQUEST

    return pages


def shown(visit: Visit, query: Query) -> dict[str, Any]:
    """
    What the page shows; the conversation that is open is recorded by whoever shows it.

    Raises:
        pydantic.ValidationError: A field of the query is wrong.
    """
    wanted = query.wanted()
    asked = wanted.filter(units_of(visit.services, query.unit))
    today = swedish_day(visit.services.clock())
    with visit.services.store.read() as rows:
        listed = rows.arenden.find(asked, today, PAGE, wanted.place)
        names = _names(visit, rows, query, listed)
        lines = list(_lines(visit, rows, query, listed, today))
        unhandled = 0 if asked.handled else listed.count(ArendeFilter(asked.units))
        lists = tabs_of(rows, query, unhandled)
    for each in lines:
        if each.card is not None and each.card.is_read:
            visit.record("show arende", each.one.intygs_id)
    return {
        **_frame(query, listed, names),
        "lines": lines,
        "lists": lists,
        "found": listed.count(asked),
        "next": _next(query, listed),
        "segments": list(_segments(query, asked, listed)),
        "choices": _choices(asked, listed, names),
    }


def _frame(query: Query, listed: ArendeList, names: Mapping[str, str]) -> dict[str, Any]:
    who = visitor()
    return {
        "query": query,
        "path": PATH,
        "fields": query.fields,
        "chosen": [name for name in CHOSEN if name in query.fields],
        "handled": query.fields.get("atgard") == Atgard.NONE,
        "unit_name": names.get(hsa_key(query.unit or ""), query.unit),
        "clinics": max(len(names) - 1, 0) if query.unit else 0,
        "may_change": who.role != ConsoleRole.CARE or bool(who.under),
        "units": _unit_counts(listed, names) if query.unit is None else (),
        "capped": listed.capped,
        "drafts": DRAFTS,
        "most": MOST_HANDLED if query.fields.get("atgard") == Atgard.NONE else MOST,
        "origin": request.host_url.rstrip("/"),
        "fault": None,
        "dialog": None,
        "done": request.args.get("done", ""),
        "made": request.args.get("made", ""),
    }


def _next(query: Query, listed: ArendeList) -> str | None:
    if not listed.more:
        return None
    last = listed.arenden[-1]
    return query.first(before=as_text(Place(last.latest_at, last.seq)))


def _names(visit: Visit, rows: Rows, query: Query, listed: ArendeList) -> dict[str, str]:
    """What units are called, by the key of their HSA-ids: as their newest certificates say."""
    settings = visit.services.settings.console
    ids = [query.unit, *units_under(settings, query.unit)] if query.unit else []
    if not ids:
        ids = sorted({kind.enhets_id for kind in listed.counts})
    return {hsa_key(each): rows.intyg.unit_name(each) or each for each in ids}


def _unit_counts(listed: ArendeList, names: Mapping[str, str]) -> list[tuple[str, str, int]]:
    """Every unit that has something: its name, its HSA-id, and how many."""
    counts: dict[str, int] = {}
    for kind, number in listed.counts.items():
        key = hsa_key(kind.enhets_id)
        counts[key] = counts.get(key, 0) + number
    return sorted((names.get(key, key), key, number) for key, number in counts.items())


# --- what can be chosen ---------------------------------------------------------------------------


def _segments(
    query: Query, asked: ArendeFilter, listed: ArendeList
) -> Iterator[tuple[str, int, str, bool]]:
    """Whose turn: word, how many, where they are listed, and whether they are."""
    say, anybody = words(), replace(asked, turn=None, overdue=None)
    kinds: list[tuple[str, dict[str, object], ArendeFilter]] = [
        ("all", {}, anybody),
        ("care", {"turn": Turn.CARE.value}, replace(anybody, turn=Turn.CARE)),
        ("authority", {"turn": Turn.AUTHORITY.value}, replace(anybody, turn=Turn.AUTHORITY)),
        ("overdue", {"overdue": "true"}, replace(anybody, overdue=True)),
    ]
    for name, fields, wanted in kinds:
        to = query.first(**{"turn": None, "overdue": None, **fields})
        yield say(f"turn.{name}"), listed.count(wanted), to, wanted == asked


def _choices(
    asked: ArendeFilter, listed: ArendeList, names: Mapping[str, str]
) -> dict[str, list[tuple[str, str]]]:
    """Values and words of the fields that are chosen from."""
    say = words()
    signers = {kind.signer_id: kind.signer for kind in listed.counts}
    return {
        "only": _units(asked, listed, names),
        "atgard": [
            ("", say("atgard.all")), *((one.value, say(f"atgard.{one}")) for one in Atgard)
        ],
        "signer": [
            ("", say("filter.all")), *sorted(signers.items(), key=lambda pair: (pair[1], pair[0]))
        ],
        "amne": [("", say("filter.all")), *((one.value, say(f"amne.{one}")) for one in SUBJECTS)],
        "asker": [("", say("filter.all")), *((one.value, say(f"asker.{one}")) for one in Asker)],
        "forwarded": [
            ("", say("filter.all")), ("true", say("forwarded.true")),
            ("false", say("forwarded.false")),
        ],
    }  # fmt: skip


def _units(
    asked: ArendeFilter, listed: ArendeList, names: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Nothing to choose from where there is one unit."""
    if asked.units is None or len(names) < 2:
        return []
    say = words()
    every = say("units.all", n=listed.count(replace(asked, unit=None)))
    return [
        ("", every),
        *(
            (key, say("units.one", name=name, n=listed.count(replace(asked, unit=key))))
            for key, name in names.items()
        ),
    ]


# --- rows -----------------------------------------------------------------------------------------


def _lines(
    visit: Visit, rows: Rows, query: Query, listed: ArendeList, today: date
) -> Iterator[Line]:
    forms = {header.xml_code: header.code for header in visit.services.types.headers()}
    register = RecipientRegister(visit.services.settings)
    say = words()
    for each in listed.arenden:
        is_open = same_id(each.meddelande_id, query.opened)
        yield Line(
            one=each,
            atgard=say(f"atgard.{each.kind.atgard}"),
            sender=_sender(say, register, each),
            subject=_subject(say, each.kind.amne),
            form=forms.get(each.typ, each.typ),
            patient=masked(each.patient),
            told=_told(say, each.told),
            reminded=_reminded(say, each),
            day=_day(say, each, today),
            to=query.address(open=None if is_open else each.meddelande_id),
            card=card_of(visit, rows, each) if is_open else None,
        )


def _sender(say: Words, register: RecipientRegister, each: Arende) -> str:
    if each.kind.asker is Direction.TO_RECIPIENT:
        return say("asker.care")
    known = register.get(each.part or "")
    return known.name if known else each.part or say("asker.authority")


def _subject(say: Words, amne: str) -> str:
    return say(f"amne.{amne}") if say.knows(f"amne.{amne}") else amne


def _reminded(say: Words, each: Arende) -> str:
    if each.reminded_at is None:
        return ""
    day = say.short_day(swedish_day(each.reminded_at))
    return say("arende.reminded", n=each.reminders, time=day)


def _told(say: Words, told: Told | None) -> Markup | None:
    """Sign, code and, where it has not arrived, the word of its state."""
    if told is None:
        return None
    code = told.handelsekod.value
    if told.state is None:
        return _signed("parked", say("told.nobody", code=code))
    colour, word = state_of(told.state, told.tried)
    if colour == "delivered":
        return _signed(colour, code)
    return _signed(colour, say("told.state", code=code, state=say(f"state.{word}").lower()))


def _signed(colour: str, text: str) -> Markup:
    return Markup('<span class="told told-{}">{}{}</span>').format(
        colour, sign(SIGN_OF[colour]), text
    )


def _day(say: Words, each: Arende, today: date) -> tuple[str, str] | None:
    """The last day for an answer, and how far it is, while somebody has to answer."""
    if each.answer_by is None or each.kind.atgard in (Atgard.NONE, Atgard.READ):
        return None
    days = (each.answer_by - today).days
    if days == 0:
        return say.short_day(each.answer_by), say("day.today")
    key = "day.left" if days > 0 else "day.late"
    return say.short_day(each.answer_by), say(key, n=abs(days))
