"""A draft's page: the form with its faults and how far it is, or the certificate as it reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from flask import request
from markupsafe import Markup

from intyg.adapter.console.pages.certificate import masked
from intyg.adapter.console.pages.draft_cards import Card, cards_of, headline
from intyg.adapter.console.pages.draft_faults import (
    TOP,
    UNIT,
    Fault,
    by_slot,
    faults_of,
    field_slot,
    slot_of,
)
from intyg.adapter.console.pages.draft_typed import Parsed, Place, Typed, rows_of, typed_of
from intyg.adapter.console.pages.visit import Visit, visitor
from intyg.adapter.console.utkast_acts import in_words, mark_of
from intyg.adapter.domain.draft import Draft, DraftState
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.hsa_id import same_hsa_id
from intyg.adapter.flows.drafts.about import Actor, about_draft
from intyg.adapter.formats.intyg_json import Json
from intyg.adapter.settings.settings import ConsoleRole
from intyg.pages.signs import chip
from intyg.pages.site import words
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import IntygType

UNIT_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "postadress": ("postadress",),
    "postnummer": ("postnummer",),
    "postort": ("postort",),
    "telefonnummer": ("telefonnummer",),
    "arbetsplatskod": ("arbetsplatskod", "extension"),
    "vardgivare-id": ("vardgivare", "vardgivare-id", "extension"),
    "vardgivarnamn": ("vardgivare", "vardgivarnamn"),
}
"""What a certificate says of the unit beside its name and id, and where that stands in `enhet`."""

MOST_LEFT: Final = 10
"""So many faults are listed at the top; all of them stand beside their fields."""

_COLOURS: Final = {
    DraftState.INCOMPLETE: "waiting",
    DraftState.COMPLETE: "delivered",
    DraftState.LOCKED: "parked",
    DraftState.SIGNED: "sending",
}
_OF_AUTHOR: Final = ("befattning", "legitimeratYrke", "specialistkompetens", "forskrivarkod")


@dataclass(frozen=True)
class Conflict:
    """Who saved meanwhile, when, and the version that there is now."""

    by: str
    at: str
    stamp: int | None


@dataclass(frozen=True)
class Shown:
    """
    What a form shows beside the draft itself.

    Attributes:
        typed: What stands in its fields; None: what is stored.
        unstored: What could not be stored, with the row that it is in.
        places: Of the rows that the findings count; None: those of the stored answers.
        saved: What was typed is stored, but for what could not be.
        asked: Somebody asked to sign, so that they are told of what is missing, too.
        failed: What went wrong, in the words of the flow.
        whole_number: Somebody has just asked for the patient's number.
    """

    typed: Typed | None = field(default=None, repr=False)
    unstored: Sequence[tuple[Place, Finding]] = ()
    places: Sequence[Place] | None = None
    asked: bool = False
    saved: bool = False
    failed: str | None = None
    conflict: Conflict | None = None
    whole_number: bool = False


def type_of_draft(visit: Visit, draft: Draft) -> IntygType:
    """The certificate type that a draft is of."""
    return visit.services.types.find(draft.typ, draft.version)


def head_of(visit: Visit, draft: Draft, *, whole_number: bool) -> dict[str, Any]:
    """What stands above the form and above the certificate as it reads."""
    say, intyg_type = words(), type_of_draft(visit, draft)
    recipient = visit.services.settings.recipients.get(intyg_type.recipient or "")
    form = f"{intyg_type.code} {intyg_type.version}"
    number = draft.patient.extension
    kind = say("draft.test" if draft.is_test else "draft.not_test")
    return {
        "draft": draft,
        "title": headline(intyg_type.xml_display or intyg_type.name),
        "form": say("draft.to", form=form, receiver=recipient.name)
        if recipient
        else say("draft.to.nobody", form=form),
        "patient": say(
            "draft.patient", number=number if whole_number else masked(number), kind=kind
        ),
        "chips": list(_chips(draft)),
        "unit_id": draft.skapad_av.enhet.enhets_id,
    }


def _chips(draft: Draft) -> list[Markup]:
    say, state = words(), draft.state
    found = [chip(_COLOURS[state], say(f"draft.state.{state.value}"))]
    if draft.revoked_at:
        found.append(chip("refused", say("draft.revoked")))
    elif draft.ready_at and draft.is_editable:
        found.append(chip("sending", say("draft.ready")))
    return found


def form_of(visit: Visit, draft: Draft, shown: Shown) -> dict[str, Any]:
    """The form: its cards, what is wrong in them, and who writes."""
    intyg_type = type_of_draft(visit, draft)
    answers = draft.content["svar"]
    typed = shown.typed or typed_of(answers, intyg_type)
    places = [place for place, _ in rows_of(answers, intyg_type)]
    findings = about_draft(visit.services, draft).findings(draft)
    faults = faults_of(
        findings, places if shown.places is None else shown.places, intyg_type, words(),
        shown.unstored,
    )  # fmt: skip
    cards = cards_of(intyg_type, typed)
    faults = _placed(faults, cards)
    told = [each for each in faults if shown.asked or not each.missing]
    return {
        **head_of(visit, draft, whole_number=shown.whole_number),
        "shown": shown,
        "stamp": _stamp(draft, shown),
        "cards": cards,
        "faults": by_slot(told),
        "left": _left(told, cards) if shown.asked else [],
        "most_left": MOST_LEFT,
        "slot_of": slot_of,
        "field_slot": field_slot,
        "progress": progress(cards, faults, told),
        "status": _status(draft, shown),
        "may_sign": visit.services.settings.environment is not Environment.PRODUCTION,
        "shows_rules": visitor().role == ConsoleRole.OPERATOR,
        **_who(draft, shown.typed),
    }


def _placed(faults: Sequence[Fault], cards: Sequence[Card]) -> list[Fault]:
    """Each where the form has a place for it: its field, otherwise its question, or the top."""
    rows = [row for card in cards for row in (*card.rows, *card.more)]
    names = [each.name for row in rows for each in row.fields]
    names += [row.tick[0] for row in rows if row.tick]
    known = {field_slot(name) for name in names} | {slot_of(card.svar) for card in cards}
    known |= {slot_of(UNIT), slot_of(TOP)}
    moved = [
        each if each.slot in known else replace(each, slot=slot_of(each.card)) for each in faults
    ]
    return [each if each.slot in known else replace(each, slot=slot_of(TOP)) for each in moved]


def _left(told: Sequence[Fault], cards: Sequence[Card]) -> list[Fault]:
    """In the order of the form; what is about no question comes last."""
    order = {card.svar: place for place, card in enumerate(cards)}
    return sorted(told, key=lambda each: order.get(each.card, len(order)))


def _stamp(draft: Draft, shown: Shown) -> str:
    """The version that the form was made from: in a conflict still the one that it came with."""
    if shown.typed is None or shown.saved:
        return str(draft.stamp)
    return shown.typed.one("stamp")


def _status(draft: Draft, shown: Shown) -> str:
    say = words()
    if shown.conflict:
        return say("draft.conflict")
    if shown.failed and not shown.saved:
        return say("draft.refused")
    key = "draft.partly" if shown.unstored else "draft.saved"
    return say(key, time=say.time(draft.saved_at))


def _who(draft: Draft, typed: Typed | None) -> dict[str, Any]:
    """Who writes, and what is said of the unit: as typed, otherwise as it is stored."""
    enhet = draft.content["skapadAv"]["enhet"]
    stored = {name: _at(enhet, path) for name, path in UNIT_FIELDS.items()}
    names = {"by": draft.saved_by, "by_name": draft.saved_by_name} | stored
    told = {name: typed.one(name) if typed and name in typed.values else text
            for name, text in names.items()}  # fmt: skip
    return {
        "by": told["by"],
        "by_name": told["by_name"],
        "unit": [(name, told[name]) for name in UNIT_FIELDS],
        "unit_name": draft.skapad_av.enhet.enhetsnamn,
    }


def _at(enhet: Any, path: tuple[str, ...]) -> str:
    for step in path:
        enhet = enhet.get(step, "") if isinstance(enhet, dict) else ""
    return str(enhet)


def _with(enhet: Json, path: tuple[str, ...], text: str) -> Json:
    """A copy, with a text in its place."""
    first, *rest = path
    inside = enhet.get(first, {}) if rest else {}
    return {**enhet, first: _with(inside, tuple(rest), text) if rest else text}


# --- how far it is --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """
    How much of a form is done.

    Attributes:
        steps: Each question that is asked, with `done`, `wrong` or `todo`.
        done, required: Of those that must be answered.
    """

    steps: Sequence[tuple[Card, str]]
    done: int
    required: int


def progress(cards: Sequence[Card], faults: Sequence[Fault], told: Sequence[Fault]) -> Progress:
    """
    How much is done.

    Args:
        faults: All that there are.
        told: Those that the form shows.
    """
    wrong, marked = {each.card for each in faults}, {each.card for each in told}
    steps = [
        (card, _step(card, wrong, marked)) for card in cards if card.shown or not card.is_empty
    ]
    required = [(card, step) for card, step in steps if card.demanded or card.svar in wrong]
    done = sum(step == "done" for _, step in required)
    return Progress(steps, done, len(required))


def _step(card: Card, wrong: set[str], marked: set[str]) -> str:
    if card.svar in marked:
        return "wrong"
    return "todo" if card.is_empty or card.svar in wrong else "done"


# --- what was posted ------------------------------------------------------------------------------


def posted() -> Typed:
    """The form that came."""
    return Typed({name: request.form.getlist(name) for name in request.form})


def actor_of(typed: Typed) -> Actor:
    """Who says that they write."""
    return Actor(typed.one("by").strip(), typed.one("by_name").strip())


def content_of(draft: Draft, typed: Typed, parsed: Parsed, by: Actor) -> Json:
    """What is saved: the answers, and who writes at which unit."""
    before = draft.content["skapadAv"]
    enhet = before["enhet"]
    for name, path in UNIT_FIELDS.items():
        if name in typed.values:
            enhet = _with(enhet, path, typed.one(name).strip())
    author = {**before, "enhet": enhet}
    if not same_hsa_id(before["personal-id"].get("extension"), by.personal_id):
        author = {name: value for name, value in author.items() if name not in _OF_AUTHOR}
        author["personal-id"] = before["personal-id"] | {"extension": by.personal_id}
    return {"skapadAv": author, "svar": parsed.answers}


# --- as it reads ----------------------------------------------------------------------------------


def reading_of(visit: Visit, draft: Draft, *, whole_number: bool) -> dict[str, Any]:
    """The certificate in words, its number hidden unless somebody asked for it."""
    number = draft.patient.extension
    hide = (lambda text: text) if whole_number else partial(_hidden, number)
    return {
        **head_of(visit, draft, whole_number=whole_number),
        "reading": in_words(visit.services, draft),
        "hide": hide,
        "watermark": mark_of(draft) if draft.state is not DraftState.SIGNED else "",
    }


def _hidden(number: str, text: str) -> str:
    return text.replace(number, masked(number))
