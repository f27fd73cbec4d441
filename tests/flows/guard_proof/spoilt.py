"""Adapters with a fault. The plays must find every one of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final
from unittest.mock import patch

from intyg.adapter.deliver.transport import Gate, Permit
from intyg.adapter.domain.delivery import Delivery
from intyg.adapter.domain.destination import Destination, DestinationKind, DestinationRole
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.intyg import StoredIntyg
from intyg.adapter.domain.person import GuardDecision, PatientKind, PatientVerdict, PersonId
from intyg.adapter.flows.services import Services
from intyg.adapter.flows.shared import readers
from intyg.adapter.guard import Guard, TestPatients
from intyg.adapter.routing.table import Routes, destination
from intyg.adapter.store.block_rows import BlockRows
from tests.flows.guard_proof.adapter_rig import WHOLE, Seams

Decided = tuple[GuardDecision, PatientVerdict]


@dataclass(frozen=True)
class Spoilt:
    """
    A fault.

    Attributes:
        first: Number of a play that finds it; a few after it may be needed after a change.
        seams: Parts put in place of the real ones.
        patched: What else is different while the plays run.
    """

    first: int
    seams: Seams = WHOLE
    patched: Callable[[], AbstractContextManager[Any]] = nullcontext


class _Altered(Guard):
    """A guard with another way to decide."""

    def __init__(self, guard: Guard, decide: Callable[..., Decided]) -> None:
        super().__init__(guard.patients, guard.environment)
        self._real = guard
        self._altered = decide

    def decision(
        self, person: PersonId, destination: Destination, *, flagged: bool | None = None
    ) -> Decided:
        return self._altered(self._real, person, destination, flagged)

    def knowing(self, person: PersonId) -> Guard:
        return _Altered(self._real.knowing(person), self._altered)


def _altered(decide: Callable[..., Decided]) -> Callable[[Guard], Guard]:
    return lambda guard: _Altered(guard, decide)


def _always(decision: GuardDecision) -> Callable[[Guard], Guard]:
    def decide(guard: Guard, person: PersonId, *_: object) -> Decided:
        return decision, guard.verdict(person)

    return _altered(decide)


def _mark_ignored(guard: Guard, person: PersonId, to: Destination, _: bool | None) -> Decided:
    return guard.decision(person, to)


def _mark_alone(guard: Guard, person: PersonId, to: Destination, flagged: bool | None) -> Decided:
    if flagged is None:
        return guard.decision(person, to)
    kind = PatientKind.TEST if flagged else PatientKind.NOT_TEST
    return guard.decide(to, kind), PatientVerdict(kind, "registered")


def _hold_goes(guard: Guard, person: PersonId, to: Destination, flagged: bool | None) -> Decided:
    decision, verdict = guard.decision(person, to, flagged=flagged)
    return (GuardDecision.SEND if decision is GuardDecision.HOLD else decision), verdict


def _mocks_take_all(
    guard: Guard, person: PersonId, to: Destination, flagged: bool | None
) -> Decided:
    if to.kind is not DestinationKind.REAL:
        return GuardDecision.SEND, guard.verdict(person)
    return guard.decision(person, to, flagged=flagged)


class _SureOfAll(TestPatients):
    """Whoever is not known as a test patient is taken for none."""

    def verdict(self, person: PersonId) -> PatientVerdict:
        verdict = super().verdict(person)
        unsure = verdict.kind is PatientKind.CANNOT_TELL
        return PatientVerdict(PatientKind.NOT_TEST) if unsure else verdict


def _unasked(
    gate: Gate, delivery: Delivery, destination: Destination, url: str, message: bytes
) -> Permit:
    """Makes a permit as `Gate.ask` does, and asks nobody."""

    class Says:
        def decision(self, *_: object, **__: object) -> Decided:
            return GuardDecision.SEND, PatientVerdict(PatientKind.NOT_TEST)

    with patch.object(gate, "_guard", Says()):
        permit = _ASK(gate, delivery, destination, url, message)
    assert isinstance(permit, Permit)
    return permit


_ASK: Final = Gate.ask


@contextmanager
def _kinds_of_intake() -> Iterator[None]:
    """What stands at an address is what stood there when it was first looked up."""
    find, kinds = Routes.find, dict[tuple[int, str], DestinationKind]()

    def remembering(routes: Routes, contract: str, major: int, address: str) -> Destination | None:
        found = find(routes, contract, major, address)
        if found is None:
            return None
        return replace(found, kind=kinds.setdefault((id(routes.recipients), address), found.kind))

    with patch.object(Routes, "find", remembering):
        yield


@contextmanager
def _roles_as_written() -> Iterator[None]:
    """Whatever the routes call an EHR may get what is for an authority, as if it were care."""

    def find(routes: Routes, contract: str, major: int, address: str) -> Destination | None:
        found = routes.table.find(contract, address, routes.today()).route
        if found is None:
            return None
        row = routes.table.routing.destinations[found.destination]
        return destination(found.destination, row, contract, major)

    care = patch("intyg.adapter.deliver.transport.receiver_of", lambda _: DestinationRole.CARE)
    with patch.object(Routes, "find", find), care:
        yield


def _both(decide: Callable[..., Decided]) -> Seams:
    return Seams(intake=_altered(decide), transport=_altered(decide))


def _reading(name: str, spoilt: Callable[..., Any]) -> Callable[[], AbstractContextManager[Any]]:
    """A function of the flows that ask who may read, replaced."""
    return lambda: patch.object(readers, name, spoilt)


def _always_care(
    routes: Routes, environment: Environment, part: str, _: object, stored: StoredIntyg
) -> Destination:
    return _READER(routes, environment, part, frozenset({part}), stored)


def _by_todays_lists(
    stored: StoredIntyg, services: Services, part: str, as_care: frozenset[str]
) -> object:
    return _STOP(replace(stored, is_test=None), services, part, as_care)


def _block_alone(
    stored: StoredIntyg, services: Services, part: str, as_care: frozenset[str]
) -> object:
    stop = _STOP(stored, services, part, as_care)
    return stop if stop is not None and stop[1] is GuardDecision.BLOCK else None


_READER, _STOP, _PRESUMED = readers.reader, readers._stop, readers.presumed

SPOILT: Final[Mapping[str, Spoilt]] = {
    "intake does not ask": Spoilt(0, Seams(intake=_always(GuardDecision.SEND))),
    "transport does not ask": Spoilt(1, patched=lambda: patch.object(Gate, "ask", _unasked)),
    "transport is always told to send": Spoilt(1, Seams(transport=_always(GuardDecision.SEND))),
    "nothing may go": Spoilt(1, Seams(transport=_always(GuardDecision.BLOCK))),
    "everything waits": Spoilt(1, Seams(transport=_always(GuardDecision.HOLD))),
    "the mark of the registration is ignored": Spoilt(48, _both(_mark_ignored)),
    "only the mark of the registration counts": Spoilt(1, _both(_mark_alone)),
    "lists and answers are never renewed": Spoilt(1, Seams(meter=lambda _: lambda: 0.0)),
    "unsure is taken for no test patient": Spoilt(
        29, Seams(patients=lambda p: _SureOfAll(p.signals))
    ),
    "what should wait goes": Spoilt(29, Seams(transport=_altered(_hold_goes))),
    "test systems take everybody's": Spoilt(51, Seams(transport=_altered(_mocks_take_all))),
    "a changed list counts at the second question": Spoilt(
        1, patched=lambda: patch("intyg.adapter.clients.watched_file._is_over", lambda _: False)
    ),
    "an authority is taken for an EHR": Spoilt(6, patched=_roles_as_written),
    "the kind is that of the intake": Spoilt(6, patched=_kinds_of_intake),
    "whoever reads is not asked about": Spoilt(1, patched=_reading("_stop", lambda *_: None)),
    "whoever reads is taken for care": Spoilt(1, patched=_reading("reader", _always_care)),
    "whoever has no route reads as a mock": Spoilt(
        10,
        patched=_reading("presumed", lambda part, _, role: _PRESUMED(part, Environment.DEMO, role)),
    ),
    "readings ask the lists of today alone": Spoilt(
        54, patched=_reading("_stop", _by_todays_lists)
    ),
    "readings that should wait are answered": Spoilt(10, patched=_reading("_stop", _block_alone)),
    "blocks are not journalled": Spoilt(
        1, patched=lambda: patch.object(BlockRows, "add", lambda *_: None)
    ),
}
