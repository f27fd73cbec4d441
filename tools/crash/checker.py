"""
Compares what happened outside the adapter, what stands in its database, and the model.

    1  what was answered OK has arrived, or stands in a state that says why not
    2  a message arrives twice only after a doubt, a kill or the like, and is known then
    3  messages about a certificate reach an address in their order
    4  nothing of a test patient reaches a real address
    5  events and their counters are the model's
    6  the audit log is whole, and has every call
    7  everything drains (`trial.py`)
    8  every save of a draft that was answered OK is there (`draft_checker.py`)
    9  a draft is signed once (`draft_checker.py`)
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from intyg.adapter.audit.log import id_as_kept, verify
from intyg.adapter.domain.delivery import Delivery, DeliveryState, OutcomeKind
from intyg.adapter.store import Attempt, Rows
from tools.crash import draft_checker
from tools.crash.adapter import ANDRAT_SECONDS, Workshop
from tools.crash.messages import FK_ADDRESS, Read, read, request_of
from tools.crash.model import ACCEPTED, possible_events, rank
from tools.crash.plan import Plan
from tools.crash.world import AUTHORITY, EHR, Arrival, Call, History, intygs_id_of

EVENTS: Final = "CertificateStatusUpdateForCare"
MOST_ENTRIES: Final = 100_000
"""Of the audit log; a trial has hundreds."""

ENDED: Final = frozenset({DeliveryState.DELIVERED, DeliveryState.REFUSED})
Disturbed = Callable[[float, float], bool]
"""Whether something happened to an adapter or its database between two moments."""


@dataclass(frozen=True)
class Sent:
    """A delivery, with what stands in it and what was tried."""

    delivery: Delivery
    contract: str
    place: str
    read: Read
    attempts: tuple[Attempt, ...]

    @property
    def doubts(self) -> int:
        """How many of its attempts may have arrived without having been accepted."""
        return sum(
            one.outcome.may_have_arrived and one.outcome.kind is not OutcomeKind.DELIVERED
            for one in self.attempts
        )

    def __str__(self) -> str:
        return f"{self.contract} {self.read.key} at {self.place} ({self.delivery.state.value})"


def check(plan: Plan, workshop: Workshop, history: History, disturbed: Disturbed) -> list[str]:
    """Everything that is not as it must be, a line for each."""
    with workshop.app.services.store.read() as rows:
        found = [f"4: {contract} reached a real address" for contract in history.leaks]
        for number in range(len(plan.conversations)):
            intygs_id = intygs_id_of(plan, number)
            calls = [call for call in history.calls if call.intygs_id == intygs_id]
            sent = _sent(rows, intygs_id)
            found += _passed(rows, intygs_id, sent, history, disturbed)
            found += _events(calls, sent)
        found += _drafts(rows, plan, history, disturbed)
        found += _recorded_drafts(rows, workshop, history)
        found += _audit(rows, workshop, history)
    return found


def _passed(
    rows: Rows, intygs_id: str, sent: list[Sent], history: History, disturbed: Disturbed
) -> Iterator[str]:
    """1 to 3, of what is about one id."""
    calls = [call for call in history.calls if call.intygs_id == intygs_id]
    arrivals = [one for one in history.arrivals if one.stored and one.read.intygs_id == intygs_id]
    yield from _kept(rows, calls, arrivals, sent)
    yield from _states(sent, arrivals, history)
    yield from _repeats(sent, arrivals, disturbed)
    yield from _order(sent, arrivals, disturbed)


def _drafts(rows: Rows, plan: Plan, history: History, disturbed: Disturbed) -> Iterator[str]:
    by_id = draft_checker.drafts_of(history.asked)
    for intygs_id, asked in by_id.items():
        sent = _sent(rows, intygs_id)
        told = [one.read for one in sent if one.contract == EVENTS]
        yield from _passed(rows, intygs_id, sent, history, disturbed)
        yield from draft_checker.check_kept(rows, intygs_id, asked)
        yield from draft_checker.check_signed(rows, intygs_id, asked, _came(history, intygs_id))
        own = [one for one in told if one.event is not None and one.event.code != ACCEPTED]
        windows = [] if plan.jumps else draft_checker.windows_end(asked, ANDRAT_SECONDS)
        yield from draft_checker.check_told(rows, intygs_id, own, windows)
        yield from _accepted(told, sent, revoked=False)
    yield from draft_checker.check_orders(rows, history.asked, set(by_id))


def _recorded_drafts(rows: Rows, workshop: Workshop, history: History) -> Iterator[str]:
    """6, of drafts: an id in which a person's number could hide is kept as its hash."""
    actions = _done(rows)
    for intygs_id in draft_checker.drafts_of(history.asked):
        kept = id_as_kept(intygs_id, workshop.key)
        yield from draft_checker.check_recorded(actions, kept, rows.drafts.get(intygs_id))
    yield from draft_checker.check_ordered(actions, history.asked)


def _came(history: History, intygs_id: str) -> list[Read]:
    """The certificates with an id that reached anybody."""
    return [
        one.read
        for one in history.arrivals
        if (one.contract, one.read.intygs_id) == ("RegisterCertificate", intygs_id)
    ]


def _sent(rows: Rows, intygs_id: str) -> list[Sent]:
    return [
        Sent(
            one,
            contract := one.new.contract.partition(":")[0],
            AUTHORITY if one.new.logical_address == FK_ADDRESS else EHR,
            read(contract, one.new.body),
            rows.deliveries.attempts(one.id),
        )
        for one in rows.deliveries.find(intygs_id)
    ]


# --- 1 --------------------------------------------------------------------------------------------

FOLLOWS: Final = {
    "send": "RegisterCertificate",
    "ask": "SendMessageToRecipient",
    "answer": "SendMessageToRecipient",
    "fk-ask": "SendMessageToCare",
    "fk-answer": "SendMessageToCare",
}
"""What is sent on because of a step."""


def _kept(
    rows: Rows, calls: Sequence[Call], arrivals: Sequence[Arrival], sent: list[Sent]
) -> Iterator[str]:
    for call in calls:
        if not call.answered:
            continue
        where = f"1: {call.step} of {call.intygs_id} was answered {call.codes[-1]}, but"
        stored = rows.intyg.get(call.intygs_id)
        if stored is None:
            yield f"{where} there is no certificate"
        elif call.step == "revoke" and stored.revoked_at is None:
            yield f"{where} it is not revoked"
        key = read(call.contract, request_of(call.step, call.intygs_id).body).key
        mine = [
            one for one in sent if (one.contract, one.read.key) == (FOLLOWS.get(call.step), key)
        ]
        if call.step in FOLLOWS and not mine:
            yield f"{where} nothing is queued"
        ended = [one for one in mine if one.delivery.state in ENDED]
        if len(mine) > 1 and len(ended) == len(mine) and not _anew(mine):
            yield f"{where} it is queued {len(mine)} times"
        if call.step == "revoke":
            yield from _revocation(where, arrivals, sent)


def _anew(mine: Sequence[Sent]) -> bool:
    """All but the last one ended without having been accepted."""
    return all(one.delivery.state is not DeliveryState.DELIVERED for one in mine[:-1])


def _revocation(where: str, arrivals: Sequence[Arrival], sent: list[Sent]) -> Iterator[str]:
    there = any(one.contract == "RegisterCertificate" for one in arrivals)
    if there and not any(one.contract == "RevokeCertificate" for one in sent):
        yield f"{where} the authority, which has it, is not told"


def _states(sent: list[Sent], arrivals: Sequence[Arrival], history: History) -> Iterator[str]:
    for one in sent:
        state, outcome = one.delivery.state, one.delivery.last_outcome
        there = [a for a in arrivals if (a.place, a.contract, a.read.key) == _key(one)]
        answers = {
            a.code for a in history.arrivals if (a.place, a.contract, a.read.key) == _key(one)
        }
        if state is DeliveryState.DELIVERED and not there:
            yield f"1: {one} never arrived"
        if state is DeliveryState.REFUSED and "VALIDATION_ERROR" not in answers:
            yield f"1: {one}, though nobody refused it; answers: {sorted(answers)}"
        told = outcome is not None and (outcome.detail or outcome.kind is OutcomeKind.REFUSED)
        if state is not DeliveryState.DELIVERED and not told:
            yield f"1: {one} does not say why"


def _key(one: Sent) -> tuple[str, str, str]:
    return one.place, one.contract, one.read.key


# --- 2 and 3 --------------------------------------------------------------------------------------


def _repeats(sent: list[Sent], arrivals: Sequence[Arrival], disturbed: Disturbed) -> Iterator[str]:
    by_key: dict[tuple[str, str, str], list[Arrival]] = defaultdict(list)
    for one in arrivals:
        by_key[one.place, one.contract, one.read.key].append(one)
    for key, same in by_key.items():
        doubts = sum(one.doubts for one in sent if _key(one) == key)
        without = 0
        for first, second in pairwise(same):
            if second.code not in ("INFO", "KNOWN_ID"):
                yield f"2: {' '.join(key)} came again and was not known"
            copied = first.at == second.at
            without += not (copied or first.doubtful or disturbed(first.at, second.at))
        if without > doubts:
            yield f"2: {' '.join(key)} arrived {len(same)} times, without cause {without} times"
        if not any(_key(one) == key for one in sent):
            yield f"2: {' '.join(key)} arrived, and was never queued"


def _order(sent: list[Sent], arrivals: Sequence[Arrival], disturbed: Disturbed) -> Iterator[str]:
    for place in (AUTHORITY, EHR):
        queue = [_key(one) for one in sent if one.place == place]
        firsts: dict[tuple[str, str, str], float] = {}
        lasts: dict[tuple[str, str, str], float] = {}
        for one in arrivals:
            if one.place == place:
                key = (one.place, one.contract, one.read.key)
                firsts.setdefault(key, one.at)
                lasts[key] = one.at
        came = [key for key in firsts if queue.count(key) == 1]
        if came != sorted(came, key=queue.index):
            yield f"3: out of order: {[' '.join(key[1:]) for key in came]}"
        ranks = [rank(contract, key) for _, contract, key in came if contract != EVENTS]
        if ranks != sorted(ranks):
            yield f"3: out of the conversation's order: {[' '.join(key[1:]) for key in came]}"
        for key, after in pairwise(came):
            if lasts[key] > firsts[after] and not disturbed(firsts[key], lasts[key]):
                yield f"3: {' '.join(key)} came again after what follows it"


# --- 5 and 6 --------------------------------------------------------------------------------------


def _events(calls: Sequence[Call], sent: list[Sent]) -> Iterator[str]:
    told = [one.read for one in sent if one.contract == EVENTS]
    events = [one.event for one in told if one.event is not None and one.event.code != ACCEPTED]
    possible = possible_events(calls)
    if events not in possible:
        yield f"5: told {events}, expected {possible[0]}"
    yield from _accepted(told, sent, revoked=any(call.step == "revoke" for call in calls))


def _accepted(told: Sequence[Read], sent: list[Sent], *, revoked: bool) -> Iterator[str]:
    """What is told of a certificate that its recipient has."""
    events = [one.event for one in told if one.event is not None]
    accepted = [event for event in events if event.code == ACCEPTED]
    delivered = any(
        one.contract == "RegisterCertificate" and one.delivery.state is DeliveryState.DELIVERED
        for one in sent
    )
    if (
        len(accepted) > 1
        or (accepted and not delivered)
        or (delivered and not accepted and not revoked)
    ):
        yield f"5: {ACCEPTED} was told {len(accepted)} times"
    before = None
    for event in events:
        counts = (event.asked, event.received)
        if event.code == ACCEPTED and counts != before:
            yield f"5: {ACCEPTED} has the numbers {counts}, and not {before}"
        before = counts


def _done(rows: Rows) -> list[tuple[str, str | None]]:
    """What the audit log says was done, and with which certificate or draft."""
    return [
        (row.entry.action, row.entry.intygs_id)
        for row in rows.audit.find(None, MOST_ENTRIES)
        if row.entry.outcome in ("OK", "INFO")
    ]


def _audit(rows: Rows, workshop: Workshop, history: History) -> Iterator[str]:
    yield from (
        f"6: {fault}" for fault in verify(workshop.app.services.store.read, workshop.key).faults
    )
    there = set(_done(rows))
    for call in history.calls:
        request = request_of(call.step, call.intygs_id)
        action = f"{request.contract}:{request.major}"
        kept = id_as_kept(call.intygs_id, workshop.key)
        if call.answered and (action, kept) not in there:
            yield f"6: {action} about {call.intygs_id} is not in the audit log"
