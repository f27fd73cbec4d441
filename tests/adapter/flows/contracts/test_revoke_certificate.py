from dataclasses import astuple, replace

import pytest
import structlog.testing

from intyg.adapter.domain.delivery import DELIVERY_MOVES, DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.destination import DestinationKind
from intyg.adapter.domain.errors import UnknownIntygError
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.domain.way import WayNews
from intyg.adapter.settings.settings import RecipientSettings
from intyg.schemas.codes import ResultCode
from tests import builders
from tests.adapter.flows.rig import FK, OTHER_AUTHORITY, Rig

LATER = builders.NOW.replace(year=2027)
REVOKE = builders.revoke_certificate()
SEND = builders.send_certificate_to_recipient()
FIRST, SECOND = "0b8f7b1c-first", "0b8f7b1c-second"


def revocations(rig: Rig, intygs_id: str = builders.INTYGS_ID) -> list[str]:
    """Parts that a revocation is queued for."""
    return [part for contract, part in rig.to_authorities(intygs_id) if "Revoke" in contract]


def test_it_is_revoked_for_good_and_care_is_told(registered: Rig) -> None:
    registered.ok(REVOKE)
    assert registered.statuses()[-1] == ("CANCEL", "HSVARD")
    assert registered.events() == ["SIGNAT", "MAKULE"]
    assert registered.handelser()[-1].hanterat_av == builders.DOCTOR


def test_what_nobody_has_is_revoked_here_only(registered: Rig) -> None:
    registered.ok(REVOKE)
    assert revocations(registered) == []


def test_every_recipient_that_has_it_is_told_with_the_bytes_that_came(sent: Rig) -> None:
    sent.ok(builders.send_certificate_to_recipient(mottagare="AF"))
    sent.deliver()
    sent.ok(REVOKE)
    assert revocations(sent) == ["AF", "FKASSA"]
    addresses = {d.new.part: d.new.logical_address for d in sent.deliveries()[-2:]}
    assert addresses == {"AF": OTHER_AUTHORITY, "FKASSA": FK}
    assert all(d.new.body == REVOKE for d in sent.deliveries()[-2:])


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        pytest.param(
            Outcome(OutcomeKind.RETRY, retry_at=LATER, http_status=500),
            ["FKASSA"],
            id="answered, being retried",
        ),
        pytest.param(
            Outcome(OutcomeKind.UNKNOWN, retry_at=LATER), ["FKASSA"], id="timed out, being retried"
        ),
        pytest.param(Outcome(OutcomeKind.UNKNOWN), ["FKASSA"], id="may have arrived"),
        pytest.param(Outcome(OutcomeKind.RETRY), ["FKASSA"], id="attempts used up"),
        pytest.param(Outcome(OutcomeKind.REFUSED), [], id="refused"),
        pytest.param(Outcome(OutcomeKind.BLOCKED), [], id="blocked"),
    ],
)
def test_a_recipient_that_may_have_it_is_told_too(
    registered: Rig, outcome: Outcome, told: list[str]
) -> None:
    registered.ok(SEND)
    registered.deliver(addresses={FK: outcome})
    registered.ok(REVOKE)
    assert revocations(registered) == told


@pytest.mark.parametrize(
    ("first", "told"),
    [
        pytest.param(Outcome(OutcomeKind.RETRY), [OTHER_AUTHORITY, FK], id="may be there"),
        pytest.param(Outcome(OutcomeKind.REFUSED), [OTHER_AUTHORITY], id="not there"),
    ],
)
def test_a_recipient_that_has_moved_is_told_wherever_it_may_have_it(
    registered: Rig, first: Outcome, told: list[str]
) -> None:
    registered.ok(SEND)
    registered.deliver(addresses={FK: first})
    there = RecipientSettings(name="Försäkringskassan", logical_address=OTHER_AUTHORITY)
    moved = registered.with_settings(recipients={"FKASSA": there})
    assert moved.call(SEND).code == ResultCode.INFO
    moved.deliver()
    moved.ok(REVOKE)
    revoked = [d.new for d in moved.deliveries() if d.new.contract == "RevokeCertificate:2"]
    assert [(new.part, new.logical_address) for new in revoked] == [("FKASSA", to) for to in told]


def test_the_revocation_never_overtakes_the_certificate(registered: Rig) -> None:
    registered.ok(SEND)
    registered.deliver(addresses={FK: Outcome(OutcomeKind.UNKNOWN, retry_at=LATER)})
    registered.ok(REVOKE)
    registered.clock.now = LATER
    claimed = registered.services.store.claim("test", 100, 60.0)
    to_fk = [d.new.contract for d in claimed if d.new.logical_address == FK]
    assert to_fk == ["RegisterCertificate:3"]


def test_what_arrives_after_all_is_sent_then_revoked_and_skicka_is_not_told(
    registered: Rig,
) -> None:
    registered.ok(SEND)
    registered.deliver(addresses={FK: Outcome(OutcomeKind.UNKNOWN, retry_at=LATER)})
    registered.ok(REVOKE)
    registered.clock.now = LATER
    sent = [d.new.contract for d in registered.deliver() if d.new.logical_address == FK]
    assert sent == ["RegisterCertificate:3", "RevokeCertificate:2"]
    assert registered.events() == ["SIGNAT", "MAKULE"]
    assert registered.statuses()[-1] == ("SENTTO", "FKASSA")


@pytest.mark.parametrize("last", [OutcomeKind.REFUSED, OutcomeKind.BLOCKED])
def test_what_was_refused_after_a_doubt_is_revoked_there(
    registered: Rig, last: OutcomeKind
) -> None:
    """An attempt without an answer may have arrived, whatever a later one was answered."""
    registered.ok(SEND)
    registered.deliver(addresses={FK: Outcome(OutcomeKind.UNKNOWN, retry_at=LATER)})
    registered.clock.now = LATER
    registered.deliver(addresses={FK: Outcome(last, http_status=200)})
    registered.ok(REVOKE)
    sent = [d.new.contract for d in registered.deliver() if d.new.logical_address == FK]
    assert sent == ["RevokeCertificate:2"]


# --- withdrawn: certain that no attempt arrived ---------------------------------------------------


NOT_SENT = Outcome(OutcomeKind.RETRY, retry_at=LATER, detail="nothing was sent")
PARKED = replace(NOT_SENT, http_status=500, detail="VP007", news=WayNews.STOPS_WAY)


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(None, id="not tried"),
        pytest.param(NOT_SENT, id="no connection"),
        pytest.param(Outcome(OutcomeKind.HELD, retry_at=LATER), id="held by the guard"),
    ],
)
def test_what_waits_and_cannot_have_arrived_is_withdrawn(
    registered: Rig, outcome: Outcome | None
) -> None:
    registered.ok(SEND)
    if outcome is not None:
        registered.deliver(addresses={FK: outcome})
    registered.ok(REVOKE)
    (certificate,) = [d for d in registered.deliveries() if d.new.logical_address == FK]
    assert certificate.state is DeliveryState.WITHDRAWN
    assert certificate.last_outcome is not None
    assert f"RevokeCertificate c{registered.correlation_ids};" in certificate.last_outcome.detail
    registered.clock.now = LATER
    assert FK not in {d.new.logical_address for d in registered.deliver()}
    assert registered.events() == ["SIGNAT", "MAKULE"]
    assert registered.statuses()[-1] == ("CANCEL", "HSVARD")


def test_it_is_withdrawn_at_one_receiver_and_revoked_at_the_other(sent: Rig) -> None:
    sent.ok(builders.send_certificate_to_recipient(mottagare="AF"), REVOKE)
    to_af, to_fk = [d for d in sent.deliveries() if d.new.part != "HSVARD"][1:]
    assert (to_af.new.part, to_af.state) == ("AF", DeliveryState.WITHDRAWN)
    assert (to_fk.new.part, to_fk.new.contract) == ("FKASSA", "RevokeCertificate:2")


def test_withdrawn_is_final_and_lets_those_behind_it_go(registered: Rig) -> None:
    registered.accept()
    registered.ok(SEND.replace(b"FKASSA", b"AF"))
    registered.deliver(addresses={OTHER_AUTHORITY: NOT_SENT})
    (first,) = [d for d in registered.deliveries() if d.new.part == "AF"]
    with registered.services.store.begin() as rows:
        rows.deliveries.add(replace(first.new, contract="SendMessageToRecipient:2"), "c")
    registered.deliver()
    assert registered.to_authorities(state=DeliveryState.DELIVERED) == []  # it waits behind
    registered.ok(REVOKE)
    tried = [d.new.contract for d in registered.deliver() if d.new.part == "AF"]
    assert tried == ["SendMessageToRecipient:2"]
    (withdrawn,) = [d for d in registered.deliveries() if d.state is DeliveryState.WITHDRAWN]
    with registered.services.store.begin() as rows, pytest.raises(ValueError, match="revoked"):
        rows.deliveries.send_again(withdrawn.id, LATER)
    assert DELIVERY_MOVES[DeliveryState.WITHDRAWN] == frozenset()


@pytest.mark.parametrize(
    ("outcome", "sent"),
    [
        (NOT_SENT, []),
        (Outcome(OutcomeKind.REFUSED, http_status=200), ["RegisterCertificate:3"]),
        (Outcome(OutcomeKind.BLOCKED), ["RegisterCertificate:3"]),
        (Outcome(OutcomeKind.DELIVERED), ["RegisterCertificate:3", "RevokeCertificate:2"]),
        (Outcome(OutcomeKind.UNKNOWN), ["RegisterCertificate:3", "RevokeCertificate:2"]),
        pytest.param(PARKED, [], id="parked: an answer of the platform, not of the receiver"),
    ],
)
def test_revoked_while_an_attempt_is_under_way_it_depends_on_what_that_comes_to(
    registered: Rig, outcome: Outcome, sent: list[str]
) -> None:
    registered.ok(SEND)
    claimed = registered.services.store.claim("test", 100, 60.0)
    (delivery,) = [d for d in claimed if d.new.logical_address == FK]
    registered.ok(REVOKE)
    follow = registered.follow(delivery, outcome)
    with registered.services.store.begin() as rows:
        follow(rows, rows.deliveries.record_attempt(delivery, outcome))
    registered.clock.now = LATER
    registered.deliver()
    to_fk = [d for d in registered.deliveries() if d.new.logical_address == FK]
    done = [d.new.contract for d in to_fk if d.state is not DeliveryState.WITHDRAWN]
    assert done == sent
    assert registered.events() == ["SIGNAT", "MAKULE"]


def test_only_the_revocation_is_withdrawn_with_what_never_arrived(registered: Rig) -> None:
    """A question that waits behind the certificate is none, and stays."""
    registered.ok(SEND)
    claimed = registered.services.store.claim("test", 100, 60.0)
    (delivery,) = [d for d in claimed if d.new.logical_address == FK]
    with registered.services.store.begin() as rows:
        question = replace(delivery.new, contract="SendMessageToRecipient:2")
        rows.deliveries.add(question, "c-question")
    registered.ok(REVOKE)
    revoked_by = f"c{registered.correlation_ids}"
    follow = registered.follow(delivery, NOT_SENT)
    with registered.services.store.begin() as rows:
        follow(rows, rows.deliveries.record_attempt(delivery, NOT_SENT))
    to_fk = [d for d in registered.deliveries() if d.new.logical_address == FK]
    withdrawn = {d.new.contract: d for d in to_fk if d.state is DeliveryState.WITHDRAWN}
    assert set(withdrawn) == {"RegisterCertificate:3", "RevokeCertificate:2"}
    why = withdrawn["RegisterCertificate:3"].last_outcome
    assert why is not None
    assert revoked_by in why.detail


def test_one_that_a_worker_takes_meanwhile_is_left_to_it(registered: Rig) -> None:
    registered.ok(SEND)
    with registered.services.store.read() as rows:
        (delivery,) = [d for d in rows.deliveries.find() if d.new.logical_address == FK]
    registered.services.store.claim("test", 100, 60.0)
    with registered.services.store.begin() as rows:
        assert not rows.deliveries.withdraw(delivery, "too late")
        found = rows.deliveries.get(delivery.id)
    assert found is not None
    assert found.state is DeliveryState.SENDING


def test_twice_is_told_and_changes_nothing(sent: Rig) -> None:
    sent.ok(REVOKE)
    before = sent.row_count()
    assert sent.call(REVOKE).code == ResultCode.INFO
    assert sent.row_count() == before


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(Outcome(OutcomeKind.REFUSED), id="refused"),
        pytest.param(Outcome(OutcomeKind.RETRY), id="failed"),
        pytest.param(Outcome(OutcomeKind.UNKNOWN), id="may have arrived"),
    ],
)
def test_a_revocation_that_did_not_arrive_is_sent_once_more_when_it_is_repeated(
    sent: Rig, outcome: Outcome
) -> None:
    sent.ok(builders.send_certificate_to_recipient(mottagare="AF"))
    sent.deliver()
    sent.ok(REVOKE)
    sent.deliver(addresses={FK: outcome})
    again = sent.call(REVOKE)
    assert again.code == ResultCode.INFO
    assert again.text == "It had not arrived at FKASSA, and is sent there once more."
    assert sent.to_authorities(state=DeliveryState.QUEUED) == [("RevokeCertificate:2", "FKASSA")]
    assert sent.call(REVOKE).text == "The certificate was already revoked."  # it is on its way
    assert sent.events().count("MAKULE") == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(builders.revoke_certificate("unknown"), id="unknown"),
        pytest.param(builders.revoke_certificate(person=builders.OTHER_PATIENT), id="other person"),
    ],
)
def test_unknown_and_another_persons_are_answered_alike(registered: Rig, body: bytes) -> None:
    with pytest.raises(UnknownIntygError, match="no such certificate for this patient"):
        registered.call_raising(body)
    assert registered.events() == ["SIGNAT"]


def test_a_blocked_revocation_is_local_and_answered_ok(sent: Rig) -> None:
    real = sent.with_settings(kind=DestinationKind.REAL)
    real.ok(REVOKE)
    assert revocations(real) == []
    assert real.blocked() == ["RevokeCertificate:2"]
    assert real.statuses()[-1] == ("CANCEL", "HSVARD")


def test_without_a_route_the_revocation_waits_for_one(sent: Rig) -> None:
    sent.with_settings(routes=()).ok(REVOKE)
    assert sent.to_authorities(state=DeliveryState.QUEUED) == [("RevokeCertificate:2", "FKASSA")]


def test_a_recipient_that_nobody_knows_any_more_is_named_in_the_log(registered: Rig) -> None:
    registered.accept("GONE")
    registered.accept("FKASSA")
    with structlog.testing.capture_logs() as lines:
        registered.ok(REVOKE)
    assert revocations(registered) == ["FKASSA"]
    (line,) = [line for line in lines if line["event"] == "revoke_certificate.not_told"]
    assert (line["intyg.part"], line["log_level"]) == ("GONE", "warning")


def test_what_is_noted_of_care_and_the_citizen_was_sent_to_nobody(registered: Rig) -> None:
    """SetCertificateStatus takes SENTTO of them too, as nationally."""
    registered.accept("HSVARD")
    registered.accept("INVANA")
    message = registered.call(builders.send_message_to_recipient())
    assert "CERTIFICATE_NOT_SENT_ERROR" in (message.text or "")
    registered.ok(builders.register_certificate(FIRST, relation=("KOMPLT", builders.INTYGS_ID)))
    assert registered.to_authorities(FIRST) == [("RegisterCertificate:3", "FKASSA")]
    with structlog.testing.capture_logs() as lines:
        registered.ok(REVOKE)
    assert revocations(registered) == []
    assert [line for line in lines if line["event"] == "revoke_certificate.not_told"] == []


def test_all_questions_are_closed_after_care_is_told_how_they_stood(sent: Rig) -> None:
    sent.ok(
        builders.send_message_to_care("q-care-1"),
        builders.send_message_to_care("q-care-2"),
        builders.send_message_to_recipient("q-recipient"),
        REVOKE,
    )
    makule, *closing = sent.handelser()[-4:]
    assert makule.handelsekod == "MAKULE"
    assert astuple(makule.mottagna_fragor) == (2, 2, 0, 0)
    assert astuple(makule.skickade_fragor) == (1, 1, 0, 0)
    assert [h.handelsekod.value for h in closing] == ["HANFRFM", "HANFRFM", "HANFRFV"]
    assert {h.hanterat_av for h in closing} == {builders.DOCTOR}
    assert astuple(closing[-1].mottagna_fragor) == (2, 0, 0, 2)
    assert astuple(closing[-1].skickade_fragor) == (1, 0, 0, 1)
    states = {sent.fraga(one).state for one in ("q-care-1", "q-care-2", "q-recipient")}
    assert states == {FragaState.HANDLED}


# --- complements --------------------------------------------------------------------------------


def complemented(rig: Rig, *complements: str) -> None:
    """Two completion requests, then the complements, one after another."""
    rig.ok(
        builders.send_message_to_care("k-1", "KOMPLT", sista_datum="2026-12-01"),
        builders.send_message_to_care("k-2", "KOMPLT"),
        *(
            builders.register_certificate(one, relation=("KOMPLT", builders.INTYGS_ID))
            for one in complements
        ),
    )


def test_a_revoked_complement_opens_the_requests_again(sent: Rig) -> None:
    complemented(sent, FIRST)
    sent.ok(builders.revoke_certificate(FIRST))
    assert {sent.fraga(one).state for one in ("k-1", "k-2")} == {FragaState.OPEN_CARE}
    reopened = sent.handelser()[-2:]
    assert [h.handelsekod.value for h in reopened] == ["NYFRFM", "NYFRFM"]
    assert [(h.amne, h.sista_datum_for_svar) for h in reopened] == [(None, None)] * 2
    assert [h.hanterat_av for h in reopened] == [builders.DOCTOR] * 2
    assert astuple(reopened[-1].mottagna_fragor) == (2, 2, 0, 0)


def test_an_older_complement_does_not(sent: Rig) -> None:
    complemented(sent, FIRST, SECOND)
    sent.ok(builders.revoke_certificate(FIRST))
    assert sent.fraga("k-1").state is FragaState.HANDLED
    sent.ok(builders.revoke_certificate(SECOND))
    assert sent.fraga("k-1").state is FragaState.OPEN_CARE


def test_what_care_answered_in_text_is_opened_too(sent: Rig) -> None:
    sent.ok(
        builders.send_message_to_care("k-0", "KOMPLT"),
        builders.send_message_to_recipient("a-0", "KOMPLT", svar_pa="k-0"),
    )
    complemented(sent, FIRST)
    sent.ok(builders.revoke_certificate(FIRST))
    assert sent.fraga("k-0").state is FragaState.OPEN_CARE
    assert sent.fraga("k-1").state is FragaState.OPEN_CARE


def test_requests_on_a_revoked_certificate_stay_closed(sent: Rig) -> None:
    complemented(sent, FIRST)
    sent.ok(REVOKE, builders.revoke_certificate(FIRST))
    assert sent.fraga("k-1").state is FragaState.HANDLED


def test_a_revoked_replacement_opens_nothing(sent: Rig) -> None:
    sent.ok(
        builders.send_message_to_care("k-1", "KOMPLT"),
        builders.register_certificate(FIRST, relation=("ERSATT", builders.INTYGS_ID)),
        builders.revoke_certificate(FIRST),
    )
    assert sent.fraga("k-1").state is FragaState.HANDLED


def test_what_a_worker_is_just_taking_is_revoked_behind_it(shared: Rig) -> None:
    """On PostgreSQL the worker may not have committed yet; on SQLite one writes after the other."""
    shared.ok(builders.register_certificate())
    shared.ok(SEND)
    store = shared.services.store
    with store.begin() as rows:
        assert rows.deliveries.claim("worker", limit=9, lease_seconds=60)
        if store.is_postgresql:
            shared.ok(REVOKE)
    if not store.is_postgresql:
        shared.ok(REVOKE)
    assert revocations(shared) == ["FKASSA"]
