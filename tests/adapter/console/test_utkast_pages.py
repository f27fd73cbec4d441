"""Drafts over REST, from the order to the signed certificate."""

import base64
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from intyg.adapter.console.app import build_console
from intyg.adapter.domain.clock import SWEDEN
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.person import PersonFacts
from intyg.adapter.flows.drafts import on_time
from intyg.adapter.formats.intyg_json import Json, intyg_to_json
from intyg.adapter.settings.settings import DraftSettings, TrustSettings
from intyg.adapter.signature import SigningKey, TrustStore, load_signing_key
from intyg.adapter.signature.demo_keys import make_test_keys
from intyg.adapter.store import Store
from intyg.schemas.examples.example import SIGNER, Size, example
from tests import builders
from tests.adapter.flows.draft_builders import (
    DENTIST,
    ELSEWHERE,
    KNOWN,
    NURSE,
    Directory,
    Register,
    create_draft,
)
from tests.adapter.flows.rig import TYPES, Rig, VirtualClock, copied_rig

AUTHOR = {"hanteratAv": builders.DOCTOR, "namn": "Läkare Provperson"}
UNIT_JSON = {
    "personal-id": builders.DOCTOR,
    "fullstandigtNamn": "Läkare Provperson",
    "enhet": {
        "enhets-id": builders.UNIT,
        "enhetsnamn": "Provenheten",
        "vardgivare": {"vardgivare-id": builders.CARE_PROVIDER},
    },
}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    store = Store(f"sqlite:///{folder / 'adapter.sqlite'}", VirtualClock())
    store.migrate()
    store.close()
    return folder


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_test_keys(folder, builders.NOW)
    return folder


@pytest.fixture
def rig(empty: Path, tmp_path: Path) -> Iterator[Rig]:
    with copied_rig(empty, tmp_path) as rig:
        services = replace(rig.services, people=Register(), staff=Directory())
        yield replace(rig, services=services)


@pytest.fixture
def console(rig: Rig) -> FlaskClient:
    return build_console(rig.services).test_client()


def good_answers(version: str = "2.0") -> Json:
    """Answers of an FK7804 that break no rule."""
    intyg_type = TYPES.lookup("LISJP", version)
    request = example(
        intyg_type,
        signed_at=datetime(2026, 11, 23, 9, 30),  # noqa: DTZ001  contract times carry no zone
        size=Size.FULL,
        seed=1,
    )
    answers: Json = intyg_to_json(request[-1], intyg_type)["svar"]
    return answers


GOOD = good_answers()


def order(console: FlaskClient, **changes: Any) -> Any:
    wanted = {"typ": "LISJP", "person-id": builders.PATIENT, "skapadAv": UNIT_JSON, **changes}
    return console.post("/api/utkast", json=wanted, query_string=AUTHOR)


def content(shown: Json, answers: Json) -> Json:
    """What an editor sends back: the certificate that was read, with other answers."""
    author = shown["intyg"]["skapadAv"]
    enhet = author["enhet"] | {
        "arbetsplatskod": author["enhet"]["arbetsplatskod"] | {"extension": "0000000"},
        "postadress": "Provgatan 1",
        "postnummer": "12345",
        "postort": "Provstad",
        "telefonnummer": "010-0000000",
    }
    return {"skapadAv": author | {"enhet": enhet}, "svar": answers}


def save(console: FlaskClient, shown: Json, answers: Json, version: int, **by: str) -> Any:
    return console.put(
        f"/api/utkast/{shown['intygsId']}",
        json=content(shown, answers),
        headers={"If-Match": f'"{version}"'},
        query_string={**AUTHOR, **by},
    )


@pytest.fixture
def made(console: FlaskClient) -> Json:
    answer = order(console)
    assert answer.status_code == 201, answer.get_json()
    shown: Json = answer.get_json()
    return shown


@pytest.fixture
def complete(console: FlaskClient, made: Json) -> Json:
    answer = save(console, made, GOOD, 0)
    assert (answer.status_code, answer.get_json()["fel"]) == (200, [])
    shown: Json = answer.get_json()
    return shown


def post(console: FlaskClient, intygs_id: str, what: str, body: Any = None, **by: str) -> Any:
    query = {} if what == "launch" else {**AUTHOR, **by}
    return console.post(f"/api/utkast/{intygs_id}/{what}", json=body or {}, query_string=query)


# --- content --------------------------------------------------------------------------------------


def test_a_draft_is_ordered_read_and_saved(console: FlaskClient, made: Json, rig: Rig) -> None:
    assert (made["state"], made["version"]) == ("DRAFT_INCOMPLETE", 0)
    saved = save(console, made, GOOD, 0)
    assert saved.headers["ETag"] == '"1"'
    assert saved.get_json()["state"] == "DRAFT_COMPLETE"
    read = console.get(f"/api/utkast/{made['intygsId']}").get_json()
    assert read["intyg"]["svar"] == GOOD
    assert rig.events(made["intygsId"]) == ["SKAPAT"]


def test_a_dry_run_keeps_nothing(console: FlaskClient, rig: Rig) -> None:
    before = rig.row_count()
    wanted = {"typ": "LISJP", "person-id": builders.PATIENT, "skapadAv": UNIT_JSON}
    answer = console.post("/api/utkast?dryRun=true", json=wanted)
    assert (answer.status_code, answer.get_json()["state"]) == (200, "DRAFT_INCOMPLETE")
    assert answer.get_json()["fel"]
    assert rig.row_count() == before


@pytest.mark.parametrize(
    ("author", "says"),
    [
        ("somebody", "skapadAv: must name personal-id, fullstandigtNamn and enhet"),
        (UNIT_JSON | {"enhet": "a unit"}, "skapadAv: must name personal-id"),
        (UNIT_JSON | {"fullstandigtNamn": " "}, "fullstandigtNamn: must be a text"),
    ],
)
def test_an_author_that_is_none_is_told(console: FlaskClient, author: object, says: str) -> None:
    answer = order(console, skapadAv=author)
    assert answer.status_code == 400
    assert answer.get_json()["detail"].startswith(says)


def test_the_prefill_report_of_an_order_by_soap_is_shown(console: FlaskClient, rig: Rig) -> None:
    svar = '<svar id="777"><delsvar id="777.1">x</delsvar></svar>'
    result = rig.call(create_draft(svar=svar))
    assert result.intygs_id is not None
    shown = console.get(f"/api/utkast/{result.intygs_id[1]}").get_json()
    assert shown["forifyllnad"]["bortfallna"] == 1


def test_the_second_of_two_saves_with_one_version_learns_who_was_first(
    console: FlaskClient, made: Json
) -> None:
    """Scenario 5."""
    first = save(console, made, {}, 0, hanteratAv=NURSE, namn="Första Sköterskan")
    second = save(console, made, {}, 0)
    assert (first.status_code, second.status_code) == (200, 409)
    told = second.get_json()
    assert (told["sparadAv"], told["version"]) == ("Första Sköterskan", 1)
    assert told["sparad"].startswith("2026-11-23T10")


def test_without_a_version_nothing_is_saved(console: FlaskClient, made: Json) -> None:
    path = f"/api/utkast/{made['intygsId']}"
    assert console.put(path, json={"svar": {}}, query_string=AUTHOR).status_code == 428
    wrong = console.put(path, json={}, headers={"If-Match": "x"}, query_string=AUTHOR)
    assert wrong.status_code == 400


@pytest.mark.parametrize(
    ("answers", "svar", "delsvar", "words"),
    [
        ({"777": {"777.1": "x"}}, "777", None, "it has 27, 1,"),
        ({"27": {"27.9": True}}, "27", "27.9", "it has 27.1"),
        ({"27": {"27.1": 1.5}}, "27", "27.1", "must be true or false"),
        ({"32": [{"32.2": {"start": "i går"}}]}, "32", "32.2", "YYYY-MM-DD"),
        ({"35": {"35.1": "a\u0000b"}}, "35", "35.1", "control character"),
        ({"35": []}, None, None, None),
    ],
)
def test_answers_that_the_type_does_not_know(
    console: FlaskClient,
    made: Json,
    answers: Json,
    svar: str | None,
    delsvar: str | None,
    words: str | None,
) -> None:
    answer = save(console, made, answers, 0)
    if svar is None:
        assert answer.status_code == 200
        return
    assert answer.status_code == 422
    (fault,) = answer.get_json()["fel"]
    assert (fault["svar"], fault["delsvar"]) == (svar, delsvar)
    assert words is not None
    assert words in fault["text"]


def test_validating_saves_nothing(console: FlaskClient, made: Json) -> None:
    checked = post(console, made["intygsId"], "validate", content(made, GOOD)).get_json()
    assert (checked["state"], checked["fel"]) == ("DRAFT_COMPLETE", [])
    assert post(console, made["intygsId"], "validate").get_json()["fel"]
    assert console.get(f"/api/utkast/{made['intygsId']}").get_json()["version"] == 0


def test_ready_is_said_once(console: FlaskClient, made: Json, rig: Rig) -> None:
    """Scenario 14."""
    answers = [post(console, made["intygsId"], "ready").get_json()["nu"] for _ in range(2)]
    assert answers == [True, False]
    assert rig.events(made["intygsId"]) == ["SKAPAT", "KFSIGN"]


def test_a_draft_is_deleted_once(console: FlaskClient, made: Json, rig: Rig) -> None:
    path = f"/api/utkast/{made['intygsId']}"
    stale = console.delete(path, headers={"If-Match": '"7"'}, query_string=AUTHOR)
    assert stale.status_code == 409
    assert console.delete(path, query_string=AUTHOR).status_code == 204
    assert console.delete(path, query_string=AUTHOR).status_code == 404
    assert rig.events(made["intygsId"]) == ["SKAPAT", "RADERA"]


def test_forwarded_is_noted_and_taken_back(console: FlaskClient, made: Json) -> None:
    on = post(console, made["intygsId"], "forward").get_json()
    off = post(console, made["intygsId"], "forward", {"vidarebefordrad": False}).get_json()
    assert (on["vidarebefordrad"], off["vidarebefordrad"]) == (True, False)


@pytest.mark.parametrize("who", [ELSEWHERE, "SE0000000000-NONE"])
def test_somebody_without_an_assignment_changes_nothing(
    console: FlaskClient, made: Json, who: str
) -> None:
    for answer in (
        save(console, made, {}, 0, hanteratAv=who, namn="Annan"),
        post(console, made["intygsId"], "ready", hanteratAv=who),
        console.delete(f"/api/utkast/{made['intygsId']}", query_string={"hanteratAv": who}),
    ):
        assert (answer.status_code, who in answer.get_json()["detail"]) == (403, True)


def test_a_unit_lists_its_drafts_without_patients(console: FlaskClient, made: Json) -> None:
    listed = console.get(f"/api/utkast?enhet={builders.UNIT.lower()}")
    assert [one["intygsId"] for one in listed.get_json()] == [made["intygsId"]]
    assert builders.PATIENT not in listed.get_data(as_text=True)


# --- opened from an EHR ---------------------------------------------------------------------------


def test_another_number_takes_the_drafts_place(console: FlaskClient, made: Json, rig: Rig) -> None:
    """Scenario 6."""
    body = {"alternatePatientSSn": builders.SAMORDNINGSNUMMER, "hanteratAv": builders.DOCTOR}
    opened = post(console, made["intygsId"], "launch", body).get_json()
    assert opened["notiser"]
    person = opened["intyg"]["patient"]["person-id"]
    assert person == {"root": builders.SAMORDNING, "extension": builders.SAMORDNINGSNUMMER}
    assert opened["version"] == 1
    later(rig, minutes=6)
    assert rig.events(made["intygsId"]) == ["SKAPAT", "ANDRAT"]


def test_a_reserve_number_changes_nothing(console: FlaskClient, made: Json, rig: Rig) -> None:
    """Scenario 7."""
    body = {"alternatePatientSSn": "19XX0101-R234", "hanteratAv": builders.DOCTOR}
    opened = post(console, made["intygsId"], "launch", body).get_json()
    assert (len(opened["notiser"]), opened["version"]) == (1, 0)


def test_parameters_in_the_address_are_refused(console: FlaskClient, made: Json) -> None:
    """Scenario 8."""
    path = f"/api/utkast/{made['intygsId']}/launch?ref=X"
    assert console.post(path, json={"hanteratAv": builders.DOCTOR}).status_code == 400


def test_the_first_reference_stays(console: FlaskClient, made: Json) -> None:
    """Scenario 9."""
    for ref in ("FIRST", "SECOND"):
        body = {"ref": ref, "hanteratAv": builders.DOCTOR}
        opened = post(console, made["intygsId"], "launch", body).get_json()
        assert opened["ref"] == "FIRST"


# --- time -----------------------------------------------------------------------------------------


def later(rig: Rig, **by: float) -> dict[str, int]:
    """Move the clock, and let happen what is due."""
    rig.clock.now += timedelta(**by)
    return on_time.run(rig.services)


def at(rig: Rig, moment: datetime) -> dict[str, int]:
    rig.clock.now = moment - timedelta(seconds=2)
    return on_time.run(rig.services)


def test_changes_within_a_while_are_told_once(console: FlaskClient, made: Json, rig: Rig) -> None:
    for version in range(3):
        assert save(console, made, {"35": {"35.1": f"text {version}"}}, version).status_code == 200
    assert later(rig, minutes=4)["told"] == 0
    assert later(rig, minutes=2)["told"] == 1
    assert rig.events(made["intygsId"]) == ["SKAPAT", "ANDRAT"]
    assert b"text 2" in rig.deliveries(made["intygsId"])[-1].new.body
    save(console, made, {}, 3)
    assert later(rig, minutes=6)["told"] == 1
    assert rig.events(made["intygsId"]) == ["SKAPAT", "ANDRAT", "ANDRAT"]


def test_how_long_changes_are_gathered_is_a_setting(
    console: FlaskClient, made: Json, rig: Rig
) -> None:
    settings = rig.services.settings.model_copy(update={"drafts": DraftSettings(andrat_seconds=60)})
    sooner = replace(rig, services=replace(rig.services, settings=settings))
    assert save(console, made, {}, 0).status_code == 200
    assert later(sooner, seconds=40)["told"] == 0
    assert later(sooner, seconds=30)["told"] == 1


CREATED = datetime(2026, 11, 23, tzinfo=SWEDEN)


def test_a_draft_is_locked_at_the_midnight_after_fourteen_days(
    console: FlaskClient, made: Json, rig: Rig
) -> None:
    """Scenario 10."""
    assert at(rig, datetime(2026, 12, 7, 23, 59, tzinfo=SWEDEN))["locked"] == 0
    assert at(rig, datetime(2026, 12, 8, 0, 0, 30, tzinfo=SWEDEN))["locked"] == 1
    assert console.get(f"/api/utkast/{made['intygsId']}").get_json()["state"] == "DRAFT_LOCKED"
    assert rig.events(made["intygsId"]) == ["SKAPAT"]


def test_where_locking_has_ended_nothing_is_locked(made: Json, rig: Rig) -> None:
    assert made["state"] == "DRAFT_INCOMPLETE"
    for settings in (
        rig.services.settings.model_copy(update={"environment": Environment.TEST}),
        rig.services.settings.model_copy(update={"environment": Environment.PRODUCTION}),
        rig.services.settings.model_copy(
            update={"drafts": DraftSettings(locking_ends=CREATED.date() + timedelta(days=15))}
        ),
    ):
        other = replace(rig, services=replace(rig.services, settings=settings))
        assert at(other, datetime(2026, 12, 7, 23, 59, tzinfo=SWEDEN))["locked"] == 0
        assert at(other, datetime(2026, 12, 8, 0, 0, 30, tzinfo=SWEDEN))["locked"] == 0
    never = rig.services.settings.model_copy(
        update={
            "environment": Environment.PRODUCTION,
            "drafts": DraftSettings(locking_ends="never"),
        }
    )
    other = replace(rig, services=replace(rig.services, settings=never))
    assert at(other, datetime(2026, 12, 8, 0, 0, 30, tzinfo=SWEDEN))["locked"] == 1


@pytest.fixture
def locked(made: Json, rig: Rig) -> Json:
    assert at(rig, datetime(2026, 12, 8, 0, 0, 30, tzinfo=SWEDEN))["locked"] == 1
    return made


def test_what_is_not_done_with_a_locked_draft(console: FlaskClient, locked: Json) -> None:
    """Scenario 11."""
    intygs_id = locked["intygsId"]
    for answer in (
        save(console, locked, GOOD, 0),
        console.delete(f"/api/utkast/{intygs_id}", query_string=AUTHOR),
        post(console, intygs_id, "to-sign"),
        post(console, intygs_id, "ready"),
        post(console, intygs_id, "forward"),
    ):
        assert (answer.status_code, "locked" in answer.get_json()["detail"]) == (409, True)


def test_a_locked_draft_is_copied_once_at_a_time(
    console: FlaskClient, locked: Json, rig: Rig
) -> None:
    intygs_id = locked["intygsId"]
    wish = {"skapadAv": UNIT_JSON}
    first = post(console, intygs_id, "copy", wish)
    assert first.status_code == 201
    copy = first.get_json()
    assert copy["relation"] == {"typ": "KOPIA", "intygsId": intygs_id}
    assert rig.events(copy["intygsId"]) == ["SKAPAT"]
    assert post(console, intygs_id, "copy", wish).status_code == 409
    console.delete(f"/api/utkast/{copy['intygsId']}", query_string=AUTHOR)
    assert post(console, intygs_id, "copy", wish).status_code == 201


def test_a_locked_draft_is_revoked_by_a_doctor_there(
    console: FlaskClient, locked: Json, rig: Rig
) -> None:
    intygs_id = locked["intygsId"]
    for who in (NURSE, DENTIST, ELSEWHERE):
        assert post(console, intygs_id, "revoke", hanteratAv=who).status_code == 403
    assert post(console, intygs_id, "revoke").status_code == 200
    assert rig.events(intygs_id) == ["SKAPAT", "MAKULE"]
    assert post(console, intygs_id, "revoke").status_code == 409
    assert post(console, intygs_id, "copy", {"skapadAv": UNIT_JSON}).status_code == 409
    assert "MAKULERAT" in console.get(f"/api/utkast/{intygs_id}/print").get_data(as_text=True)


def test_a_locked_draft_is_printed_as_such(console: FlaskClient, locked: Json) -> None:
    page = console.get(f"/api/utkast/{locked['intygsId']}/print").get_data(as_text=True)
    assert "LÅST UTKAST" in page


GONE = {"TSTRK1007", "TSTRK1031"}  # of which no new ones are made
CODES = sorted({one.code for one in TYPES.headers()} - GONE)


def test_a_locked_draft_of_any_type_is_read_printed_copied_and_revoked_alone(
    console: FlaskClient, rig: Rig
) -> None:
    ids = []
    for code in CODES:
        answer = order(console, typ=code)
        assert answer.status_code == 201, (code, answer.get_json())
        ids.append(answer.get_json()["intygsId"])
    assert at(rig, datetime(2026, 12, 8, 0, 0, 30, tzinfo=SWEDEN))["locked"] == len(ids) > 15
    for intygs_id in ids:
        shown = console.get(f"/api/utkast/{intygs_id}").get_json()
        assert shown["state"] == "DRAFT_LOCKED"
        assert save(console, shown, {}, 0).status_code == 409
        assert console.delete(f"/api/utkast/{intygs_id}", query_string=AUTHOR).status_code == 409
        assert post(console, intygs_id, "to-sign").status_code == 409
        printed = console.get(f"/api/utkast/{intygs_id}/print").get_data(as_text=True)
        assert "LÅST UTKAST" in printed
        assert post(console, intygs_id, "copy", {"skapadAv": UNIT_JSON}).status_code == 201
        assert post(console, intygs_id, "revoke").status_code == 200
        assert rig.events(intygs_id) == ["SKAPAT", "MAKULE"]


def test_a_unit_without_a_route_is_told_nothing(rig: Rig) -> None:
    services = replace(rig.services, staff=None)
    console = build_console(services).test_client()
    elsewhere = UNIT_JSON["enhet"] | {"enhets-id": "SE0000000000-UNIT9"}  # type: ignore[operator]
    answer = order(console, skapadAv=UNIT_JSON | {"enhet": elsewhere})
    intygs_id = answer.get_json()["intygsId"]
    post(console, intygs_id, "ready")
    assert rig.events(intygs_id) == ["SKAPAT", "KFSIGN"]  # kept, should it get one
    assert not rig.deliveries(intygs_id)


def test_a_draft_that_is_not_locked_is_neither_copied_nor_revoked(
    console: FlaskClient, made: Json
) -> None:
    intygs_id = made["intygsId"]
    assert post(console, intygs_id, "copy", {"skapadAv": UNIT_JSON}).status_code == 409
    assert post(console, intygs_id, "revoke").status_code == 409


@pytest.mark.parametrize("locks", [True, False])
def test_after_three_months_a_draft_is_gone(
    console: FlaskClient, made: Json, rig: Rig, *, locks: bool
) -> None:
    """Scenario 15; locked or not."""
    if locks:
        at(rig, datetime(2026, 12, 8, 0, 0, 30, tzinfo=SWEDEN))
    else:
        settings = rig.services.settings.model_copy(
            update={"drafts": DraftSettings(locking_ends=CREATED.date())}
        )
        rig = replace(rig, services=replace(rig.services, settings=settings))
    created = datetime.fromisoformat(made["skapad"]).astimezone(SWEDEN)
    due = created.replace(year=2027, month=2)
    assert at(rig, due - timedelta(minutes=1))["disposed"] == 0
    assert at(rig, due + timedelta(minutes=1))["disposed"] == 1
    assert rig.events(made["intygsId"]) == ["SKAPAT", "RADERA"]
    assert console.get(f"/api/utkast/{made['intygsId']}").status_code == 404


# --- signing --------------------------------------------------------------------------------------


class SignerIsKnown(Directory):
    """With whom the test key belongs to."""

    def find(self, hsa_id: str) -> Any:
        return super().find(builders.DOCTOR if hsa_id == SIGNER else hsa_id)


def key_of(keys: Path) -> SigningKey:
    return load_signing_key(keys / "signer.key.pem", keys / "signer.pem")


@pytest.fixture
def signing(rig: Rig, keys: Path) -> FlaskClient:
    """With the test key, and trust in who issued it."""
    key, trust = key_of(keys), TrustStore.from_settings(TrustSettings(anchors=(keys / "ca.pem",)))
    services = replace(rig.services, signing_key=key, trust=trust, staff=SignerIsKnown())
    return build_console(services).test_client()


BY_SIGNER = {"hanteratAv": SIGNER, "namn": "Test Läkare"}


def test_an_incomplete_draft_is_not_signed_and_every_fault_is_told(
    signing: FlaskClient, made: Json
) -> None:
    answer = post(signing, made["intygsId"], "to-sign", None, **BY_SIGNER)
    assert answer.status_code == 422
    assert len(answer.get_json()["fel"]) > 3


@pytest.mark.parametrize("who", [NURSE, ELSEWHERE])
def test_only_roles_that_may_sign_get_the_octets(
    signing: FlaskClient, complete: Json, who: str
) -> None:
    answer = post(signing, complete["intygsId"], "to-sign", None, hanteratAv=who, namn="Annan")
    assert answer.status_code == 403


def test_a_draft_is_signed_with_the_test_key(
    signing: FlaskClient, complete: Json, rig: Rig
) -> None:
    intygs_id = complete["intygsId"]
    answer = post(signing, intygs_id, "sign", None, **BY_SIGNER)
    assert (answer.status_code, answer.get_json()["result"]) == (200, "OK"), answer.get_json()
    assert rig.events(intygs_id) == ["SKAPAT", "SIGNAT"]
    later(rig, hours=1)
    assert rig.events(intygs_id) == ["SKAPAT", "SIGNAT"]  # no ANDRAT after it
    assert signing.get(f"/api/intyg/{intygs_id}").get_json()["signature"] == "VALID"
    assert post(signing, intygs_id, "sign", None, **BY_SIGNER).status_code == 409
    assert save(signing, complete, GOOD, 1).status_code == 409


def test_octets_are_given_out_and_a_signature_is_brought_back(
    signing: FlaskClient, complete: Json, rig: Rig, keys: Path
) -> None:
    key = key_of(keys)
    intygs_id = complete["intygsId"]
    given = post(signing, intygs_id, "to-sign", {"method": key.method.name}, **BY_SIGNER).get_json()
    value = key.sign(base64.b64decode(given["octets"]))
    brought = {
        "value": base64.b64encode(value).decode(),
        "certificate": base64.b64encode(key.der).decode(),
    }
    wrong = brought | {"value": base64.b64encode(value[::-1]).decode()}
    assert post(signing, intygs_id, "signature", wrong).status_code == 422
    answer = post(signing, intygs_id, "signature", brought)
    assert (answer.status_code, answer.get_json()["result"]) == (200, "OK"), answer.get_json()
    assert post(signing, intygs_id, "signature", brought).status_code == 409
    assert rig.events(intygs_id) == ["SKAPAT", "SIGNAT"]


def test_a_save_takes_what_was_given_out_back(
    signing: FlaskClient, complete: Json, keys: Path
) -> None:
    key = key_of(keys)
    intygs_id = complete["intygsId"]
    given = post(signing, intygs_id, "to-sign", {"method": key.method.name}, **BY_SIGNER).get_json()
    value = key.sign(base64.b64decode(given["octets"]))
    assert save(signing, complete, GOOD, 1).status_code == 200
    brought = {
        "value": base64.b64encode(value).decode(),
        "certificate": base64.b64encode(key.der).decode(),
    }
    assert post(signing, intygs_id, "signature", brought).status_code == 409


def test_a_signature_by_somebody_else_than_the_author_is_refused(
    signing: FlaskClient, complete: Json
) -> None:
    answer = post(signing, complete["intygsId"], "sign")  # the key is another's
    assert (answer.status_code, answer.get_json()["code"]) == (422, "SIGNER_NOT_AUTHOR"), (
        answer.get_json()
    )


@pytest.mark.parametrize(("kind", "method"), [("signer", "RSA"), ("signer-ec", "ECDSA")])
def test_openssl_signs_the_octets(
    signing: FlaskClient,
    complete: Json,
    rig: Rig,
    keys: Path,
    tmp_path: Path,
    kind: str,
    method: str,
) -> None:
    """All that a signer outside does: one command over the octets."""
    intygs_id, octets = complete["intygsId"], tmp_path / "octets"
    wish = {"method": f"{method}_SHA256"}
    given = post(signing, intygs_id, "to-sign", wish, **BY_SIGNER).get_json()
    octets.write_bytes(base64.b64decode(given["octets"]))
    key = keys / f"{kind}.key.pem"
    command = ["openssl", "dgst", "-sha256", "-sign", str(key), str(octets)]
    value = subprocess.run(command, check=True, capture_output=True).stdout
    brought = {
        "value": base64.b64encode(value).decode(),
        "certificate": (keys / f"{kind}.pem").read_text(),
        "der": method == "ECDSA",
    }
    answer = post(signing, intygs_id, "signature", brought)
    assert (answer.status_code, answer.get_json()["result"]) == (200, "OK"), answer.get_json()
    assert rig.events(intygs_id) == ["SKAPAT", "SIGNAT"]


def test_of_two_signatures_at_once_one_wins(
    signing: FlaskClient, complete: Json, rig: Rig, keys: Path
) -> None:
    key, intygs_id = key_of(keys), complete["intygsId"]
    wish = {"method": key.method.name}
    given = post(signing, intygs_id, "to-sign", wish, **BY_SIGNER).get_json()
    brought = {
        "value": base64.b64encode(key.sign(base64.b64decode(given["octets"]))).decode(),
        "certificate": base64.b64encode(key.der).decode(),
    }
    app = signing.application
    with ThreadPoolExecutor(2) as threads:
        both = [
            threads.submit(post, app.test_client(), intygs_id, "signature", brought)
            for _ in range(2)
        ]
        codes = sorted(one.result().status_code for one in both)
    assert codes == [200, 409]
    assert rig.events(intygs_id) == ["SKAPAT", "SIGNAT"]


def test_every_call_is_described(console: FlaskClient) -> None:
    served = {
        (rule.rule.replace("<intygs_id>", "{intygs_id}"), method.lower())
        for rule in console.application.url_map.iter_rules()
        if rule.rule.startswith("/api/utkast")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = console.get("/api/openapi.json").get_json()["paths"]
    drafts = {path: calls for path, calls in described.items() if path.startswith("/api/utkast")}
    assert {(path, method) for path, calls in drafts.items() for method in calls} == served


# --- patients -------------------------------------------------------------------------------------


@pytest.mark.parametrize("facts", [PersonFacts(is_deceased=True), PersonFacts(is_protected=None)])
def test_a_draft_that_is_there_goes_on_whatever_the_register_says(
    console: FlaskClient, made: Json, rig: Rig, facts: PersonFacts
) -> None:
    assert isinstance(rig.services.people, Register)
    rig.services.people.people = {builders.PATIENT: facts}
    assert save(console, made, GOOD, 0).status_code == 200
    assert order(console).status_code == 403
    rig.services.people.people = {builders.PATIENT: KNOWN}
    assert order(console).status_code == 201
