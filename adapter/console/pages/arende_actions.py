"""What is done with a question: asked for in a dialog, done by the flows that an EHR's calls use.

Whoever may read a question may answer it: care those of its units, an operator where contents are
shown to operators. The staff directory is asked of the HSA-id that is given.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from intyg.adapter.console.pages.arende_query import PATH, Query, read_query
from intyg.adapter.console.pages.arenden import shown
from intyg.adapter.console.pages.visit import Visit, sees, sees_contents, visitor
from intyg.adapter.domain.errors import AdapterError, StoreError
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.flows import answer_question, mark_handled
from intyg.adapter.flows.answer_question import Answering
from intyg.adapter.flows.drafts import copies
from intyg.adapter.flows.drafts.copies import Wish
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.rules.draft_rules import Way
from intyg.adapter.store import Rows
from intyg.pages.site import error_page, words

MOST_CHARACTERS: Final = 4999
"""Of an answer, as the national editor has it."""

MOST_OF_REASON: Final = 500
"""Of why a certificate cannot be completed."""

_LONGEST_NAME: Final = 255
_HSA_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class Doing:
    """
    Somebody does something with a question.

    Attributes:
        by, name: Who, as they say.
        text: What they write; with line ends, and nothing else that does not print.
        nothing_more: A certificate cannot be completed since there is nothing more to say.
    """

    visit: Visit
    meddelande_id: str
    stored: StoredIntyg
    by: str
    name: str
    text: str
    nothing_more: bool
    correlation_id: str

    def unit(self, action: str) -> UnitOfWork:
        """The transaction, with the audit's row of it: who is logged in, for whom."""
        audit, intygs_id = self.visit.services.audit, self.stored.intyg.intygs_id
        by = ":".join(filter(None, (visitor().name, self.by)))

        def record(rows: Rows, _: object) -> None:
            if audit:
                audit.record_console(rows, action, intygs_id, self.correlation_id, by)

        return UnitOfWork(self.visit.services.store, record)


def build_arende_actions(visit: Visit) -> Blueprint:
    """`/console/arenden/answer` and the others: GET asks, POST does."""
    pages = Blueprint("arende actions", __name__)
    for action in _DO:
        _add_action(pages, visit, action)
    return pages


def _add_action(pages: Blueprint, visit: Visit, action: str) -> None:
    @pages.get(f"{PATH}/{action}", endpoint=f"ask {action}")
    def ask() -> ResponseReturnValue:
        query = read_query(request.args)
        if _stored(visit, query.opened) is None:
            return error_page(HTTPStatus.NOT_FOUND, "arende")
        return _dialog(visit, action, query, {})

    @pages.post(f"{PATH}/{action}", endpoint=f"do {action}")
    def do() -> ResponseReturnValue:
        return _carry_out(visit, action, read_query(request.args))


def _stored(visit: Visit, meddelande_id: str) -> StoredIntyg | None:
    """The certificate of a question, for who may do something about it."""
    with visit.services.store.read() as rows:
        found = rows.meddelanden.get(meddelande_id)
        stored = rows.intyg.get(found.meddelande.intygs_id) if found else None
    who, environment = visitor(), visit.services.settings.environment
    if stored is None or not sees(who, stored) or not sees_contents(who, stored, environment):
        return None
    return stored


def _carry_out(visit: Visit, action: str, query: Query) -> ResponseReturnValue:
    stored, form = _stored(visit, query.opened), request.form
    if stored is None:
        return error_page(HTTPStatus.NOT_FOUND, "arende")
    doing = _doing(visit, query.opened, stored, form)
    fault = _missing(action, doing)
    if fault is not None:
        return _dialog(visit, action, query, form, fault), HTTPStatus.BAD_REQUEST
    try:
        made = _DO[action](doing)
    except StoreError:
        raise
    except AdapterError as exc:
        told = words()("arende.refused", why=exc.text)
        return _dialog(visit, action, query, form, told), HTTPStatus.CONFLICT
    done = "complement" if made else action
    return redirect(query.first(done=done, made=made), HTTPStatus.SEE_OTHER)


def _doing(visit: Visit, meddelande_id: str, stored: StoredIntyg, form: Mapping[str, str]) -> Doing:
    return Doing(
        visit=visit,
        meddelande_id=meddelande_id,
        stored=stored,
        by=_line(form.get("by", "")),
        name=_line(form.get("name", "")),
        text=_printed(form.get("text", "")).strip(),
        nothing_more=form.get("reason") == "nothing_more",
        correlation_id=secrets.token_hex(16),
    )


def _line(text: str) -> str:
    return " ".join(_printed(text).split())[:_LONGEST_NAME]


def _printed(text: str) -> str:
    """Without control signs, which no XML takes."""
    plain = text.replace("\r\n", "\n")
    return "".join(sign for sign in plain if sign.isprintable() or sign in "\n\t")


def _missing(action: str, doing: Doing) -> str | None:
    """What somebody has left out, or written too much of."""
    say = words()
    if action in _UNSIGNED:
        return None
    if _HSA_ID.fullmatch(doing.by) is None:
        return say("arende.no_by")
    if action in _WRITTEN and not doing.name:
        return say("arende.no_name")
    if action in _TEXTS and not doing.text:
        return say("arende.no_text")
    most = MOST_OF_REASON if action == "cannot" else MOST_CHARACTERS
    return say("arende.too_long", n=most) if len(doing.text) > most else None


def _dialog(
    visit: Visit,
    action: str,
    query: Query,
    form: Mapping[str, str],
    fault: str | None = None,
) -> str:
    page = shown(visit, query)
    dialog = {
        "action": action,
        "to": query.of_this(f"{PATH}/{action}"),
        "back": query.of_this(),
        "form": form,
        "fault": fault,
        "most": MOST_OF_REASON if action == "cannot" else MOST_CHARACTERS,
        "writes": action in _TEXTS,
        "signs": action not in _UNSIGNED,
        "named": action in _WRITTEN,
    }
    return render_template("arenden.html", **{**page, "dialog": dialog, "done": ""})


# --- what is done ---------------------------------------------------------------------------------


def _answer(doing: Doing) -> str:
    services = doing.visit.services
    answering = Answering(doing.text, doing.by, doing.name)
    unit = doing.unit("svara")
    answer_question.handle(doing.meddelande_id, answering, services, unit, doing.correlation_id)
    return ""


def _complement(doing: Doing) -> str:
    """A draft that completes the certificate, of its own unit; what is written goes with it."""
    author = replace(
        doing.stored.intyg.skapad_av, personal_id=doing.by, fullstandigt_namn=doing.name
    )
    made = copies.make_from(
        doing.stored.intyg.intygs_id,
        Way.COMPLEMENT,
        Wish(author, comment=doing.text),
        doing.visit.services,
        doing.unit("utkast complement"),
        doing.correlation_id,
    )
    return made.draft.intygs_id


def _cannot(doing: Doing) -> str:
    """With nothing more to say: the certificate anew, saying so. With nobody who can: an answer."""
    return _complement(doing) if doing.nothing_more else _answer(doing)


def _mark(doing: Doing, *, handled: bool) -> str:
    unit = doing.unit("hanterad" if handled else "ej hanterad")
    services, trace = doing.visit.services, doing.correlation_id
    mark_handled.handle(doing.meddelande_id, services, unit, trace, handled=handled, by=doing.by)
    return ""


def _forward(doing: Doing, *, on: bool) -> str:
    intygs_id = doing.stored.intyg.intygs_id
    unit = doing.unit("vidarebefordrad" if on else "ej vidarebefordrad")
    unit.write(lambda rows: rows.arenden.set_forwarded(intygs_id, forwarded=on))
    return ""


_DO: Final[Mapping[str, Callable[[Doing], str]]] = {
    "answer": _answer,
    "complement": _complement,
    "cannot": _cannot,
    "handled": lambda doing: _mark(doing, handled=True),
    "unhandled": lambda doing: _mark(doing, handled=False),
    "forward": lambda doing: _forward(doing, on=True),
    "unforward": lambda doing: _forward(doing, on=False),
}
"""By action: does it, and gives the id of a draft that it made."""

_UNSIGNED: Final = frozenset({"forward", "unforward"})
_WRITTEN: Final = frozenset({"answer", "complement", "cannot"})
_TEXTS: Final = frozenset({"answer", "cannot"})
