"""New drafts from older certificates: what is carried over, and what stands against it."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from intyg.adapter.domain.person import PersonFacts
from intyg.adapter.formats.intyg_json import Json
from tests import builders
from tests.adapter.console.test_utkast_pages import (
    AUTHOR,
    UNIT_JSON,
    console,
    empty,
    rig,
)
from tests.adapter.flows.draft_builders import Register
from tests.adapter.flows.rig import Rig

__all__ = ["console", "empty", "rig"]  # fixtures

OLDER = builders.INTYGS_ID


@pytest.fixture
def older(rig: Rig) -> Rig:
    """A signed FK7804 of the older version."""
    rig.ok(builders.register_certificate())
    return rig


def make(console: FlaskClient, way: str, source: str = OLDER, **wish: Any) -> Any:
    body = {"skapadAv": UNIT_JSON, **wish}
    return console.post(f"/api/utkast/{source}/{way}", json=body, query_string=AUTHOR)


def made(console: FlaskClient, way: str, source: str = OLDER, **wish: Any) -> Json:
    answer = make(console, way, source, **wish)
    assert answer.status_code == 201, answer.get_json()
    shown: Json = answer.get_json()
    return shown


def refused(console: FlaskClient, way: str, words: str, status: int = 409, **wish: Any) -> None:
    answer = make(console, way, **wish)
    detail = answer.get_json()["detail"]
    assert (answer.status_code, words in detail) == (status, True), detail


def test_a_renewal_leaves_out_what_must_be_said_anew(console: FlaskClient, older: Rig) -> None:
    """Scenario 12: no periods, nothing it is based on, no prognosis."""
    draft = made(console, "renew", ref="EHR-9")
    answers = draft["intyg"]["svar"]
    assert {"1", "32", "39", "26"}.isdisjoint(answers)
    assert answers["6"]["6.2"]["code"]
    assert (draft["typversion"], draft["ref"]) == ("1.3", "EHR-9")
    assert draft["relation"] == {"typ": "FRLANG", "intygsId": OLDER}
    assert draft["intyg"]["relation"][0]["typ"]["code"] == "FRLANG"
    assert older.events(draft["intygsId"]) == ["SKAPAT"]


def test_a_replacement_carries_everything_over(console: FlaskClient, older: Rig) -> None:
    draft = made(console, "replace")
    assert {"1", "32", "39", "6"} <= set(draft["intyg"]["svar"])
    assert draft["relation"]["typ"] == "ERSATT"
    assert older.events(draft["intygsId"]) == ["SKAPAT"]


def test_a_complement_answers_the_newest_request(console: FlaskClient, older: Rig) -> None:
    older.ok(builders.send_certificate_to_recipient())
    older.deliver()
    older.ok(builders.send_message_to_care("k-1", "KOMPLT"))
    draft = made(console, "complement", kommentar="Kompletterat enligt begäran.")
    assert draft["relation"]["typ"] == "KOMPLT"
    assert draft["intyg"]["svar"]["25"]["25.1"].endswith("Kompletterat enligt begäran.")
    with older.services.store.read() as rows:
        stored = rows.drafts.get(draft["intygsId"])
    assert stored is not None
    assert stored.svar_pa is not None
    assert stored.svar_pa.meddelande_id == "k-1"
    refused(console, "complement", "complement of the certificate already")
    refused(console, "replace", "open completion request")


def test_another_patient_number_for_the_new_one(console: FlaskClient, older: Rig) -> None:
    number = builders.SAMORDNINGSNUMMER
    draft = made(console, "renew", alternatePatientSSn=number)
    assert draft["intyg"]["patient"]["person-id"]["extension"] == number
    assert older.services.people is not None


def test_a_template_of_another_type(console: FlaskClient, older: Rig) -> None:
    draft = made(console, "template")
    assert (draft["typ"], draft["relation"], draft["kalla"]) == ("AG7804", None, OLDER)
    assert draft["intyg"]["svar"]["6"]
    assert older.events(draft["intygsId"]) == ["SKAPAT"]


@pytest.mark.usefixtures("older")
class TestRefused:
    def test_renewing_when_the_ehr_says_no(self, console: FlaskClient) -> None:
        """Scenario 13."""
        refused(console, "renew", "kopieringOK", kopieringOK=False)
        refused(console, "template", "kopieringOK", kopieringOK=False)

    def test_complementing_without_a_request(self, console: FlaskClient) -> None:
        refused(console, "complement", "completion request")

    def test_replacing_beside_a_draft_that_replaces(self, console: FlaskClient) -> None:
        draft = made(console, "replace")
        refused(console, "replace", "replacement")
        made(console, "renew")  # which a draft does not stop
        console.delete(f"/api/utkast/{draft['intygsId']}", query_string=AUTHOR)
        made(console, "replace")

    @pytest.mark.parametrize("way", ["renew", "replace", "complement", "template"])
    def test_anything_from_a_revoked_one(self, console: FlaskClient, rig: Rig, way: str) -> None:
        rig.ok(builders.revoke_certificate())
        refused(console, way, "revoked")

    @pytest.mark.parametrize(
        ("relation", "ways"),
        [("ERSATT", ("renew", "replace", "template")), ("KOMPLT", ("renew", "replace"))],
    )
    def test_anything_from_one_that_is_followed(
        self, console: FlaskClient, rig: Rig, relation: str, ways: tuple[str, ...]
    ) -> None:
        rig.call(builders.register_certificate("newer", relation=(relation, OLDER)))
        for way in ways:
            assert make(console, way).status_code == 409, way

    @pytest.mark.parametrize("way", ["renew", "replace", "complement", "template"])
    def test_for_a_patient_who_is_dead(self, console: FlaskClient, rig: Rig, way: str) -> None:
        if way == "complement":
            rig.ok(builders.send_certificate_to_recipient())
            rig.deliver()
            rig.ok(builders.send_message_to_care("k-1", "KOMPLT"))
        assert isinstance(rig.services.people, Register)
        rig.services.people.people = {builders.PATIENT: PersonFacts(is_deceased=True)}
        refused(console, way, "dead", 403)

    def test_copying_a_certificate_as_if_it_were_a_locked_draft(self, console: FlaskClient) -> None:
        assert make(console, "copy").status_code == 404

    def test_anything_from_an_id_that_nobody_knows(self, console: FlaskClient) -> None:
        assert make(console, "renew", "unknown").status_code == 404
