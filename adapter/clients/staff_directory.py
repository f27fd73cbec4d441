"""Who works where: a staff directory, as a file or behind HTTP.

Both speak one form, of which the file holds many and an HTTP answer one. `GET <url>/<HSA-id>`
answers 200 with it, or 404 for somebody it does not know:

    {"hsaId": "SE2321000016-1234", "legitimeratYrke": ["LK"], "befattning": ["201010"],
     "forskrivargrupp": [], "uppdrag": [{"enhetsId": "SE2321000016-ABCD",
     "andamal": "Vård och behandling", "from": "2024-01-01", "tom": "2027-12-31"}]}

Anything else means that the directory is down: nothing can be said, and nothing is refused for
good. A file that is changed is read again; one that is damaged is no directory until it is whole.
"""

import re
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final, Protocol

import pydantic

from intyg.adapter.clients.ask_service import ask_service
from intyg.adapter.clients.http_client import NoAnswerError
from intyg.adapter.clients.watched_file import FileState, state_of
from intyg.adapter.domain.errors import TechnicalError
from intyg.adapter.domain.hsa_id import hsa_key, same_hsa_id
from intyg.adapter.domain.intyg import Yrken
from intyg.adapter.domain.texts import STAFF_DIRECTORY_DOWN
from intyg.adapter.rules.signer_roles import StaffMember, Uppdrag
from intyg.adapter.settings.settings import StaffSettings

MAX_ANSWER_BYTES: Final = 256 * 1024
MAX_REMEMBERED: Final = 10_000

_HSA_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


class StaffDirectory(Protocol):
    """Where signers are looked up."""

    def find(self, hsa_id: str) -> StaffMember | None:
        """
        What is known of a person; None: nobody with this HSA-id.

        Raises:
            TechnicalError: The directory does not answer.
        """


def directory_from_settings(settings: StaffSettings) -> StaffDirectory | None:
    """The directory that the settings name; None without one."""
    if settings.file is not None:
        return FileDirectory(settings.file)
    return HttpDirectory(settings) if settings.url is not None else None


class _Uppdrag(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(populate_by_name=True)

    enhetsId: str  # noqa: N815  # the form's own names
    andamal: str
    first: date | None = pydantic.Field(default=None, alias="from")
    tom: date | None = None


class _Person(pydantic.BaseModel):
    hsaId: str  # noqa: N815
    legitimeratYrke: list[str]  # noqa: N815
    befattning: list[str] = []
    forskrivargrupp: list[str] = []
    uppdrag: list[_Uppdrag]

    def member(self) -> StaffMember:
        return StaffMember(
            Yrken(
                frozenset(self.legitimeratYrke),
                frozenset(self.befattning),
                frozenset(self.forskrivargrupp),
            ),
            tuple(Uppdrag(u.enhetsId, u.andamal, u.first, u.tom) for u in self.uppdrag),
        )


_People: Final = pydantic.TypeAdapter(list[_Person])


def _down(why: str) -> TechnicalError:
    return TechnicalError(STAFF_DIRECTORY_DOWN.format(why=why))


class FileDirectory:
    """A JSON list of people."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: FileState = None  # of what was read
        self._members: dict[str, StaffMember] | None = None

    def find(self, hsa_id: str) -> StaffMember | None:
        with self._lock:
            self._look()
            if self._members is None:
                raise _down("its file is missing or damaged")
            return self._members.get(hsa_key(hsa_id))

    def _look(self) -> None:
        """Read the file if it is another one than last time."""
        found = state_of(self._path)
        if found is not None and found == self._seen:
            return
        try:
            people = _People.validate_json(self._path.read_bytes())
        except (OSError, ValueError):  # pydantic's error is a ValueError; its text quotes people
            self._seen, self._members = None, None
            return
        self._seen = found
        self._members = {hsa_key(person.hsaId): person.member() for person in people}


class HttpDirectory:
    """
    A directory behind HTTP. Those it knows are remembered for a while; nothing else is.

    Args:
        settings: Where it is, how long to wait and to remember.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self, settings: StaffSettings, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        assert settings.url is not None
        self._url = settings.url.rstrip("/")
        self._timeout = settings.timeout_seconds
        self._keep_seconds = settings.cache_seconds
        self._ca = settings.ca
        self._token = settings.token
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, StaffMember]] = {}

    def find(self, hsa_id: str) -> StaffMember | None:
        if not _HSA_ID.fullmatch(hsa_id):  # `..` would be another address
            return None
        key = hsa_key(hsa_id)
        with self._lock:
            until, member = self._known.get(key, (0.0, None))
        if member is not None and self._monotonic() < until:
            return member
        person = self._ask(key)
        if person is None:
            return None
        member = person.member()
        with self._lock:
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[key] = (self._monotonic() + self._keep_seconds, member)
        return member

    def _ask(self, hsa_id: str) -> _Person | None:
        try:
            status, body = ask_service(
                f"{self._url}/{hsa_id}",
                token=self._token,
                ca=self._ca,
                timeout_seconds=self._timeout,
                max_bytes=MAX_ANSWER_BYTES,
            )
        except NoAnswerError as exc:
            raise _down(str(exc)) from None
        if status == 404:
            return None
        if status != 200:
            raise _down(f"it answers HTTP {status}")
        try:
            person = _Person.model_validate_json(body)
        except ValueError:
            person = None
        if person is None or not same_hsa_id(person.hsaId, hsa_id):
            raise _down("its answer is not what was asked for")
        return person
