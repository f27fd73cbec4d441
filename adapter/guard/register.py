"""A population register: whether somebody is flagged as a test person, and who they are.

In a file (`FileRegister`) or behind HTTP (`HttpRegister`); anything else with `is_test` will do.
`RegisterSignal` makes a signal of it. `Remembered` sees to it that a register that is slow or down
costs the adapter little.
"""

import csv
import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

import pydantic
import yaml

from intyg.adapter.clients.ask_service import ask_service
from intyg.adapter.clients.http_client import NoAnswerError
from intyg.adapter.clients.people import PeopleDownError
from intyg.adapter.clients.watched_file import DamagedFileError, WatchedFile
from intyg.adapter.domain.person import PatientKind, PersonFacts, PersonId
from intyg.adapter.rules.person_id import is_twelve_digits, luhn_holds
from intyg.adapter.settings.settings import RegisterSettings

MAX_ANSWER_BYTES: Final = 4096
MAX_REMEMBERED: Final = 10_000

T = TypeVar("T")

_TRUE, _FALSE = ("true", "1", "yes", "ja"), ("false", "0", "no", "nej")


class RegisterDownError(PeopleDownError):
    """The register cannot say; the text says why, without anybody's number."""


class Register(Protocol):
    """Who is flagged as a test person."""

    @property
    def name(self) -> str:
        """For journal and operator."""

    @property
    def damage(self) -> str | None:
        """Why it cannot answer, where that is known without asking."""

    @property
    def remark(self) -> str | None:
        """What an operator should know although it answers."""

    def is_test(self, person: PersonId) -> bool | None:
        """
        Whether a person has the test flag; None: it knows of no such person.

        Raises:
            RegisterDownError: It cannot say.
        """


class _About(pydantic.BaseModel):
    """What a register may say of a person beside the test flag; null is not said."""

    fornamn: str | None = None
    mellannamn: str | None = None
    efternamn: str | None = None
    postadress: str | None = None
    postnummer: str | None = None
    postort: str | None = None
    protected: pydantic.StrictBool | None = None
    deceased: pydantic.StrictBool | None = None

    @pydantic.field_validator("*")
    @classmethod
    def _fit_for_a_message(cls, said: object) -> object:
        if isinstance(said, str) and _NO_XML.search(said):
            raise ValueError("holds what no XML may hold")
        return said

    def __repr__(self) -> str:
        """Nothing of the person."""
        return type(self).__name__

    __str__ = __repr__

    def facts(self) -> PersonFacts:
        """The same; whether somebody is protected may not be said."""
        said = self.model_dump(include=set(_WORDS), exclude_none=True)
        return PersonFacts(**said, is_protected=self.protected, is_deceased=bool(self.deceased))


_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_WORDS: Final = ("fornamn", "mellannamn", "efternamn", "postadress", "postnummer", "postort")
_FLAGS: Final = ("test", "protected", "deceased")


# --- in a file ------------------------------------------------------------------------------------


class _Person(_About):
    number: str
    test: pydantic.StrictBool

    @pydantic.field_validator("number", mode="before")
    @classmethod
    def _twelve_digits(cls, number: object) -> str:
        text = str(number)  # YAML and JSON may hold it as a number
        if not (is_twelve_digits(text) and luhn_holds(text)):
            raise ValueError("not a personnummer or samordningsnummer of 12 digits")
        return text


class FileRegister:
    """
    A register in a file, read again when it changes.

    `.csv`: a header with `number` and `test`, then a person a line. `.json`, `.yaml`: a list of
    `{"number": "189001019802", "test": true}`. A person may also have names, address, `protected`
    and `deceased`, as `_About` names them.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.name = f"register {path.name}"
        self._file = WatchedFile(path, read_register, monotonic=monotonic)

    @property
    def damage(self) -> str | None:
        return self._file.damage

    @property
    def remark(self) -> str | None:
        return self._file.remark

    def is_test(self, person: PersonId) -> bool | None:
        known = self._find(person)
        return None if known is None else known.test

    def find(self, person: PersonId) -> PersonFacts | None:
        """As `People` has it."""
        known = self._find(person)
        return None if known is None else known.facts()

    def _find(self, person: PersonId) -> _Person | None:
        known = self._file.content
        if known is None:
            raise RegisterDownError(self.damage)
        return known.get(person.extension)


def read_register(path: Path) -> Mapping[str, _Person]:
    """
    From number to person.

    Raises:
        DamagedFileError: The file is missing or of another form, or says two things of somebody.
    """
    try:
        text = path.read_text("utf-8-sig")
        rows = list(_ROWS.get(path.suffix.lower(), _csv_rows)(text))
    except OSError as exc:
        raise DamagedFileError(f"{path.name}: {exc.strerror or type(exc).__name__}") from exc
    except (ValueError, csv.Error, yaml.YAMLError):  # their texts quote the file
        rows = None
    if rows is None:
        raise DamagedFileError(f"{path.name}: no {path.suffix.lstrip('.') or 'csv'} that is known")
    return _persons(path.name, rows)


def _persons(name: str, rows: Iterable[object]) -> Mapping[str, _Person]:
    found: dict[str, _Person] = {}
    for place, row in enumerate(rows, start=1):
        try:
            person = _Person.model_validate(row)
        except pydantic.ValidationError:  # its text quotes the row
            person = None
        if person is None or found.get(person.number, person) != person:
            raise DamagedFileError(f"{name}, person {place}: no number with a test flag of its own")
        found[person.number] = person
    if not found:
        raise DamagedFileError(f"{name}: holds nobody")
    return found


def _csv_rows(text: str) -> Iterator[object]:
    known = {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False), "": None}
    for row in csv.DictReader(text.splitlines()):
        said = {name: (row.get(name) or "").strip() for name in ("number", *_WORDS)}
        flags = {name: (row.get(name) or "").strip().lower() for name in _FLAGS}
        yield {**said, **{name: known.get(flag, flag) for name, flag in flags.items()}}


def _listed(parsed: object) -> list[object]:
    if not isinstance(parsed, list):
        raise ValueError("not a list")
    return parsed


_ROWS: Final[Mapping[str, Callable[[str], Iterable[object]]]] = {
    ".json": lambda text: _listed(json.loads(text)),
    ".yaml": lambda text: _listed(yaml.safe_load(text)),
    ".yml": lambda text: _listed(yaml.safe_load(text)),
}
"""By the ending of the file's name; anything else is CSV."""


# --- behind HTTP ----------------------------------------------------------------------------------


class _Answer(_About):
    number: str
    known: pydantic.StrictBool
    test: pydantic.StrictBool | None = None


class HttpRegister:
    """
    A register behind HTTP.

    `POST <url>` with `{"root": "1.2.752.129.2.1.3.1", "number": "189001019802"}`, since addresses
    stand in logs; the answer, HTTP 200, is `{"number": "189001019802", "known": true, "test":
    true}`, with names, address, `protected` and `deceased` where the register tells them, as
    `_About` names them. It repeats the number, so that no answer is taken for another's. Anything
    else means that the register cannot say: a wrong address would answer 404 for everybody.
    """

    damage = None
    remark = None

    def __init__(self, settings: RegisterSettings) -> None:
        assert settings.url is not None
        self.name = "register"
        self._settings = settings
        self._url = settings.url

    def is_test(self, person: PersonId) -> bool | None:
        answer = self._ask(person)
        if answer.known and answer.test is None:
            raise RegisterDownError("the register answers without a test flag")
        return answer.test if answer.known else None

    def find(self, person: PersonId) -> PersonFacts | None:
        """As `People` has it."""
        answer = self._ask(person)
        return answer.facts() if answer.known else None

    def _ask(self, person: PersonId) -> _Answer:
        question = {"root": person.root, "number": person.extension}
        try:
            status, body = ask_service(
                self._url,
                json=question,
                token=self._settings.token,
                ca=self._settings.ca,
                timeout_seconds=self._settings.timeout_seconds,
                max_bytes=MAX_ANSWER_BYTES,
            )
        except NoAnswerError as exc:
            raise RegisterDownError(f"the register does not answer: {exc}") from exc
        if status != 200:
            raise RegisterDownError(f"the register answers HTTP {status}")
        return _read(body, person)


def _read(body: bytes, person: PersonId) -> _Answer:
    try:
        answer = _Answer.model_validate_json(body)
    except ValueError:  # its text quotes the answer
        answer = None
    if answer is None or answer.number != person.extension:
        raise RegisterDownError("the register answers something else")
    return answer


# --- asked again and again ------------------------------------------------------------------------


class Remembered(Generic[T]):
    """
    Answers of a register about persons, used again for a while; one that is down is left alone.

    Args:
        ask: Asks it about a person.
        cache_seconds: How old an answer may be that is used again.
        down_seconds: How long one that failed is left alone: meanwhile nobody waits for it, and
            then one asks while the others still do not.
        monotonic: Seconds that only grow.

    Attributes:
        down: Why it could not say when it was asked last; None: it could.
    """

    def __init__(
        self,
        ask: Callable[[PersonId], T],
        *,
        cache_seconds: float = 0.0,
        down_seconds: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.down: str | None = None
        self._ask = ask
        self._cache_seconds = cache_seconds
        self._down_seconds = down_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, T]] = OrderedDict()  # until when, what
        self._down_until = 0.0

    def __call__(self, person: PersonId) -> T:
        """
        What it says of a person.

        Raises:
            RegisterDownError: It cannot say.
        """
        now = self._monotonic()
        with self._lock:
            known = self._known.get(person.extension)
            if known is not None and now < known[0]:
                return known[1]
            if now < self._down_until:
                raise RegisterDownError(self.down)
            if self.down is not None:  # this one tries; whoever comes meanwhile does not wait
                self._down_until = now + self._down_seconds
        try:
            said = self._ask(person)
        except Exception as exc:
            reason = str(exc) if isinstance(exc, RegisterDownError) else type(exc).__name__
            with self._lock:
                self.down = reason
                self._down_until = self._monotonic() + self._down_seconds
            raise RegisterDownError(reason) from exc
        with self._lock:
            self.down, self._down_until = None, 0.0
            self._remember(person.extension, said, now + self._cache_seconds)
        return said

    def _remember(self, number: str, said: T, until: float) -> None:
        self._known.pop(number, None)
        self._known[number] = (until, said)
        if len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)  # the oldest


class RememberedPeople:
    """A register of persons that may be slow or down, as `People` has it."""

    def __init__(self, find: Remembered[PersonFacts | None]) -> None:
        self._find = find

    def find(self, person: PersonId) -> PersonFacts | None:
        """As `People` has it."""
        return self._find(person)


class RegisterSignal:
    """
    A register as a signal.

    Args:
        register: Who is asked.
        unknown: What somebody is whom it does not know.
        cache_seconds, down_seconds, monotonic: As `Remembered` has them.
    """

    clears = True

    def __init__(
        self,
        register: Register,
        *,
        unknown: PatientKind = PatientKind.CANNOT_TELL,
        cache_seconds: float = 0.0,
        down_seconds: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = register.name
        self._register = register
        self._unknown = unknown
        self._ask = Remembered(
            lambda person: register.is_test(person),
            cache_seconds=cache_seconds,
            down_seconds=down_seconds,
            monotonic=monotonic,
        )

    @property
    def damage(self) -> str | None:
        return self._register.damage or self._ask.down

    @property
    def remark(self) -> str | None:
        return self._register.remark

    def kind(self, person: PersonId) -> PatientKind:
        try:
            flag = self._ask(person)
        except RegisterDownError:
            return PatientKind.CANNOT_TELL
        if flag is None:
            return self._unknown
        return PatientKind.TEST if flag else PatientKind.NOT_TEST

    def explain(self, person: PersonId) -> str:
        try:
            flag = self._ask(person)
        except RegisterDownError as down:
            return str(down)
        if flag is None:
            return f"knows no such person: {self._unknown.value.replace('_', ' ')}"
        return "has the test flag" if flag else "has no test flag"
