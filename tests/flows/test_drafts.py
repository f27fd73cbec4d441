"""A draft over real SOAP and REST: ordered, told, filled in, signed, sent; renewed and copied."""

import pytest

from intyg.mocks.testing import DraftError, Forsakringskassan, Journalsystem
from intyg.sandbox.adapter_under_test import Adapter


def test_from_the_first_call_to_the_authority(
    adapter: Adapter, journalsystem: Journalsystem, forsakringskassan: Forsakringskassan
) -> None:
    draft = journalsystem.draft("FK7804", ref="EHR-1")
    journalsystem.await_event("SKAPAT", draft)
    with pytest.raises(DraftError) as raised:
        draft.sign()
    assert (raised.value.status, len(raised.value.problem["fel"]) > 3) == (422, True)
    assert draft.fill().state == "DRAFT_COMPLETE"
    adapter.clock.advance("6m")
    journalsystem.await_event("ANDRAT", draft)
    draft.ready().ready()
    journalsystem.await_event("KFSIGN", draft)
    signed = draft.sign()
    journalsystem.await_event("SIGNAT", signed)
    journalsystem.send(signed)
    assert forsakringskassan.await_intyg(signed).signature == "valid"
    journalsystem.await_event("SKICKA", signed)
    told = [each.kod for each in journalsystem.events(signed)]
    assert told == ["SKAPAT", "ANDRAT", "KFSIGN", "SIGNAT", "SKICKA"]
    renewed = journalsystem.renew(signed)
    assert "32" not in renewed.shown["intyg"]["svar"]
    renewed.delete()
    journalsystem.await_event("RADERA", renewed)


def test_a_locked_draft_is_reused(adapter: Adapter, journalsystem: Journalsystem) -> None:
    draft = journalsystem.draft("FK7804").fill()
    adapter.clock.advance("16d")
    assert draft.state == "DRAFT_LOCKED"
    with pytest.raises(DraftError, match="locked"):
        draft.fill()
    copy = draft.copy()
    assert copy.shown["intyg"]["skapadAv"]["enhet"] == draft.shown["intyg"]["skapadAv"]["enhet"]
    assert {fault["delsvar"] for fault in copy.shown["fel"]} == {"32.2"}  # a period of long ago
    with pytest.raises(DraftError, match="copy of the locked draft"):
        draft.copy()
    copy.delete()
    assert draft.copy().intygs_id != copy.intygs_id
