"""What happened with a certificate: between whom, and where it ended."""

import pytest

from intyg.adapter.console.pages import timeline
from intyg.adapter.console.pages.texts import TEXTS
from intyg.adapter.store import Block, Store
from intyg.pages.words import Words
from tests.adapter.samples import NOW, add_intyg


@pytest.mark.parametrize(
    ("contract", "target"),
    [
        ("CertificateStatusUpdateForCare:3", timeline.EHR),
        ("RegisterCertificate:3", timeline.AUTHORITY),
        ("SendMessageToRecipient:2", timeline.AUTHORITY),
    ],
)
def test_what_was_blocked_ends_at_a_wall_before_whom_it_was_for(
    store: Store, contract: str, target: int
) -> None:
    with store.begin() as rows:
        add_intyg(rows)
        rows.blocks.add("intyg-1", contract, "real", "reserved numbers", NOW)
        stored = rows.intyg.get("intyg-1")
        assert stored is not None
        told = timeline.Told.read(rows, stored)
    assert told.blocks == (Block("intyg-1", contract, "real", "reserved numbers", NOW),)
    found = timeline.happenings(told, Words(TEXTS, "en"))
    (blocked,) = [each for each in found if each.shape == "wall"]
    assert (blocked.source, blocked.target) == (timeline.ADAPTER, target)
    assert blocked.label == contract.partition(":")[0]
    assert "reserved numbers" in blocked.detail
