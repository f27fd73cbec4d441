"""A damaged example that is sent by a button; an authority takes the adapter's place."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from intyg.mocks.personas import make_personas
from intyg.mocks.server.serving import run_mocks
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.examples.example import PERSON
from intyg.schemas.typefile.lookup import IntygTypes
from tests.mocks.pages.looking import Looker, words

EHR = "/mock/journalsystem"
PAGE = f"{EHR}/damaged?typ=FK7804/2.0"


@pytest.fixture
def mocks(contracts: Contracts, types: IntygTypes) -> Iterator[Any]:
    made: dict[str, Any] = make_personas(contracts, types)
    with run_mocks({key: made[key] for key in ("forsakringskassan", "journalsystem")}) as running:
        ehr = made["journalsystem"].persona.place
        url = running["forsakringskassan"].url
        ehr.settings = replace(ehr.settings, adapter_url=url, adapter_logical_address="FKASSA")
        yield made


@pytest.fixture
def looker(mocks: Any) -> Looker:
    return Looker(mocks["journalsystem"])


def test_type_and_fault_are_chosen_without_a_script(looker: Looker) -> None:
    assert f'action="{EHR}/damaged"' in looker.get(EHR).text
    page = looker.get(PAGE).text
    assert '<option value="FK7804/2.0" lang="sv" selected>' in page
    assert '<option value="schema">Schemat: läkarens namn saknas' in page
    assert '<option value="R18" lang="en">R18: ' in page
    assert 'value="other-svar"' not in page  # only warns
    english = looker.text(PAGE, headers={"Accept-Language": "en"})
    assert "Schema: the signer's name is missing" in english


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param("R35", "R35", id="a rule"),
        pytest.param("schema", "fullstandigtNamn", id="the schema"),
        pytest.param("version", "99.9", id="no such version"),
    ],
)
def test_what_the_receiver_answered_is_told_with_the_call(
    looker: Looker, mocks: Any, damage: str, said: str
) -> None:
    told = looker.post(PAGE, damage=damage)
    text = looker.text(told.location)
    assert "Adaptern tog inte emot intyget." in text
    assert "errorId VALIDATION_ERROR" in text
    assert said in text
    [call] = mocks["forsakringskassan"].journal.entries("RegisterCertificate")
    assert call.intygs_id in text
    assert call.result_text.splitlines()[-1] in text
    page = looker.get(told.location).text
    assert re.search(f'<option value="{damage}"( lang="en")? selected>', page)
    assert PERSON not in page
    assert f"{PERSON[:8]}-••••" in page


def test_what_is_taken_all_the_same_is_told_so(looker: Looker) -> None:
    """An authority takes unsigned certificates, as nationally."""
    text = looker.text(looker.post(PAGE, damage="unsigned").location)
    assert "Adaptern tog emot intyget. Adapterns svar" in text
    assert "errorId –" in text


@pytest.mark.parametrize(
    ("path", "damage", "fault"),
    [
        pytest.param(PAGE, "R9999", "damage: FK7804/2.0 has no rule R9999", id="no such rule"),
        pytest.param(PAGE, "", "damage: FK7804/2.0 has no rule", id="nothing chosen"),
        pytest.param(
            f"{EHR}/damaged?typ=FK7804/1", "R3", "R3 cannot be broken", id="not to be broken"
        ),
        pytest.param(f"{EHR}/damaged?typ=coffee", "schema", "typ: ", id="no such type"),
    ],
)
def test_wrong_input_is_told_on_the_page_and_nothing_is_sent(
    looker: Looker, mocks: Any, path: str, damage: str, fault: str
) -> None:
    answer = looker.client.get(PAGE).text
    token = re.findall(r'name="csrf" value="([^"]+)"', answer)[0]
    told = looker.client.post(path, data={"csrf": token, "damage": damage})
    assert told.status_code == 400
    assert fault in words(told.text)
    assert "Skicka ett skadat exempel" in words(told.text)
    assert not mocks["forsakringskassan"].journal.entries("RegisterCertificate")


def test_a_type_that_there_is_not_is_told_and_another_can_be_chosen(looker: Looker) -> None:
    answer = looker.client.get(f"{EHR}/damaged?typ=coffee")
    assert answer.status_code == 400
    assert "typ: unknown certificate type coffee" in words(answer.text)
    assert 'name="damage"' in answer.text


def test_a_mock_that_sends_no_certificates_has_no_such_page(looker: Looker) -> None:
    assert looker.client.get("/mock/forsakringskassan/damaged").status_code == 404
    assert "damaged" not in looker.get("/mock/forsakringskassan").text


def test_an_adapter_that_is_not_there_is_told(looker: Looker, mocks: Any) -> None:
    ehr = mocks["journalsystem"].persona.place
    ehr.settings = replace(ehr.settings, adapter_url=None)
    told = looker.post(PAGE, 409, damage="schema")
    assert "has no adapter_url" in words(told.text)


def test_without_the_forms_token_nothing_is_sent(looker: Looker, mocks: Any) -> None:
    assert looker.client.post(PAGE, data={"damage": "schema"}).status_code == 403
    assert not mocks["forsakringskassan"].journal.entries("RegisterCertificate")


def test_the_answer_stands_on_lines_of_its_own(looker: Looker) -> None:
    page = looker.get(looker.post(PAGE, damage="schema").location).text
    assert "\n  &lt;soap:Body&gt;\n" in page
