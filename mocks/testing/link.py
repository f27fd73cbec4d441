"""How a mock is spoken to: by its control interface, inside this process or over HTTP."""

import json
from collections.abc import Sequence
from typing import Any, Final, Protocol, TypeAlias

import requests
from werkzeug.datastructures import MultiDict
from werkzeug.test import Client

from intyg.mocks.server.persona_base import Persona
from intyg.mocks.server.service import MockService
from intyg.mocks.wire.http_session import http_session

Query: TypeAlias = Sequence[tuple[str, str]]
"""Names and values of a URL's query; a name may stand twice."""

TIMEOUT_SECONDS: Final = 90.0
"""Longer than any wait that the control interface grants."""


class ControlError(ValueError):
    """
    The control interface says no; its text names the field, and what is nearest.

    Attributes:
        status: Of HTTP.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Link(Protocol):
    """A mock's control interface."""

    @property
    def url(self) -> str:
        """The mock's base address; national paths are appended to it."""

    def ask(
        self,
        method: str,
        path: str,
        query: Query = (),
        body: object = None,
    ) -> Any:
        """
        One operation; `path` is what follows `/control`.

        Returns:
            The answer's JSON.

        Raises:
            ControlError: It was not done.
        """

    def fetch(self, path: str) -> bytes:
        """Bytes that the journal has; raises as `ask`."""

    def newest_call(self) -> int:
        """Number of the newest call in the journal, 0 if none has come."""


class InProcess:
    """
    A link to a mock of this process; no socket is needed.

    Args:
        url: Where others reach the mock.
    """

    def __init__(self, mock: MockService[Persona], url: str) -> None:
        self.mock = mock
        self.url = url
        self._client = Client(mock)

    def ask(
        self,
        method: str,
        path: str,
        query: Query = (),
        body: object = None,
    ) -> Any:
        __tracebackhide__ = True
        with self._client.open(
            f"/control{path}", method=method, query_string=MultiDict(query), json=body
        ) as response:
            return _read(response.status_code, response.data)

    def fetch(self, path: str) -> bytes:
        with self._client.open(f"/control{path}") as response:
            return _bytes(response.status_code, response.data)

    def newest_call(self) -> int:
        there = self.mock.journal.range()
        return 0 if there is None else there[1]


class OverHttp:
    """
    A link to a mock that runs elsewhere.

    Args:
        url: Its base address, in a run or not.
        token: What its control interface wants; None: nothing.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._session = http_session(headers=headers)

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def ask(
        self,
        method: str,
        path: str,
        query: Query = (),
        body: object = None,
    ) -> Any:
        __tracebackhide__ = True
        return _read(*self._send(method, path, query, body))

    def fetch(self, path: str) -> bytes:
        return _bytes(*self._send("GET", path, (), None))

    def newest_call(self) -> int:
        return int(self.ask("GET", "/journal/count")["last"] or 0)

    def _send(self, method: str, path: str, query: Query, body: object) -> tuple[int, bytes]:
        url = f"{self.url}/control{path}"
        try:
            response = self._session.request(
                method, url, params=list(query), json=body, timeout=TIMEOUT_SECONDS
            )
        except requests.RequestException as exc:
            raise ControlError(0, f"{url} does not answer: {type(exc).__name__}") from None
        return response.status_code, response.content


def _bytes(status: int, content: bytes) -> bytes:
    if status >= 400:
        _read(status, content)
    return content


def _read(status: int, content: bytes) -> Any:
    __tracebackhide__ = True
    try:
        told = json.loads(content)
    except ValueError:
        raise ControlError(status, f"HTTP {status}, which is no mock's answer") from None
    if status >= 400:
        raise ControlError(status, told.get("detail") or f"HTTP {status}")
    return told
