"""The audit log: what is recorded, and that whatever is done to it afterwards is found."""

import threading
from collections.abc import Callable
from pathlib import Path

import pydantic
import pytest
import sqlalchemy as sa
from lxml import etree
from structlog.testing import capture_logs

from intyg.adapter.audit import log as audit
from intyg.adapter.audit.log import (
    ANCHOR_EVERY,
    AuditKey,
    AuditLog,
    Verification,
    anchors_in,
    verify,
)
from intyg.adapter.domain.delivery import Outcome, OutcomeKind
from intyg.adapter.domain.errors import (
    FaultError,
    RuleError,
    SignatureError,
    UnknownIntygError,
)
from intyg.adapter.domain.inbound import Inbound, Result
from intyg.adapter.settings.settings import AuditSettings, SettingsError
from intyg.adapter.store import AuditEntry, Store, tables
from intyg.adapter.store.audit_rows import chain_of
from intyg.schemas.codes import ErrorId
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.finding import Finding
from tests import builders
from tests.adapter.samples import (
    NOW,
    add_delivery,
    add_intyg,
    inbound,
)

SECRET = b"k" * 32
KEY = AuditKey(SECRET)
CONTRACTS = Contracts()


def entry(number: int = 1, intygs_id: str = "intyg-1") -> AuditEntry:
    return AuditEntry(
        at=NOW,
        action="RegisterCertificate:3",
        outcome="OK",
        detail="",
        intygs_id=intygs_id,
        person=KEY.person(builders.PATIENT),
        sender="SE1-EHR",
        actor="SE1-LAK",
        correlation_id=f"c-{number}",
    )


def add(store: Store, *entries: AuditEntry) -> None:
    """Each in a transaction of its own."""
    for one in entries:
        with store.begin() as rows:
            rows.audit.add(one, KEY)


def check(store: Store, key: AuditKey = KEY, kept: str = "") -> Verification:
    return verify(store.read, key, anchors_in(kept))


def anchors(store: Store) -> str:
    with store.read() as rows:
        return "\n".join(audit.anchors(rows))


def tamper(store: Store, *statements: sa.Executable) -> None:
    with store._engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def filled(store: Store) -> Store:
    """Five rows about one certificate, five about others."""
    add(store, *(entry(n) for n in range(5)), *(entry(n, f"other-{n}") for n in range(5)))
    assert check(store) == Verification(10, 0, ())
    return store


# --- what is done to it ---------------------------------------------------------------------------

ROWS, HEADS = tables.audit, tables.audit_head
CHAIN_OF_IT = chain_of(entry())
SECOND = sa.and_(ROWS.c.chain == CHAIN_OF_IT, ROWS.c.number == 2)
LAST = sa.and_(ROWS.c.chain == CHAIN_OF_IT, ROWS.c.number == 5)
THIRD = sa.and_(ROWS.c.chain == CHAIN_OF_IT, ROWS.c.number == 3)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param(column.name, value, id=column.name)
        for column, value in [
            (ROWS.c.at, NOW.replace(hour=10)),
            (ROWS.c.action, "RevokeCertificate:2"),
            (ROWS.c.outcome, "ERROR"),
            (ROWS.c.detail, "x"),
            (ROWS.c.intygs_id, "another"),
            (ROWS.c.intygs_id, None),
            (ROWS.c.person, None),
            (ROWS.c.sender, "SE1-OTHER"),
            (ROWS.c.actor, "SE1-OTHER"),
            (ROWS.c.correlation_id, "c-9"),
            (ROWS.c.hash, "0" * 64),
        ]
    ],
)
def test_a_changed_row_is_found(filled: Store, column: str, value: object) -> None:
    tamper(filled, sa.update(ROWS).where(SECOND).values({column: value}))
    faults = check(filled).faults
    assert (faults[0].chain, faults[0].number) == (CHAIN_OF_IT, 2)


def test_every_column_but_the_databases_own_is_tried() -> None:
    tried = {"at", "action", "outcome", "detail", "intygs_id", "person", "sender", "actor"}
    tried |= {"correlation_id", "hash"}
    assert {column.name for column in ROWS.columns} - tried == {"seq", "chain", "number"}


def _swap(store: Store) -> None:
    spare = sa.update(ROWS).where(SECOND).values(number=99)
    second = sa.update(ROWS).where(THIRD).values(number=2)
    third = sa.update(ROWS).where(ROWS.c.number == 99).values(number=3)
    tamper(store, spare, second, third)


def _lose_chain(store: Store) -> None:
    tamper(
        store,
        sa.delete(ROWS).where(ROWS.c.chain == CHAIN_OF_IT),
        sa.delete(HEADS).where(HEADS.c.chain == CHAIN_OF_IT),
    )


def _lose_chain_and_go_on(store: Store) -> None:
    _lose_chain(store)
    add(store, entry(7))


def _forge(store: Store) -> None:
    """A row at the end, with the head moved on, by somebody without the key."""
    with store.begin() as rows:
        rows.audit.add(entry(99), AuditKey(b"f" * 32))


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(lambda s: tamper(s, sa.delete(ROWS).where(SECOND)), id="one is removed"),
        pytest.param(
            lambda s: tamper(
                s,
                sa.delete(ROWS).where(SECOND),
                sa.update(ROWS)
                .where(ROWS.c.chain == CHAIN_OF_IT, ROWS.c.number > 2)
                .values(number=ROWS.c.number - 1),
            ),
            id="one is removed and the rest move up",
        ),
        pytest.param(_swap, id="two change places"),
        pytest.param(
            lambda s: tamper(s, sa.update(ROWS).where(SECOND).values(chain=CHAIN_OF_IT + 50)),
            id="one goes to another chain",
        ),
        pytest.param(
            lambda s: tamper(
                s,
                sa.delete(ROWS).where(ROWS.c.chain == CHAIN_OF_IT, ROWS.c.number > 2),
            ),
            id="the end is cut off",
        ),
        pytest.param(
            lambda s: tamper(
                s,
                sa.delete(ROWS).where(ROWS.c.chain == CHAIN_OF_IT, ROWS.c.number > 2),
                sa.update(HEADS)
                .where(HEADS.c.chain == CHAIN_OF_IT)
                .values(number=2, hash=sa.select(ROWS.c.hash).where(SECOND).scalar_subquery()),
            ),
            id="the end is cut off, and the head says so too",
        ),
        pytest.param(
            lambda s: tamper(s, sa.delete(HEADS).where(HEADS.c.chain == CHAIN_OF_IT)),
            id="a head is removed",
        ),
        pytest.param(
            lambda s: tamper(s, sa.delete(ROWS).where(ROWS.c.chain == CHAIN_OF_IT)),
            id="a whole chain is removed",
        ),
        pytest.param(
            lambda s: tamper(s, sa.update(ROWS).where(SECOND).values(seq=4711)),
            id="a row comes later than it came",
        ),
        pytest.param(
            lambda s: tamper(s, sa.update(ROWS).where(LAST).values(seq=4711)),
            id="the last row comes later than it came",
        ),
        pytest.param(
            lambda s: tamper(
                s,
                sa.update(ROWS).where(LAST).values(seq=4711),
                sa.update(HEADS).where(HEADS.c.chain == CHAIN_OF_IT).values(seq=4711),
            ),
            id="the same, and the head says so too",
        ),
        pytest.param(
            lambda s: tamper(s, sa.update(HEADS).values(seq=None)),
            id="heads from before seq was kept",
        ),
        pytest.param(
            lambda s: tamper(
                s, sa.update(HEADS).where(HEADS.c.chain == CHAIN_OF_IT).values(key_id="0" * 16)
            ),
            id="a head names another key",
        ),
        pytest.param(_lose_chain, id="a whole chain is removed, and its head"),
        pytest.param(_lose_chain_and_go_on, id="the same, and the adapter goes on"),
        pytest.param(lambda s: tamper(s, sa.delete(ROWS), sa.delete(HEADS)), id="all is removed"),
        pytest.param(_forge, id="one is added by somebody without the key"),
    ],
)
def test_what_is_done_to_it_is_found(filled: Store, attack: Callable[[Store], None]) -> None:
    attack(filled)
    assert check(filled).faults


class Before(AuditKey):
    """The key as it sealed before seq was kept."""

    def hash(
        self, previous: str, chain: int, number: int, entry: AuditEntry, seq: int | None = None
    ) -> str:
        del seq
        return super().hash(previous, chain, number, entry)

    def seal(self, chain: int, number: int, row_hash: str, seq: int | None = None) -> str:
        del seq
        return super().seal(chain, number, row_hash)


def test_a_log_from_before_seq_was_kept_goes_on(store: Store) -> None:
    for n in range(3):
        with store.begin() as rows:
            rows.audit.add(entry(n), Before(SECRET))
    tamper(store, sa.update(HEADS).values(seq=None))
    assert check(store) == Verification(3, 0, ())
    add(store, entry(4), entry(5))
    assert check(store) == Verification(5, 0, ())
    tamper(store, sa.update(ROWS).where(LAST).values(seq=4711))
    assert check(store).faults


def test_a_log_that_has_just_begun_is_whole(store: Store) -> None:
    log = AuditLog(store, KEY)
    for _ in range(2):  # as by two processes, or two starts
        log.check_key()
        assert check(store) == Verification(0, 0, ())


def test_another_key_verifies_nothing(filled: Store) -> None:
    assert len(check(filled, AuditKey(b"o" * 32)).faults) >= 10


def test_a_chain_put_back_as_it_was_is_found_by_an_anchor_alone(store: Store) -> None:
    """A copy of all rows and heads, taken earlier, is whole in itself."""
    add(store, entry(1), entry(2))
    with store._engine.begin() as connection:
        old = connection.execute(sa.select(HEADS).where(HEADS.c.chain == CHAIN_OF_IT)).one()
    add(store, entry(3))
    kept = anchors(store)
    assert check(store, kept=kept).anchors == 1
    tamper(
        store,
        sa.delete(ROWS).where(THIRD),
        sa.update(HEADS).where(HEADS.c.chain == CHAIN_OF_IT).values(old._mapping),
    )
    assert check(store).faults == ()
    (fault,) = check(store, kept=kept).faults
    assert fault.text == "an anchor names a row that is gone"


def test_anchors_are_read_out_of_logs(filled: Store) -> None:
    with capture_logs() as logs:
        AuditLog(filled, KEY).log_anchors()
    assert anchors_in(str(logs)) == anchors_in(anchors(filled)) != frozenset()
    assert check(filled, kept=str(logs)).faults == ()


def test_an_anchor_is_logged_every_so_often(store: Store) -> None:
    log = AuditLog(store, KEY)
    with capture_logs() as logs, store.begin() as rows:
        for number in range(ANCHOR_EVERY + 3):
            log.add(rows, entry(number))
    ((chain, number, _),) = anchors_in(str(logs))
    assert (chain, number) == (CHAIN_OF_IT, ANCHOR_EVERY)


# --- many at once ---------------------------------------------------------------------------------


def test_many_at_once_make_whole_chains(store: Store) -> None:
    def work(thread: int) -> None:
        for number in range(10):
            with store.begin() as rows:
                rows.audit.add(entry(number, f"i-{thread}-{number}"), KEY)
                rows.audit.add(entry(number), KEY)  # everybody's chain, and often another

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert check(store) == Verification(120, 0, ())


def test_what_is_rolled_back_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.begin() as rows:
            rows.audit.add(entry(), KEY)
            raise RuleError("no")

    with pytest.raises(RuleError):
        fail()
    add(store, entry(2))
    assert check(store) == Verification(1, 0, ())


# --- calls ----------------------------------------------------------------------------------------


def call(body: bytes, sender: str | None = "SE1-EHR") -> Inbound:
    element = etree.fromstring(body)
    contract = CONTRACTS.by_request(str(element.tag))
    assert contract is not None
    return inbound(body, contract=contract, element=element, sender=sender)


def record(store: Store, request: Inbound, outcome: object) -> None:
    with store.begin() as rows:
        AuditLog(store, KEY).record_call(request, rows, outcome)


def entries(store: Store) -> list[AuditEntry]:
    with store.read() as rows:
        return [row.entry for row in rows.audit.find(None, 100)]


@pytest.mark.parametrize(
    ("body", "actor"),
    [
        pytest.param(builders.register_certificate(), builders.DOCTOR, id="register"),
        pytest.param(builders.send_certificate_to_recipient(), builders.DOCTOR, id="send"),
        pytest.param(
            builders.send_certificate_to_recipient(citizen=True), None, id="the citizen sends"
        ),
        pytest.param(builders.revoke_certificate(), builders.DOCTOR, id="revoke"),
        pytest.param(builders.send_message_to_care(svar_pa="m"), None, id="message to care"),
        pytest.param(builders.send_message_to_recipient(), builders.DOCTOR, id="to recipient"),
    ],
)
def test_a_call_is_recorded(store: Store, body: bytes, actor: str | None) -> None:
    record(store, call(body), Result.ok())
    (found,) = entries(store)
    assert (found.intygs_id, found.actor, found.sender) == (builders.INTYGS_ID, actor, "SE1-EHR")
    assert found.person == KEY.person(builders.PATIENT)
    assert (found.at, found.outcome, found.detail) == (NOW, "OK", "")
    assert found.action == call(body).contract.key


@pytest.mark.parametrize(
    ("error", "outcome", "detail"),
    [
        pytest.param(UnknownIntygError("x"), "ERROR", "APPLICATION_ERROR", id="unknown"),
        pytest.param(
            RuleError(
                "x", [Finding("R1", "", "/"), Finding("R2", "", "/"), Finding("R1", "", "/")]
            ),
            "ERROR",
            "VALIDATION_ERROR R1 R2",
            id="rules",
        ),
        pytest.param(
            SignatureError("ABSENT", "x"), "ERROR", "VALIDATION_ERROR ABSENT", id="signature"
        ),
        pytest.param(FaultError("x"), "FAULT", "APPLICATION_ERROR", id="fault"),
    ],
)
def test_a_refusal_is_recorded(store: Store, error: Exception, outcome: str, detail: str) -> None:
    record(store, call(builders.revoke_certificate()), error)
    assert [(one.outcome, one.detail) for one in entries(store)] == [(outcome, detail)]


def test_errors_in_answers_are_outcomes(store: Store) -> None:
    answer = Result.error(ErrorId.REVOKED, "text")
    record(store, call(builders.revoke_certificate()), answer)
    assert [(one.outcome, one.detail) for one in entries(store)] == [("ERROR", "REVOKED")]


@pytest.mark.parametrize(
    "intygs_id", [builders.PATIENT, f"x-{builders.PATIENT}", "x" * 256], ids=["it", "in it", "long"]
)
def test_no_person_number_hides_in_an_id(store: Store, intygs_id: str) -> None:
    record(store, call(builders.revoke_certificate(intygs_id=intygs_id)), Result.ok())
    (found,) = entries(store)
    assert found.intygs_id is not None
    assert found.intygs_id.startswith("hash:")
    assert intygs_id not in repr(found)
    with store.read() as rows:
        assert len(rows.audit.find(audit.id_as_kept(intygs_id, KEY), 9)) == 1


def test_values_that_a_caller_chose_are_masked(store: Store) -> None:
    body = builders.revoke_certificate().replace(builders.DOCTOR.encode(), b"189001019802")
    record(store, call(body, sender="åäö"), Result.ok())
    (found,) = entries(store)
    assert (found.sender, found.actor) == ("(not shown)", "(masked)")


# --- deliveries, the key --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "kept"),
    [
        pytest.param(Outcome(OutcomeKind.DELIVERED), True, id="delivered"),
        pytest.param(Outcome(OutcomeKind.REFUSED), True, id="refused"),
        pytest.param(Outcome(OutcomeKind.BLOCKED), True, id="blocked"),
        pytest.param(Outcome(OutcomeKind.UNKNOWN), True, id="unknown for good"),
        pytest.param(Outcome(OutcomeKind.RETRY), True, id="given up"),
        pytest.param(Outcome(OutcomeKind.RETRY, retry_at=NOW), False, id="again later"),
        pytest.param(Outcome(OutcomeKind.HELD, retry_at=NOW), False, id="held"),
    ],
)
def test_deliveries_are_recorded_when_they_end(store: Store, outcome: Outcome, kept: bool) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        delivery_id = add_delivery(rows)
        delivery = rows.deliveries.get(delivery_id)
        assert delivery is not None
        AuditLog(store, KEY).record_delivery(rows, delivery, outcome)
    found = [(one.action, one.outcome) for one in entries(store)]
    assert found == ([(f"deliver {delivery.new.contract}", outcome.kind.value)] if kept else [])


def test_the_key_in_the_data_folder_is_made_once_and_private(tmp_path: Path) -> None:
    made = AuditKey.from_settings(AuditSettings(), tmp_path / "data", make=True)
    assert AuditKey.from_settings(AuditSettings(), tmp_path / "data").key_id == made.key_id
    assert (tmp_path / "data" / "audit.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["audit.key"]


def test_keys_that_are_missing_or_short_are_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"x" * 31)
    for settings in (
        AuditSettings(),
        AuditSettings(key_file=tmp_path / "none"),
        AuditSettings(key_file=tmp_path / "short"),
        AuditSettings(key=pydantic.SecretStr("x" * 31)),
    ):
        with pytest.raises(SettingsError):
            AuditKey.from_settings(settings, tmp_path)


def test_another_key_does_not_go_on(filled: Store) -> None:
    AuditLog(filled, KEY).check_key()
    with pytest.raises(SettingsError, match="another key"):
        AuditLog(filled, AuditKey(b"o" * 32)).check_key()


def test_the_key_tells_nothing_of_itself() -> None:
    key = AuditKey(b"secret-secret-secret-secret-secret")
    assert "secret" not in repr(vars(key)) + repr(key)
