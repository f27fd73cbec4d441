"""Which mock a page is about, and how it is asked and told: by the operations of `/control`."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Protocol
from wsgiref.types import WSGIEnvironment

from flask import g, request
from pydantic import ValidationError

from intyg.mocks.control import Operation, ProblemError, interface
from intyg.mocks.control.operation import MOCK, problem_of
from intyg.mocks.pages.address import PREFIX
from intyg.mocks.pages.recorder import Click, Recorder
from intyg.pages.session import OnceLinks, Sessions, Visitor
from intyg.schemas.codes import Part
from intyg.schemas.typefile.lookup import IntygTypes

RUN: Final = "intyg.run"
"""Key of the WSGI environment under which the run stands that a page is about."""


class HasTypes(Protocol):
    """Where a mock stands, as far as pages go."""

    @property
    def types(self) -> IntygTypes:
        """The certificate types."""


class Shown(interface.Mock, Protocol):
    """A mock, as far as its pages go."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def token(self) -> str | None:
        """What the control interface wants; None: nothing."""

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What it can be asked and told."""

    @property
    def place(self) -> HasTypes:
        """Where it stands."""

    @property
    def fellows(self) -> Sequence["Shown"]:
        """The mocks that were started together, this one among them."""


@dataclass(frozen=True)
class Moment:
    """
    When something is done.

    Attributes:
        at: By the mocks' clock.
        seen: By mock, the number of the newest call in its journal.
    """

    at: datetime
    seen: Mapping[str, int]


@dataclass(frozen=True)
class Visit:
    """What every page works with."""

    sessions: Sessions
    links: OnceLinks
    recorder: Recorder

    def record(
        self,
        moment: Moment,
        key: str,
        what: str,
        values: Mapping[str, Any],
        *,
        accepted: bool = True,
        said: str = "",
    ) -> Click:
        """Keep what was clicked, and what came of it; the fields are those of `Click`."""
        click = Click(0, moment.at, moment.seen, key, what, values, accepted, said)
        return self.recorder.add(run_id(), click)


def before() -> Moment:
    """What there is before something is done."""
    ranges = {key: mock.journal.range() for key, mock in g.mocks.items()}
    seen = {key: 0 if there is None else there[1] for key, there in ranges.items()}
    return Moment(look(asked_mock(), "read_clock").now, seen)


ANYBODY: Final = Visitor("anybody", "operator", key="anybody")
"""Who looks where no token is wanted."""


def asked_mock() -> Shown:
    """The shared mock at whose address somebody looks."""
    found: Shown = request.environ[MOCK]
    return found


def run_id() -> str | None:
    """The run that the page is about; None: none."""
    found: str | None = request.environ.get(RUN)
    return found


def prefix() -> str:
    """What every address on a page begins with."""
    run = run_id()
    return PREFIX if run is None else f"{PREFIX}/run/{run}"


def split_run(environ: WSGIEnvironment) -> WSGIEnvironment:
    """Take `/run/<id>` out of a path: pages of runs are the same pages."""
    parts = environ.get("PATH_INFO", "").split("/", 4)
    if parts[2:3] != ["run"] or len(parts) < 4:
        return environ
    path = "/".join([PREFIX, *parts[4:]])
    return {**environ, RUN: parts[3], "PATH_INFO": path}


def mocks_here() -> Mapping[str, Shown]:
    """The mocks by name in addresses: of the run if the page is about one."""
    run, fellows = run_id(), asked_mock().fellows
    mocks = fellows if run is None else [each.runs.find(run) for each in fellows]
    return {key_of(each.name): each for each in mocks if each is not None}


def key_of(name: str) -> str:
    """A mock's name as its fixture has it: `forsakringskassan`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join(plain.split())


def mock_of(key: str) -> Shown:
    """
    The mock of a name.

    Raises:
        ProblemError: There is none.
    """
    try:
        found: Shown = g.mocks[key]
    except KeyError:
        raise ProblemError.unknown("mock", key, g.mocks) from None
    return found


def is_ehr(mock: Shown) -> bool:
    """Whether it is the care side's."""
    return mock.settings.part == Part.HSVARD


def can(mock: Shown, name: str) -> bool:
    """Whether a mock has an operation."""
    return any(each.name == name for each in mock.operations)


def tell(mock: Shown, name: str, body: Mapping[str, Any] | None = None, **path: Any) -> Any:
    """
    Carry out an operation that takes a body.

    Args:
        name: As in its description: `ask`.
        path: What its path takes.

    Raises:
        ProblemError: It could not be done.
    """
    operation = _operation(mock, name)
    data = json.dumps(body or {}).encode()
    return operation.handle(mock, body=operation.read_body(mock, data), **path)


def look(mock: Shown, name: str, query: Mapping[str, str] | None = None, **values: Any) -> Any:
    """
    Carry out an operation that takes a query, or nothing but what its path takes.

    Raises:
        ProblemError: There is nothing of the kind.
    """
    operation = _operation(mock, name)
    model = operation.query
    if model is None:
        return operation.handle(mock, **values)
    try:
        return operation.handle(mock, query=model.model_validate_strings(query or {}), **values)
    except ValidationError as exc:
        raise problem_of(exc, model) from None


def _operation(mock: Shown, name: str) -> Operation:
    found = next((each for each in mock.operations if each.name == name), None)
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"{mock.name} cannot {name}")
    return found
