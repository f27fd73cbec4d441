"""The outbox in the database: who may be claimed when, leases, what an attempt leaves behind."""

import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from intyg.adapter.domain.delivery import (
    DELIVERY_MOVES,
    Delivery,
    DeliveryState,
    NewDelivery,
    Outcome,
    OutcomeKind,
)
from intyg.adapter.store import (
    Attempt,
    Block,
    ConstraintError,
    LeaseLostError,
    Store,
    tables,
)
from intyg.adapter.store.claim import first_of_lane
from intyg.adapter.store.delivery_rows import state_after
from tests.adapter.conftest import VirtualClock
from tests.adapter.samples import (
    FKORG,
    NOW,
    PERSON,
    REGISTER,
    add_delivery,
    add_intyg,
    new_delivery,
)

LEASE = 120.0
DELIVERED = Outcome(OutcomeKind.DELIVERED, http_status=200, result_code="OK")


def retry(clock: VirtualClock, **wait: float) -> Outcome:
    return Outcome(OutcomeKind.RETRY, retry_at=clock() + timedelta(**wait), detail="refused")


def claim(store: Store, limit: int = 10) -> list[Delivery]:
    return store.claim("w", limit, LEASE)


def record(store: Store, delivery: Delivery, outcome: Outcome) -> Delivery:
    with store.begin() as rows:
        return rows.deliveries.record_attempt(delivery, outcome)


def ids(deliveries: list[Delivery]) -> list[str]:
    return [delivery.id for delivery in deliveries]


# --- adding ---------------------------------------------------------------------------------------


def test_a_delivery_comes_back_as_it_was_queued(store: Store) -> None:
    new = new_delivery(meddelande_id="meddelande-1", body="<å/>".encode())
    with store.begin() as rows:
        add_intyg(rows)
        delivery_id = rows.deliveries.add(new, "correlation-7")
        found = rows.deliveries.get(delivery_id)
        assert rows.deliveries.get("nothing") is None
    assert found == Delivery(
        id=delivery_id,
        new=new,
        state=DeliveryState.QUEUED,
        attempts=0,
        due_at=NOW,
        created_at=NOW,
        updated_at=NOW,
        correlation_id="correlation-7",
        is_test=False,
    )


def test_deliveries_are_listed_by_certificate_and_state(store: Store) -> None:
    with store.begin() as rows:
        first = add_delivery(rows)
        second = add_delivery(rows, "intyg-2")
    claim(store, limit=1)
    with store.read() as rows:
        assert [d.id for d in rows.deliveries.find()] == [first, second]
        assert [d.id for d in rows.deliveries.find(intygs_id="intyg-2")] == [second]
        assert [d.id for d in rows.deliveries.find(state=DeliveryState.SENDING)] == [first]
        assert rows.deliveries.find("intyg-1", DeliveryState.QUEUED) == ()
        counts = rows.deliveries.count()
    assert counts[DeliveryState.SENDING] == counts[DeliveryState.QUEUED] == 1
    assert sum(counts.values()) == 2


def test_a_delivery_about_no_certificate_is_refused(store: Store) -> None:
    with pytest.raises(ConstraintError), store.begin() as rows:
        rows.deliveries.add(new_delivery("intyg-9"), "correlation-1")


# --- claiming -------------------------------------------------------------------------------------


def test_claimed_deliveries_are_nobody_elses(store: Store) -> None:
    with store.begin() as rows:
        wanted = [add_delivery(rows, f"intyg-{n}") for n in range(3)]
    assert ids(claim(store, limit=2)) == wanted[:2]
    assert ids(claim(store)) == wanted[2:]
    assert claim(store) == []


def test_a_claimed_delivery_is_being_sent_for_the_first_time(store: Store) -> None:
    with store.begin() as rows:
        add_delivery(rows)
    (claimed,) = claim(store)
    assert (claimed.state, claimed.attempts) == (DeliveryState.SENDING, 1)
    assert claimed.new.patient == PERSON
    assert claimed.new.body == b"<RegisterCertificate/>"


def test_what_is_not_due_is_left_until_it_is(store: Store, clock: VirtualClock) -> None:
    with store.begin() as rows:
        later = add_delivery(rows, due_at=NOW + timedelta(minutes=1))
    assert claim(store) == []
    clock.advance(seconds=60)
    assert ids(claim(store)) == [later]


def test_the_one_that_waited_longest_goes_first(store: Store, clock: VirtualClock) -> None:
    with store.begin() as rows:
        recent = add_delivery(rows, "intyg-1", due_at=NOW + timedelta(minutes=2))
        waiting = add_delivery(rows, "intyg-2", due_at=NOW + timedelta(minutes=1))
    clock.advance(minutes=5)
    assert ids(claim(store)) == [waiting, recent]


def test_deliveries_about_one_certificate_to_one_receiver_go_out_in_order(store: Store) -> None:
    with store.begin() as rows:
        register = add_delivery(rows)
        revoke = add_delivery(rows, contract="RevokeCertificate:2")
    (first,) = claim(store)
    assert first.id == register
    assert claim(store) == []  # the first is under way
    record(store, first, DELIVERED)
    assert ids(claim(store)) == [revoke]


def test_other_receivers_and_other_certificates_do_not_wait(store: Store) -> None:
    with store.begin() as rows:
        wanted = {
            add_delivery(rows),
            add_delivery(rows, logical_address="SE1-EHR"),
            add_delivery(rows, "intyg-2"),
        }
        add_delivery(rows)
    assert set(ids(claim(store))) == wanted


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(Outcome(OutcomeKind.REFUSED), id="refused"),
        pytest.param(Outcome(OutcomeKind.RETRY), id="failed"),
        pytest.param(Outcome(OutcomeKind.UNKNOWN), id="unknown"),
        pytest.param(Outcome(OutcomeKind.BLOCKED), id="blocked"),
        pytest.param(DELIVERED, id="delivered"),
    ],
)
def test_what_is_finished_does_not_hold_up_the_next(store: Store, outcome: Outcome) -> None:
    with store.begin() as rows:
        add_delivery(rows)
        following = add_delivery(rows)
    (first,) = claim(store)
    record(store, first, outcome)
    assert ids(claim(store)) == [following]


@pytest.mark.parametrize("kind", [OutcomeKind.RETRY, OutcomeKind.UNKNOWN, OutcomeKind.HELD])
def test_what_waits_holds_up_the_next(store: Store, clock: VirtualClock, kind: OutcomeKind) -> None:
    with store.begin() as rows:
        add_delivery(rows)
        following = add_delivery(rows)
    (first,) = claim(store)
    record(store, first, Outcome(kind, retry_at=clock() + timedelta(hours=1)))
    with store.begin() as rows:
        last = add_delivery(rows)
    clock.advance(minutes=59)
    assert claim(store) == []
    clock.advance(minutes=1)
    for wanted in (first.id, following, last):
        (claimed,) = claim(store)
        assert claimed.id == wanted
        record(store, claimed, DELIVERED)


def test_two_workers_never_get_the_same_delivery(store: Store) -> None:
    """40 deliveries in 10 queues, 4 workers claiming and delivering as fast as they can."""
    with store.begin() as rows:
        wanted = [add_delivery(rows, f"intyg-{n % 10}") for n in range(40)]
    done: list[str] = []
    under_way: set[str] = set()
    clashes: list[str] = []
    lock = threading.Lock()

    def work() -> None:
        while len(done) < len(wanted):
            for delivery in claim(store, limit=3):
                with lock:
                    if delivery.new.intygs_id in under_way:
                        clashes.append(delivery.id)
                    under_way.add(delivery.new.intygs_id)
                with lock:
                    under_way.discard(delivery.new.intygs_id)
                done.append(delivery.id)  # before another may have the next
                record(store, delivery, DELIVERED)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(done) == sorted(wanted)
    assert clashes == []
    # in each queue the order of adding
    for n in range(10):
        assert [d for d in done if d in wanted[n::10]] == wanted[n::10]


def test_the_database_itself_refuses_two_at_once_in_one_queue(store: Store) -> None:
    with store.begin() as rows:
        add_delivery(rows)
        add_delivery(rows)
    claim(store)
    with pytest.raises(ConstraintError), store.begin() as rows:
        rows.transaction.connection.execute(sa.update(tables.delivery).values(state="sending"))


def test_a_damaged_body_does_not_keep_the_others_from_being_claimed(store: Store) -> None:
    with store.begin() as rows:
        damaged = add_delivery(rows, body=b"<damaged/>")
        sound = add_delivery(rows, "intyg-2", body=b"<sound/>")
        rows.transaction.connection.execute(
            sa.update(tables.body)
            .where(tables.body.c.data == b"<damaged/>")
            .values(data=b"<damages/>")
        )
    assert ids(claim(store)) == [sound]
    with store.read() as rows:
        state = rows.transaction.connection.scalars(
            sa.select(tables.delivery.c.state).where(tables.delivery.c.id == damaged)
        ).one()
    assert state == DeliveryState.FAILED


# --- recording ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        pytest.param(Outcome(OutcomeKind.DELIVERED), DeliveryState.DELIVERED, id="delivered"),
        pytest.param(Outcome(OutcomeKind.REFUSED), DeliveryState.REFUSED, id="refused"),
        pytest.param(Outcome(OutcomeKind.BLOCKED), DeliveryState.BLOCKED, id="blocked"),
        pytest.param(Outcome(OutcomeKind.HELD, NOW), DeliveryState.HELD, id="held"),
        pytest.param(Outcome(OutcomeKind.RETRY, NOW), DeliveryState.QUEUED, id="again later"),
        pytest.param(Outcome(OutcomeKind.RETRY), DeliveryState.FAILED, id="attempts used up"),
        pytest.param(Outcome(OutcomeKind.UNKNOWN, NOW), DeliveryState.QUEUED, id="may go twice"),
        pytest.param(Outcome(OutcomeKind.UNKNOWN), DeliveryState.UNKNOWN, id="may not go twice"),
    ],
)
def test_where_a_delivery_stands_after_an_attempt(
    store: Store, outcome: Outcome, state: DeliveryState
) -> None:
    with store.begin() as rows:
        add_delivery(rows)
    (claimed,) = claim(store)
    recorded = record(store, claimed, outcome)
    assert recorded.state is state
    assert recorded.last_outcome == outcome
    assert state in DELIVERY_MOVES[DeliveryState.SENDING]


def test_holding_without_a_time_to_ask_again_is_refused() -> None:
    with pytest.raises(ValueError, match="held"):
        state_after(Outcome(OutcomeKind.HELD))


def test_every_attempt_is_kept_with_what_the_receiver_wrote(
    store: Store, clock: VirtualClock
) -> None:
    refused = Outcome(
        OutcomeKind.REFUSED,
        http_status=200,
        result_code="ERROR",
        error_id="VALIDATION_ERROR",
        detail="ERROR VALIDATION_ERROR",
        remote_text="Personen är okänd",
    )
    with store.begin() as rows:
        add_delivery(rows)
    (first,) = claim(store)
    again = retry(clock, minutes=1)
    record(store, first, again)
    clock.advance(minutes=1)
    (second,) = claim(store)
    record(store, second, refused)
    with store.read() as rows:
        attempts = rows.deliveries.attempts(first.id)
        (stored,) = rows.deliveries.find()
    assert attempts == (
        Attempt(first.id, 1, NOW, again),
        Attempt(first.id, 2, NOW + timedelta(minutes=1), refused),
    )
    assert stored.attempts == 2
    assert "okänd" not in repr(attempts)
    assert stored.last_outcome is not None
    assert stored.last_outcome.remote_text is None  # only in the attempt's own row


def test_what_was_not_tried_uses_up_no_attempt(store: Store, clock: VirtualClock) -> None:
    with store.begin() as rows:
        add_delivery(rows)
    (claimed,) = claim(store)
    held = Outcome(OutcomeKind.HELD, retry_at=clock() + timedelta(minutes=1))
    assert record(store, claimed, held).attempts == 0
    clock.advance(minutes=1)
    (claimed,) = claim(store)
    with store.begin() as rows:
        recorded = rows.deliveries.record_attempt(claimed, retry(clock, minutes=1), counted=False)
        assert rows.deliveries.attempts(claimed.id) == ()
    assert recorded.attempts == 0


def test_an_attempt_is_recorded_once(store: Store) -> None:
    with store.begin() as rows:
        add_delivery(rows)
    (claimed,) = claim(store)
    record(store, claimed, DELIVERED)
    with pytest.raises(LeaseLostError):
        record(store, claimed, DELIVERED)


def test_sending_again_by_hand_starts_the_attempts_anew(store: Store, clock: VirtualClock) -> None:
    with store.begin() as rows:
        first = add_delivery(rows)
        following = add_delivery(rows)
    (claimed,) = claim(store)
    record(store, claimed, Outcome(OutcomeKind.REFUSED))
    with store.begin() as rows:
        again = rows.deliveries.send_again(first, clock())
    assert (again.state, again.attempts) == (DeliveryState.QUEUED, 0)
    assert ids(claim(store)) == [first]  # at its old place
    assert following not in ids(claim(store))


@pytest.mark.parametrize("outcome", [None, DELIVERED], ids=["being sent", "delivered"])
def test_what_is_under_way_or_delivered_is_not_sent_again(
    store: Store, clock: VirtualClock, outcome: Outcome | None
) -> None:
    with store.begin() as rows:
        add_delivery(rows)
    (claimed,) = claim(store)
    if outcome is not None:
        record(store, claimed, outcome)
    with (
        store.begin() as rows,
        pytest.raises(ValueError, match=claimed.id if outcome is None else "go"),
    ):
        rows.deliveries.send_again(claimed.id, clock())


def test_a_revoked_certificate_is_not_sent_again_but_its_revocation_is(
    store: Store, clock: VirtualClock
) -> None:
    with store.begin() as rows:
        add_delivery(rows)
        revocation = add_delivery(rows, contract="RevokeCertificate:2")
    (certificate,) = claim(store)
    record(store, certificate, Outcome(OutcomeKind.REFUSED))
    (claimed,) = claim(store)
    record(store, claimed, Outcome(OutcomeKind.REFUSED))
    with store.begin() as rows:
        rows.intyg.set_revoked(certificate.new.intygs_id, clock())
        with pytest.raises(ValueError, match="revoked"):
            rows.deliveries.send_again(certificate.id, clock())
        assert rows.deliveries.send_again(revocation, clock()).state is DeliveryState.QUEUED


# --- leases ---------------------------------------------------------------------------------------


def test_a_delivery_whose_worker_died_is_taken_back(store: Store, clock: VirtualClock) -> None:
    with store.begin() as rows:
        add_delivery(rows)
    (lost,) = claim(store)
    assert store.recover_expired([REGISTER]) == ()
    clock.advance(seconds=LEASE + 1)
    assert store.recover_expired([REGISTER]) == (lost.id,)
    (again,) = claim(store)
    assert again.attempts == 2
    with store.read() as rows:
        (attempt,) = rows.deliveries.attempts(lost.id)
    assert attempt.outcome.kind is OutcomeKind.UNKNOWN


def test_what_may_not_be_sent_twice_is_left_unknown(store: Store, clock: VirtualClock) -> None:
    with store.begin() as rows:
        add_delivery(rows)
    (lost,) = claim(store)
    clock.advance(seconds=LEASE + 1)
    store.recover_expired(["SomethingElse:1"])
    with store.read() as rows:
        (found,) = rows.deliveries.find()
    assert (found.id, found.state) == (lost.id, DeliveryState.UNKNOWN)


def test_a_doubt_stays_with_the_delivery_and_the_next_one_of_the_same_message(
    store: Store, clock: VirtualClock
) -> None:
    again = clock() + timedelta(minutes=1)
    with store.begin() as rows:
        add_delivery(rows, meddelande_id="m-1")
        add_delivery(rows, "intyg-2", meddelande_id="m-2")
    first, other = claim(store, limit=2)
    assert not first.doubtful
    record(store, first, Outcome(OutcomeKind.UNKNOWN, retry_at=again))
    record(store, other, Outcome(OutcomeKind.RETRY, retry_at=again))
    clock.advance(minutes=1)
    first, other = claim(store, limit=2)
    assert (first.doubtful, other.doubtful) == (True, False)
    record(store, first, Outcome(OutcomeKind.RETRY))
    with store.begin() as rows:
        add_delivery(rows, meddelande_id="m-1")
        add_delivery(rows, meddelande_id=None)
    (repeated,) = claim(store)
    record(store, repeated, DELIVERED)
    (without,) = claim(store)
    assert (repeated.doubtful, without.doubtful) == (True, False)


def test_a_worker_that_comes_late_cannot_overwrite_the_next(
    store: Store, clock: VirtualClock
) -> None:
    with store.begin() as rows:
        add_delivery(rows)
    (late,) = claim(store)
    clock.advance(seconds=LEASE + 1)
    store.recover_expired([REGISTER])
    with pytest.raises(LeaseLostError):
        record(store, late, DELIVERED)
    (current,) = claim(store)
    with pytest.raises(LeaseLostError):
        record(store, late, Outcome(OutcomeKind.REFUSED))
    assert record(store, current, DELIVERED).state is DeliveryState.DELIVERED


def test_a_lease_can_be_made_longer(store: Store, clock: VirtualClock) -> None:
    with store.begin() as rows:
        add_delivery(rows)
    (claimed,) = claim(store)
    with store.begin() as rows:
        rows.deliveries.extend_lease(claimed, 600)
    clock.advance(seconds=599)
    assert store.recover_expired([REGISTER]) == ()
    clock.advance(seconds=2)
    store.recover_expired([REGISTER])
    with pytest.raises(LeaseLostError), store.begin() as rows:
        rows.deliveries.extend_lease(claimed, 600)


def test_a_new_process_takes_back_what_the_old_one_was_sending(
    database_url: str, clock: VirtualClock
) -> None:
    """SQLite: at once, since the old one cannot be alive. PostgreSQL: when its lease runs out."""
    old = Store(database_url, clock)
    old.migrate()
    with old.begin() as rows:
        add_delivery(rows)
    (lost,) = old.claim("w", 1, LEASE)
    old.close()
    new = Store(database_url, clock)
    at_once = new.recover_expired([REGISTER])
    clock.advance(seconds=LEASE + 1)
    later = new.recover_expired([REGISTER])
    new.close()
    assert (at_once, later) == (((), (lost.id,)) if new.is_postgresql else ((lost.id,), ()))


# --- the guard's journal --------------------------------------------------------------------------


def test_blocks_are_journalled_even_for_what_is_not_stored(store: Store) -> None:
    with store.begin() as rows:
        rows.blocks.add("intyg-9", REGISTER, "fk-prod", "list_file", NOW)
        rows.blocks.add("intyg-1", REGISTER, FKORG, None, NOW)
        every, one = rows.blocks.find(), rows.blocks.find("intyg-9")
    assert one == (Block("intyg-9", REGISTER, "fk-prod", "list_file", NOW),)
    assert len(every) == 2


# --- speed ----------------------------------------------------------------------------------------


def test_claiming_stays_fast_with_many_deliveries(store: Store, clock: VirtualClock) -> None:
    """5 000 stored: most finished, many waiting for their turn or their time, few to take."""
    _fill(store, clock, 5_000)
    claim(store, limit=1)  # plans and caches
    started = time.perf_counter()
    claimed = [claim(store, limit=1) for _ in range(10)]
    each = (time.perf_counter() - started) / 10
    assert all(claimed)
    assert each < 0.25  # measured: 3 ms with 100 000, and 150 ms when SQLite took a wrong index


def test_claiming_searches_each_index_down_to_its_last_column(
    store: Store, clock: VirtualClock
) -> None:
    """Nothing is scanned or sorted, and no more of a queue is read than its first."""
    _fill(store, clock, 2_000)
    claim(store, limit=50)  # PostgreSQL would rather read all of an empty index
    steps = _steps_on_postgresql(store) if store.is_postgresql else _steps_on_sqlite(store)
    # Few ways are stopped at a time: their table is as well read whole.
    assert sorted(step for step in steps if "way" not in step[0]) == [
        ("ix_delivery_lane", ["destination", "due_at"]),  # and in the order of due_at, seq
        ("ix_delivery_queue", ["intygs_id", "logical_address", "seq"]),
        ("uq_delivery_sending", ["intygs_id", "logical_address"]),
    ]


Step = tuple[str, list[str]]
"""An index and the columns that are searched in it; for any other step what it does, and none."""


def _steps_on_sqlite(store: Store) -> list[Step]:
    with store._engine.connect() as connection:
        sql = first_of_lane().compile(
            dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
        )
        values = tuple(
            {**sql.params, "now": NOW.isoformat(), "lane": ""}[key] for key in sql.positiontup or ()
        )
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        details = [row.detail for row in plan]
    steps = []
    for detail in details:
        # Since 3.44 an index may also be called COVERING.
        search = re.fullmatch(r"SEARCH \w+ USING (?:COVERING )?INDEX (\w+) \((.+)\)", detail)
        if search:
            steps.append((search[1], _columns(search[2])))
        elif not detail.startswith("CORRELATED"):
            steps.append((detail, []))
    return steps


def _steps_on_postgresql(store: Store) -> list[Step]:
    with store._engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE delivery")
        sql_of = first_of_lane().compile(
            dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
        )
        sql = str(sql_of)
        values = {**sql_of.params, "now": NOW, "limit": 1, "lane": ""}
        plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", values).scalar_one()

    def steps(node: dict[str, Any]) -> Iterator[Step]:
        below = node.get("Plans", ())
        if node.get("Relation Name") == "way":
            return
        if node["Node Type"] == "Materialize" and below[0].get("Relation Name") == "way":
            return
        if "Index Name" in node:
            yield node["Index Name"], _columns(node.get("Index Cond", ""))
        elif node["Node Type"] not in ("Limit", "LockRows", "Nested Loop"):
            yield node["Node Type"], []
        for one in below:
            yield from steps(one)

    return list(steps(plan[0]["Plan"]))


def _columns(condition: str) -> list[str]:
    """Those before an operator: `seq` of `seq<?`, and of `(seq < delivery.seq)`."""
    return re.findall(r"\b(\w+) ?[<=]", condition)


def _fill(store: Store, clock: VirtualClock, count: int) -> None:
    def new(n: int) -> NewDelivery:
        return new_delivery(f"i{n}")

    sample = new(0)
    with store.begin() as rows:
        add_intyg(rows, "i0")
        rows.deliveries.add(sample, "c")
        connection = rows.transaction.connection
        intyg_row = connection.execute(sa.select(tables.intyg)).one()._asdict()
        delivery_row = connection.execute(sa.select(tables.delivery)).one()._asdict()
        for row in (intyg_row, delivery_row):
            del row["seq"]
        connection.execute(
            sa.insert(tables.intyg),
            [intyg_row | {"intygs_id": f"i{n}"} for n in range(1, count // 4)],
        )
        states = ["delivered", "queued", "queued", "delivered"]
        hour = timedelta(hours=1)
        connection.execute(
            sa.insert(tables.delivery),
            [
                delivery_row
                | {
                    "id": str(n),
                    "intygs_id": f"i{n % (count // 4)}",
                    "state": states[n % 4],
                    # a third of what is queued waits for its time
                    "due_at": clock() + (hour if n % 3 == 0 else -hour),
                }
                for n in range(1, count)
            ],
        )


# --- waking ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["arrived", "released", "again", "hurried", "ended", "put back"])
def test_workers_are_woken_by_whatever_lets_one_be_taken(
    store: Store, clock: VirtualClock, act: str
) -> None:
    with store.begin() as rows:
        first = add_delivery(rows)
        add_delivery(rows, contract="RevokeCertificate:2")
    (claimed,) = claim(store)
    if act in ("again", "hurried", "ended", "put back"):
        record(store, claimed, Outcome(OutcomeKind.REFUSED))
    if act in ("hurried", "put back"):
        with store.begin() as rows:
            rows.deliveries.send_again(first, clock())
    with store.begin() as rows:
        assert not rows.transaction.work_added
        match act:
            case "arrived":
                rows.deliveries.record_attempt(claimed, DELIVERED)
            case "released":
                rows.deliveries.release(claimed)
            case "again":
                rows.deliveries.send_again(first, clock())
            case "hurried":
                assert rows.deliveries.hurry(first, clock())
            case "ended":
                rows.deliveries.end_by_hand(first, DeliveryState.DELIVERED, "says who has it")
            case "put back":
                rows.deliveries.put_back({first: DeliveryState.REFUSED}, clock())
        assert rows.transaction.work_added


def test_the_last_of_a_queue_wakes_nobody(store: Store) -> None:
    with store.begin() as rows:
        add_delivery(rows)
    (claimed,) = claim(store)
    with store.begin() as rows:
        rows.deliveries.record_attempt(claimed, DELIVERED)
        assert not rows.transaction.work_added


def test_what_is_damaged_wakes_for_those_behind_it(store: Store) -> None:
    with store.begin() as rows:
        damaged = add_delivery(rows)
        rows.transaction.connection.execute(sa.update(tables.body).values(data=b"another"))
    with store.begin() as rows:
        assert rows.deliveries.claim("w", 10, LEASE) == []
        assert rows.transaction.work_added
        found = rows.search.get(damaged)
        assert found is not None
        assert found.state is DeliveryState.FAILED


def test_a_lease_counts_until_its_last_moment(store: Store, clock: VirtualClock) -> None:
    with store.begin() as rows:
        taken = add_delivery(rows)
    worker = f"{store._instance}/w"  # of this process: otherwise SQLite's is taken back at once
    assert store.claim(worker, 1, LEASE)
    clock.advance(seconds=LEASE)
    assert store.recover_expired([REGISTER]) == ()
    clock.advance(seconds=1)
    assert store.recover_expired([REGISTER]) == (taken,)
