"""`/api/deliveries`, `/api/ways`, `/api/destinations` and `/api/openapi.json`."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from intyg.adapter.audit.log import AuditKey, AuditLog
from intyg.adapter.console.app import build_console
from intyg.adapter.console.openapi import OPERATIONS
from intyg.adapter.domain.delivery import DeliveryState, Outcome, OutcomeKind
from intyg.adapter.domain.destination import DestinationKind
from intyg.adapter.domain.way import Way, WayNews, WayPolicy
from intyg.adapter.guard.policy import REGISTERED_AS
from tests import builders
from tests.adapter.console import five_deliveries
from tests.adapter.console.five_deliveries import IDS, REFUSED, claim
from tests.adapter.flows.rig import FK, Rig

POLICY = WayPolicy(5, (60, 900), (30, 600))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with five_deliveries.played(tmp_path) as rig:
        yield rig


@pytest.fixture
def console(rig: Rig) -> FlaskClient:
    return build_console(rig.services).test_client()


def found(console: FlaskClient, query: str) -> dict[str, Any]:
    answer = console.get(f"/api/deliveries?{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    view: dict[str, Any] = answer.get_json()
    return view


def act(console: FlaskClient, action: str, **body: Any) -> Any:
    told = {"reason": "the schema was theirs", "by": "anna", **body}
    return console.post(f"/api/deliveries/{action}", json=told)


# --- looking --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param("state=refused", 4, id="state"),
        pytest.param("state=refused&state=unknown", 5, id="two states"),
        pytest.param("destination=fk", 5, id="destination"),
        pytest.param("contract=RegisterCertificate", 5, id="contract"),
        pytest.param("contract=RegisterCertificate:3", 5, id="contract with version"),
        pytest.param("contract=Register", 0, id="no part of a name"),
        pytest.param("errorId=VALIDATION_ERROR", 4, id="errorId"),
        pytest.param("code=VALIDATION_ERROR&state=refused", 4, id="code"),
        pytest.param("code=ERROR", 4, id="resultCode"),
        pytest.param("code=200", 4, id="HTTP"),
        pytest.param("intygsId=intyg-4&destination=fk", 1, id="certificate"),
        pytest.param(f"unit={builders.UNIT}&destination=fk", 5, id="unit"),
        pytest.param("unit=SE-NOBODY", 0, id="another unit"),
        pytest.param("since=2100-01-01T00:00:00Z", 0, id="since"),
        pytest.param("until=2100-01-01T00:00:00Z&destination=fk", 5, id="until"),
        pytest.param("code=%25", 0, id="no pattern"),
        pytest.param("words=it may have arrived", 1, id="first words"),
        pytest.param("words=it may_have arrived", 0, id="no pattern of words"),
        pytest.param("code=wrong", 4, id="in the detail"),
        pytest.param("code=req_est", 0, id="no pattern of one"),
    ],
)
def test_deliveries_are_found_by_what_is_said(console: FlaskClient, query: str, count: int) -> None:
    view = found(console, query)
    assert (view["total"], len(view["deliveries"])) == (count, count)


def test_causes_are_counted_with_their_first_words(console: FlaskClient) -> None:
    causes = found(console, "destination=fk&limit=1")["causes"]
    assert [(one["count"], one["state"], one["code"], one["words"]) for one in causes] == [
        (4, "refused", "VALIDATION_ERROR", "the request is wrong"),
        (1, "unknown", "", "it may have arrived"),
    ]
    assert all(one["oldest"] <= one["newest"] for one in causes)


def test_a_delivery_is_shown_with_its_attempts_and_no_person(console: FlaskClient) -> None:
    (one,) = found(console, "intygsId=intyg-0&destination=fk")["deliveries"]
    answer = console.get(f"/api/deliveries/{one['id']}")
    (attempt,) = answer.get_json()["attemptsMade"]
    assert (attempt["outcome"], attempt["errorId"]) == ("refused", "VALIDATION_ERROR")
    assert builders.PATIENT not in answer.get_data(as_text=True)
    assert console.get("/api/deliveries/none").status_code == 404


@pytest.mark.parametrize(
    ("query", "says"),
    [
        pytest.param("state=lost", "state: lost is none of queued", id="no such state"),
        pytest.param("sate=failed", "sate: Extra inputs", id="misspelt"),
        pytest.param("since=soon", "since: ", id="no time"),
        pytest.param("since=2026-01-01T00:00:00", "since: ", id="no zone"),
        pytest.param("state=parked&state=failed", "parked stands alone", id="parked and more"),
    ],
)
def test_a_question_that_is_wrong_says_where(console: FlaskClient, query: str, says: str) -> None:
    answer = console.get(f"/api/deliveries?{query}")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert says in answer.get_json()["detail"]


# --- sending again --------------------------------------------------------------------------------


def test_what_was_refused_is_sent_again_in_its_old_order_and_spread(
    console: FlaskClient, rig: Rig
) -> None:
    answer = act(console, "retry", state=["refused"], perSecond=0.5)
    assert answer.status_code == 200
    done = answer.get_json()
    assert (len(done["changed"]), done["left"], done["repeated"]) == (4, [], False)
    queued = [one for one in rig.deliveries(None) if one.state is DeliveryState.QUEUED]
    assert [one.new.intygs_id for one in queued] == IDS[:4]
    waits = [(b.due_at - a.due_at).total_seconds() for a, b in itertools.pairwise(queued)]
    assert all(wait >= 2 for wait in waits)
    assert {one.attempts for one in queued} == {0}


def test_what_has_not_begun_is_stopped_and_stands_as_before(console: FlaskClient, rig: Rig) -> None:
    act(console, "retry", state=["refused", "unknown"], perSecond=0.01, requestId="r-9")
    rig.deliver()
    answer = act(console, "retry/r-9/stop")
    assert (len(answer.get_json()["stopped"]), answer.get_json()["gone"]) == (4, 1)
    to_fk = [one for one in rig.deliveries(None) if one.new.logical_address == FK]
    assert [one.state.value for one in to_fk] == ["delivered", *["refused"] * 3, "unknown"]
    last = to_fk[1].last_outcome
    assert (last and last.detail) == REFUSED.detail
    for wrong in ("retry/r-9/stop", "retry/r-8/stop"):
        assert act(console, wrong).status_code == 409


def test_a_dry_run_changes_nothing(console: FlaskClient, rig: Rig) -> None:
    before = rig.row_count()
    done = act(console, "retry", state=["refused"], dryRun=True).get_json()
    assert (len(done["changed"]), done["causes"][0]["count"], done["dryRun"]) == (4, 4, True)
    assert rig.row_count() == before
    assert found(console, "state=refused")["total"] == 4


def test_the_same_request_twice_is_done_once(console: FlaskClient, rig: Rig) -> None:
    first = act(console, "retry", state=["refused"], requestId="r-1").get_json()
    rig.deliver(REFUSED)
    second = act(console, "retry", state=["refused"], requestId="r-1").get_json()
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert second["changed"] == first["changed"]
    assert found(console, "state=refused")["total"] == 4  # not sent a third time
    other = act(console, "retry", state=["unknown"], requestId="r-1")
    assert (other.status_code, other.get_json()["detail"]) == (
        409,
        "this request id was used for another request",
    )


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        pytest.param({"state": ["failed"]}, 409, "no delivery is like this", id="nothing"),
        pytest.param({"destination": "mars"}, 409, "no delivery is like this", id="no destination"),
        pytest.param(
            {"state": ["refused"], "atMost": 3}, 409, "4 deliveries are like this", id="too many"
        ),
        pytest.param({"state": ["refused"], "reason": " "}, 409, "a reason is needed", id="why"),
        pytest.param({"state": ["refused"], "by": ""}, 409, "who does it", id="who"),
        pytest.param(
            {"state": ["refused"], "reason": "for 19890101-9802 again"},
            409,
            "looks like a person number",
            id="a person",
        ),
        pytest.param({}, 400, "say which deliveries", id="everything"),
        pytest.param({"stat": ["refused"]}, 400, "stat: ", id="misspelt"),
        pytest.param({"state": ["refused"], "perSecond": 0}, 400, "perSecond: ", id="never"),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(
    console: FlaskClient, rig: Rig, body: dict[str, Any], status: int, says: str
) -> None:
    before = rig.row_count()
    answer = act(console, "retry", **body)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert says in answer.get_json()["detail"]
    assert rig.row_count() == before


def test_the_guard_is_asked_anew_and_leaves_what_it_blocks(rig: Rig) -> None:
    real = rig.with_settings(kind=DestinationKind.REAL)
    console = build_console(real.services).test_client()
    done = act(console, "retry", state=["refused"]).get_json()
    assert done["changed"] == []
    assert [one["why"].partition(":")[0] for one in done["left"]] == ["the guard blocks it"] * 4
    assert found(console, "state=refused")["total"] == 4


def test_the_mark_of_the_certificate_counts_whatever_the_list_says_now(
    rig: Rig, console: FlaskClient
) -> None:
    """Those of patients who were nobody's test patients then do not go to a mock."""
    with rig.services.store.begin() as rows:
        rows.transaction.connection.exec_driver_sql("UPDATE intyg SET is_test = 0")
    left = act(console, "retry", state=["refused"]).get_json()["left"]
    why = f"the guard blocks it: {REGISTERED_AS[False].signal_and_why}"
    assert [one["why"] for one in left] == [why] * 4


def test_a_revoked_certificate_is_left(console: FlaskClient, rig: Rig) -> None:
    rig.ok(builders.revoke_certificate(IDS[0]))
    done = act(console, "retry", state=["refused"]).get_json()
    assert len(done["changed"]) == 3
    assert "revoked" in done["left"][0]["why"]


def test_one_row_in_the_audit_log_says_who_and_why(rig: Rig) -> None:
    audit = AuditLog(rig.services.store, AuditKey(b"k" * 32))
    audit.check_key()
    act(build_console(replace(rig.services, audit=audit)).test_client(), "retry", state=["refused"])
    with rig.services.store.read() as rows:
        (row,) = rows.audit.find(None, 10)
    assert (row.entry.action, row.entry.actor) == ("operator deliveries retry", "anna")
    assert row.entry.detail == "4 changed, 0 left: the schema was theirs"


# --- ending by hand -------------------------------------------------------------------------------


def test_what_arrived_after_all_has_its_consequences(console: FlaskClient, rig: Rig) -> None:
    (one,) = found(console, "state=unknown")["deliveries"]
    assert "SKICKA" not in rig.events(IDS[4])
    done = act(console, "mark-delivered", ids=[one["id"]]).get_json()
    assert done["changed"] == [one["id"]]
    assert rig.events(IDS[4])[-1] == "SKICKA"
    view = console.get(f"/api/deliveries/{one['id']}").get_json()
    assert (view["state"], view["detail"]) == (
        "delivered",
        "marked as delivered: the schema was theirs",
    )


def test_what_is_given_up_has_failed(console: FlaskClient) -> None:
    done = act(console, "give-up", state=["unknown"]).get_json()
    assert len(done["changed"]) == 1
    (one,) = found(console, "state=failed")["deliveries"]
    assert one["detail"] == "given up: the schema was theirs"
    left = act(console, "give-up", state=["refused"]).get_json()
    assert (left["changed"], len(left["left"])) == ([], 4)


# --- ways -----------------------------------------------------------------------------------------


def test_a_destination_is_paused_and_resumed(console: FlaskClient, rig: Rig) -> None:
    told = {"reason": "they move", "by": "anna"}
    assert console.post("/api/destinations/fk/pause", json=told).status_code == 200
    act(console, "retry", state=["refused"])
    assert [one for one in claim(rig) if one.new.logical_address == FK] == []
    assert found(console, "state=paused")["total"] == 4
    view = console.get("/api/ways").get_json()
    (lane,) = [one for one in view["destinations"] if one["destination"] == "fk"]
    assert (lane["state"], lane["waiting"]) == ("paused", 4)
    (stop,) = view["stopped"]
    assert (stop["cause"], stop["reason"], stop["by"]) == ("paused", "they move", "anna")
    assert console.post("/api/destinations/fk/resume", json={"by": "anna"}).get_json()[
        "resumed"
    ] == ["fk * *"]
    assert len(claim(rig)) > 0


@pytest.mark.parametrize(
    ("path", "says"),
    [
        pytest.param("mars/pause", "no destination mars; there are ehr, fk", id="unknown"),
        pytest.param("mars/resume", "no destination mars; there are ehr, fk", id="unknown too"),
        pytest.param("fk/resume", "nothing is stopped on the way to fk", id="not stopped"),
    ],
)
def test_a_way_that_cannot_be_changed_says_why(console: FlaskClient, path: str, says: str) -> None:
    answer = console.post(f"/api/destinations/{path}", json={"reason": "why", "by": "who"})
    assert (answer.status_code, answer.get_json()["detail"]) == (409, says)


def test_monitoring_sees_each_destination(console: FlaskClient, rig: Rig) -> None:
    act(console, "retry", state=["refused"])
    (first, *_) = [one for one in claim(rig) if one.new.logical_address == FK]
    stop = Outcome(OutcomeKind.RETRY, retry_at=rig.clock(), detail="VP007", news=WayNews.STOPS_WAY)
    with rig.services.store.begin() as rows:
        rows.ways.note(first, stop, POLICY)
        rows.deliveries.record_attempt(first, stop)
        assert [one.way for one in rows.ways.stopped()] == [Way("fk", "RegisterCertificate:3", FK)]
    health = console.get("/health").get_json()
    (lane,) = [one for one in health["destinations"] if one["destination"] == "fk"]
    assert (lane["state"], lane["waiting"] + lane["inFlight"]) == ("parked", 4)
    metrics = console.get("/metrics").get_data(as_text=True)
    assert 'intyg_destination_stopped{cause="parked",destination="fk"} 1.0' in metrics
    assert 'intyg_destination_oldest_due_seconds{destination="fk"}' in metrics
    assert 'intyg_destination_waiting{destination="ehr"} 0.0' in metrics


def test_health_tells_strangers_no_destination(rig: Rig) -> None:
    closed = rig.with_settings(console={"token": "a token of 16 or more"})
    console = build_console(closed.services).test_client()
    assert "destinations" not in console.get("/health").get_json()
    token = {"Authorization": "Bearer a token of 16 or more"}
    assert "destinations" in console.get("/health", headers=token).get_json()


# --- the description ------------------------------------------------------------------------------


def test_every_path_is_described_and_nothing_else(rig: Rig) -> None:
    app = build_console(rig.services)
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api")
    }
    beside = {each for each in served if each[1].startswith("/api/utkast")}
    assert served - beside == set(OPERATIONS)
    document = app.test_client().get("/api/openapi.json").get_json()
    described = {(method.upper(), path) for path, of in document["paths"].items() for method in of}
    assert described == served
    schema = document["components"]["schemas"]["ActionRequest"]
    assert {"reason", "dryRun", "perSecond", "errorId"} <= set(schema["properties"])
