"""Messages that are repeated by their sender."""

import pytest

from intyg.adapter.domain.delivery import DeliveryState, Outcome, OutcomeKind
from intyg.schemas.codes import ResultCode
from tests import builders
from tests.adapter.flows.rig import FK, Rig

QUESTION = builders.send_message_to_recipient("q-1", "KONTKT")
REFUSED = Outcome(OutcomeKind.REFUSED)


@pytest.fixture
def asked(sent: Rig) -> Rig:
    sent.ok(QUESTION)
    return sent


def test_a_message_that_was_refused_is_sent_once_more(asked: Rig) -> None:
    asked.deliver(addresses={FK: REFUSED})
    events = asked.events()
    again = asked.call(QUESTION)
    assert (again.code, again.text) == (
        ResultCode.INFO,
        "It had not arrived at FKASSA, and is sent there once more.",
    )
    (delivery,) = [one for one in asked.deliveries() if one.state is DeliveryState.QUEUED]
    assert (delivery.new.body, delivery.new.meddelande_id) == (QUESTION, "q-1")
    assert asked.events() == events  # nothing else happened


@pytest.mark.parametrize("outcome", [None, Outcome(OutcomeKind.DELIVERED)])
def test_a_message_that_arrived_or_will_is_not(asked: Rig, outcome: Outcome | None) -> None:
    if outcome is not None:
        asked.deliver()
    before = len(asked.deliveries())
    assert asked.call(QUESTION).text == "This message has been received before."
    assert len(asked.deliveries()) == before


def test_what_the_guard_blocked_is_not(asked: Rig) -> None:
    asked.deliver(addresses={FK: Outcome(OutcomeKind.BLOCKED, detail="list")})
    before = len(asked.deliveries())
    assert asked.call(QUESTION).text == "This message has been received before."
    assert len(asked.deliveries()) == before


def test_another_message_is_not_sent_with_it(asked: Rig) -> None:
    other = builders.send_message_to_recipient("q-2", "KONTKT")
    asked.ok(other)
    asked.deliver(addresses={FK: REFUSED})
    asked.call(QUESTION)
    waiting = [one for one in asked.deliveries() if one.state is DeliveryState.QUEUED]
    assert [one.new.meddelande_id for one in waiting] == ["q-1"]
