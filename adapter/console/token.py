"""Who may use the control interface: whoever has the token.

Without a token it is closed, except in `demo` on loopback, where it is open to whoever is there.
`/health` is open always, and says nothing but that.
"""

import hmac
import ipaddress
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, request

from intyg.adapter.console.problem import problem
from intyg.adapter.domain.environment import Environment
from intyg.adapter.settings.settings import Settings, SettingsError

LEAST_CHARACTERS: Final = 16
OPEN_PATHS: Final = frozenset({"/health"})

CLOSED: Final = "Closed: no console.token is set."
WRONG: Final = "Send the console's token as Authorization: Bearer …"


class Token:
    """
    Compares tokens, in a time that does not tell how much of one is right.

    Args:
        secret: None without one.
        open_without: Nobody needs a token if there is none.
    """

    def __init__(self, secret: bytes | None, *, open_without: bool) -> None:
        self._secret = secret
        self._open = secret is None and open_without

    @classmethod
    def from_settings(cls, settings: Settings) -> "Token":
        """
        As `[console]` of the settings says.

        Raises:
            SettingsError: The token's file cannot be read, or the token is too short.
        """
        secret = _secret(settings)
        if secret is not None and len(secret) < LEAST_CHARACTERS:
            text = f"console: the token must have at least {LEAST_CHARACTERS} characters"
            raise SettingsError(text)
        return cls(secret, open_without=_is_demo_on_loopback(settings))

    @property
    def closed(self) -> bool:
        """Nobody is let in."""
        return self._secret is None and not self._open

    def refuses(self, path: str, authorization: str | None) -> str | None:
        """Why a request is not let in; None when it is."""
        if self._open or path in OPEN_PATHS:
            return None
        if self._secret is None:
            return CLOSED
        scheme, _, given = (authorization or "").partition(" ")
        same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._secret)
        return None if same and scheme.lower() == "bearer" else WRONG


def ask_for(token: Token, app: Flask) -> None:
    """Let an application answer nobody without the token: 401, problem+json."""

    @app.before_request
    def ask_for_token() -> Response | None:
        refusal = token.refuses(request.path, request.headers.get("Authorization"))
        if refusal is None:
            return None
        answer = problem(HTTPStatus.UNAUTHORIZED, refusal)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer


def _secret(settings: Settings) -> bytes | None:
    console = settings.console
    if console.token is not None:
        return console.token.get_secret_value().encode()
    if console.token_file is None:
        return None
    try:
        return console.token_file.read_bytes().strip()
    except OSError as exc:
        text = f"console.token_file: {console.token_file}: {exc.strerror}"
        raise SettingsError(text) from exc


def _is_demo_on_loopback(settings: Settings) -> bool:
    host = settings.server.host if settings.console.port is None else settings.console.host
    if settings.environment is not Environment.DEMO:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
