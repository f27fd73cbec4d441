"""What begins a script of each persona, and what is said then, between the two of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from intyg.mocks import forsakringskassan, journalsystem
from intyg.mocks.clock.timeline import Timeline
from intyg.mocks.conversations import Event, Happening, Script
from intyg.mocks.forsakringskassan.meddelanden import Komplettering
from intyg.mocks.server.serving import MockServer, serve
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.mocks.calls import post, result
from tests.mocks.journalsystem.test_persona import status_update
from tests.mocks.kinds import Ehr, Kassan

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
FK_FIELDS = {
    "typ": "LISJP",
    "version": "1.3",
    "unit": builders.UNIT,
    "person": builders.PATIENT,
}


@pytest.fixture
def line() -> Timeline:
    line = Timeline(lambda: NOON)
    line.freeze()
    return line


@pytest.fixture
def kassan(contracts: Contracts, types: IntygTypes, line: Timeline) -> Kassan:
    return forsakringskassan.PERSONA.make(contracts, types, clock=line)


@pytest.fixture
def ehr(contracts: Contracts, types: IntygTypes, line: Timeline) -> Ehr:
    return journalsystem.PERSONA.make(contracts, types, clock=line)


@pytest.fixture
def server(kassan: Kassan) -> Iterator[MockServer]:
    with serve(kassan) as running:
        yield running


@pytest.fixture
def ehr_server(ehr: Ehr) -> Iterator[MockServer]:
    with serve(ehr) as running:
        yield running


def script(persona: str, when: Event, *steps: dict[str, Any]) -> Script:
    return Script.model_validate(
        {"id": f"on-{when}", "persona": persona, "when": when, "steps": steps}
    )


def taken(server: MockServer, *bodies: bytes) -> None:
    for body in bodies:
        to = builders.UNIT if b"ToCare" in body or b"ForCare" in body else "FKASSA"
        assert result(post(server, body, logical_address=to))[0] == "OK"


def test_what_befalls_a_certificate_begins_scripts_of_an_authority(
    server: MockServer, kassan: Kassan
) -> None:
    kassan.persona.player.add(script("forsakringskassan", event) for event in Event)
    care = builders.send_message_to_recipient
    taken(
        server,
        builders.register_certificate(),
        builders.register_certificate("new-1", relation=("KOMPLT", builders.INTYGS_ID)),
        builders.register_certificate("new-2", relation=("ERSATT", builders.INTYGS_ID)),
        care("care-1", "AVSTMN", mottagare="FKASSA"),
        care("care-2", "PAMINN", mottagare="FKASSA", paminner="care-1"),
        builders.revoke_certificate(),
    )
    assert [each.about for each in kassan.persona.player.conversations()] == [
        Happening(Event.INTYG, builders.INTYGS_ID, None, FK_FIELDS),
        Happening(Event.COMPLEMENT, "new-1", None, FK_FIELDS),
        Happening(Event.INTYG, "new-2", None, FK_FIELDS),
        Happening(Event.QUESTION, builders.INTYGS_ID, "care-1", {**FK_FIELDS, "amne": "AVSTMN"}),
        Happening(Event.REVOKED, builders.INTYGS_ID, None, FK_FIELDS),
    ]


def test_what_care_is_told_begins_scripts_of_an_ehr(ehr_server: MockServer, ehr: Ehr) -> None:
    ehr.persona.player.add(script("journalsystem", event) for event in Event)
    care = builders.send_message_to_care
    taken(
        ehr_server,
        status_update("NYFRFM", amne="KOMPLT"),
        care("q-1", "AVSTMN"),
        care("q-2", "PAMINN", paminner="q-1"),
        care("q-3", "KONTKT", svar_pa="care-1"),
        status_update("SIGNAT"),
    )
    about = {"unit": builders.UNIT, "person": builders.PATIENT}
    told = {**FK_FIELDS, "handelse": "NYFRFM", "amne": "KOMPLT"}
    signed = {**FK_FIELDS, "handelse": "SIGNAT"}
    assert [each.about for each in ehr.persona.player.conversations()] == [
        Happening(Event.HANDELSE, builders.INTYGS_ID, None, told),
        Happening(Event.QUESTION, builders.INTYGS_ID, "q-1", {**about, "amne": "AVSTMN"}),
        Happening(Event.REMINDER, builders.INTYGS_ID, "q-2", {**about, "amne": "PAMINN"}),
        Happening(Event.ANSWER, builders.INTYGS_ID, "q-3", {**about, "amne": "KONTKT"}),
        Happening(Event.HANDELSE, builders.INTYGS_ID, None, signed),
    ]


ROWS = [{"frage_id": "35", "text": "Hur långt?", "instans": 2}, {"frage_id": "17", "text": "Var?"}]
ASKS = (
    {"after": "1m", "ask": {"amne": "OVRIGT", "text": "Hur går det?", "rubrik": "R", "as": "q"}},
    {"after": "1m", "ask_komplt": {"komplettering": ROWS, "text": "Mer", "as": "k"}},
    {"after": "1m", "if": {"unanswered": "q"}, "remind": {"of": "q", "text": "Hallå?"}},
    {"after": "1m", "if": {"answered": "k"}, "remind": {"of": "k"}},
)


def test_an_authority_asks_reminds_and_answers(
    server: MockServer, kassan: Kassan, ehr_server: MockServer, ehr: Ehr, line: Timeline
) -> None:
    kassan.send_to(ehr_server.url)
    answers = {"answer": {"text": "Ja, på torsdag"}}
    kassan.persona.player.add(
        [
            script("forsakringskassan", Event.INTYG, *ASKS),
            script("forsakringskassan", Event.QUESTION, answers),
        ]
    )
    taken(server, builders.register_certificate())
    line.advance(timedelta(minutes=5))
    taken(server, builders.send_message_to_recipient("care-1", "AVSTMN", mottagare="FKASSA"))
    line.advance(timedelta())
    asked, komplt, reminder, answer = ehr.persona.meddelanden(builders.INTYGS_ID)
    assert [
        (each.amne, each.text, each.frage_ids, each.paminner, each.svar_pa)
        for each in (asked, komplt, reminder, answer)
    ] == [
        ("OVRIGT", "Hur går det?", (), None, None),
        ("KOMPLT", "Mer", ("35", "17"), None, None),
        ("PAMINN", "Hallå?", (), asked.meddelande_id, None),
        ("AVSTMN", "Ja, på torsdag", (), None, "care-1"),
    ]
    assert kassan.persona.meddelande(asked.meddelande_id).rubrik == "R"
    assert kassan.persona.meddelande(komplt.meddelande_id).komplettering == (
        Komplettering("35", "Hur långt?", 2),
        Komplettering("17", "Var?", None),
    )
    first, second = kassan.persona.player.conversations()
    assert [(each.step, each.does, each.came_to) for each in first.done] == [
        (1, "ask", "accepted"),
        (2, "ask_komplt", "accepted"),
        (3, "remind", "accepted"),
        (4, "remind", "left out: k is open"),
    ]
    assert [each.meddelande_id for each in second.done] == [answer.meddelande_id]


def test_an_ehr_asks_and_answers(
    server: MockServer, kassan: Kassan, ehr_server: MockServer, ehr: Ehr, line: Timeline
) -> None:
    kassan.send_to(ehr_server.url)
    ehr.send_to(server.url)
    # the mock stands where an adapter does, and takes no other name than its own
    ehr.place.settings = replace(ehr.settings, adapter_logical_address="FKASSA")
    ehr.persona.player.add(
        [
            script("journalsystem", Event.QUESTION, {"answer": {"text": "Bra"}}),
            script(
                "journalsystem",
                Event.HANDELSE,
                {"ask": {"amne": "KONTKT", "text": "Kan vi ses?", "as": "q"}},
                {"after": "1m", "ask": {"amne": "KOMPLT", "text": "Fel", "as": "r"}},
                {"if": {"refused": "r"}, "ask": {"amne": "AVSTMN", "text": "Möte?"}},
                {"if": {"answered": "q"}, "ask": {"amne": "OVRIGT", "text": "Tack"}},
            ),
        ]
    )
    taken(server, builders.register_certificate())
    question = kassan.persona.ask(builders.INTYGS_ID, "OVRIGT", "Hur går det?")
    taken(ehr_server, status_update("SIGNAT"))
    line.advance(timedelta())
    first, second = ehr.persona.player.conversations()
    line.advance(timedelta(minutes=1))
    said = kassan.persona.meddelanden()[1:]
    assert [(each.amne, each.text, each.svar_pa) for each in said] == [
        ("OVRIGT", "Bra", question.meddelande_id),
        ("KONTKT", "Kan vi ses?", None),
        ("AVSTMN", "Möte?", None),
    ]
    assert [each.came_to for each in first.done] == ["accepted"]
    assert [each.came_to for each in second.done] == [
        "accepted",
        "not accepted: VALIDATION_ERROR",
        "accepted",
        "left out: q is open",
    ]


def test_scripts_are_had_over_http(server: MockServer) -> None:
    url = f"{server.url}/control/scripts"
    made = script("forsakringskassan", Event.INTYG, *ASKS[:1])
    told = made.model_dump(mode="json", by_alias=True)
    added = requests.post(url, json=told, timeout=5).json()
    assert added == requests.get(url, timeout=5).json()
    [there] = added["scripts"]
    assert (there["id"], there["steps"][0]["ask"]["text"]) == (made.id, "Hur går det?")
    taken(server, builders.register_certificate())
    [begun] = requests.get(f"{server.url}/control/conversations", timeout=5).json()["conversations"]
    assert (begun["script"], begun["intygs_id"]) == (made.id, builders.INTYGS_ID)
    assert (begun["when"], begun["done"], begun["left"]) == ("intyg", [], 1)
    assert requests.delete(url, timeout=5).json() == {}
    assert requests.get(url, timeout=5).json() == {"scripts": []}
    assert server.mock.persona.player.conversations() == ()  # type: ignore[attr-defined]
