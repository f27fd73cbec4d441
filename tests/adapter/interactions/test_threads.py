"""What two callers at once do to each other, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from adapter.model import Result
from schemas.codes import ResultCode
from schemas.intyg_model import Unique
from tests import builders
from tests.adapter.interactions.rig import Rig


def at_once(rig: Rig, *bodies: bytes) -> list[Result]:
    """Send every request from a thread of its own, all started together."""
    barrier = Barrier(len(bodies))

    def call(body: bytes) -> Result:
        barrier.wait()
        return rig.call(body)

    with ThreadPoolExecutor(len(bodies)) as threads:
        return list(threads.map(call, bodies))


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
    went_out = [contract for contract, _ in shared.to_authorities()]
    assert went_out in ([], ["RegisterCertificate:3", "RevokeCertificate:2"])
