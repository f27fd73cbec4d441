"""What a doctor does with drafts, as the adapter hears it."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from intyg.mocks.journalsystem.drafts import Doctor, DraftError
from intyg.mocks.testing.doctor import Signed, Utkast, made_from, require_id
from intyg.mocks.testing.sentences import SentenceError
from intyg.schemas.typefile.lookup import IntygTypes

AUTHOR = {
    "personal-id": {"root": "1.2.752.129.2.1.4.1", "extension": "doctor-1"},
    "fullstandigtNamn": "Prov Läkare",
    "enhet": {"enhetsnamn": "Provenheten", "postort": "Provstad"},
}
SHOWN = {
    "intygsId": "draft-1",
    "state": "DRAFT_COMPLETE",
    "version": 7,
    "typ": "LISJP",
    "typversion": "2.0",
    "intyg": {
        "skapadAv": {"enhet": {"enhets-id": "unit", "enhetsnamn": "Another"}},
        "patient": {"person-id": {"extension": "189001019802"}},
    },
    "fel": [{"svar": "1", "delsvar": "1.1"}, {"svar": "2", "delsvar": None}],
}
BY = "?hanteratAv=doctor-1&namn=Prov+L%C3%A4kare"
NOW = datetime.fromisoformat("2026-11-23T10:00")
URL = "http://127.0.0.1:9"


class Adapter(requests.Session):
    """Answers with what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: tuple[int, dict[str, Any]] = (200, SHOWN)
        self.asked: list[tuple[str, str, Any]] = []
        self.told: list[dict[str, str]] = []

    def request(self, method: str, url: str, **said: Any) -> requests.Response:  # type: ignore[override]
        query = f"?{urlencode(said['params'])}" if said["params"] else ""
        self.asked.append((method, url.removeprefix(f"{URL}/api/utkast") + query, said["json"]))
        self.told.append(said["headers"])
        response = requests.Response()
        response.status_code = self.answer[0]
        response._content = json.dumps(self.answer[1]).encode()
        return response


@pytest.fixture
def adapter() -> Adapter:
    return Adapter()


@pytest.fixture
def doctor(adapter: Adapter) -> Doctor:
    return Doctor(URL, AUTHOR, adapter, IntygTypes(), "the token")


@pytest.fixture
def draft(adapter: Adapter, doctor: Doctor) -> Utkast:
    made = Utkast(doctor, "draft-1", lambda: NOW)
    assert adapter.asked == [("GET", f"/draft-1{BY}", None)]
    adapter.asked.clear()
    adapter.told.clear()
    return made


def test_it_is_written_over_the_version_that_was_seen(adapter: Adapter, draft: Utkast) -> None:
    enhet = {"enhets-id": "unit", "enhetsnamn": "Provenheten", "postort": "Provstad"}
    answers = {"1": [{"1.1": "true"}]}
    assert draft.write(answers) is draft
    body = {"skapadAv": {"enhet": enhet}, "svar": answers}
    assert adapter.asked == [("PUT", f"/draft-1{BY}", body)]
    assert adapter.told[0]["If-Match"] == '"7"'
    assert adapter.told[0]["Authorization"] == "Bearer the token"


def test_an_example_is_filled_in_around_now(adapter: Adapter, draft: Utkast) -> None:
    assert draft.fill({"27": None, "35": [{"35.1": "Trött."}]}) is draft
    (read, write) = adapter.asked
    assert read == ("GET", f"/draft-1{BY}", None)
    svar = write[2]["svar"]
    assert "27" not in svar
    assert svar["35"] == [{"35.1": "Trött."}]
    assert svar["6"][0]["6.2"]["code"]
    assert "2026-" in json.dumps(svar)


def test_its_way_to_a_certificate(adapter: Adapter, draft: Utkast) -> None:
    assert draft.read() is draft
    assert draft.ready() is draft
    assert draft.state == "DRAFT_COMPLETE"
    assert draft.faults == {"1.1", "2"}
    assert draft.sign() == Signed("draft-1", "LISJP", "189001019802")
    draft.revoke()
    draft.delete()
    assert adapter.asked == [
        ("GET", f"/draft-1{BY}", None),
        ("POST", f"/draft-1/ready{BY}", {}),
        ("GET", f"/draft-1{BY}", None),
        ("POST", f"/draft-1/sign{BY}", {}),
        ("POST", f"/draft-1/revoke{BY}", {}),
        ("DELETE", f"/draft-1{BY}", None),
    ]


def test_it_is_opened_from_the_ehr(adapter: Adapter, draft: Utkast) -> None:
    assert draft.launch(ref="EHR-1").shown == SHOWN
    body = {"hanteratAv": "doctor-1", "ref": "EHR-1"}
    assert adapter.asked == [("POST", "/draft-1/launch", body)]


def test_a_new_one_is_made_of_an_old_one(adapter: Adapter, doctor: Doctor, draft: Utkast) -> None:
    assert draft.copy().intygs_id == "draft-1"
    made_from(doctor, "old-1", "renew", lambda: NOW, {"ref": "EHR-1"})
    assert [each for each in adapter.asked if each[0] == "POST"] == [
        ("POST", f"/draft-1/copy{BY}", {"skapadAv": AUTHOR}),
        ("POST", f"/old-1/renew{BY}", {"skapadAv": AUTHOR, "ref": "EHR-1"}),
    ]


PROBLEM = {
    "detail": "not yet",
    "fel": [
        {"svar": "1", "delsvar": "1.1", "text": "is missing"},
        {"svar": "2", "delsvar": None, "text": "no answer"},
    ],
}


def test_what_the_adapter_does_not_do_is_told(adapter: Adapter, draft: Utkast) -> None:
    adapter.answer = (422, PROBLEM)
    for do, what in (
        (draft.sign, "POST /api/utkast/draft-1/sign"),
        (draft.ready, "POST /api/utkast/draft-1/ready"),
        (draft.delete, "DELETE /api/utkast/draft-1"),
        (draft.read, "GET /api/utkast/draft-1"),
        (draft.copy, "POST /api/utkast/draft-1/copy"),
    ):
        with pytest.raises(DraftError) as raised:
            do()
        said = f"{what}: HTTP 422, not yet 1.1: is missing; 2: no answer"
        assert str(raised.value) == said
        assert (raised.value.status, raised.value.problem) == (422, PROBLEM)


def test_an_order_gives_an_id() -> None:
    assert require_id("draft-1") == "draft-1"
    with pytest.raises(SentenceError, match="without the draft's id"):
        require_id(None)
