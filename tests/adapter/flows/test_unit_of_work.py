"""One function of rows, one transaction, the audit's row in it; run again after a lost race."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from intyg.adapter.audit.log import AuditKey, AuditLog
from intyg.adapter.deliver.desk import Consequence
from intyg.adapter.domain.delivery import Delivery, Outcome, OutcomeKind
from intyg.adapter.domain.destination import DestinationKind
from intyg.adapter.domain.errors import (
    AdapterError,
    RuleError,
    SchemaError,
    StoreError,
    TestPatientError,
    UnknownIntygError,
)
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.domain.person import PatientKind, PersonId
from intyg.adapter.flows.contracts import HANDLERS, READERS
from intyg.adapter.flows.unit_of_work import UnitOfWork
from intyg.adapter.guard import Guard, TestPatients
from intyg.adapter.routing.table import Routes
from intyg.adapter.store import AuditEntry, ConstraintError, DuplicateRow, Rows, Store
from intyg.adapter.store.intyg_rows import IntygRows
from intyg.adapter.store.meddelande_rows import MeddelandeRows
from intyg.schemas.codes import ErrorId, ResultCode
from tests import builders, queries
from tests.adapter.flows.rig import FK, Rig, VirtualClock, copied_rig, new_rig
from tests.adapter.samples import add_intyg

T = TypeVar("T")
KEY = AuditKey(b"k" * 32)


def entries(store: Store) -> list[AuditEntry]:
    with store.read() as rows:
        return [row.entry for row in rows.audit.find(None, 100)]


def is_stored(store: Store) -> bool:
    with store.read() as rows:
        return rows.intyg.has("intyg-1")


def recorded_unit(store: Store, inbound: Inbound) -> UnitOfWork:
    return UnitOfWork(store, partial(AuditLog(store, KEY).record_call, inbound))


def call(store: Store, flow: Callable[[UnitOfWork], object]) -> object:
    """A call as the door makes it; which one does not matter here."""
    inbound = new_rig(store).inbound(builders.revoke_certificate())
    with recorded_unit(store, inbound) as unit:
        answer = flow(unit)
        unit.end(answer)
        return answer


def take(rows: Rows) -> Result:
    add_intyg(rows)
    return Result.ok()


# --- how a function ends --------------------------------------------------------------------------


def test_an_answer_is_stored_with_its_audit_row(store: Store) -> None:
    assert call(store, lambda unit: unit.write(take)) == Result.ok()
    assert is_stored(store)
    assert [one.outcome for one in entries(store)] == ["OK"]


def test_what_cannot_be_recorded_is_not_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last thing before the commit fails: neither of the two is there."""

    def broken(*_: object) -> str:
        raise StoreError("no")

    monkeypatch.setattr(KEY, "hash", broken)
    with pytest.raises(StoreError):
        call(store, lambda unit: unit.write(take))
    assert not is_stored(store)
    assert entries(store) == []


def test_what_is_not_done_is_not_recorded(store: Store) -> None:
    def fail(rows: Rows) -> Result:
        add_intyg(rows)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call(store, lambda unit: unit.write(fail))
    assert not is_stored(store)
    assert entries(store) == []
    with store.begin() as rows:  # nobody holds a lock
        add_intyg(rows)


def test_a_refusal_undoes_what_was_written_and_is_recorded_alone(store: Store) -> None:
    def refuse(rows: Rows) -> Result:
        add_intyg(rows)
        raise UnknownIntygError("x")

    with pytest.raises(UnknownIntygError):
        call(store, lambda unit: unit.write(refuse))
    assert not is_stored(store)
    assert [one.outcome for one in entries(store)] == ["ERROR"]


def test_a_refusal_that_is_returned_keeps_what_was_written(store: Store) -> None:
    def block(rows: Rows) -> Result | AdapterError:
        add_intyg(rows)
        return UnknownIntygError("after the block")

    with pytest.raises(UnknownIntygError):
        call(store, lambda unit: unit.write(block))
    assert is_stored(store)
    assert [one.outcome for one in entries(store)] == ["ERROR"]


def test_a_refusal_before_anything_is_written_is_recorded(store: Store) -> None:
    def refuse(_: UnitOfWork) -> object:
        raise RuleError("x", [])

    with pytest.raises(RuleError):
        call(store, refuse)
    assert [one.detail for one in entries(store)] == ["VALIDATION_ERROR"]


def test_an_answer_that_was_only_read_is_recorded(store: Store) -> None:
    call(store, lambda unit: b"" if unit.read(lambda rows: rows.intyg.has("none")) else b"none")
    assert [one.outcome for one in entries(store)] == ["OK"]


@pytest.mark.parametrize("error", [SchemaError("x"), StoreError("x")])
def test_what_says_nothing_is_not_recorded(store: Store, error: AdapterError) -> None:
    def fail(_: UnitOfWork) -> object:
        raise error

    with pytest.raises(type(error)):
        call(store, fail)
    assert entries(store) == []


def test_a_call_writes_once(store: Store) -> None:
    def twice(unit: UnitOfWork) -> object:
        unit.write(lambda _: None)
        return unit.write(take)

    with pytest.raises(RuntimeError, match="one function"):
        call(store, twice)


# --- who runs it, and how often -------------------------------------------------------------------


@pytest.mark.parametrize("lost", [ConstraintError("x"), DuplicateRow("intyg", "x")])
def test_a_lost_race_is_run_once_more(store: Store, lost: StoreError) -> None:
    losses = [lost]

    def race(rows: Rows) -> Result:
        add_intyg(rows)  # twice, were the first not undone
        if losses:
            raise losses.pop()
        return Result.ok()

    call(store, lambda unit: unit.write(race))
    assert is_stored(store)
    assert len(entries(store)) == 1


def test_a_race_that_is_lost_twice_is_told(store: Store) -> None:
    runs = []

    def race(rows: Rows) -> Result:
        runs.append(rows)
        raise DuplicateRow("intyg", "x")

    with pytest.raises(DuplicateRow):
        call(store, lambda unit: unit.write(race))
    assert len(runs) == 2
    assert entries(store) == []


def test_two_that_look_and_then_take_the_same_id(store: Store) -> None:
    """On PostgreSQL both find it free; on SQLite the second looks when the first is through."""
    both_looked = threading.Barrier(2)
    found: list[bool] = []
    answers: list[object] = []

    def race(rows: Rows) -> Result:
        taken = rows.intyg.has("intyg-1")
        found.append(taken)
        if taken:
            return Result.info("taken")
        if store.is_postgresql:
            both_looked.wait(10)
        return take(rows)

    threads = [
        threading.Thread(target=lambda: answers.append(call(store, lambda u: u.write(race))))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.code for one in answers if isinstance(one, Result)) == ["INFO", "OK"]
    assert sorted(one.outcome for one in entries(store)) == ["INFO", "OK"]
    assert found == ([False, False, True] if store.is_postgresql else [False, True])


def at_once_both_looking(
    rig: Rig,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[IntygRows | MeddelandeRows],
    *bodies: bytes,
) -> list[Result]:
    """Two calls at once; where the database lets them, each looks before the other writes."""
    method = "lock_or_none" if kind is IntygRows else "get"
    both_looked = threading.Barrier(2 if rig.services.store.is_postgresql else 1)
    look, looked = getattr(kind, method), []

    def noted(self: object, row_id: str) -> object:
        found = look(self, row_id)
        looked.append(row_id)
        if len(looked) <= 2:
            both_looked.wait(10)
        return found

    monkeypatch.setattr(kind, method, noted)
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(rig.call, bodies))


def test_the_same_certificate_twice_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = new_rig(store)
    body = builders.register_certificate()
    results = at_once_both_looking(rig, monkeypatch, IntygRows, body, body)
    assert sorted(result.code for result in results) == [ResultCode.INFO, ResultCode.OK]
    assert rig.events() == ["SIGNAT"]


def test_one_message_id_about_two_certificates_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lock keeps them apart: the second is told that the id is taken, not to try again."""
    rig = new_rig(store)
    for intygs_id in ("i-1", "i-2"):
        rig.ok(builders.register_certificate(intygs_id))
        rig.accept(intygs_id=intygs_id)
    bodies = [
        builders.send_message_to_recipient("q-1", "KONTKT", intygs_id=intygs_id)
        for intygs_id in ("i-1", "i-2")
    ]
    results = at_once_both_looking(rig, monkeypatch, MeddelandeRows, *bodies)
    assert sorted(result.error_id or "" for result in results) == ["", ErrorId.VALIDATION_ERROR]
    assert len(rig.events("i-1") + rig.events("i-2")) == 3


def test_a_function_may_run_in_another_thread(store: Store) -> None:
    """Nothing is bound to the thread that asked, nor asks it back."""
    answers: list[object] = []

    def elsewhere(unit: UnitOfWork) -> object:
        thread = threading.Thread(target=lambda: answers.append(unit.write(take)))
        thread.start()
        thread.join()
        return answers[0]

    assert call(store, elsewhere) == Result.ok()
    assert len(entries(store)) == 1


# --- no network and no clock ----------------------------------------------------------------------


class Strict(UnitOfWork):
    """
    Runs each function in a thread of its own; and the first time for nothing, as after a lost race.

    Attributes:
        running: A function of rows is being run, by anybody.
    """

    running = False
    runs = 0

    def read(self, function: Callable[[Rows], T]) -> T:
        return super().read(partial(_apart, function))

    def write(self, function: Callable[[Rows], T | AdapterError]) -> T:
        lost = [DuplicateRow("intyg", "x")]

        def again(rows: Rows) -> T | AdapterError:
            answer = _apart(function, rows)
            if lost:
                raise lost.pop()
            return answer

        return super().write(again)


def _apart(function: Callable[[Rows], T], rows: Rows) -> T:
    """Run it in another thread, while nobody may ask for anything but rows."""
    Strict.running, Strict.runs = True, Strict.runs + 1
    try:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(function, rows).result()
    finally:
        Strict.running = False


class StrictSignal:
    """A register behind a network: knows everybody as a test patient."""

    name, clears, damage, remark = "register", True, None, None

    def kind(self, _: PersonId) -> PatientKind:
        assert not Strict.running, "the register is asked in a transaction"
        return PatientKind.TEST

    def explain(self, _: PersonId) -> str:
        return "is one"


class StrictClock(VirtualClock):
    def __call__(self) -> datetime:
        assert not Strict.running, "the clock is asked in a transaction"
        return super().__call__()


def strict(rig: Rig) -> Rig:
    """The same with parts that must not be asked in a transaction; the database keeps its clock."""
    clock = StrictClock(rig.clock.now)
    services = replace(
        rig.services,
        guard=Guard(TestPatients([StrictSignal()]), rig.services.settings.environment),
        routes=Routes(rig.services.settings, clock),
        clock=clock,
    )
    return StrictRig(services, rig.clock)


class StrictRig(Rig):
    def unit(self) -> UnitOfWork:
        return Strict(self.services.store)

    def follow(self, delivery: Delivery, outcome: Outcome) -> Consequence:
        consequence = super().follow(delivery, outcome)
        return lambda rows, recorded: _apart(lambda rows: consequence(rows, recorded), rows)


COMPLEMENT = "0b8f7b1c-complement"


def everything_happens(rig: Rig) -> list[object]:
    """Every contract that writes, and what care's systems do; what was answered."""
    answers: list[object] = [
        rig.call(builders.register_certificate()),
        rig.call(queries.register_approved_receivers({"FKASSA": "YES"})),
        rig.call(builders.send_certificate_to_recipient()),
    ]
    rig.deliver()
    answers += [
        rig.call(queries.set_status()),
        rig.call(builders.send_message_to_care("k-1", "KOMPLT")),
        rig.call(builders.send_message_to_recipient("q-1")),
        rig.mark("k-1", handled=True),
        rig.mark("k-1", handled=False),
        rig.call(
            builders.register_certificate(COMPLEMENT, relation=("KOMPLT", builders.INTYGS_ID))
        ),
        rig.call(builders.revoke_certificate(COMPLEMENT)),
        rig.call(builders.revoke_certificate()),
        rig.call(builders.revoke_certificate()),
    ]
    rig.deliver(Outcome(OutcomeKind.BLOCKED))
    return answers


def test_no_function_asks_a_network_or_a_clock_and_each_can_be_run_again(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> None:
    """Each in another thread, and twice: what comes of it is what comes of it else."""
    Strict.runs = 0
    harder = strict(rig)
    answers = everything_happens(harder)
    codes = [one.code for one in answers if isinstance(one, Result)]
    assert (codes[:-1], codes[-1]) == ([ResultCode.OK] * (len(codes) - 1), ResultCode.INFO)
    assert Strict.runs > 2 * len(answers)
    with copied_rig(migrated, tmp_path_factory.mktemp("plain")) as plain:
        assert everything_happens(plain) == answers
        for look in (Rig.events, Rig.statuses, Rig.to_authorities):
            assert look(harder) == look(plain)
        assert harder.blocked() == plain.blocked()
        assert harder.row_count() == plain.row_count()


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(queries.get_certificate(part="FKASSA"), id="a certificate"),
        pytest.param(queries.list_for_citizen(part="FKASSA"), id="a citizen's"),
        pytest.param(queries.set_status("SENTTO", part="FKASSA"), id="a state"),
    ],
)
def test_whose_a_certificate_is_is_asked_when_it_has_been_read(
    registered: Rig, request_: bytes
) -> None:
    mocks = registered.with_settings(kind=DestinationKind.REAL)
    harder = strict(mocks)
    inbound = harder.inbound(request_)
    flow = {**HANDLERS, **READERS}[inbound.contract.key]
    with pytest.raises((TestPatientError, RuleError)):
        flow(inbound, harder.services, harder.unit())


def test_what_may_not_be_asked_is_noticed(registered: Rig) -> None:
    """The watch is not blind."""
    harder = strict(registered)
    unit = Strict(harder.services.store)
    with pytest.raises(AssertionError, match="clock"):
        unit.read(lambda _: harder.services.clock())
    with pytest.raises(AssertionError, match="register"):
        unit.read(lambda _: harder.services.guard.verdict(PersonId("", builders.PATIENT)))
    with pytest.raises(AssertionError, match="clock"):
        unit.read(lambda _: harder.services.routes.find("RevokeCertificate", 2, FK))
