"""A certificate's way: every message, attempt, event and block, in the order of time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from intyg.adapter.console.pages.causes import cause_of, code_of
from intyg.adapter.console.pages.delivery_signs import state_of
from intyg.adapter.domain.clock import SWEDEN
from intyg.adapter.domain.delivery import Delivery, DeliveryState, OutcomeKind
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.meddelande import Direction, StoredHandelse, StoredMeddelande
from intyg.adapter.store import Attempt, AuditRow, Block, Rows
from intyg.pages import lanes
from intyg.pages.words import Words
from intyg.schemas.codes import Part

EHR, ADAPTER, AUTHORITY = 0, 1, 2
GAP: Final = timedelta(minutes=2)
MANY: Final = 4
"""Of more attempts than these the first two and the last two are drawn."""

_CALLS: Final = ("SendCertificateToRecipient:", "RevokeCertificate:")
"""Calls that leave nothing but a row of the audit log."""

_REFUSED_CALLS: Final = ("RegisterCertificate:", "SendMessageToRecipient:", "SendMessageToCare:")
"""Calls that leave a message when they are taken, and nothing but that row when not."""

_GOOD: Final = ("OK", "INFO")
_SIGNED: Final = {"VALID": "delivered", "ABSENT": "waiting"}


@dataclass(frozen=True)
class Told:
    """
    Everything that is known of a certificate.

    Attributes:
        attempts: By the delivery's id.
    """

    stored: StoredIntyg
    deliveries: Sequence[Delivery]
    attempts: Mapping[str, Sequence[Attempt]]
    meddelanden: Sequence[StoredMeddelande]
    handelser: Sequence[StoredHandelse]
    blocks: Sequence[Block]
    audit: Sequence[AuditRow]

    @classmethod
    def read(cls, rows: Rows, stored: StoredIntyg) -> "Told":
        """What the database holds of it."""
        intygs_id = stored.intyg.intygs_id
        deliveries = rows.deliveries.find(intygs_id)
        return cls(
            stored=stored,
            deliveries=deliveries,
            attempts={each.id: rows.deliveries.attempts(each.id) for each in deliveries},
            meddelanden=rows.meddelanden.of_intyg(intygs_id),
            handelser=rows.events.of_intyg(intygs_id),
            blocks=rows.blocks.find(intygs_id),
            audit=rows.audit.find(intygs_id, AUDIT_ROWS),
        )


AUDIT_ROWS: Final = 200
"""Of the newest rows of the audit log; an older certificate's calls may not all be there."""


@dataclass(frozen=True)
class Happening:
    """
    One thing that happened, as the drawing and the table show it.

    Attributes:
        at: When; what waits stands where it was last tried.
        of: The delivery that it is an attempt of, if any.
        folded: Not drawn: one of many attempts alike.
    """

    at: datetime
    source: int
    target: int
    shape: lanes.Shape
    label: str
    colour: str
    word: str
    detail: str
    of: str = ""
    folded: bool = False
    number: int = 0


def happenings(told: Told, say: Words) -> list[Happening]:
    """Everything, the oldest first, with numbers from 1."""
    found = [
        *_taken_in(told, say),
        *_calls(told, say),
        *_messages(told, say),
        *_sent(told, say),
        *_blocks(told, say),
        *_untold(told, say),
    ]
    found.sort(key=lambda each: each.at)
    return [replace(each, number=number) for number, each in enumerate(found, 1)]


def drawn(found: Sequence[Happening], say: Words) -> list[lanes.Item]:
    """The rows with days and gaps between them."""
    items: list[lanes.Item] = []
    before: Happening | None = None
    for each in found:
        if each.folded:
            continue
        new_day = before is None or _day(each.at) != _day(before.at)
        if before is not None and (new_day or each.at - before.at >= GAP):
            items.append(lanes.Gap(say.duration(each.at - before.at)))
        if new_day:
            items.append(lanes.Day(say.day(each.at)))
        items.append(_row(each, say))
        before = each
    return items


def _day(moment: datetime) -> object:
    return moment.astimezone(SWEDEN).date()


def _row(each: Happening, say: Words) -> lanes.Row:
    return lanes.Row(
        number=each.number, time=say.time(each.at), source=each.source, target=each.target,
        shape=each.shape, label=each.label, colour=each.colour, word=each.word,
        detail=each.detail, href=f"#h{each.number}", of=each.of,
    )  # fmt: skip


def _taken_in(told: Told, say: Words) -> Iterator[Happening]:
    """The certificate's own arrival, and what its signature was found to be."""
    stored = told.stored
    yield Happening(
        stored.received_at, EHR, ADAPTER, "call", "RegisterCertificate", "delivered", "OK",
        say("way.stored"),
    )  # fmt: skip
    known = say.knows(f"signature.{stored.signature}")
    label = say(f"signature.{stored.signature}") if known else stored.signature
    colour = _SIGNED.get(stored.signature, "refused")
    yield Happening(stored.received_at, ADAPTER, ADAPTER, "step", label, colour, "", "")


def _calls(told: Told, say: Words) -> Iterator[Happening]:
    for row in told.audit:
        entry = row.entry
        good = entry.outcome in _GOOD
        if not entry.action.startswith(_CALLS) and (
            good or not entry.action.startswith(_REFUSED_CALLS)
        ):
            continue
        source = AUTHORITY if entry.action.startswith("SendMessageToCare:") else EHR
        yield Happening(
            entry.at, source, ADAPTER, "call" if good else "refused", _name(entry.action),
            "delivered" if good else "refused",
            entry.outcome if good else say("state.refused"), entry.detail,
        )  # fmt: skip


def _messages(told: Told, say: Words) -> Iterator[Happening]:
    for each in told.meddelanden:
        message = each.meddelande
        to_care = message.direction is Direction.TO_CARE
        name = "SendMessageToCare" if to_care else "SendMessageToRecipient"
        last_day = message.sista_datum_for_svar
        detail = say("way.answer_by", day=last_day.isoformat()) if last_day else ""
        yield Happening(
            each.received_at, AUTHORITY if to_care else EHR, ADAPTER, "call",
            f"{name} · {subject(message.amne, bool(message.svar_pa), say)}",
            "delivered", "OK", detail,
        )  # fmt: skip


def subject(amne: str, is_answer: bool, say: Words) -> str:
    """What a message is, in a word."""
    if is_answer:
        return say("amne.answer")
    return say(f"amne.{amne}") if say.knows(f"amne.{amne}") else amne


def _sent(told: Told, say: Words) -> Iterator[Happening]:
    labels = _labels(told, say)
    for delivery in told.deliveries:
        label = labels[delivery.id]
        target = EHR if delivery.new.part == Part.HSVARD else AUTHORITY
        attempts = told.attempts[delivery.id]
        for place, attempt in enumerate(attempts):
            if attempt.outcome.kind is not OutcomeKind.BLOCKED:  # the journal of blocks has it
                folded = len(attempts) > MANY and 2 <= place < len(attempts) - 2
                is_event = delivery.new.contract.startswith("CertificateStatusUpdateForCare:")
                tried = _attempt(attempt, label, target, is_event, say)
                yield replace(tried, of=delivery.id, folded=folded)
        if delivery.state in _STILL:
            yield replace(_waits(delivery, label, target, say), of=delivery.id)


def _labels(told: Told, say: Words) -> dict[str, str]:
    """What each delivery carries: an event's code, or a contract with the message's subject."""
    events = {each.delivery_id: each.handelsekod.value for each in told.handelser}
    subjects = {
        each.meddelande.meddelande_id: subject(
            each.meddelande.amne, bool(each.meddelande.svar_pa), say
        )
        for each in told.meddelanden
    }
    labels = {}
    for each in told.deliveries:
        about = subjects.get(each.new.meddelande_id or "")
        name = _name(each.new.contract)
        is_event = name == "CertificateStatusUpdateForCare"
        labels[each.id] = events.get(each.id, name) if is_event else name
        if about and not is_event:
            labels[each.id] = f"{name} · {about}"
    return labels


_STILL: Final = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.HELD)


def _attempt(attempt: Attempt, label: str, target: int, is_event: bool, say: Words) -> Happening:
    outcome = attempt.outcome
    shape: lanes.Shape
    match outcome.kind:
        case OutcomeKind.DELIVERED:
            shape, colour = "status" if is_event else "call", "delivered"
        case OutcomeKind.REFUSED:
            shape, colour = "refused", "refused"
        case OutcomeKind.UNKNOWN:
            shape, colour = "unsure", "unknown"
        case _:
            shape, colour = "lost", "refused"
    code = code_of(outcome.detail, outcome.http_status, outcome.error_id)
    word = say(f"outcome.{outcome.kind.value}")
    detail = say("way.attempt", number=attempt.number)
    if outcome.kind is not OutcomeKind.DELIVERED:
        cause = cause_of(say, outcome.kind, outcome.detail, outcome.http_status, outcome.error_id)
        detail = say("way.attempt_cause", number=attempt.number, cause=cause)
    code = code or (outcome.result_code or "" if outcome.result_code != "OK" else "")
    return Happening(
        attempt.at, ADAPTER, target, shape, label, colour,
        f"{word}, {code}" if code else word, detail,
    )  # fmt: skip


def _waits(delivery: Delivery, label: str, target: int, say: Words) -> Happening:
    colour, word = state_of(delivery.state, delivery.last_outcome is not None)
    return Happening(
        delivery.updated_at, ADAPTER, target, "waits", label, colour, say(f"state.{word}"),
        say(f"way.{'next' if delivery.attempts else 'first'}", time=say.short(delivery.due_at)),
    )  # fmt: skip


def _blocks(told: Told, say: Words) -> Iterator[Happening]:
    for each in told.blocks:
        source = EHR if each.contract.startswith("CertificateStatusUpdate") else AUTHORITY
        why = say("way.blocked", signal=each.signal or "–", to=each.destination)
        yield Happening(
            each.at, ADAPTER, source, "wall", _name(each.contract), "blocked",
            say("state.blocked"), why,
        )  # fmt: skip


def _untold(told: Told, say: Words) -> Iterator[Happening]:
    """Events that nobody is told of."""
    for each in told.handelser:
        if each.delivery_id is None:
            label = say("way.untold", code=each.handelsekod.value)
            yield Happening(each.tidpunkt, ADAPTER, ADAPTER, "step", label, "waiting", "", "")


def _name(contract: str) -> str:
    return contract.partition(":")[0]
