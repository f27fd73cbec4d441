"""A certificate's id in the other case: the same certificate, whoever names it; kept as written."""

import pytest

from intyg.adapter.domain.delivery import DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.meddelande import FragaState
from intyg.schemas.codes import ResultCode
from tests import builders, queries
from tests.adapter.flows import library
from tests.adapter.flows.rig import FK, Rig

SMALL = "3f0b6f9e-8f4c-4b0e-9c55-0a1b2c3d4e5f"
NEWER = "7d1a2b3c-0000-4000-8000-00000000abcd"
ASKED = "0c6e1d1a-3b0c-4c66-a111-fedcba987654"

ask = builders.send_message_to_care
write = builders.send_message_to_recipient

BOTH = pytest.mark.parametrize(
    ("own", "other"),
    [
        pytest.param(SMALL, SMALL.upper(), id="registered in small letters"),
        pytest.param(SMALL.upper(), SMALL, id="registered in large letters"),
    ],
)


@BOTH
def test_every_message_finds_it(rig: Rig, own: str, other: str) -> None:
    rig.ok(builders.register_certificate(own))
    again = rig.call(builders.register_certificate(other))
    assert again.code is ResultCode.INFO
    assert (again.text or "").startswith("Certificate already exists")
    rig.ok(builders.send_certificate_to_recipient(other))
    rig.deliver()
    question = write(ASKED, "KONTKT", intygs_id=other)
    rig.ok(ask("k-1", "KOMPLT", intygs_id=other), question)
    assert rig.fraga("k-1").meddelande.intygs_id == own
    assert question in [one.new.body for one in rig.deliveries(own)]  # untouched
    rig.ok(builders.register_certificate(NEWER, relation=("KOMPLT", other)))
    assert rig.fraga("k-1").state is FragaState.HANDLED
    rig.ok(builders.revoke_certificate(other))
    assert rig.call(builders.revoke_certificate(own)).text == "The certificate was already revoked."
    assert {one.new.intygs_id for one in rig.deliveries(None)} == {own, NEWER}
    events = ["SIGNAT", "SKICKA", "NYFRFM", "NYFRFV", "HANFRFM", "MAKULE", "HANFRFV"]
    assert rig.events(own) == events
    assert rig.statuses(own)[-1] == ("CANCEL", "HSVARD")


@BOTH
def test_a_message_is_repeated_under_either_spelling(rig: Rig, own: str, other: str) -> None:
    rig.ok(builders.register_certificate(own), builders.send_certificate_to_recipient(own))
    rig.deliver()
    rig.ok(write(ASKED, "KONTKT", intygs_id=own))
    rig.deliver(addresses={FK: Outcome(OutcomeKind.REFUSED)})
    again = rig.call(write(ASKED.upper(), "KONTKT", intygs_id=other))
    assert again.text == "It had not arrived at FKASSA, and is sent there once more."
    (anew,) = [one for one in rig.deliveries(own) if one.state is DeliveryState.QUEUED]
    assert (anew.new.meddelande_id, anew.new.intygs_id) == (ASKED, own)


@BOTH
def test_a_replaced_one_is_replaced_under_either_spelling(rig: Rig, own: str, other: str) -> None:
    rig.ok(builders.register_certificate(own))
    rig.ok(builders.register_certificate(NEWER, relation=("ERSATT", other)))
    for name in (own, other):
        refused = rig.call(builders.send_certificate_to_recipient(name))
        assert "INTYG_REPLACED" in (refused.text or "")


@BOTH
def test_those_who_read_find_it(rig: Rig, own: str, other: str) -> None:
    rig.ok(builders.register_certificate(own))
    rig.ok(builders.register_certificate(NEWER, relation=("FRLANG", other)))
    assert library.ask(rig, queries.get_certificate(other)).ids == [own]
    assert library.ask(rig, queries.get_type_info(other)).outcome == "content"
    web = library.ask(rig, queries.list_relations(other)).raw
    assert (own.encode() in web, NEWER.encode() in web) == (True, True)
    assert library.ask(rig, queries.set_status(intygs_id=other, status="DELETE")).outcome == "OK"
    assert rig.statuses(own)[-1][0] == "DELETE"
    rig.ok(queries.register_approved_receivers({"FKASSA": "NO"}, intygs_id=other))
    approved = library.ask(rig, queries.list_approved_receivers(own))
    assert approved.found("approvalStatus") == ["YES", "NO"]  # AF, FKASSA


def test_another_id_in_another_case_is_another_certificate(rig: Rig) -> None:
    rig.ok(builders.register_certificate("intyg-a"), builders.register_certificate("INTYG-A"))
    assert rig.call(builders.revoke_certificate("Intyg-A")).code is ResultCode.ERROR
