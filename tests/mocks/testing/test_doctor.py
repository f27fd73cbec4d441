"""What a doctor does with drafts, as the adapter hears it."""

from collections.abc import Mapping
from typing import Any

import pytest

from intyg.mocks.testing.doctor import DraftError, Signed, Utkast, require_id
from intyg.mocks.testing.sentences import SentenceError

AUTHOR = {"personal-id": "doctor", "enhet": {"enhets-id": "unit", "enhetsnamn": "Provenheten"}}
UNIT = {"postort": "Provstad"}
SHOWN = {
    "state": "DRAFT_COMPLETE",
    "version": 7,
    "typ": "FK7804",
    "intyg": {"skapadAv": AUTHOR},
    "intygsId": "made-1",
}
ANSWERS = {"1": [{"1.1": "true"}]}


class Adapter:
    """Answers with what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: tuple[int, dict[str, Any]] = (200, SHOWN)
        self.asked: list[tuple[object, ...]] = []

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        version: int | None = None,
    ) -> tuple[int, dict[str, Any]]:
        self.asked.append((method, path, body, version))
        return self.answer


@pytest.fixture
def adapter() -> Adapter:
    return Adapter()


@pytest.fixture
def draft(adapter: Adapter) -> Utkast:
    made = Utkast(adapter, "draft-1", "person", ANSWERS, UNIT)  # type: ignore[arg-type]
    assert adapter.asked == [("GET", "/draft-1", None, None)]
    adapter.asked.clear()
    return made


def test_it_is_filled_in_over_the_version_that_was_seen(adapter: Adapter, draft: Utkast) -> None:
    enhet = {**AUTHOR["enhet"], **UNIT}  # type: ignore[dict-item]
    by = {**AUTHOR, "enhet": enhet}
    assert draft.fill() is draft
    assert draft.fill({}) is draft
    assert adapter.asked == [
        ("PUT", "/draft-1", {"skapadAv": by, "svar": ANSWERS}, 7),
        ("PUT", "/draft-1", {"skapadAv": by, "svar": {}}, 7),
    ]


def test_its_way_to_a_certificate(adapter: Adapter, draft: Utkast) -> None:
    assert draft.read() is draft
    assert draft.ready() is draft
    assert draft.state == "DRAFT_COMPLETE"
    assert draft.sign() == Signed("draft-1", "FK7804", "person")
    assert draft.delete() is None  # type: ignore[func-returns-value]
    assert adapter.asked == [
        ("GET", "/draft-1", None, None),
        ("POST", "/draft-1/ready", {}, None),
        ("GET", "/draft-1", None, None),
        ("POST", "/draft-1/sign", {}, None),
        ("DELETE", "/draft-1", None, None),
    ]


def test_a_new_one_is_made_of_it(adapter: Adapter, draft: Utkast) -> None:
    adapter.answer = (201, SHOWN)
    assert draft.copy().intygs_id == "made-1"
    made = draft.made_from("old-1", "renew", ref="EHR-1")
    adapter.asked.clear()
    made.fill()
    assert adapter.asked[0][2]["svar"] == ANSWERS  # type: ignore[index]
    assert adapter.asked[0][1] == "/made-1"
    assert made.sign().person == "person"


def test_how_it_is_made_is_told(adapter: Adapter, draft: Utkast) -> None:
    adapter.answer = (201, SHOWN)
    draft.copy()
    draft.made_from("old-1", "renew", ref="EHR-1")
    posted = [each for each in adapter.asked if each[0] == "POST"]
    assert posted == [
        ("POST", "/draft-1/copy", {"skapadAv": AUTHOR}, None),
        ("POST", "/old-1/renew", {"skapadAv": AUTHOR, "ref": "EHR-1"}, None),
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
    faults = "HTTP 422, not yet 1.1: is missing; 2: no answer"
    for do, what in (
        (draft.sign, "POST /sign"),
        (draft.ready, "POST /ready"),
        (draft.delete, "DELETE draft"),
        (draft.read, "GET draft"),
        (draft.copy, "copy"),
    ):
        with pytest.raises(DraftError) as raised:
            do()
        assert str(raised.value) == f"{what}: {faults}"
        assert (raised.value.status, raised.value.problem) == (422, PROBLEM)
    adapter.answer = (400, {"detail": "no"})
    with pytest.raises(DraftError, match=r"^PUT draft: HTTP 400, no$"):
        draft.fill()


def test_a_copy_that_is_there_already_is_no_new_one(adapter: Adapter, draft: Utkast) -> None:
    with pytest.raises(DraftError, match=r"^copy: HTTP 200, None$"):
        draft.copy()


def test_an_order_gives_an_id() -> None:
    assert require_id("draft-1") == "draft-1"
    with pytest.raises(SentenceError, match="without the draft's id"):
        require_id(None)
