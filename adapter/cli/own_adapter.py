"""Orders to the adapter of the settings, over its own control interface, while it runs.

A SQLite database has one process: what changes rows is asked of the one that has it.
"""

import json
from contextlib import closing
from typing import Any, Final
from urllib.parse import urlencode

from intyg.adapter.clients.http_client import HttpClient, HttpRequest, Limits, NoAnswerError
from intyg.adapter.settings.settings import Settings

_LIMITS: Final = Limits(5, 60, 60, 1024 * 1024)


class NoAdapterError(Exception):
    """The adapter did not do as told; the text says why."""


def order(settings: Settings, path: str, values: dict[str, object]) -> dict[str, Any]:
    """
    POST to the adapter of the settings.

    Args:
        path: `/api/…`.
        values: As a form.

    Returns:
        Its answer, which is JSON.

    Raises:
        NoAdapterError: It does not answer, or not with 200.
    """
    url = f"{base_url(settings)}{path}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", **_token(settings)}
    request = HttpRequest("POST", url, headers, urlencode(values).encode())
    with closing(HttpClient()) as client:
        try:
            answer = client.exchange(request, _LIMITS)
        except NoAnswerError as exc:
            raise NoAdapterError(f"{url}: {exc}") from exc
    try:
        told: dict[str, Any] = json.loads(answer.body)
    except ValueError:
        told = {}
    if answer.status != 200:
        raise NoAdapterError(f"{url}: HTTP {answer.status} {told.get('detail', '')}".rstrip())
    return told


def base_url(settings: Settings) -> str:
    """Where the control interface of these settings listens."""
    console, server = settings.console, settings.server
    own = console.port is not None
    host, port = (console.host, console.port) if own else (server.host, server.port)
    scheme = "https" if server.tls is not None and not own else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _token(settings: Settings) -> dict[str, str]:
    console = settings.console
    if console.token is not None:
        secret = console.token.get_secret_value()
    elif console.token_file is not None:
        try:
            secret = console.token_file.read_text("utf-8").strip()
        except OSError as exc:
            raise NoAdapterError(f"console.token_file: {exc.filename}: {exc.strerror}") from exc
    else:
        return {}
    return {"Authorization": f"Bearer {secret}"}
