from dataclasses import replace

import pytest

from intyg.adapter.domain.delivery import Outcome, OutcomeKind
from intyg.schemas.codes import ResultCode
from tests import builders
from tests.adapter.flows.rig import FK, Rig

SEND = builders.send_certificate_to_recipient()
LATE = builders.NOW.replace(year=2027)


def test_an_accepted_certificate_is_sent_and_care_told_with_its_counters(registered: Rig) -> None:
    registered.ok(builders.send_message_to_care("q-1"), SEND)
    registered.deliver()
    assert registered.statuses()[-1] == ("SENTTO", "FKASSA")
    told = registered.handelser()[-1]
    assert told.handelsekod == "SKICKA"
    assert told.mottagna_fragor.totalt == 1


def test_care_is_told_of_a_sending_also_when_its_status_was_noted_before(registered: Rig) -> None:
    """By SetCertificateStatus, which tells nobody."""
    registered.ok(SEND)
    registered.accept("FKASSA")
    registered.deliver()
    assert registered.statuses().count(("SENTTO", "FKASSA")) == 1
    assert registered.events() == ["SIGNAT", "SKICKA"]


def test_what_was_refused_accepted_and_sent_again_is_told_once(registered: Rig) -> None:
    registered.ok(SEND)
    (refused,) = [
        d
        for d in registered.deliver(addresses={FK: Outcome(OutcomeKind.REFUSED)})
        if d.new.logical_address == FK
    ]
    assert registered.call(SEND).code == ResultCode.INFO  # it is sent once more
    registered.deliver()
    with registered.services.store.begin() as rows:
        rows.deliveries.send_again(refused.id, registered.clock())
    registered.deliver()
    assert registered.statuses().count(("SENTTO", "FKASSA")) == 1
    assert registered.events() == ["SIGNAT", "SKICKA"]


@pytest.mark.parametrize(
    "kind", sorted(set(OutcomeKind) - {OutcomeKind.DELIVERED, OutcomeKind.WITHDRAWN})
)
def test_what_is_not_accepted_is_not_sent(registered: Rig, kind: OutcomeKind) -> None:
    registered.ok(SEND)
    late = LATE if kind in (OutcomeKind.RETRY, OutcomeKind.HELD, OutcomeKind.UNKNOWN) else None
    registered.deliver(addresses={FK: Outcome(kind, retry_at=late)})
    assert registered.statuses() == [("RECEIV", "HSVARD")]
    assert "SKICKA" not in registered.events()
    assert registered.blocked() == (
        ["RegisterCertificate:3"] if kind is OutcomeKind.BLOCKED else []
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(builders.revoke_certificate(), id="a revocation"),
        pytest.param(builders.send_message_to_recipient(), id="a message"),
    ],
)
def test_other_deliveries_change_nothing_but_themselves(sent: Rig, body: bytes) -> None:
    sent.ok(body)
    statuses, events = sent.statuses(), sent.events()
    sent.deliver()
    assert (sent.statuses(), sent.events()) == (statuses, events)


def test_a_delivery_that_arrives_after_the_revocation_is_noted_and_not_told(
    registered: Rig,
) -> None:
    """The recipient has it: that the revocation follows does not undo that."""
    registered.ok(SEND)
    registered.deliver(addresses={FK: Outcome(OutcomeKind.UNKNOWN, retry_at=LATE)})
    registered.ok(builders.revoke_certificate())
    registered.clock.now = LATE
    registered.deliver()
    assert registered.statuses()[-1] == ("SENTTO", "FKASSA")
    assert registered.events() == ["SIGNAT", "MAKULE"]
    assert [c for c, _ in registered.to_authorities()] == [
        "RegisterCertificate:3",
        "RevokeCertificate:2",
    ]


def test_events_of_one_moment_keep_their_order(registered: Rig) -> None:
    frozen = replace(registered.services, clock=lambda: registered.clock.now)
    rig = replace(registered, services=frozen)
    rig.ok(
        builders.send_message_to_care("k-1", "KOMPLT"),
        builders.send_message_to_care("k-2", "KOMPLT"),
        builders.revoke_certificate(),
    )
    times = [handelse.tidpunkt for handelse in rig.handelser()]
    assert times == sorted(set(times))
