"""The running adapter's `/api`, as commands ask it: SQLite has one process that may write.

Without a running adapter a command does the same by itself, on the database.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pydantic

from intyg.adapter.cli.terminal import fail
from intyg.adapter.clients.ask_service import ask_service
from intyg.adapter.clients.http_client import NoAnswerError
from intyg.adapter.console.token import secret_of
from intyg.adapter.settings.settings import Settings, SettingsError

TIMEOUT_SECONDS = 60.0
MAX_BYTES = 10_000_000


class NoAdapterError(Exception):
    """The adapter did not do as told; the text says why."""


def ask_adapter(settings: Settings, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """
    POST to the adapter that these settings run; ends the command where that says no.

    Returns:
        Its answer; None when none runs: nothing listens there.
    """
    try:
        status, answer = _post(settings, path, body)
    except NoAnswerError as exc:
        if exc.sent:
            fail(f"{address(settings)}: {exc}: what it did is not known", 1)
        return None
    except SettingsError as exc:
        fail(str(exc))
    found = _read(answer)
    if found is None:
        fail(f"{address(settings)} answered HTTP {status}, and is no adapter")
    if status != 200:
        code = 2 if status in (400, 401) else 1
        fail(str(found.get("detail", f"HTTP {status}")), code)
    return found


def order(settings: Settings, path: str, query: Mapping[str, object]) -> dict[str, Any]:
    """
    POST to the adapter that must be running.

    Raises:
        NoAdapterError: It does not answer, or not with 200.
    """
    url = address(settings) + path
    try:
        status, answer = _post(settings, f"{path}?{urlencode(query)}", {})
    except NoAnswerError as exc:
        raise NoAdapterError(f"{url}: {exc}") from exc
    except SettingsError as exc:
        raise NoAdapterError(str(exc)) from exc
    found = _read(answer) or {}
    if status != 200:
        raise NoAdapterError(f"{url}: HTTP {status} {found.get('detail', '')}".rstrip())
    return found


def address(settings: Settings) -> str:
    """Where the control interface of these settings listens, from this machine."""
    of_its_own = settings.console.port is not None
    port = settings.console.port if of_its_own else settings.server.port
    host = settings.console.host if of_its_own else settings.server.host
    here = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    tls = settings.server.tls is not None and not of_its_own
    return f"{'https' if tls else 'http'}://{f'[{here}]' if ':' in here else here}:{port}"


def _post(settings: Settings, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
    secret = secret_of(settings)
    return ask_service(
        address(settings) + path,
        json=body,
        token=None if secret is None else pydantic.SecretStr(secret.decode()),
        timeout_seconds=TIMEOUT_SECONDS,
        max_bytes=MAX_BYTES,
    )


def _read(answer: bytes) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(answer)
    except ValueError:
        return None
    return found
