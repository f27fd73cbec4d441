"""A permission is missing for an hour: nothing is lost, and nobody has to do anything."""

import uuid
from datetime import timedelta

import requests

from intyg.adapter.domain.delivery import Delivery, DeliveryState
from intyg.adapter.domain.way import WayCause
from intyg.mocks.rules import parse_rule
from intyg.mocks.server.serving import MockServer
from intyg.sandbox.demo.stage import Stage
from intyg.sandbox.demo.story import unsigned

CONTRACTS = {
    "forsakringskassan": ("RevokeCertificate", "SendMessageToRecipient"),
    "journalsystem": ("CertificateStatusUpdateForCare",),
}


def forbid(mock: MockServer, contract: str) -> str:
    """Let a receiver's platform answer VP007; returns the rule."""
    rule = {"answers": {"kind": "vp", "code": "VP007"}, "match": {"contract": contract}}
    return mock.mock.rules.add(parse_rule(rule)).id


def move_clock(stage: Stage, minutes: int) -> None:
    """And wait until what fell due was attempted."""
    put: dict[str, object] = {"frozen": True}
    if minutes:
        put["now"] = (stage.adapter.services.clock() + timedelta(minutes=minutes)).isoformat()
    assert requests.put(f"{stage.adapter.url}/api/clock", json=put, timeout=60).ok


def open_deliveries(stage: Stage) -> list[Delivery]:
    with stage.adapter.services.store.read() as rows:
        return list(rows.deliveries.find(state=DeliveryState.QUEUED))


def calls(stage: Stage, name: str, contract: str) -> int:
    return len(stage.mocks[name].mock.journal.entries(contract))


def test_a_missing_permission_delays_and_loses_nothing(stage: Stage) -> None:
    with stage.speaking() as (ehr, fk):
        intyg = ehr.sign(unsigned(stage, str(uuid.uuid4())))
        ehr.register(intyg)
        ehr.send(intyg)
        fk.await_intyg(intyg)
        question = fk.ask("OVRIGT", intyg, text="Hur länge?")
        move_clock(stage, 0)  # everything so far has arrived
        rules = [
            (stage.mocks[name], forbid(stage.mocks[name], contract))
            for name, contracts in CONTRACTS.items()
            for contract in contracts
        ]
        answer = ehr.ask("OVRIGT", intyg, text="Till våren.", svar_pa=question.meddelande_id)
        assert answer.answer.code == "OK"
        assert ehr.revoke(intyg).code == "OK"
        for _ in range(12):
            move_clock(stage, 5)
        # An hour later: tried a few times, no attempt used up, told why.
        waiting = open_deliveries(stage)
        assert {one.new.contract.partition(":")[0] for one in waiting} == {
            "RevokeCertificate",
            "SendMessageToRecipient",
            "CertificateStatusUpdateForCare",
        }
        assert {one.attempts for one in waiting} == {0}
        assert 4 <= calls(stage, "forsakringskassan", "SendMessageToRecipient") <= 9
        with stage.adapter.services.store.read() as rows:
            stopped = rows.ways.stopped()
        assert {stop.cause for stop in stopped} == {WayCause.PARKED}
        assert all("VP007" in stop.detail for stop in stopped)
        assert fk.intyg(intyg).revoked_at is None
        # The permission comes, and nobody does anything here.
        for mock, rule in rules:
            mock.mock.rules.book.remove(rule)
        for _ in range(4):
            move_clock(stage, 5)
        assert open_deliveries(stage) == []
        fk.await_revoked(intyg)
        fk.await_answer(question)
        assert [h.kod for h in stage.journal.handelser(intyg.intygs_id)][-2:] == [
            "HANFRFM",
            "MAKULE",
        ]
        with stage.adapter.services.store.read() as rows:
            assert rows.ways.stopped() == ()
