"""
Compares what was answered about a draft, what stands in the database, and what was told of it.

    8  every save that was answered OK is there: the draft's versions are those saves, and others
       of which nobody knows whether they were done; what stands there is the last of them
    9  a draft is signed once, and its certificate has what was saved last

What the EHR is told of a draft counts as 5, as for a certificate.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from intyg.adapter.domain.clock import SWEDEN, system_clock
from intyg.adapter.domain.draft import Draft, DraftState
from intyg.adapter.store import Rows
from tests import builders
from tools.crash.drafts import Asked
from tools.crash.messages import Read, signature_in
from tools.crash.shared import moment

NONE: Final = (0, 0, 0, 0)
CHANGED: Final = "ANDRAT"
INEXACT: Final = 0.01
"""Seconds that a time loses in a message, and clocks differ."""


class Versions:
    """What each version of a draft may hold, by what was answered to those who saved."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._saves = [one for one in asked if one.step == "save"]
        self.faults: list[str] = []
        self._known: dict[int, Asked] = {}
        for one in self._saves:
            if one.done:
                self._add(one)

    def _add(self, save: Asked) -> None:
        assert save.stamp is not None
        if save.version != save.stamp + 1:
            self.faults.append(f"saved over {save.stamp} and answered version {save.version}")
        elif save.version in self._known:
            self.faults.append(f"two saves were answered version {save.version}")
        else:
            self._known[save.version] = save

    @property
    def last(self) -> int:
        """The last version that was answered OK."""
        return max(self._known, default=0)

    def texts(self, version: int) -> set[str]:
        """What may stand there; empty: there can be no such version."""
        if version == 0:
            return {""}
        if version in self._known:
            return {self._known[version].text}
        return {one.text for one in self._saves if one.unknown and one.stamp == version - 1}

    def before(self, moment: float) -> int:
        """The last version that had been answered OK then."""
        return max((v for v, one in self._known.items() if one.at < moment), default=0)


def drafts_of(asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    """What was asked, by the draft's id; orders, which have none before, are of those they made."""
    by_id: dict[str, list[Asked]] = defaultdict(list)
    for one in asked:
        if one.intygs_id:
            by_id[one.intygs_id].append(one)
    return by_id


def check_kept(rows: Rows, intygs_id: str, asked: Sequence[Asked]) -> Iterator[str]:
    """8, of one draft."""
    draft, where = rows.drafts.get(intygs_id), f"8: draft {intygs_id}"
    if draft is None:
        yield f"{where} was ordered, and is not there"
        return
    versions = Versions(asked)
    yield from (f"{where}: {fault}" for fault in versions.faults)
    stored = draft.stamp - (draft.state is DraftState.DELETED)
    if stored < versions.last:
        yield f"{where} was answered version {versions.last}, and {stored} is there"
    for version in range(1, stored + 1):
        if not versions.texts(version):
            yield f"{where}: nobody saved version {version}"
    text = _text(draft)
    if draft.state is not DraftState.DELETED and text not in versions.texts(stored):
        yield f"{where} has {text!r} as version {stored}, and not {versions.texts(stored)}"
    yield from (f"{where}: {fault}" for fault in _read(asked, versions))
    yield from (f"{where}: {fault}" for fault in _stated(draft, asked))


def _text(draft: Draft) -> str:
    question = draft.content.get("svar", {}).get("35", {})
    answer = question[0] if isinstance(question, list) else question
    return str(answer.get("35.1", ""))


def _read(asked: Sequence[Asked], versions: Versions) -> Iterator[str]:
    """Whoever reads a draft sees what was saved before."""
    for one in asked:
        if one.step != "read" or not one.done or one.version is None:
            continue
        least = versions.before(one.began)
        if one.version < least:
            yield f"version {one.version} was read, after {least} was saved"
        elif one.text not in versions.texts(one.version):
            yield f"version {one.version} was read as {one.text!r}"


def _stated(draft: Draft, asked: Sequence[Asked]) -> Iterator[str]:
    """What else was answered OK, and what nobody asked for."""
    for step, is_so in (
        ("ready", draft.ready_at is not None),
        ("delete", draft.state is DraftState.DELETED),
    ):
        tries = [one for one in asked if one.step == step]
        if any(one.done for one in tries) and not is_so:
            yield f"{step} was answered OK, and is not so"
        if is_so and not any(one.done or one.unknown for one in tries):
            yield f"{step} is so, and was not asked for"


def check_signed(
    rows: Rows, intygs_id: str, asked: Sequence[Asked], arrived: Sequence[Read]
) -> Iterator[str]:
    """
    9, of one draft.

    Args:
        arrived: Certificates with its id, that anybody got.
    """
    draft, certificate = rows.drafts.get(intygs_id), rows.intyg.get(intygs_id)
    tries, where = [one for one in asked if one.step == "sign"], f"9: draft {intygs_id}"
    done = sum(one.done for one in tries)
    if done > 1:
        yield f"{where} was signed {done} times"
    if done and certificate is None:
        yield f"{where} was answered to be signed, and there is no certificate"
    if certificate is not None and not any(one.done or one.unknown for one in tries):
        yield f"{where} has a certificate, and nobody signed it"
    signed = draft is not None and draft.state is DraftState.SIGNED
    if signed is not (certificate is not None):
        yield f"{where} is {'' if signed else 'not '}signed, other than its certificate"
    if certificate is None:
        return
    if draft is not None and _text(draft).encode() not in certificate.body:
        yield f"{where}: what was saved last is not what was signed"
    others = {one.signed for one in arrived} - {signature_in(certificate.body)}
    if others:
        yield f"{where}: {len(others)} other signatures of it arrived"


def windows_end(asked: Sequence[Asked], window: float) -> list[datetime]:
    """
    When each save could be told at the earliest.

    Args:
        window: Seconds within which changes are told as one.
    """
    zero = system_clock() - timedelta(seconds=moment())
    late = window - INEXACT
    return [zero + timedelta(seconds=one.began + late) for one in asked if one.step == "save"]


def check_told(
    rows: Rows, intygs_id: str, told: Sequence[Read], windows: Sequence[datetime]
) -> Iterator[str]:
    """
    5, of one draft, but for what follows on sending its certificate.

    Args:
        told: In its order.
        windows: As of `windows_end`: each telling of changes is after one of its own; empty: the
            clock jumped, and it is not asked.
    """
    draft = rows.drafts.get(intygs_id)
    if draft is None:
        return
    where = f"5: of draft {intygs_id} was told"
    events = [one.event for one in told if one.event is not None]
    codes = [event.code for event in events]
    if any((event.asked, event.received) != (NONE, NONE) for event in events):
        yield f"{where} of questions: {events}"
    expected = _expected(draft)
    if [code for code in codes if code != CHANGED] != expected:
        yield f"{where} {codes}, expected {expected}, and {CHANGED} between"
    changes = codes.count(CHANGED)
    ended = draft.state in (DraftState.SIGNED, DraftState.DELETED)
    if changes > draft.stamp or not (changes or ended or not draft.stamp):
        yield f"{where} {codes}, of {draft.stamp} versions"
    if CHANGED in (codes[:1] + (codes[-1:] if ended else [])):
        yield f"{where} {codes}: {CHANGED} before or after everything else"
    times = [_time(one) for one in told if one.event is not None and one.event.code == CHANGED]
    for number, at in enumerate(times if windows else ()):
        if sum(one <= at for one in windows) <= number:
            yield f"{where} {CHANGED} the {number + 1}th time before a window had passed"


def _expected(draft: Draft) -> list[str]:
    codes = ["SKAPAT"]
    codes += ["KFSIGN"] if draft.ready_at is not None else []
    codes += ["SIGNAT"] if draft.state is DraftState.SIGNED else []
    return codes + (["RADERA"] if draft.state is DraftState.DELETED else [])


def _time(told: Read) -> datetime:
    return datetime.fromisoformat(told.key.rpartition(" ")[2]).replace(tzinfo=SWEDEN)


def check_orders(rows: Rows, asked: Sequence[Asked], known: set[str]) -> Iterator[str]:
    """
    8, of drafts whose order was not answered: no more of them than orders, and as they were made.

    Args:
        known: Ids of the others.
    """
    lost: dict[str, int] = defaultdict(int)
    for one in asked:
        lost[one.ref] += one.step == "create" and one.unknown
    for draft in rows.drafts.of_unit(builders.UNIT):
        if draft.intygs_id in known:
            continue
        ref = rows.intyg.ref(draft.intygs_id) or ""
        lost[ref] -= 1
        if lost[ref] < 0:
            yield f"8: draft {draft.intygs_id} was ordered by nobody"
        if draft.stamp:
            yield f"8: draft {draft.intygs_id}, which nobody knows, was saved"


def check_ordered(actions: Sequence[tuple[str, str | None]], asked: Sequence[Asked]) -> list[str]:
    """6, of all orders; an audit's row of one has no id of a certificate."""
    done = sum(one.step == "create" and one.done for one in asked)
    found = sum(action == "CreateDraftCertificate:3" for action, _ in actions)
    return [f"6: {found} orders of {done} are in the audit log"] if found < done else []


def check_recorded(
    actions: Sequence[tuple[str, str | None]], intygs_id: str | None, draft: Draft | None
) -> Iterator[str]:
    """6, of one draft: each version, and each signature, is in the audit log once."""
    if draft is None:
        return
    deleted = draft.state is DraftState.DELETED
    for step, times in (
        ("save", draft.stamp - deleted),
        ("sign", int(draft.state is DraftState.SIGNED)),
        ("delete", int(deleted)),
    ):
        found = actions.count((f"console utkast {step}", intygs_id))
        if found != times:
            yield f"6: {step} of draft {intygs_id} is {found} times in the audit log, not {times}"
