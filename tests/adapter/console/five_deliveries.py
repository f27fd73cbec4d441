"""Five certificates on their way to FK, which did not arrive."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from intyg.adapter.deliver.lanes import RouteLanes
from intyg.adapter.domain.delivery import Delivery, Outcome, OutcomeKind
from intyg.adapter.store import Store
from tests import builders
from tests.adapter.flows.rig import FK, Rig, VirtualClock, copied_rig

REFUSED = Outcome(
    OutcomeKind.REFUSED,
    http_status=200,
    result_code="ERROR",
    error_id="VALIDATION_ERROR",
    detail="the request is wrong",
    remote_text=f"wrong: {builders.PATIENT}",
)
UNKNOWN = Outcome(OutcomeKind.UNKNOWN, detail="it may have arrived; no answer in time")
IDS = [f"intyg-{n}" for n in range(5)]


@contextmanager
def played(tmp_path: Path) -> Iterator[Rig]:
    """Five certificates: four refused by FK, one whose arrival is not known."""
    empty = tmp_path / "empty"
    empty.mkdir()
    store = Store(f"sqlite:///{empty / 'adapter.sqlite'}", VirtualClock())
    store.migrate()
    store.close()
    with copied_rig(empty, tmp_path) as rig:
        for intygs_id in IDS:
            rig.ok(
                builders.register_certificate(intygs_id),
                builders.send_certificate_to_recipient(intygs_id),
            )
        for delivery in claim(rig):
            outcome = UNKNOWN if delivery.new.intygs_id == IDS[4] else REFUSED
            with rig.services.store.begin() as rows:
                rows.deliveries.record_attempt(
                    delivery, outcome if delivery.new.logical_address == FK else DELIVERED
                )
        rig.deliver()
        yield rig


DELIVERED = Outcome(OutcomeKind.DELIVERED)


def claim(rig: Rig) -> list[Delivery]:
    lanes = RouteLanes(rig.services.routes.find, 1000)
    return rig.services.store.claim("test", 100, 60.0, lanes)
