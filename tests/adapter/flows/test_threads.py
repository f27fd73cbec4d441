"""What two callers at once do to each other, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TypeVar

import pytest

from intyg.adapter.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.inbound import Result
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.flows import after_delivery
from intyg.schemas.codes import ResultCode
from intyg.schemas.intyg_model import Unique
from tests import builders, queries
from tests.adapter.conftest import VirtualClock as StoreClock
from tests.adapter.flows.conversation_model import explain
from tests.adapter.flows.rig import Rig

T = TypeVar("T")

REPEATED = range(5)
"""Which thread is first is chance: what only one order could spoil is played several times."""


def at_once(rig: Rig, *bodies: bytes) -> list[Result]:
    """Send every request from a thread of its own, all started together."""
    return together(*(partial(rig.call, body) for body in bodies))


def together(*acts: Callable[[], T]) -> list[T]:
    """Do everything at once, each in a thread of its own."""
    barrier = Barrier(len(acts))

    def act(one: Callable[[], T]) -> T:
        barrier.wait()
        return one()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(act, acts))


def codes(results: list[Result]) -> list[str]:
    return sorted(result.code.value for result in results)


@pytest.fixture
def asked(shared: Rig) -> Rig:
    """A question from care that the authority may answer."""
    shared.ok(builders.register_certificate())
    shared.accept()
    shared.ok(builders.send_message_to_recipient("q-1", "KONTKT"))
    return shared


def test_one_of_two_answers_wins_and_the_other_is_told(asked: Rig) -> None:
    results = at_once(
        asked,
        *(builders.send_message_to_care(f"a-{n}", "KONTKT", svar_pa="q-1") for n in range(4)),
    )
    assert codes(results) == ["ERROR", "ERROR", "ERROR", "OK"]
    for result in results:
        if result.code is ResultCode.ERROR:
            assert "MESSAGE_ALREADY_ANSWERED_ERROR" in (result.text or "")
    winner = next(n for n, result in enumerate(results) if result.code is ResultCode.OK)
    assert asked.fraga("q-1").answered_by == f"a-{winner}"
    assert asked.events().count("NYSVFM") == 1


def test_one_of_two_answers_from_care_wins_and_the_other_is_told(shared: Rig) -> None:
    shared.ok(builders.register_certificate())
    shared.accept()
    shared.ok(builders.send_message_to_care("q-1", "KONTKT"))
    results = at_once(
        shared,
        *(builders.send_message_to_recipient(f"a-{n}", "KONTKT", svar_pa="q-1") for n in range(4)),
    )
    assert codes(results) == ["ERROR", "ERROR", "ERROR", "OK"]
    texts = [result.text or "" for result in results if result.code is ResultCode.ERROR]
    assert all("MESSAGE_ALREADY_ANSWERED_ERROR" in text for text in texts)
    assert shared.events().count("HANFRFM") == 1
    went_out = [d for d in shared.deliveries() if d.new.contract == "SendMessageToRecipient:2"]
    assert [d.new.meddelande_id for d in went_out] == [shared.fraga("q-1").answered_by]


def test_one_of_two_death_certificates_is_taken(shared: Rig) -> None:
    shared = shared.with_types(unique=Unique.EVERYWHERE)
    results = at_once(shared, *(builders.register_certificate(f"db-{n}") for n in range(4)))
    assert codes(results) == ["ERROR", "ERROR", "ERROR", "OK"]


def test_one_of_two_equal_registrations_is_the_first(shared: Rig) -> None:
    results = at_once(shared, *[builders.register_certificate()] * 4)
    assert codes(results) == ["INFO", "INFO", "INFO", "OK"]
    assert shared.events() == ["SIGNAT"]


def test_one_of_two_equal_sendings_is_queued(shared: Rig) -> None:
    shared.ok(builders.register_certificate())
    results = at_once(shared, *[builders.send_certificate_to_recipient()] * 4)
    assert codes(results) == ["INFO", "INFO", "INFO", "OK"]
    assert shared.to_authorities() == [("RegisterCertificate:3", "FKASSA")]


def test_one_of_two_revocations_revokes(shared: Rig) -> None:
    shared.ok(builders.register_certificate())
    results = at_once(shared, *[builders.revoke_certificate()] * 4)
    assert codes(results) == ["INFO", "INFO", "INFO", "OK"]
    assert shared.events() == ["SIGNAT", "MAKULE"]


def test_a_sending_beside_a_revocation_leaves_nobody_with_an_unrevoked_certificate(
    shared: Rig,
) -> None:
    shared.ok(builders.register_certificate())
    at_once(shared, builders.send_certificate_to_recipient(), builders.revoke_certificate())
    waits = [d.state for d in shared.deliveries() if d.new.part == "FKASSA"]
    assert waits in ([], [DeliveryState.WITHDRAWN])


@pytest.mark.parametrize("outcome", [OutcomeKind.DELIVERED, OutcomeKind.UNKNOWN])
def test_a_revocation_during_a_delivery_follows_it(
    shared: Rig, clock: StoreClock, outcome: OutcomeKind
) -> None:
    for n in REPEATED:
        intygs_id = f"i-{n}"
        shared.ok(
            builders.register_certificate(intygs_id),
            builders.send_certificate_to_recipient(intygs_id),
        )
        clock.now = shared.clock.now  # the store's own: what was queued is due
        claimed = shared.services.store.claim("test", 100, 60.0)
        (sending,) = [d for d in claimed if (d.new.intygs_id, d.new.part) == (intygs_id, "FKASSA")]
        together(
            partial(shared.ok, builders.revoke_certificate(intygs_id)),
            partial(came_to, shared, sending, Outcome(outcome)),
        )
        sent = outcome is OutcomeKind.DELIVERED
        events = shared.events(intygs_id)
        # Told unless the revocation came first.
        assert events in (["SIGNAT", "MAKULE"], ["SIGNAT", *["SKICKA"] * sent, "MAKULE"])
        assert list(explain(list(shared.handelser(intygs_id)))) == []
        assert shared.to_authorities(intygs_id, DeliveryState.QUEUED) == [
            ("RevokeCertificate:2", "FKASSA")
        ]


def came_to(rig: Rig, delivery: Delivery, outcome: Outcome) -> None:
    """What a worker does when it knows."""
    follow = after_delivery.handle(delivery, outcome, rig.services)
    with rig.services.store.begin() as rows:
        follow(rows, rows.deliveries.record_attempt(delivery, outcome))


def test_a_question_beside_a_revocation_is_refused_or_closed(shared: Rig) -> None:
    for n in REPEATED:
        intygs_id = f"i-{n}"
        shared.ok(builders.register_certificate(intygs_id))
        asked, revoked = at_once(
            shared,
            builders.send_message_to_care(f"q-{n}", intygs_id=intygs_id),
            builders.revoke_certificate(intygs_id),
        )
        assert revoked.code is ResultCode.OK
        if asked.code is ResultCode.OK:
            assert shared.fraga(f"q-{n}").state is FragaState.HANDLED
        else:
            assert "CERTIFICATE_REVOKED_ERROR" in (asked.text or "")
        assert list(explain(list(shared.handelser(intygs_id)))) == []


def test_questions_at_once_are_all_counted(shared: Rig) -> None:
    shared.ok(builders.register_certificate())
    at_once(shared, *(builders.send_message_to_care(f"q-{n}") for n in range(4)))
    assert [h.mottagna_fragor.totalt for h in shared.handelser()] == [0, 1, 2, 3, 4]
    assert list(explain(list(shared.handelser()))) == []


def test_a_request_beside_a_complement_is_closed_or_came_later(shared: Rig) -> None:
    shared.ok(builders.register_certificate())
    for n in REPEATED:
        results = at_once(
            shared,
            builders.send_message_to_care(f"k-{n}", "KOMPLT"),
            builders.register_certificate(
                f"complement-{n}", relation=("KOMPLT", builders.INTYGS_ID)
            ),
        )
        assert "ERROR" not in codes(results)  # INFO: nobody has what the complement completes
        assert list(explain(list(shared.handelser()))) == []


def test_a_mark_beside_an_answer_ends_in_one_of_two_orders(shared: Rig) -> None:
    shared.ok(builders.register_certificate())
    shared.accept()
    for n in REPEATED:
        question = f"q-{n}"
        shared.ok(builders.send_message_to_care(question, "KONTKT"))
        answer = builders.send_message_to_recipient(f"a-{n}", "KONTKT", svar_pa=question)
        acts: list[Callable[[], object]] = [
            partial(shared.call, answer),
            partial(shared.mark, question, handled=True),
        ]
        together(*acts)
        assert shared.fraga(question).state is FragaState.HANDLED
        assert shared.events().count("HANFRFM") == n + 1
        assert list(explain(list(shared.handelser()))) == []


def test_marks_both_ways_at_once_are_told_as_they_went(asked: Rig) -> None:
    for _ in REPEATED:
        together(*(partial(asked.mark, "q-1", handled=handled) for handled in (True, False, True)))
        assert list(explain(list(asked.handelser()))) == []


def test_the_later_of_two_approvals_counts_whole(shared: Rig) -> None:
    for n in REPEATED:
        results = at_once(
            shared,
            queries.register_approved_receivers({"AF": "YES", "FKASSA": "NO"}, intygs_id=f"i-{n}"),
            queries.register_approved_receivers({"AF": "NO", "FKASSA": "YES"}, intygs_id=f"i-{n}"),
        )
        assert codes(results) == ["OK", "OK"]
        with shared.services.store.read() as rows:
            said = rows.approvals.of_intyg(f"i-{n}")
        assert sorted([said["AF"], said["FKASSA"]]) == ["NO", "YES"]
