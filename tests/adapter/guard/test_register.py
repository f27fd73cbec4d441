"""A population register: in a file, behind HTTP, and what the guard makes of one that is down."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from intyg.adapter.clients.people import PeopleDownError
from intyg.adapter.domain.person import PatientKind, PersonFacts, PersonId
from intyg.adapter.guard import (
    FileRegister,
    HttpRegister,
    RegisterDownError,
    RegisterSignal,
    build_test_patients,
)
from intyg.adapter.guard.register import MAX_REMEMBERED, RememberedPeople, read_register
from intyg.adapter.settings.settings import RegisterSettings, TestPatientSettings
from intyg.schemas.codes import PERSONNUMMER_ROOT
from tests.adapter.receivers import (
    CLOSE,
    HANG,
    NOBODY,
    Received,
    Receiver,
    http,
    receiver,
)
from tests.builders import OTHER_PATIENT, PATIENT, UNLISTED_PATIENT

TEST, NOT_TEST, CANNOT_TELL = PatientKind.TEST, PatientKind.NOT_TEST, PatientKind.CANNOT_TELL


def person(number: str) -> PersonId:
    return PersonId(PERSONNUMMER_ROOT, number)


# --- in a file ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.csv", f"number,test\n{PATIENT},true\n{UNLISTED_PATIENT},FALSE\n"),
        ("r.csv", f"test,number,name\nja,{PATIENT},x\nnej,{UNLISTED_PATIENT},y\n"),
        ("r.json", json.dumps([{"number": PATIENT, "test": True}])[:-1]
         + f', {{"number": {UNLISTED_PATIENT}, "test": false}}]'),
        ("r.yaml", f"- {{number: {PATIENT}, test: true}}\n- number: '{UNLISTED_PATIENT}'\n"
                   "  test: no\n"),
    ],
)  # fmt: skip
def test_a_file_says_of_each_number_whether_it_is_flagged(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    register = FileRegister(tmp_path / name)
    asked = [register.is_test(person(n)) for n in (PATIENT, UNLISTED_PATIENT, OTHER_PATIENT)]
    assert asked == [True, False, None]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("r.csv", "", "nobody"),
        ("r.csv", f"number,test\n{PATIENT},perhaps\n", "person 1"),
        ("r.csv", f"number\n{PATIENT}\n", "person 1"),
        ("r.csv", f"number,test\n{PATIENT},\n", "person 1"),
        ("r.csv", f"number,test\n{PATIENT},true\n{PATIENT},false\n", "person 2"),
        ("r.csv", "number,test\n189001019803,true\n", "person 1"),
        ("r.json", "{", "no json"),
        ("r.json", "{}", "no json"),
        ("r.json", f'[{{"number": "{PATIENT}", "test": "true"}}]', "person 1"),
        ("r.yaml", f"- {{number: {PATIENT}, test: 1}}", "person 1"),
        ("r.yaml", "- !!python/object/apply:os.system [true]", "no yaml"),
        ("gone.csv", None, "No such file"),
    ],
)
def test_a_damaged_file_cannot_say_and_is_not_quoted(
    tmp_path: Path, name: str, text: str | None, says: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    register = FileRegister(tmp_path / name)
    with pytest.raises(RegisterDownError, match=says) as caught:
        register.is_test(person(PATIENT))
    assert "1890" not in str(caught.value)
    assert isinstance(register.damage, str)


# --- behind HTTP ----------------------------------------------------------------------------------

Answer = Callable[[dict[str, Any]], object]


def flagged(question: dict[str, Any]) -> object:
    """Knows the builders' two test patients and one other."""
    number = question["number"]
    known = number in (PATIENT, OTHER_PATIENT, UNLISTED_PATIENT)
    return {"number": number, "known": known, "test": number != UNLISTED_PATIENT}


FULL = {
    "fornamn": "Tolvan",
    "mellannamn": "Prov",
    "efternamn": "Tolvansson",
    "protected": True,
    "postadress": "Provgatan 1",
    "postnummer": "12345",
    "postort": "Provstad",
    "deceased": True,
}
FACTS = PersonFacts(
    "Tolvan", "Tolvansson", "Prov", "Provgatan 1", "12345", "Provstad",
    is_protected=True, is_deceased=True,
)  # fmt: skip


@pytest.mark.parametrize("name", ["r.csv", "r.json"])
def test_a_file_may_say_more_of_a_person(tmp_path: Path, name: str) -> None:
    rows = [{"number": PATIENT, "test": True, **FULL}, {"number": OTHER_PATIENT, "test": False}]
    if name == "r.csv":
        header = list(rows[0])
        lines = [header, *([str(row.get(key, "")) for key in header] for row in rows)]
        (tmp_path / name).write_text("\n".join(map(",".join, lines)), "utf-8")
    else:
        (tmp_path / name).write_text(json.dumps(rows), "utf-8")
    register = FileRegister(tmp_path / name)
    assert register.find(person(PATIENT)) == FACTS
    assert register.find(person(OTHER_PATIENT)) == PersonFacts(is_protected=None)
    assert register.find(person(UNLISTED_PATIENT)) is None
    assert "Tolvan" not in repr(read_register(tmp_path / name))


def test_a_file_that_is_gone_says_nothing_of_anybody(tmp_path: Path) -> None:
    with pytest.raises(PeopleDownError, match=r"none\.csv"):
        FileRegister(tmp_path / "none.csv").find(person(PATIENT))


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\uffff"])
def test_what_no_message_may_hold_is_no_answer(tmp_path: Path, sign: str) -> None:
    rows = [{"number": PATIENT, "test": True, "efternamn": f"Tol{sign}vansson"}]
    (tmp_path / "r.json").write_text(json.dumps(rows), "utf-8")
    with pytest.raises(PeopleDownError, match="person 1"):
        FileRegister(tmp_path / "r.json").find(person(PATIENT))


def test_a_register_that_is_down_is_not_waited_for_by_each_who_asks_for_a_name(
    there: Receiver,
) -> None:
    there.answer = lambda _: http(b"", 503)
    settings = TestPatientSettings(population_register=RegisterSettings(url=there.url))
    seconds = Seconds()
    people = build_test_patients(settings, seconds).people
    assert people is not None
    for _ in range(3):
        with pytest.raises(PeopleDownError, match="503"):
            people.find(person(PATIENT))
    assert there.connections == 1
    answers(there, lambda asked: {"number": asked["number"], "known": True, "test": True, **FULL})
    seconds.now += 5
    assert [people.find(person(PATIENT)) for _ in range(3)] == [FACTS] * 3
    assert there.connections == 2


def test_the_settings_name_whom_drafts_ask(tmp_path: Path) -> None:
    def people(**register: Any) -> object:
        settings = TestPatientSettings(population_register=RegisterSettings(**register))
        return build_test_patients(settings).people

    assert people() is None
    assert isinstance(people(file=tmp_path / "r.csv"), FileRegister)
    assert isinstance(people(url="https://r.test"), RememberedPeople)


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as served:
        answers(served, flagged)
        yield served


def answers(there: Receiver, answer: Answer, status: int = 200) -> None:
    def reply(request: Received) -> bytes:
        body = json.dumps(answer(json.loads(request.body))).encode()
        return http(body, status, "application/json")

    there.answer = reply


def asked(url: str, **settings: Any) -> HttpRegister:
    return HttpRegister(RegisterSettings(url=url, **{"timeout_seconds": 2, **settings}))


def test_an_answer_may_say_more_of_a_person(there: Receiver) -> None:
    register = HttpRegister(RegisterSettings(url=there.url))
    told = {"number": PATIENT, "known": True, **FULL}  # drafts want no test flag
    there.answer = lambda _: http(json.dumps(told).encode(), content_type="application/json")
    assert register.find(person(PATIENT)) == FACTS
    unknown = {"number": PATIENT, "known": False}
    there.answer = lambda _: http(json.dumps(unknown).encode(), content_type="application/json")
    assert register.find(person(PATIENT)) is None
    there.answer = lambda _: http(b"{}", content_type="application/json")
    with pytest.raises(PeopleDownError, match="something else"):
        register.find(person(PATIENT))


def test_the_number_is_in_the_body_and_nowhere_else(there: Receiver) -> None:
    register = asked(there.url, token="s3cret")
    found = [register.is_test(person(n)) for n in (PATIENT, UNLISTED_PATIENT, "191212121212")]
    assert found == [True, False, None]
    request = there.received[0]
    assert request.request_line == "POST /path?q=1 HTTP/1.1"
    assert json.loads(request.body) == {"root": PERSONNUMMER_ROOT, "number": PATIENT}
    assert not [value for _, value in request.headers if PATIENT in value]
    assert request.header("Authorization") == ["Bearer s3cret"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(lambda q: {**flagged(q), "number": OTHER_PATIENT}, 200, id="another's"),  # type: ignore[dict-item]
        pytest.param(lambda _: {"known": True, "test": False}, 200, id="nobody's"),
        pytest.param(lambda q: {"number": q["number"], "known": True}, 200, id="no flag"),
        pytest.param(lambda q: {"number": q["number"], "test": False}, 200, id="not known?"),
        pytest.param(
            lambda q: {"number": q["number"], "known": True, "test": "false"}, 200, id="a text"
        ),
        pytest.param(lambda q: {**flagged(q), "more": "x" * 5000}, 200, id="too long"),  # type: ignore[dict-item]
        pytest.param(lambda _: [], 200, id="a list"),
        pytest.param(flagged, 404, id="404"),
        pytest.param(flagged, 500, id="500"),
        pytest.param(flagged, 302, id="redirect"),
    ],
)
def test_any_other_answer_says_nothing(there: Receiver, answer: Answer, status: int) -> None:
    answers(there, answer, status)
    with pytest.raises(RegisterDownError) as caught:
        asked(there.url).is_test(person(UNLISTED_PATIENT))
    assert UNLISTED_PATIENT not in str(caught.value)
    assert there.connections == 1


@pytest.mark.parametrize("how", [HANG, CLOSE])
def test_a_register_that_does_not_answer_is_given_up(there: Receiver, how: str) -> None:
    there.answer = lambda _: how
    start = time.monotonic()
    with pytest.raises(RegisterDownError):
        asked(there.url, timeout_seconds=0.3).is_test(person(PATIENT))
    assert time.monotonic() - start < 5


# --- as a signal ----------------------------------------------------------------------------------


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Fake:
    """A register in memory that can be made to fail."""

    name = "register"
    damage = None
    remark = None

    def __init__(self) -> None:
        self.flags: dict[str, bool | None] = {PATIENT: True, UNLISTED_PATIENT: False}
        self.asked: list[str] = []
        self.error: Exception | None = None

    def is_test(self, person: PersonId) -> bool | None:
        self.asked.append(person.extension)
        if self.error is not None:
            raise self.error
        return self.flags.get(person.extension)


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def signal(fake: Fake, seconds: Seconds) -> RegisterSignal:
    return RegisterSignal(fake, cache_seconds=60, down_seconds=5, monotonic=seconds)


def test_an_answer_is_used_again_until_it_is_too_old(
    signal: RegisterSignal, fake: Fake, seconds: Seconds
) -> None:
    assert signal.kind(person(UNLISTED_PATIENT)) is NOT_TEST
    fake.flags[UNLISTED_PATIENT] = True
    seconds.now += 59
    assert signal.kind(person(UNLISTED_PATIENT)) is NOT_TEST
    seconds.now += 1
    assert signal.kind(person(UNLISTED_PATIENT)) is TEST
    assert len(fake.asked) == 2


@pytest.mark.parametrize(
    "error", [RegisterDownError("no answer"), OSError(PATIENT), KeyError(PATIENT)]
)
def test_a_register_that_fails_cannot_tell_and_is_left_alone_for_a_while(
    signal: RegisterSignal, fake: Fake, seconds: Seconds, error: Exception
) -> None:
    fake.error = error
    for _ in range(10):
        assert signal.kind(person(UNLISTED_PATIENT)) is CANNOT_TELL
        assert signal.kind(person(PATIENT)) is CANNOT_TELL
    assert len(fake.asked) == 1
    assert signal.damage is not None
    assert PATIENT not in signal.damage
    fake.error = None
    seconds.now += 4.9
    assert signal.kind(person(PATIENT)) is CANNOT_TELL
    seconds.now += 0.1
    assert signal.kind(person(PATIENT)) is TEST
    assert signal.damage is None


def test_what_is_known_is_still_known_while_it_is_down(signal: RegisterSignal, fake: Fake) -> None:
    assert signal.kind(person(UNLISTED_PATIENT)) is NOT_TEST
    fake.error = RegisterDownError("no answer")
    assert signal.kind(person(PATIENT)) is CANNOT_TELL
    assert signal.kind(person(UNLISTED_PATIENT)) is NOT_TEST


def test_while_one_tries_again_the_others_do_not_wait(
    signal: RegisterSignal, fake: Fake, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.error = RegisterDownError("no answer")
    signal.kind(person(PATIENT))
    seconds.now += 5
    trying, go_on = threading.Event(), threading.Event()

    def slow(_: PersonId) -> bool:
        trying.set()
        assert go_on.wait(10)
        return True

    monkeypatch.setattr(fake, "is_test", slow)
    found: list[PatientKind] = []
    one = threading.Thread(target=lambda: found.append(signal.kind(person(PATIENT))))
    one.start()
    assert trying.wait(10)
    assert signal.kind(person(PATIENT)) is CANNOT_TELL  # at once
    go_on.set()
    one.join()
    assert found == [TEST]


@pytest.mark.parametrize("unknown", PatientKind)
def test_whom_it_does_not_know_is_what_the_settings_say(fake: Fake, unknown: PatientKind) -> None:
    signal = RegisterSignal(fake, unknown=unknown)
    assert signal.kind(person(OTHER_PATIENT)) is unknown


def test_it_does_not_remember_everybody(signal: RegisterSignal, fake: Fake) -> None:
    for number in range(MAX_REMEMBERED + 10):
        signal.kind(person(str(number)))
    assert len(signal._ask._known) == MAX_REMEMBERED
    asked_before = len(fake.asked)
    signal.kind(person(str(MAX_REMEMBERED + 9)))
    assert len(fake.asked) == asked_before


def test_settings_make_the_signals_in_the_order_they_are_asked(
    tmp_path: Path, there: Receiver
) -> None:
    (tmp_path / "list.csv").write_text(f"{PATIENT}\n")
    settings = TestPatientSettings(
        list_files=(tmp_path / "list.csv",),
        population_register=RegisterSettings(url=there.url),
    )
    patients = build_test_patients(settings)
    assert [s.name for s in patients.signals] == ["list list.csv", "reserved numbers", "register"]
    assert patients.verdict(person(PATIENT)).kind is TEST
    assert there.connections == 0  # a list that says test is enough
    assert patients.verdict(person(UNLISTED_PATIENT)).kind is NOT_TEST
    assert there.connections == 1


def test_the_verdict_says_why_it_cannot_tell() -> None:
    settings = RegisterSettings(url=NOBODY)
    patients = build_test_patients(TestPatientSettings(population_register=settings))
    verdict = patients.verdict(person(UNLISTED_PATIENT))
    assert verdict.kind is CANNOT_TELL
    assert verdict.signal_and_why.startswith("register: the register does not answer: ")
