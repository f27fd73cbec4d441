"""What hooks are told: which events, of whom, and what stands in them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intyg.adapter.domain.delivery import DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.delivery_filter import DeliveryFilter
from intyg.adapter.domain.hook import HOOK_KEY
from intyg.adapter.domain.way import WayNews, WayPolicy
from intyg.adapter.flows import operate
from intyg.adapter.flows.shared.announce import announce_delivery, announce_parked
from intyg.adapter.settings.settings import DestinationSettings
from intyg.schemas.codes import ResultCode
from tests import builders
from tests.adapter.flows.rig import FK, Rig

SEND = builders.send_certificate_to_recipient()
NO = Outcome(OutcomeKind.REFUSED, http_status=200, result_code="ERROR", error_id="VALIDATION_ERROR")


def hook_row(**changes: Any) -> DestinationSettings:
    row = {"url": "http://hook.invalid/", "kind": "mock", "role": "hook", "secret_file": "secret"}
    return DestinationSettings(**{**row, **changes})


def with_hook(rig: Rig, *events: str, **changes: Any) -> Rig:
    """The same adapter, with one hook more."""
    told_of = {"events": events} if events else {}
    known = rig.services.settings.destinations
    return rig.with_settings(destinations={**known, "told": hook_row(**told_of, **changes)})


def told(rig: Rig) -> list[dict[str, Any]]:
    """Everything that waits for the hook, or was told."""
    with rig.services.store.read() as rows:
        hooks = [one for one in rows.deliveries.find() if one.new.contract == HOOK_KEY]
    assert all(one.new.logical_address == "told" for one in hooks)
    return [json.loads(one.new.body) for one in hooks]


def types(rig: Rig) -> list[str]:
    return [one["type"].removeprefix("intygsadapter.") for one in told(rig)]


def test_an_authoritys_final_no_is_told_with_ids_codes_and_states_alone(registered: Rig) -> None:
    rig = with_hook(registered, "delivery.refused")
    rig.ok(SEND)
    (refused,) = [d for d in rig.deliver(addresses={FK: NO}) if d.state is DeliveryState.REFUSED]
    (event,) = told(rig)
    assert event.pop("time").endswith("+00:00")
    assert len(event.pop("id")) == 36
    assert event == {
        "specversion": "1.0",
        "source": "/intygsadapter/demo",
        "type": "intygsadapter.delivery.refused",
        "subject": builders.INTYGS_ID,
        "datacontenttype": "application/json",
        "data": {
            "intygsId": builders.INTYGS_ID,
            "meddelandeId": None,
            "deliveryId": refused.id,
            "contract": "RegisterCertificate:3",
            "destination": refused.destination or None,
            "logicalAddress": FK,
            "part": "FKASSA",
            "state": "refused",
            "attempts": 1,
            "httpStatus": 200,
            "resultCode": "ERROR",
            "errorId": "VALIDATION_ERROR",
        },
    }


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome(OutcomeKind.DELIVERED), "delivery.delivered"),
        (NO, "delivery.refused"),
        (Outcome(OutcomeKind.RETRY), "delivery.failed"),
        (Outcome(OutcomeKind.UNKNOWN), "delivery.unknown"),
        (Outcome(OutcomeKind.BLOCKED, detail="patient test"), "delivery.blocked"),
    ],
)
def test_each_end_has_a_name_and_who_does_not_want_it_is_not_told(
    registered: Rig, outcome: Outcome, expected: str
) -> None:
    registered.deliver()
    rig = with_hook(registered)
    rig.ok(SEND)
    rig.deliver(addresses={FK: outcome})
    assert types(rig)[0] == expected
    count = len(told(rig))
    other = with_hook(registered, "way.stopped")
    other.call(SEND)
    other.deliver()
    assert len(told(rig)) == count


def test_what_has_no_destination_yet_is_told_as_having_none(registered: Rig) -> None:
    rig = with_hook(registered, "delivery.failed")
    rig.ok(SEND)
    with rig.services.store.begin() as rows:
        (waits, *_) = [one for one in rows.deliveries.find() if one.new.logical_address == FK]
        ended = rows.deliveries.end_by_hand(waits.id, DeliveryState.FAILED, "no way")
        announce_delivery(rows, replace(ended, destination=""), rig.services)
    (event,) = told(rig)
    assert event["data"]["destination"] is None


def test_what_waits_is_not_told(registered: Rig) -> None:
    registered.deliver()
    rig = with_hook(registered)
    rig.ok(SEND)
    later = rig.clock.now.replace(year=2027)
    rig.deliver(addresses={FK: Outcome(OutcomeKind.RETRY, retry_at=later)})
    assert told(rig) == []


def test_a_question_is_told_once_and_without_its_text(registered: Rig) -> None:
    rig = with_hook(registered, "message.received")
    rig.ok(builders.send_message_to_care("q-1", sista_datum="2026-12-24"))
    rig.ok(builders.send_message_to_care("q-2", "PAMINN", paminner="q-1"))
    question, reminder = told(rig)
    assert question["data"] == {
        "intygsId": builders.INTYGS_ID,
        "meddelandeId": "q-1",
        "amne": "OVRIGT",
        "part": "FKASSA",
        "svarPa": None,
        "paminner": None,
        "sistaDatumForSvar": "2026-12-24",
    }
    assert (reminder["data"]["amne"], reminder["data"]["paminner"]) == ("PAMINN", "q-1")
    again = builders.send_message_to_care("q-1", sista_datum="2026-12-24")
    assert rig.call(again).code is ResultCode.INFO
    assert len(told(rig)) == 2


FEED = ("created", "revoked", "sent", "message-sent")


def test_statistics_are_fed_by_the_nations_names_to_hooks_that_name_them(rig: Rig) -> None:
    rig = with_hook(rig, *(f"certificate.{action}" for action in FEED))
    rig.ok(builders.register_certificate(), SEND)
    rig.deliver()
    rig.ok(builders.send_message_to_care("q-1"), builders.revoke_certificate())
    certificate = {"certificate-id": builders.INTYGS_ID, "certificate-type": "LISJP"}
    assert [one["data"] for one in told(rig)] == [
        {"action": "created", **certificate},
        {
            "action": "sent",
            "certificate-id": builders.INTYGS_ID,
            "certificate-recipient": "FKASSA",
        },
        {"action": "message-sent", "message-id": "q-1"},
        {"action": "revoked", **certificate},
    ]
    assert types(rig) == [f"certificate.{one['data']['action']}" for one in told(rig)]


def test_who_names_no_events_is_not_fed(rig: Rig) -> None:
    rig = with_hook(rig)
    rig.ok(builders.register_certificate(), builders.revoke_certificate())
    assert types(rig) == []


def attempt(rig: Rig, outcome: Outcome) -> None:
    """The certificate is tried at the authority, and comes to this."""
    claimed = rig.services.store.claim("w", 100, 60.0)
    (one,) = [replace(d, destination="fk") for d in claimed if d.new.logical_address == FK]
    follow = rig.follow(one, outcome)
    with rig.services.store.begin() as rows:
        rows.ways.note(one, outcome, WayPolicy(5, [60], [60]))
        follow(rows, rows.deliveries.record_attempt(one, outcome))


def test_a_way_that_is_stopped_and_goes_again_is_told_once_each(registered: Rig) -> None:
    registered.deliver()
    rig = with_hook(registered, "way.stopped", "way.resumed")
    rig.ok(SEND)
    parked = Outcome(OutcomeKind.RETRY, rig.clock.now, 500, news=WayNews.STOPS_WAY)
    attempt(rig, parked)
    (stopped,) = told(rig)
    assert stopped["subject"] == stopped["data"]["destination"] == "fk"
    assert (stopped["data"]["cause"], stopped["data"]["logicalAddress"]) == ("parked", FK)
    rig.clock.now = rig.clock.now.replace(year=2027)
    attempt(rig, parked)  # the try in vain
    rig.clock.now = rig.clock.now.replace(year=2028)
    attempt(rig, Outcome(OutcomeKind.DELIVERED, news=WayNews.ANSWERED))
    assert types(rig) == ["way.stopped", "way.resumed"]


def test_a_pause_is_told_and_one_of_the_hook_itself_is_not(registered: Rig) -> None:
    rig = with_hook(registered, "way.stopped", "way.resumed")
    operate.pause(rig.services, "fk", "they move", "Åsa")
    operate.pause(rig.services, "told", "full", "Åsa")
    operate.resume(rig.services, "fk", "Åsa")
    assert types(rig) == ["way.stopped", "way.resumed"]
    assert [one["data"]["cause"] for one in told(rig)] == ["paused", "paused"]
    assert "they move" not in json.dumps(told(rig))


def test_what_is_parked_or_given_up_by_hand_is_told(registered: Rig) -> None:
    registered.deliver()
    rig = with_hook(registered, "delivery.failed", "delivery.unknown")
    rig.ok(SEND)
    for _ in range(3):
        assert rig.services.store.claim("w", 100, 60.0)
        rig.clock.now = rig.clock.now.replace(year=rig.clock.now.year + 1)
        rig.services.store.recover_expired(
            ["RegisterCertificate:3"],
            lambda rows, one: announce_parked(rig.services, rows, one),
        )
    assert types(rig) == ["delivery.unknown"]
    wanted = DeliveryFilter(contract="RegisterCertificate")
    order = operate.Order(operate.Action.GIVE_UP, wanted, "not theirs", "Åsa")
    operate.carry_out(order, rig.services)
    assert types(rig) == ["delivery.unknown", "delivery.failed"]


@pytest.mark.parametrize(
    ("kind", "is_test", "queued"),
    [("mock", 1, True), ("mock", 0, False), ("real", 1, False), ("real", 0, False)],
)
def test_what_the_guard_will_surely_stop_is_not_queued(
    registered: Rig, kind: str, is_test: int, queued: bool
) -> None:
    """Outside production, where no real system is told of anybody."""
    rig = with_hook(registered, "delivery.delivered", kind=kind, allow=True)
    with rig.services.store.begin() as rows:
        rows.transaction.connection.exec_driver_sql(f"UPDATE intyg SET is_test = {is_test}")
    rig.deliver()
    assert bool(told(rig)) is queued


def test_ids_that_look_like_a_person_are_not_told(registered: Rig) -> None:
    rig = with_hook(registered, "message.received")
    rig.ok(builders.send_message_to_care(f"m-{builders.PATIENT}"))
    (event,) = told(rig)
    assert event["data"]["meddelandeId"] == "(masked)"


def test_without_hooks_nothing_is_queued_for_any(registered: Rig) -> None:
    registered.ok(SEND, builders.send_message_to_care("q-1"))
    registered.deliver()
    assert told(registered) == []


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"secret_file": None}, "a hook needs a secret_file"),
        ({"role": "care"}, "secret_file and events are for role hook"),
        ({"role": "care", "secret_file": None, "events": ["way.stopped"]}, "are for role hook"),
        ({"events": ["way.moved"]}, "way.stopped"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused(row: dict[str, Any], why: str) -> None:
    assert hook_row().secret_file == Path("secret")
    with pytest.raises(ValueError, match=why):
        hook_row(**row)
