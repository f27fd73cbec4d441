"""The mocks' pages: what came, why it was answered so, and buttons that make it happen."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from intyg.mocks.pages.as_test import quoted
from intyg.mocks.pages.visit import key_of
from intyg.mocks.personas import PERSONAS, make_personas
from intyg.mocks.rules.parse import parse_rule
from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.service import MockService
from intyg.mocks.server.serving import run_mocks
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes
from tests import builders
from tests.mocks.calls import post
from tests.mocks.pages.looking import Looker, words

FK, EHR = "forsakringskassan", "journalsystem"
ONE = f"/mock/{FK}/intyg?id={builders.INTYGS_ID}"
TOKEN = "a-token-of-tests-0123456789"

Mocks = Mapping[str, MockService[Persona]]


@pytest.fixture
def mocks(contracts: Contracts, types: IntygTypes) -> Iterator[Mocks]:
    """All six, running; the EHR takes the adapter's place for what Försäkringskassan says."""
    made = make_personas(contracts, types)
    with run_mocks({key: made[key] for key in (FK, EHR)}) as running:
        made[FK].send_to(running[EHR].url)
        made[FK].rules.add(parse_rule(RULE))
        post(running[FK], builders.register_certificate())
        yield made


RULE = {
    "id": "flaky",
    "match": {"contract": "RegisterCertificate", "typ": "DB", "person": builders.PATIENT},
    "answers": [{"kind": "error", "error_id": "TECHNICAL_ERROR"}],
}


@pytest.fixture
def looker(mocks: Mocks) -> Looker:
    return Looker(mocks[FK])


def test_addresses_name_mocks_as_fixtures_do() -> None:
    assert [key_of(each.settings.name) for each in PERSONAS.values()] == list(PERSONAS)


PLACES = (
    "", "/", "/clock", "/runs", "/test",
    *(f"/{key}{tab}" for key in PERSONAS for tab in ("", "/journal", "/rules")),
    *(f"/{FK}/journal/1?tab={tab}" for tab in ("why", "readable", "request", "reply", "headers")),
    f"/{FK}/intyg?id={builders.INTYGS_ID}",
)  # fmt: skip


@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_page_says_that_it_is_a_mock_and_shows_nobodys_number(
    looker: Looker, language: str
) -> None:
    for place in PLACES:
        page = looker.get(f"/mock{place}", headers={"Accept-Language": language})
        assert f'<html lang="{language}"' in page.text
        assert 'class="env env-mock"' in page.text
        assert builders.PATIENT not in page.text, place
        assert page.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_the_strip_says_which_mock_it_is(looker: Looker) -> None:
    assert "<strong>Attrapp: F\u00f6rs\u00e4kringskassan</strong>" in looker.get(f"/mock/{FK}").text
    assert "<strong>Attrapp</strong>" in looker.get("/mock").text


def test_a_question_that_was_asked_by_a_button_stands_in_the_ehrs_journal(looker: Looker) -> None:
    told = looker.post(ONE, do="ask", amne="OVRIGT", text="Arbetar patienten kvällar?")
    assert "Adaptern tog emot det: OK" in looker.text(told.location)
    assert "SendMessageToCare Anrop 1 OVRIGT" in looker.text(f"/mock/{EHR}/journal?amne=OVRIGT")
    said = looker.text(f"/mock/{EHR}/journal/1?tab=readable")
    assert "Arbetar patienten kvällar?" in said


def test_it_asks_for_completion_and_reminds(looker: Looker, mocks: Mocks) -> None:
    looker.post(ONE, do="ask_komplt", frage_id="35", text="Mer, tack")
    [asked] = mocks[FK].persona.meddelanden()  # type: ignore[attr-defined]
    looker.post(ONE, do="remind", meddelande_id=asked.meddelande_id)
    assert [each.amne for each in mocks[EHR].persona.meddelanden()] == ["KOMPLT", "PAMINN"]  # type: ignore[attr-defined]
    assert "35: Mer, tack" in looker.text(ONE)


def test_what_cannot_be_done_is_said_and_what_was_typed_is_kept(looker: Looker) -> None:
    told = looker.post(ONE, 400, do="ask", amne="OVRIGT", text="Vem?", sista_datum="8/12")
    assert "sista_datum_for_svar" in told.text
    assert ">Vem?</textarea>" in told.text
    assert looker.post(f"/mock/{FK}/rules", 400, do="misbehave", count="0", name="TIMEOUT",
                       contract="RegisterCertificate").status_code == 400  # fmt: skip


def test_a_call_says_why_each_rule_acted_or_not(looker: Looker) -> None:
    said = looker.text(f"/mock/{FK}/journal/1")
    assert "Stämmer inte flaky" in said
    assert "Stämmer contract RegisterCertificate RegisterCertificate" in said
    assert "Stämmer inte typ DB LISJP" in said
    assert "Stämmer person 18900101-•••• 18900101-••••" in said


def test_a_call_that_no_rule_was_asked_about_says_where_it_was_refused(
    looker: Looker, mocks: Mocks
) -> None:
    looker.client.post("/", data=b"<broken", content_type="text/xml")
    assert "anropet nekades vid kontrollen envelope" in looker.text(f"/mock/{FK}/journal/2")


def test_a_number_and_the_bytes_as_they_came_are_given_when_asked_for(
    looker: Looker, mocks: Mocks
) -> None:
    path = f"/mock/{FK}/journal/1"
    assert builders.PATIENT in looker.post(path + "?tab=readable", 200, tab="readable").text
    given = looker.post(path + "?tab=request", 200, tab="request", do="file")
    entry = mocks[FK].journal.get(1)
    assert entry is not None
    assert given.data == entry.request
    assert "attachment" in given.headers["Content-Disposition"]


def test_the_journal_is_filtered_by_its_address(looker: Looker) -> None:
    path = f"/mock/{FK}/journal"
    assert "1 anrop stämmer" in looker.text(f"{path}?contract=RegisterCertificate&result_code=")
    nothing = looker.text(f"{path}?where=typ%3DDB")
    assert "Inget stämmer med filtret" in nothing
    assert "Närmast är anrop 1" in nothing
    assert "Stämmer inte typ =DB LISJP" in nothing
    wrong = looker.client.get(f"{path}?where=tpy%3DDB")
    assert (wrong.status_code, "tpy" in words(wrong.text)) == (400, True)


def test_a_rule_is_switched_off_and_on_and_keeps_its_count(looker: Looker, mocks: Mocks) -> None:
    looker.post(f"/mock/{FK}/rules", do="misbehave", contract="RegisterCertificate",
                name="ERROR", error_id="TECHNICAL_ERROR", count="5")  # fmt: skip
    [rule, _] = mocks[FK].rules.book.all()
    body = builders.register_certificate(intygs_id="another")
    with run_mocks({FK: mocks[FK]}) as running:
        post(running[FK], body)
        looker.post(f"/mock/{FK}/rules", do="switch", rule=rule.id, enabled="0")
        assert "OK" in post(running[FK], body).text
    looker.post(f"/mock/{FK}/rules", do="switch", rule=rule.id, enabled="1")
    assert mocks[FK].rules.book.acted(rule.id) == 1
    assert "ERROR" not in looker.text(f"/mock/{FK}/journal/3?tab=headers")
    assert "Avstängd" in looker.text(f"/mock/{FK}/journal/3")
    looker.post(f"/mock/{FK}/rules", do="remove", rule=rule.id)
    assert [each.id for each in mocks[FK].rules.book.all()] == ["flaky"]


def test_the_clock_is_moved_stopped_and_set(looker: Looker, mocks: Mocks) -> None:
    line = mocks[FK].timeline
    before = line.freeze().now
    looker.post("/mock/clock", step="7d")
    assert (line.read().now - before).days == 7
    looker.post("/mock/clock", do="run")
    assert not line.read().frozen
    looker.post("/mock/clock", do="set", now=f"{before.year + 1}-12-24 15:00")
    assert "torsdag" in looker.text("/mock/clock") or "dag 24 december" in looker.text(
        "/mock/clock"
    )
    assert "no duration" in words(looker.post("/mock/clock", 400, do="advance", by="snart").text)


def test_a_run_is_looked_at_by_itself_and_ended(looker: Looker, mocks: Mocks) -> None:
    mocks[FK].runs.get("nightly")
    assert "nightly" in looker.text("/mock/runs")
    own = looker.get(f"/mock/run/nightly/{FK}/journal")
    assert "Inga anrop har kommit än." in words(own.text)
    assert f'href="/mock/run/nightly/{FK}/rules"' in own.text
    looker.post("/mock/runs", run="nightly")
    assert mocks[FK].runs.find("nightly") is None
    gone = looker.client.get("/mock/run/nightly")
    assert (gone.status_code, "Körningen finns inte" in gone.text) == (404, True)


def test_the_search_leads_to_the_call_that_has_the_id(looker: Looker) -> None:
    page = looker.get("/mock").text
    assert 'action="/mock/search"' in page
    found = looker.post("/mock", 405, q="nothing")  # the box is on each page, and posts elsewhere
    assert found.status_code == 405
    token = page.split('name="csrf" value="')[1].split('"')[0]
    sent = looker.client.post("/mock/search", data={"csrf": token, "q": builders.INTYGS_ID})
    assert sent.location == f"/mock/{FK}/journal?intygs_id={builders.INTYGS_ID}"
    none = looker.client.post("/mock/search", data={"csrf": token, "q": builders.PATIENT})
    assert (none.status_code, builders.PATIENT in none.text) == (200, False)


# --- who may look ---------------------------------------------------------------------------------


@pytest.fixture
def guarded(contracts: Contracts, types: IntygTypes) -> MockService[Persona]:
    kind = PERSONAS[FK]
    return kind.make(contracts, types, replace(kind.settings, control_token=TOKEN))


def test_without_the_token_there_is_nothing_but_the_door(guarded: Any) -> None:
    looker = Looker(guarded)
    for place in ("/mock", f"/mock/{FK}/journal", "/mock/run/x/test", "/mock/nowhere"):
        assert looker.client.get(place).location == "/mock/login"
    assert looker.client.post(f"/mock/{FK}/rules", data={"do": "misbehave"}).status_code == 303
    assert guarded.rules.book.all() == ()
    assert looker.client.post("/mock/login", data={"token": "wrong"}).status_code == 401
    assert looker.client.post("/mock/login", data={"token": TOKEN}).location == "/mock"
    assert "Attrapperna just nu" in looker.text("/mock")


def test_a_link_lets_somebody_in_once(guarded: Any) -> None:
    path = guarded.pages.login_path()
    first, second = Looker(guarded), Looker(guarded)
    assert first.client.get(path).location == "/mock"
    assert second.client.get(path).status_code == 401
    first.get("/mock")


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "mocks.example"}, id="another name"),
        pytest.param({"Host": "192.0.2.1:8081"}, id="another machine"),
        pytest.param({"Host": "127.0.0.1", "Origin": "http://evil.example"}, id="another site"),
    ],
)
def test_other_hosts_and_sites_are_refused(looker: Looker, headers: dict[str, str]) -> None:
    page = looker.get("/mock").text
    token = page.split('name="csrf" value="')[1].split('"')[0]
    answer = looker.client.post("/mock/clock", headers=headers, data={"csrf": token, "step": "7d"})
    assert answer.status_code in (400, 403)


def test_a_form_without_its_token_changes_nothing(looker: Looker, mocks: Mocks) -> None:
    answer = looker.client.post(f"/mock/{FK}/rules", data={"do": "remove", "rule": "flaky"})
    assert answer.status_code == 403
    assert mocks[FK].rules.book.all()


def test_what_others_wrote_is_text(looker: Looker) -> None:
    hostile = '<script>alert(1)</script> \u202egnidael "'
    looker.post(ONE, do="ask", amne="KONTKT", text=hostile)
    assert "<script>alert" not in looker.get(ONE).text
    assert "\u202e" not in looker.client.get("/mock/test/file").text


@pytest.mark.parametrize("text", ["plain", 'a "b"', "it's", "both ' and \"", "\u202e\n\\", ""])
def test_what_is_quoted_is_the_same_text_as_code(text: str) -> None:
    assert eval(quoted(text)) == text
    assert quoted(text).isprintable()
