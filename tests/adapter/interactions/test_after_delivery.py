from dataclasses import replace

import pytest

from adapter.interactions import after_delivery
from adapter.model import Outcome, OutcomeKind
from tests import builders
from tests.adapter.interactions.rig import FK, Rig

SEND = builders.send_certificate_to_recipient()
LATE = builders.NOW.replace(year=2027)


def test_an_accepted_certificate_is_sent_and_care_told_with_its_counters(registered: Rig) -> None:
    registered.ok(builders.send_message_to_care("q-1"), SEND)
    registered.deliver()
    assert registered.statuses()[-1] == ("SENTTO", "FKASSA")
    told = registered.handelser()[-1]
    assert told.handelsekod == "SKICKA"
    assert told.mottagna_fragor.totalt == 1


def test_an_accepted_certificate_is_told_once_although_it_was_sent_twice(sent: Rig) -> None:
    delivery = next(d for d in sent.deliveries() if d.new.logical_address == FK)
    with sent.parts.store.begin() as rows:
        after_delivery.handle(rows, delivery, Outcome(OutcomeKind.DELIVERED), sent.parts)
    assert sent.statuses().count(("SENTTO", "FKASSA")) == 1
    assert sent.events().count("SKICKA") == 1


@pytest.mark.parametrize("kind", sorted(set(OutcomeKind) - {OutcomeKind.DELIVERED}))
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


def test_a_delivery_that_arrives_after_the_revocation_is_still_told(registered: Rig) -> None:
    """The recipient has it: that the revocation follows does not undo that."""
    registered.ok(SEND, builders.revoke_certificate())
    registered.deliver()
    assert registered.statuses()[-1] == ("SENTTO", "FKASSA")
    assert [c for c, _ in registered.to_authorities()] == [
        "RegisterCertificate:3",
        "RevokeCertificate:2",
    ]


def test_events_of_one_moment_keep_their_order(registered: Rig) -> None:
    frozen = replace(registered.parts, clock=lambda: registered.clock.now)
    rig = replace(registered, parts=frozen)
    rig.ok(
        builders.send_message_to_care("k-1", "KOMPLT"),
        builders.send_message_to_care("k-2", "KOMPLT"),
        builders.revoke_certificate(),
    )
    times = [handelse.tidpunkt for handelse in rig.handelser()]
    assert times == sorted(set(times))
