"""Who may use the control interface: whoever has the token.

Without a token it is closed, except in `demo` on loopback, where it is open to whoever is there,
but not to pages of other places that somebody there has open in a browser: `Host` must be a name of
this machine's own, and so must an `Origin`. Another name can be made to lead here (DNS rebinding).

`/health` is open always, and says nothing but that.
"""

import hmac
import ipaddress
import re
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, request

from intyg.adapter.console.problem import problem
from intyg.adapter.domain.environment import Environment
from intyg.adapter.settings.settings import Settings, SettingsError

_HOST: Final = re.compile(
    r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?"
)

LEAST_CHARACTERS: Final = 16
OPEN_PATHS: Final = frozenset({"/health"})

CLOSED: Final = "Closed: no console.token is set."
ELSEWHERE: Final = (
    "Without console.token only this machine's own address is answered: 127.0.0.1, [::1] or "
    "localhost in Host, and in Origin if there is one."
)
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
        secret = secret_of(settings)
        if secret is not None and len(secret) < LEAST_CHARACTERS:
            text = f"console: the token must have at least {LEAST_CHARACTERS} characters"
            raise SettingsError(text)
        return cls(secret, open_without=_is_demo_on_loopback(settings))

    @property
    def closed(self) -> bool:
        """Nobody is let in."""
        return self._secret is None and not self._open

    def from_elsewhere(self, path: str, host: str, origin: str | None) -> bool:
        """Whether an open interface is asked by somebody's page, or under a name of another's."""
        if not self._open or path in OPEN_PATHS:
            return False
        return not (is_loopback(host) and (origin is None or _is_own_page(origin, host)))

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
        headers = request.headers
        if token.from_elsewhere(request.path, headers.get("Host", ""), headers.get("Origin")):
            return problem(HTTPStatus.FORBIDDEN, ELSEWHERE)
        refusal = token.refuses(request.path, request.headers.get("Authorization"))
        if refusal is None:
            return None
        answer = problem(HTTPStatus.UNAUTHORIZED, refusal)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer


def secret_of(settings: Settings) -> bytes | None:
    """
    The token itself, for who asks the interface; None without one.

    Raises:
        SettingsError: Its file cannot be read.
    """
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


def is_loopback(host: str) -> bool:
    """Whether a `Host` header, with or without a port, is an address of this machine's own."""
    name = urlsplit(f"//{host}").hostname if _HOST.fullmatch(host) else None
    if name is None:
        return False
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _is_own_page(origin: str, host: str) -> bool:
    """A page that came from here: the same address and port."""
    return origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")


def _is_demo_on_loopback(settings: Settings) -> bool:
    host = settings.server.host if settings.console.port is None else settings.console.host
    if settings.environment is not Environment.DEMO:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
