"""The running adapter's `/api`, as commands ask it: SQLite has one process that may write.

Without a running adapter a command does the same by itself, on the database.
"""

import json
from typing import Any

import pydantic

from intyg.adapter.cli.terminal import fail
from intyg.adapter.clients.ask_service import ask_service
from intyg.adapter.clients.http_client import NoAnswerError
from intyg.adapter.console.token import secret_of
from intyg.adapter.settings.settings import Settings, SettingsError

TIMEOUT_SECONDS = 60.0
MAX_BYTES = 10_000_000


def ask_adapter(settings: Settings, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """
    POST to the adapter that these settings run.

    Returns:
        Its answer; None when none runs: nothing listens there.
    """
    try:
        secret = secret_of(settings)
        token = None if secret is None else pydantic.SecretStr(secret.decode())
        status, answer = ask_service(
            address(settings) + path,
            json=body,
            token=token,
            timeout_seconds=TIMEOUT_SECONDS,
            max_bytes=MAX_BYTES,
        )
    except NoAnswerError as exc:
        if exc.sent:
            fail(f"{address(settings)}: {exc}: what it did is not known", 1)
        return None
    except SettingsError as exc:
        fail(str(exc))
    return _read(settings, status, answer)


def address(settings: Settings) -> str:
    """Where the control interface of these settings listens, from this machine."""
    of_its_own = settings.console.port is not None
    port = settings.console.port if of_its_own else settings.server.port
    host = settings.console.host if of_its_own else settings.server.host
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    tls = settings.server.tls is not None and not of_its_own
    return f"{'https' if tls else 'http'}://{here}:{port}"


def _read(settings: Settings, status: int, answer: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(answer)
    except ValueError:
        fail(f"{address(settings)} answered HTTP {status}, and is no adapter")
    if status != 200:
        code = 2 if status in (400, 401) else 1
        fail(str(found.get("detail", f"HTTP {status}")), code)
    return found
