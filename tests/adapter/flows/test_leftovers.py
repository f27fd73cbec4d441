"""A certificate whose deliveries have left the queue's table long ago is the same to everybody."""

from datetime import timedelta

from intyg.adapter.console.views import intyg_view
from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.flows.leftovers import Leftovers
from intyg.schemas.codes import ResultCode
from tests import builders
from tests.adapter.flows.rig import FK, Rig

SEND = builders.send_certificate_to_recipient()
REVOKE = builders.revoke_certificate()


def age(rig: Rig) -> None:
    """Let a month go by."""
    rig.clock.now += timedelta(days=31)
    assert Leftovers(rig.services.store, rig.clock, 30).run() > 0
    with rig.services.store.read() as rows:
        assert rows.deliveries.count()[DeliveryState.DELIVERED] == 0


def shown(rig: Rig) -> dict[str, object] | None:
    with rig.services.store.read() as rows:
        return intyg_view(rows, builders.INTYGS_ID)


def test_it_is_shown_as_before_and_a_repeated_call_is_answered_as_before(registered: Rig) -> None:
    registered.ok(SEND)
    registered.deliver()
    before = shown(registered)
    age(registered)
    assert shown(registered) == before
    count = registered.row_count()
    assert registered.call(builders.register_certificate()).code == ResultCode.INFO
    assert registered.call(SEND).code == ResultCode.INFO
    assert registered.row_count() == count  # nothing was queued


def test_its_revocation_goes_to_whoever_has_it(registered: Rig) -> None:
    registered.ok(SEND)
    registered.deliver()
    age(registered)
    registered.ok(REVOKE)
    sent = [d.new.contract for d in registered.deliver() if d.new.logical_address == FK]
    assert sent == ["RevokeCertificate:2"]
    age(registered)
    assert registered.call(REVOKE).code == ResultCode.INFO
    assert registered.deliver() == []
