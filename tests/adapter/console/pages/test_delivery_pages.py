"""Deliveries on pages: by cause, filtered, and what an operator does with all that are found."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Final

import pytest
from flask.testing import FlaskClient

from intyg.adapter.audit.log import AuditKey, AuditLog
from intyg.adapter.domain.delivery import DeliveryState
from intyg.adapter.domain.delivery_filter import DeliveryFilter
from intyg.adapter.domain.way import WayCause
from intyg.adapter.flows.services import Services
from intyg.adapter.settings.settings import Settings
from tests import builders
from tests.adapter.console import five_deliveries
from tests.adapter.console.pages.entering import enter
from tests.adapter.flows.rig import FK, Rig

PATH: Final = "/console/deliveries"
REASON: Final = "the schema was theirs"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Five certificates: four refused by FK, one whose arrival is not known."""
    with five_deliveries.played(tmp_path) as rig:
        yield rig


@pytest.fixture
def services(rig: Rig) -> Services:
    return replace(rig.services, audit=AuditLog(rig.services.store, AuditKey(b"s" * 32)))


@pytest.fixture
def operator(services: Services, settings: Settings) -> FlaskClient:
    return enter(services, settings, "operator")


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return unescape(found[1])


def link(page: str, word: str) -> str:
    found = re.search(rf'href="([^"]+)"[^>]*>{re.escape(word)}<', page)
    assert found, word
    return unescape(found[1])


def states(rig: Rig, **wanted: object) -> list[str]:
    with rig.services.store.read() as rows:
        found = rows.search.find(DeliveryFilter(**wanted), 100)  # type: ignore[arg-type]
    return [one.state.value for one in found if one.logical_address == FK]


def send(client: FlaskClient, address: str, **form: str) -> tuple[int, str]:
    page = client.get(address).text
    fields = {name: hidden(page, name) for name in ("csrf", "request", "asked")}
    answer = client.post(address, data={**fields, "reason": REASON, **form})
    return answer.status_code, answer.location or answer.text


def test_what_has_not_arrived_stands_by_cause(operator: FlaskClient) -> None:
    page = operator.get(PATH).text
    assert "5 leveranser är inte framme" in page
    told = re.findall(r"<strong>(\d+)</strong>.*?<h3>([^<]+)</h3>", page, re.S)
    assert told == [
        ("4", "Mottagaren godtog inte innehållet"),
        ("1", "Svaret uteblev, det kan ha kommit fram"),
    ]
    assert "wrong: " not in page
    assert '<span class="count">5</span>' in operator.get("/console").text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param("state=refused", 4, id="state"),
        pytest.param("code=VALIDATION_ERROR", 4, id="code"),
        pytest.param("code=-", 1, id="without a code"),
        pytest.param("words=the+request+is+wrong", 4, id="words"),
        pytest.param("words=the+request", 0, id="no part of the words"),
        pytest.param("intygsId=intyg-4", 1, id="certificate"),
        pytest.param(f"unit={builders.UNIT.lower()}", 5, id="unit in small letters"),
        pytest.param("period=hour", 5, id="the last hour"),
        pytest.param("destination=-", 0, id="all have a route"),
        pytest.param("state=paused", 0, id="nothing is paused"),
    ],
)
def test_a_filter_stands_in_the_address(operator: FlaskClient, query: str, count: int) -> None:
    page = operator.get(f"{PATH}?{query}&contract=RegisterCertificate&view=list").text
    assert page.count('class="mono"') == count
    assert ("Inget stämmer med filtret" in page) == (count == 0)


def test_a_filter_that_cannot_be_is_told(operator: FlaskClient) -> None:
    answer = operator.get(f"{PATH}?state=lost")
    assert answer.status_code == 400
    assert "state: lost is none of queued" in answer.text


def test_a_list_goes_on_where_its_page_ended(
    operator: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intyg.adapter.console.pages.deliveries.PAGE", 3)
    first = operator.get(f"{PATH}?view=list").text
    second = operator.get(link(first, "Nyare")).text
    seen = [re.findall(r'class="vh">(intyg-\d)<', page) for page in (first, second)]
    assert seen == [["intyg-0", "intyg-1", "intyg-2"], ["intyg-3", "intyg-4"]]
    assert "Nyare" not in second


def test_a_long_list_says_that_there_are_more_and_a_dialog_how_many(
    operator: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intyg.adapter.console.pages.deliveries.MOST_OF_LIST", 3)
    assert "3 leveranser eller fler." in operator.get(f"{PATH}?view=list").text
    assert "Skicka 4 leveranser igen?" in operator.get(f"{PATH}/retry?state=refused&view=list").text


def test_all_of_a_cause_are_sent_again(rig: Rig, operator: FlaskClient) -> None:
    address = link(operator.get(PATH).text, "Skicka igen …")
    dialog = operator.get(address).text
    assert "Skicka 4 leveranser igen?" in dialog
    assert '<main id="main" tabindex="-1" inert>' in dialog
    status, location = send(operator, address, count="4")
    assert status == 303
    assert "4 leveranser skickas igen." in operator.get(location).text
    assert states(rig) == [*["queued"] * 4, "unknown"]
    with rig.services.store.read() as rows:
        (row,) = [each.entry for each in rows.audit.find(None, 1)]
    assert (row.action, row.actor) == ("operator deliveries retry", "operator")
    assert row.detail == f"4 changed, 0 left: {REASON}"


def test_the_rest_of_what_is_sent_again_is_stopped(rig: Rig, operator: FlaskClient) -> None:
    send(operator, link(operator.get(PATH).text, "Skicka igen …"), count="4", rate="0.01")
    rig.deliver()
    page = operator.get(PATH).text
    assert "3 leveranser som ska skickas igen har inte börjat än." in page
    address = link(page, "Stoppa resten …")
    dialog = operator.get(address).text
    assert "Stoppa 3 leveranser som inte har börjat?" in dialog
    form = {name: hidden(dialog, name) for name in ("csrf", "request")}
    assert operator.post(f"{PATH}/stop", data={**form, "reason": ""}).status_code == 400
    answer = operator.post(f"{PATH}/stop", data={**form, "reason": REASON})
    page = operator.get(answer.location).text
    assert ("3 leveranser är stoppade." in page, "Stoppa resten" in page) == (True, False)
    assert states(rig) == ["delivered", *["refused"] * 3, "unknown"]
    with rig.services.store.read() as rows:
        (row,) = [each.entry for each in rows.audit.find(None, 1)]
    assert (row.action, row.actor) == ("operator deliveries stop", "operator")
    assert row.detail == f"3 stopped of {form['request']}: {REASON}"
    assert operator.post(f"{PATH}/stop", data={**form, "reason": REASON}).status_code == 400


@pytest.mark.parametrize(
    ("typed", "asked", "says"),
    [("2", "4", "Antalet stämmer inte. Skriv 4."), ("5", "5", "Det är nu 4. Skriv 4.")],
)
def test_the_number_must_be_how_many_there_are(
    rig: Rig, operator: FlaskClient, typed: str, asked: str, says: str
) -> None:
    address = link(operator.get(PATH).text, "Skicka igen …")
    status, page = send(operator, address, count=typed, asked=asked)
    assert status == 409
    assert says in page
    assert REASON in page
    assert states(rig) == [*["refused"] * 4, "unknown"]


def test_a_person_number_is_no_reason(rig: Rig, operator: FlaskClient) -> None:
    address = link(operator.get(PATH).text, "Skicka igen …")
    status, page = send(operator, address, count="4", reason=f"about {builders.PATIENT}")
    assert status == 400
    assert "looks like a person number" in page
    assert states(rig)[0] == "refused"


def test_the_same_form_twice_is_done_once(rig: Rig, operator: FlaskClient) -> None:
    address = f"{PATH}/mark-delivered?state=unknown"
    page = operator.get(address).text
    form = {name: hidden(page, name) for name in ("csrf", "request", "asked")}
    answers = [operator.post(address, data={**form, "reason": REASON}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    assert states(rig)[4] == DeliveryState.DELIVERED


def test_one_is_given_up_without_typing_its_number(rig: Rig, operator: FlaskClient) -> None:
    status, _ = send(operator, f"{PATH}/give-up?state=unknown")
    assert (status, states(rig)[4]) == (303, "failed")


def test_a_recipient_is_paused_and_every_page_says_so(
    rig: Rig, operator: FlaskClient, services: Services, settings: Settings
) -> None:
    csrf = hidden(operator.get(f"{PATH}/pause").text, "csrf")
    form = {"csrf": csrf, "destination": "fk", "reason": "they move"}
    assert operator.post(f"{PATH}/pause", data=form).status_code == 303
    for page in ("/console", PATH, "/console/blocked"):
        said = enter(services, settings, "viewer").get(page).text
        assert re.search(r"fk är pausad sedan .* av operator: they move", said)
    with rig.services.store.read() as rows:
        assert [stop.cause for stop in rows.ways.stopped()] == [WayCause.PAUSED]
    operator.post(f"{PATH}/resume", data={"csrf": csrf, "destination": "fk"})
    assert "pausad sedan" not in operator.get(PATH).text
    assert operator.post(f"{PATH}/resume", data=form).status_code == 400


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"destination": "fk", "reason": " "}, "a reason is needed"),
        ({"destination": "nowhere", "reason": "x"}, "no destination nowhere"),
    ],
)
def test_a_pause_that_cannot_be(operator: FlaskClient, form: dict[str, str], says: str) -> None:
    csrf = hidden(operator.get(f"{PATH}/pause").text, "csrf")
    answer = operator.post(f"{PATH}/pause", data={**form, "csrf": csrf})
    assert (answer.status_code, says in answer.text) == (400, True)


@pytest.mark.parametrize("name", ["viewer", "auditor", "care"])
def test_only_operators_act(rig: Rig, services: Services, settings: Settings, name: str) -> None:
    client = enter(services, settings, name)
    csrf = hidden(client.get("/console/unit").text, "csrf")
    for address in (f"{PATH}/retry?state=refused", f"{PATH}/pause"):
        assert client.get(address).status_code == 403
        form = {"csrf": csrf, "reason": REASON, "count": "4", "destination": "fk"}
        assert client.post(address, data=form).status_code == 403
    assert states(rig)[0] == "refused"
    page = client.get(PATH)
    assert (page.status_code == 200) == (name != "care")
    assert "Skicka igen" not in page.text
