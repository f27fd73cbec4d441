"""A question that is open in the list: what was said and answered, and what can be done with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from intyg.adapter.console.pages.certificate import masked
from intyg.adapter.console.pages.visit import Visit, sees, sees_contents, visitor
from intyg.adapter.domain.arende import Arende, Atgard
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import Direction, StoredMeddelande
from intyg.adapter.domain.uuids import same_id
from intyg.adapter.store import Rows
from intyg.schemas.codes import Amne, TypAvRelation
from intyg.schemas.intyg_model import IntygType


@dataclass(frozen=True)
class Said:
    """
    One message of a conversation.

    Attributes:
        what: `question`, `reminder` or `answer`.
        by: Who wrote it, where care did.
        wants: What is to be completed: the certificate's question and what is said of it.
    """

    what: str
    by: str
    at: datetime
    answer_by: date | None
    text: str
    wants: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Card:
    """
    A conversation.

    Attributes:
        is_read: Somebody who may sees what it says.
        actions: What may be done with the question by who looks, the likeliest first.
        complements: Ids of certificates that complete this one, or of drafts that will.
    """

    is_read: bool
    said: Sequence[Said]
    actions: Sequence[str]
    complements: Sequence[tuple[str, bool]]


def card_of(visit: Visit, rows: Rows, one: Arende) -> Card | None:
    """The conversation; None where the certificate is not theirs."""
    stored = rows.intyg.get(one.intygs_id)
    if stored is None or not sees(visitor(), stored):
        return None
    may_read = sees_contents(visitor(), stored, visit.services.settings.environment)
    messages = rows.meddelanden.of_intyg(one.intygs_id)
    mine = [each for each in messages if _is_of(each, one)]
    known = visit.services.types.known(one.typ, one.version)
    said = [_said(each, stored, known) for each in mine] if may_read else []
    begun = tuple(_complements(rows, one))
    actions = list(_actions(one, mine[0], begun=bool(begun))) if may_read else []
    return Card(may_read, said, actions, begun)


def _is_of(each: StoredMeddelande, one: Arende) -> bool:
    """The question, what answers it, and what reminds of it."""
    m = each.meddelande
    referred = m.svar_pa.meddelande_id if m.svar_pa else m.paminnelse_meddelande_id
    return same_id(m.meddelande_id, one.meddelande_id) or same_id(referred or "", one.meddelande_id)


def _said(each: StoredMeddelande, stored: StoredIntyg, known: IntygType | None) -> Said:
    m = each.meddelande
    hide = partial(_hidden, stored.intyg.patient.extension)
    what = "question" if m.is_question else "answer" if m.svar_pa else "reminder"
    return Said(
        what=what,
        by=m.skickat_av.fullstandigt_namn if m.skickat_av else "",
        at=each.received_at,
        answer_by=m.sista_datum_for_svar,
        text=hide(m.meddelande),
        wants=[(_heading(known, row.frage_id), hide(row.text)) for row in m.komplettering],
    )


def _hidden(number: str, text: str) -> str:
    return text.replace(number, masked(number))


def _heading(known: IntygType | None, frage_id: str) -> str:
    """`35. Funktionsnedsättning`, by the certificate's type."""
    question = known.question_of(frage_id) if known else None
    if question is None:
        return frage_id
    return f"{frage_id}. {question.term[:1].upper()}{question.term[1:]}"


def _complements(rows: Rows, one: Arende) -> Iterator[tuple[str, bool]]:
    """Ids, and whether each is signed."""
    if one.kind.asker is not Direction.TO_CARE or one.kind.amne != Amne.KOMPLT:
        return
    for stored in rows.intyg.related(one.intygs_id, TypAvRelation.KOMPLT):
        if stored.revoked_at is None:
            yield stored.intyg.intygs_id, True
    for draft in rows.drafts.related(one.intygs_id, TypAvRelation.KOMPLT):
        yield draft.intygs_id, False


def _actions(one: Arende, question: StoredMeddelande, *, begun: bool) -> Iterator[str]:
    """As the national editor offers them."""
    match one.kind.atgard:
        case Atgard.COMPLEMENT:
            if not begun:
                yield from ("complement", "cannot")
            yield "handled"
        case Atgard.ANSWER:
            yield from ("answer", "handled")
        case Atgard.READ | Atgard.AWAIT:
            yield "handled"
        case Atgard.NONE:
            if one.kind.asker is Direction.TO_RECIPIENT or question.answered_by is None:
                yield "unhandled"
            return
    yield "unforward" if one.kind.forwarded else "forward"
