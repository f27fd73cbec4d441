"""A unit's questions on a page: who sees which, and what is done with them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Final

import pytest
from flask.testing import FlaskClient

from intyg.adapter.audit.log import AuditKey, AuditLog
from intyg.adapter.domain.environment import Environment
from intyg.adapter.domain.meddelande import FragaState
from intyg.adapter.flows.services import Services
from intyg.adapter.settings.settings import Settings
from intyg.adapter.store import file_of
from tests import builders
from tests.adapter.console.pages.asked import ONE, TWO, UNIT, WANTS, ask
from tests.adapter.console.pages.entering import enter
from tests.adapter.databases import SQLITE
from tests.adapter.flows.rig import Rig, copied_rig

PATH: Final = "/console/arenden"
WHO: Final = {"by": builders.DOCTOR, "name": "Påhittad Läkare"}


@pytest.fixture
def rig(migrated_urls: dict[str, str], tmp_path: Path) -> Iterator[Rig]:
    empty = Path(str(file_of(migrated_urls[SQLITE])))
    with copied_rig(empty.parent, tmp_path) as rig:
        ask(rig)
        yield rig


@pytest.fixture
def log_in(rig: Rig, settings: Settings) -> Callable[..., FlaskClient]:
    audit = AuditLog(rig.services.store, AuditKey(b"s" * 32))
    services: Services = replace(rig.services, audit=audit)
    return lambda name, changed=settings: enter(services, changed, name)


def states(rig: Rig, *ids: str) -> list[FragaState | None]:
    with rig.services.store.read() as rows:
        found = [rows.meddelanden.get(each) for each in ids]
    return [each.state if each else None for each in found]


def audited(rig: Rig) -> list[tuple[str, str | None]]:
    with rig.services.store.read() as rows:
        return [(row.entry.action, row.entry.actor) for row in rows.audit.find(ONE, 100)]


def column(page: str, name: str) -> list[str]:
    """A column's cells, without their markup."""
    cells = re.findall(rf'data-th="{name}">(.*?)</td>', page)
    return [unescape(re.sub(r"<[^>]+>", " ", cell)).strip() for cell in cells]


def do(client: FlaskClient, action: str, meddelande_id: str, **form: str) -> tuple[int, str]:
    """Ask for a dialog, and send it; the page that one comes to."""
    address = f"{PATH}/{action}?unit={builders.UNIT}&open={meddelande_id}"
    asked = client.get(address)
    token = re.search(r'name="csrf" value="(\w+)"', client.get("/console/arenden").text)
    assert token
    answer = client.post(address, data={"csrf": token[1], **WHO, **form})
    if answer.status_code == 303:
        assert f"/{action}?" in asked.text
        return 303, client.get(answer.location).text
    return answer.status_code, answer.text


def test_a_units_questions_with_what_waits_for_whom(log_in: Callable[..., FlaskClient]) -> None:
    page = log_in("care").get(PATH).text
    assert [cell.split()[0] for cell in column(page, "Avsändare")] == [
        "Försäkringskassan", "Vårdenheten", "Vårdenheten", "Försäkringskassan",
    ]  # fmt: skip
    turns = re.findall(r">(Alla|Vårdens|Myndighetens|Försenade) <span>(\d+)<", page)
    assert turns == [("Alla", "4"), ("Vårdens", "3"), ("Myndighetens", "1"), ("Försenade", "1")]
    assert column(page, "Journalsystemet vet") == [
        "NYFRFM väntar", "NYSVFM", "NYFRFV", "NYFRFM",
    ]  # fmt: skip
    assert "Påminnelse" in page
    assert 'Ärenden <span class="count">4<' in page
    for secret in (builders.PATIENT, builders.OTHER_PATIENT, WANTS[0][1]):
        assert secret not in page


@pytest.mark.parametrize(
    ("fields", "found"),
    [("turn=care", 3), ("overdue=true", 1), ("atgard=complement", 1), ("amne=AVSTMN", 1),
     ("asker=care&turn=care", 1), ("forwarded=true", 1), ("forwarded=false", 3),
     ("signer=SE-NOBODY", 0), ("atgard=none", 0), ("only=SE-NONE", 0)],
)  # fmt: skip
def test_filters_stand_in_the_address(
    log_in: Callable[..., FlaskClient], fields: str, found: int
) -> None:
    page = log_in("viewer").get(f"{UNIT}&{fields}").text
    assert len(column(page, "Avsändare")) == found
    assert ("Inget stämmer med filtret" in page) == (found == 0)


def test_what_is_wrong_in_an_address_is_said(log_in: Callable[..., FlaskClient]) -> None:
    for wrong in ("turn=mine", "before=x"):
        answer = log_in("viewer").get(f"{UNIT}&{wrong}")
        assert (answer.status_code, 'role="alert"' in answer.text) == (400, True)


def test_a_conversation_is_read_by_who_may_and_recorded(
    rig: Rig, log_in: Callable[..., FlaskClient], settings: Settings
) -> None:
    page = log_in("care").get(f"{PATH}?open=a-komplt").text
    assert WANTS[0][1] in page
    assert page.index("Fråga 35.") < page.index("talk-reminder")
    assert audited(rig)[-1] == ("console show arende", "care")
    real = settings.model_copy(update={"environment": Environment.PRODUCTION})
    for who, changed in (("viewer", settings), ("auditor", settings), ("viewer", real)):
        page = log_in(who, changed).get(f"{UNIT}&open=a-komplt").text
        assert WANTS[0][1] not in page
        assert "Innehållet visas inte för dig" in page
    assert [action for action, _ in audited(rig)] == ["console show arende"]


def test_care_answers_marks_and_forwards(rig: Rig, log_in: Callable[..., FlaskClient]) -> None:
    care = log_in("care")
    status, page = do(care, "answer", "a-answer", text="På tisdag.\x00")
    assert (status, "Svaret är på väg" in page) == (303, True)
    assert do(care, "handled", "a-read")[0] == 303
    assert do(care, "forward", "a-komplt")[0] == 303
    assert states(rig, "a-answer", "a-read") == [FragaState.HANDLED] * 2
    page = care.get(f"{PATH}?forwarded=true").text
    assert len(column(page, "Avsändare")) == 2
    assert ("console hanterad", f"care:{builders.DOCTOR}") in audited(rig)
    assert do(care, "unhandled", "a-read")[0] == 303
    assert states(rig, "a-read") == [FragaState.ANSWERED]
    status, page = do(care, "unhandled", "a-answer")
    assert (status, "Inget har ändrats" in page) == (409, True)


def test_a_complement_begins_as_a_draft(rig: Rig, log_in: Callable[..., FlaskClient]) -> None:
    care = log_in("care")
    status, page = do(care, "complement", "a-komplt")
    with rig.services.store.read() as rows:
        (draft,) = rows.drafts.related(ONE, "KOMPLT")
    assert (status, draft.intygs_id in page) == (303, True)
    assert draft.svar_pa is not None
    assert draft.svar_pa.meddelande_id == "a-komplt"
    begun = care.get(f"{PATH}?open=a-komplt").text
    assert "Kompletteringen är påbörjad" in begun
    assert "Komplettera intyget" not in begun
    assert f"/console/utkast?unit={builders.UNIT}&amp;about={ONE}" in begun
    of_patient = care.get(f"/console/utkast?unit={builders.UNIT}&about={ONE}").text
    assert ("1 utkast om patienten" in of_patient, draft.intygs_id in of_patient) == (True, True)
    of_another = care.get(f"/console/utkast?unit={builders.UNIT}&about={TWO}").text
    assert ("0 utkast om patienten" in of_another, draft.intygs_id in of_another) == (True, False)
    assert do(care, "complement", "a-komplt")[0] == 409
    assert states(rig, "a-komplt") == [FragaState.OPEN_CARE]


@pytest.mark.parametrize(
    ("reason", "state", "drafts"),
    [("nobody", FragaState.HANDLED, 0), ("nothing_more", FragaState.OPEN_CARE, 1)],
)
def test_why_a_certificate_cannot_be_completed(
    rig: Rig,
    log_in: Callable[..., FlaskClient],
    reason: str,
    state: FragaState,
    drafts: int,
) -> None:
    care = log_in("care")
    assert do(care, "cannot", "a-komplt", reason=reason, text="x" * 501)[0] == 400
    assert do(care, "cannot", "a-komplt", reason=reason, text="Läkaren har slutat.")[0] == 303
    with rig.services.store.read() as rows:
        assert len(rows.drafts.related(ONE, "KOMPLT")) == drafts
    assert states(rig, "a-komplt") == [state]


@pytest.mark.parametrize(
    ("form", "says"),
    [({"by": "Doktor A"}, "Skriv ditt HSA-id"), ({"name": ""}, "Skriv ditt namn"),
     ({"text": "\x01 "}, "Skriv en text")],
)  # fmt: skip
def test_what_is_left_out_is_asked_for(
    rig: Rig, log_in: Callable[..., FlaskClient], form: dict[str, str], says: str
) -> None:
    status, page = do(log_in("care"), "answer", "a-answer", **{"text": "Ja.", **form})
    assert (status, says in page) == (400, True)
    assert states(rig, "a-answer") == [FragaState.OPEN_CARE]


@pytest.mark.parametrize("who", ["viewer", "auditor", "other"])
def test_who_may_not_read_a_question_does_nothing_with_it(
    rig: Rig, log_in: Callable[..., FlaskClient], who: str
) -> None:
    client = log_in(who)
    for meddelande_id in ("a-answer", "never"):
        assert client.get(f"{PATH}/answer?open={meddelande_id}").status_code == 404
        assert do(client, "handled", meddelande_id)[0] == 404
    assert states(rig, "a-answer") == [FragaState.OPEN_CARE]
    if who == "other":
        assert column(client.get(UNIT).text, "Avsändare") == []


def test_no_form_of_anothers(rig: Rig, log_in: Callable[..., FlaskClient]) -> None:
    answer = log_in("care").post(f"{PATH}/handled?open=a-read", data={"csrf": "x", **WHO})
    assert answer.status_code == 403
    assert states(rig, "a-read") == [FragaState.ANSWERED]


def test_what_others_wrote_is_text(rig: Rig, log_in: Callable[..., FlaskClient]) -> None:
    text = "<script>alert(1)</script>"
    rig.ok(
        builders.send_message_to_care(
            "evil", "OVRIGT", intygs_id=TWO, person=builders.OTHER_PATIENT, text=text
        )
    )
    page = log_in("care").get(f"{PATH}?open=evil").text
    assert text not in page
    assert "&lt;script&gt;" in page
