"""
What an EHR, a doctor and QA try with drafts, over SOAP and REST, with a clock that is moved.

One adapter serves all: each test has drafts of its own, and those that say at what time go on from
where the clock stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from intyg.adapter.formats.safe_xml import envelope
from intyg.mocks.clock.clock import SWEDEN
from intyg.mocks.journalsystem.sample import UNIT
from intyg.mocks.testing import (
    DraftError,
    Forsakringskassan,
    Intyg,
    Journalsystem,
    NotAcceptedError,
    Utkast,
)
from intyg.mocks.testing.ehr import Issuer
from intyg.mocks.testing.servers import Servers
from intyg.mocks.testing.stage import Stage
from intyg.sandbox.adapter_settings import Wanted
from intyg.sandbox.adapter_under_test import Adapter, Adapters
from intyg.sandbox.signing_keys import SigningKeys
from tests import builders
from tests.adapter.flows.draft_builders import create_draft


@dataclass(frozen=True)
class Scene:
    adapter: Adapter
    ehr: Journalsystem
    fk: Forsakringskassan

    def told(self, draft: Utkast) -> list[str]:
        return [each.kod for each in self.ehr.events(draft)]

    def set_clock(self, moment: datetime) -> None:
        self.adapter.clock.set(moment)


@pytest.fixture(scope="module")
def scene(
    intyg_servers: Servers,
    intyg_keys: SigningKeys,
    intyg_adapters: Adapters,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scene]:
    own = tmp_path_factory.mktemp("lists") / "own.csv"
    own.write_text(f"{builders.SAMORDNINGSNUMMER}\n")
    stage = Stage(intyg_servers, Issuer(lambda: intyg_servers.types, intyg_keys), None, "drafts")
    patients = {"ehr_list_files": [own]}
    wanted = Wanted(
        settings={"drafts": {"report_prefill": True}, "test_patients": patients},
    )
    with intyg_adapters.running(stage, wanted) as adapter:
        yield Scene(adapter, stage.journalsystem, stage.forsakringskassan)
    stage.end()


def refused(status: int, act: Any, *args: Any, **named: Any) -> Any:
    """The problem with which something is refused."""
    with pytest.raises(DraftError) as raised:
        act(*args, **named)
    assert raised.value.status == status, raised.value
    return raised.value.problem


def created(draft: Utkast) -> datetime:
    return datetime.fromisoformat(draft.shown["skapad"]).astimezone(SWEDEN)


def midnight(moment: datetime, days: int) -> datetime:
    day = moment.date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=SWEDEN)


# --- the order ------------------------------------------------------------------------------------


def test_01_a_second_db_at_the_same_unit_is_refused(scene: Scene) -> None:
    first = scene.ehr.draft("DB", person=builders.OTHER_PATIENT)
    with pytest.raises(NotAcceptedError) as raised:
        scene.ehr.draft("DB", person=builders.OTHER_PATIENT)
    answer = raised.value.answer
    assert (answer.code, answer.error_id) == ("ERROR", "APPLICATION_ERROR")
    assert b"intygs-id" not in answer.raw
    first.delete()


def elsewhere(ehr: Journalsystem, typ: str, person: str) -> Intyg:
    """A signed certificate of another care provider."""
    unsigned = ehr.issue(typ, person=person, signed=False).body
    unit = unsigned.replace(b"-ENHET1", b"-ENHET9").replace(b"-VG1", b"-VG9")
    assert unit.count(b"-VG9") == 1
    return ehr.register(ehr.sign(unit))


def test_02_a_doi_when_another_care_provider_has_one_is_remarked_on(scene: Scene) -> None:
    elsewhere(scene.ehr, "DOI", builders.PATIENT)
    draft = scene.ehr.draft("DOI")
    assert draft.answer is not None
    assert (draft.answer.code, draft.state) == ("INFO", "DRAFT_INCOMPLETE")
    assert "at another care provider" in (draft.answer.text or "")


def test_03_of_answers_sent_along_the_good_ones_are_used_and_the_others_told(scene: Scene) -> None:
    sent = {"27": {"27.1": "false"}, "1": {"1.2": "2026-02-30"}, "777": {"777.1": "x"}}
    draft = scene.ehr.draft("LISJP", prefill=sent)
    assert draft.answer is not None
    assert draft.answer.code == "OK"
    told = (draft.answer.text or "").splitlines()[1:]
    assert {line.partition(" ")[0] for line in told} == {"1.2", "777"}
    assert draft.shown["intyg"]["svar"] == {"27": {"27.1": False}}
    assert draft.shown["forifyllnad"]["bortfallna"] == 2


def test_04_one_is_no_boolean(scene: Scene) -> None:
    draft = scene.ehr.draft("LISJP", prefill={"27": {"27.1": "1"}})
    assert draft.shown["intyg"]["svar"] == {}
    [row] = draft.shown["forifyllnad"]["svar"]
    assert row["orsak"] == "INVALID_BOOLEAN_VALUE"


# --- content --------------------------------------------------------------------------------------


def test_05_the_second_of_two_saves_is_told_who_was_first(scene: Scene) -> None:
    draft = scene.ehr.draft("FK7804")
    seen = dict(draft.shown)
    draft.fill()
    draft.shown = seen
    problem = refused(409, draft.write, {})
    assert (problem["sparadAv"], problem["version"]) == ("Läkare Provperson", 1)
    assert problem["sparad"].startswith(f"{scene.adapter.clock.now.astimezone(SWEDEN):%Y-%m-%dT%H}")


# --- opened from an EHR ---------------------------------------------------------------------------


def test_06_another_number_takes_the_drafts_place_and_is_told(scene: Scene) -> None:
    draft = scene.ehr.draft("FK7804", person=builders.SAMORDNINGSNUMMER)
    draft.launch(alternatePatientSSn=builders.OTHER_PATIENT)
    person = draft.read().shown["intyg"]["patient"]["person-id"]
    assert person == {"root": builders.PERSONNUMMER, "extension": builders.OTHER_PATIENT}
    scene.adapter.clock.advance("6m")
    scene.ehr.await_event("ANDRAT", draft)


def test_07_a_reserve_number_changes_nothing(scene: Scene) -> None:
    draft = scene.ehr.draft("FK7804").launch(alternatePatientSSn="19XX0101-R234")
    assert (len(draft.shown["notiser"]), draft.shown["version"]) == (1, 0)


def test_08_parameters_in_the_address_are_refused(scene: Scene) -> None:
    draft = scene.ehr.draft("FK7804")
    url = f"{scene.adapter.url}/api/utkast/{draft.intygs_id}/launch?ref=X"
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(url, json={"hanteratAv": builders.DOCTOR}, timeout=30)
    assert (answer.status_code, draft.read().shown["ref"]) == (400, None)


def test_09_the_first_reference_stays_in_what_is_told(scene: Scene) -> None:
    draft = scene.ehr.draft("FK7804").launch(ref="FIRST").launch(ref="SECOND").ready()
    assert scene.ehr.await_event("KFSIGN", draft).ref == "FIRST"


# --- time -----------------------------------------------------------------------------------------


def test_10_a_draft_is_locked_at_the_midnight_after_fourteen_days(scene: Scene) -> None:
    draft = scene.ehr.draft("FK7804")
    scene.ehr.await_event("SKAPAT", draft)
    next_midnight = midnight(created(draft), 15)
    scene.set_clock(next_midnight - timedelta(minutes=1))
    assert draft.state == "DRAFT_INCOMPLETE"
    scene.set_clock(next_midnight + timedelta(seconds=10))
    assert draft.state == "DRAFT_LOCKED"
    assert scene.told(draft) == ["SKAPAT"]


def locked(scene: Scene) -> Utkast:
    draft = scene.ehr.draft("FK7804").fill()
    scene.set_clock(midnight(created(draft), 15) + timedelta(seconds=10))
    assert draft.state == "DRAFT_LOCKED"
    return draft


def test_11_a_locked_draft_is_copied_once_at_a_time_and_revoked(scene: Scene) -> None:
    draft = locked(scene)
    for act in (draft.fill, draft.delete, draft.sign, draft.ready):
        assert "locked" in refused(409, act)["detail"]
    copy = draft.copy()
    assert copy.shown["relation"] == {"typ": "KOPIA", "intygsId": draft.intygs_id}
    scene.ehr.await_event("SKAPAT", copy)
    refused(409, draft.copy)
    copy.delete()
    draft.copy().fill().sign()
    draft.revoke()
    scene.ehr.await_event("MAKULE", draft)
    refused(409, draft.copy)


def test_a_locked_draft_is_no_certificate_that_revoke_certificate_knows(scene: Scene) -> None:
    """As nationally: it was revoked in the editor, and the national store never had it."""
    draft = locked(scene)
    about = Intyg(draft.intygs_id, "LISJP", builders.PATIENT, b"")
    answer = scene.ehr.revoke(about, check=False)
    assert (answer.code, answer.error_id) == ("ERROR", "APPLICATION_ERROR")
    assert (draft.state, draft.shown["makulerad"]) == ("DRAFT_LOCKED", None)


def test_15_after_three_months_a_draft_is_gone(scene: Scene) -> None:
    draft = scene.ehr.draft("FK7804")
    scene.adapter.clock.advance("88d")
    assert draft.state == "DRAFT_LOCKED"
    scene.adapter.clock.advance("5d")
    scene.ehr.await_event("RADERA", draft)
    refused(404, draft.read)
    assert scene.told(draft) == ["SKAPAT", "RADERA"]


# --- new from old ---------------------------------------------------------------------------------


def test_12_what_is_renewed_begins_without_periods_grounds_and_prognosis(scene: Scene) -> None:
    renewed = scene.ehr.renew(scene.ehr.register("FK7804"))
    assert renewed.shown["relation"]["typ"] == "FRLANG"
    answers = renewed.shown["intyg"]["svar"]
    assert answers
    assert not answers.keys() & {"1", "26", "32", "39"}


def test_13_nothing_is_renewed_where_the_ehr_says_that_nothing_may_be_copied(scene: Scene) -> None:
    problem = refused(409, scene.ehr.renew, scene.ehr.register("FK7804"), kopieringOK=False)
    assert "kopieringOK" in problem["detail"]


def test_what_is_replaced_and_complemented_is_signed_and_sent(scene: Scene) -> None:
    first = scene.ehr.register("FK7804")
    scene.ehr.send(first)
    asked = scene.fk.ask("KOMPLT", first, frage="35", text="Hur långt?")
    scene.ehr.await_event("NYFRFM", first)
    refused(409, scene.ehr.replace, first)  # there is an open request
    completed = scene.ehr.complement(first, kommentar="Se fråga 35.").fill().sign()
    assert scene.fk.await_answer(asked).answered_by == completed.intygs_id
    replacing = scene.ehr.replace(completed).fill().sign()
    scene.ehr.send(replacing)
    assert scene.fk.await_intyg(replacing).signature == "valid"


def test_14_ready_for_signing_is_told_once(scene: Scene) -> None:
    draft = scene.ehr.draft("FK7804").ready().ready()
    scene.ehr.await_event("KFSIGN", draft)
    draft.delete()
    scene.ehr.await_event("RADERA", draft)
    assert scene.told(draft) == ["SKAPAT", "KFSIGN", "RADERA"]


# --- the mocks over HTTP --------------------------------------------------------------------------


def test_doctor_and_citizen_are_told_over_http_what_to_do(scene: Scene) -> None:
    def ask(path: str, **body: Any) -> Any:
        return scene.ehr.link.ask("POST", path, body=body)

    made = ask("/draft", typ="FK7804", ref="EHR-7")
    intygs_id = made["intygs_id"]
    assert (made["state"], bool(made["faults"])) == ("DRAFT_INCOMPLETE", True)
    filled = ask("/draft/fill", intygs_id=intygs_id, answers={"35": {"35.1": "Trött."}})
    assert (filled["state"], filled["version"]) == ("DRAFT_COMPLETE", 1)
    ask("/draft/ready", intygs_id=intygs_id)
    assert ask("/draft/sign", intygs_id=intygs_id)["state"] == "SIGNED"
    scene.ehr.await_event("SIGNAT", intygs_id)
    assert ask("/draft/from", intygs_id=intygs_id, way="renew")["version"] == 0
    assert ask("/citizen/send", intygs_id=intygs_id)["result_code"] == "OK"
    assert scene.fk.await_intyg(intygs_id).signature == "valid"
    assert intygs_id in own(scene)
    ask("/citizen/archive", intygs_id=intygs_id)
    assert intygs_id not in own(scene)
    assert intygs_id in own(scene, archived="true")


def own(scene: Scene, **query: str) -> list[str]:
    listed = scene.ehr.link.ask("GET", "/citizen", list(query.items()))
    return [each["intygs_id"] for each in listed["intyg"]]


def test_a_citizen_archives_takes_back_and_sends(scene: Scene) -> None:
    intyg = scene.ehr.draft("FK7804").fill().sign()
    citizen = scene.ehr.citizen()
    citizen.archive(intyg)
    assert intyg.intygs_id in [each.intygs_id for each in citizen.list(archived=True)]
    citizen.restore(intyg)
    [shown] = [each for each in citizen.list() if each.intygs_id == intyg.intygs_id]
    assert (shown.typ, "RECEIV" in shown.statuses) == ("LISJP", True)
    citizen.send(shown)
    assert scene.fk.await_intyg(intyg).signature == "valid"


# --- tried ----------------------------------------------------------------------------------------


def test_an_order_is_tried_over_soap(scene: Scene) -> None:
    """By an HTTP header, which another contract answers with a fault."""
    before = len(scene.adapter.get(f"/api/utkast?enhet={UNIT}"))
    path = "clinicalprocess/healthcond/certificate/{}/rivtabp21"
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update({"Content-Type": "text/xml", "x-intyg-dry-run": "true"})

        def post(contract: str, body: bytes) -> requests.Response:
            url = f"{scene.adapter.services_url}/{path.format(contract)}"
            return session.post(url, data=envelope(body, "INTYGSADAPTER"), timeout=30)

        tried = post("CreateDraftCertificate/3", create_draft(unit=UNIT))
        other = post("RegisterCertificate/3", builders.register_certificate())
    assert (tried.status_code, b"Dry run: nothing was kept" in tried.content) == (200, True)
    assert b"intygs-id" not in tried.content
    assert (other.status_code, b"cannot be tried; it was not done" in other.content) == (500, True)
    assert len(scene.adapter.get(f"/api/utkast?enhet={UNIT}")) == before
