"""Who may use the control interface, and for what: whoever has a token, as its role says.

Without any token it is closed, except in `demo` on loopback, where it is open to whoever is there,
but not to pages of other places that somebody there has open in a browser: `Host` must be a name of
this machine's own, and so must an `Origin`. Another name can be made to lead here (DNS rebinding).

`/health` is open always, and says nothing but that.
"""

import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from intyg.adapter.console.problem import problem
from intyg.adapter.console.unit_tree import keys_under, works_at
from intyg.adapter.domain.environment import Environment
from intyg.adapter.settings.settings import ConsoleRole, Settings, SettingsError
from intyg.adapter.settings.web_address import is_this_machine
from intyg.pages.session import Visitor

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
NOT_FOR_YOU: Final = "Your role may not do this here."

OPERATOR: Final = Visitor("operator", ConsoleRole.OPERATOR)
"""Whoever has `console.token`, and in an open demonstration everybody."""

Named: TypeAlias = Mapping[str, str]
"""What a path names, as the page's function gets it."""

_ASKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CONTENTS: Final = "/api/utkast"
"""What stands in drafts is contents, which neither viewers nor auditors see."""

_ARENDEN: Final = "/api/arenden"
_STATISTICS: Final = "/api/statistics"
"""Care is let in here, and its pages give it no more than its own unit's."""

_ASKED_BY_POST: Final = frozenset({"/api/route", _ARENDEN})
"""A person number stands in no address, so these ask by POST."""


class Token:
    """
    Compares tokens, in a time that does not tell how much of one is right.

    Args:
        secret: The operator's; None without one.
        open_without: Nobody needs a token if there is none.
        others: More of them, and whose they are.
    """

    def __init__(
        self, secret: bytes | None, *, open_without: bool, others: Mapping[bytes, Visitor] = {}
    ) -> None:
        self._visitors = {**others, **({} if secret is None else {secret: OPERATOR})}
        self._open = not self._visitors and open_without

    @classmethod
    def from_settings(cls, settings: Settings) -> "Token":
        """
        As `[console]` of the settings says.

        Raises:
            SettingsError: A token's file cannot be read, or a token is too short or another's, too.
        """
        secret = secret_of(settings)
        others: dict[bytes, Visitor] = {}
        for token, visitor in _others(settings):
            if token in others or token == secret:
                raise SettingsError(f"console.tokens: {visitor.name} has somebody else's token")
            others[token] = visitor
        for token in (*others, *([] if secret is None else [secret])):
            if len(token) < LEAST_CHARACTERS:
                text = f"console: the token must have at least {LEAST_CHARACTERS} characters"
                raise SettingsError(text)
        return cls(secret, open_without=_is_demo_on_loopback(settings), others=others)

    @property
    def closed(self) -> bool:
        """Nobody is let in."""
        return not self._visitors and not self._open

    @property
    def is_open(self) -> bool:
        """Everybody is let in."""
        return self._open

    @property
    def everybody(self) -> bytes:
        """All of them; for a secret that changes when one of them does."""
        return b"\n".join(sorted(self._visitors))

    def from_elsewhere(self, path: str, host: str, origin: str | None) -> bool:
        """Whether an open interface is asked by somebody's page, or under a name of another's."""
        if not self._open or path in OPEN_PATHS:
            return False
        return not (is_loopback(host) and (origin is None or _is_own_page(origin, host)))

    def refuses(self, path: str, authorization: str | None) -> str | None:
        """Why a request is not let in; None when it is."""
        if self._open or path in OPEN_PATHS:
            return None
        if not self._visitors:
            return CLOSED
        return WRONG if self.who(authorization) is None else None

    def who(self, authorization: str | None) -> Visitor | None:
        """Who asks, by a header `Authorization: Bearer …`."""
        scheme, _, given = (authorization or "").partition(" ")
        found = self.whose(given)
        return found if scheme.lower() == "bearer" or self._open else None

    def whose(self, token: str) -> Visitor | None:
        """Whose token that is; each is compared, so that the time does not tell which fits."""
        if self._open:
            return OPERATOR
        given, found = token.strip().encode("utf-8", "replace"), None
        for each, visitor in self._visitors.items():
            if hmac.compare_digest(given, each):
                found = visitor
        return found


def ask_for(
    token: Token, app: Flask, unit_of: Callable[[Named], str | None] = lambda _: None
) -> None:
    """
    Let an application answer nobody without a token (401), and to nobody what is not theirs (403).

    Args:
        unit_of: The HSA-id of the unit that the names in a path are about; None: of none.
    """

    @app.before_request
    def ask_for_token() -> Response | None:
        headers = request.headers
        if token.from_elsewhere(request.path, headers.get("Host", ""), headers.get("Origin")):
            return problem(HTTPStatus.FORBIDDEN, ELSEWHERE)
        given = headers.get("Authorization")
        refusal = token.refuses(request.path, given)
        if refusal is not None:
            answer = problem(HTTPStatus.UNAUTHORIZED, refusal)
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        visitor = g.visitor = token.who(given)
        if request.path in OPEN_PATHS or visitor is None or _may(visitor, unit_of):
            return None
        return problem(HTTPStatus.FORBIDDEN, NOT_FOR_YOU)


def asking() -> Visitor:
    """Who asks; in an application that `ask_for` guards."""
    found = g.visitor
    assert isinstance(found, Visitor)
    return found


def _may(visitor: Visitor, unit_of: Callable[[Named], str | None]) -> bool:
    """Whether a role goes with a request: care with its own unit, others with looking."""
    match visitor.role:
        case ConsoleRole.OPERATOR:
            return True
        case ConsoleRole.CARE if request.path.startswith(_STATISTICS):
            return request.method in _ASKING
        case ConsoleRole.CARE:
            return works_at(visitor, unit_of(request.view_args or {}) or _asked_for())
    if request.path.startswith(_CONTENTS):
        return False
    return request.method in _ASKING or request.path in _ASKED_BY_POST


def _asked_for() -> str | None:
    """The unit that a list is asked for of."""
    return request.values.get("unit") if request.path == _ARENDEN else None


def _others(settings: Settings) -> Iterator[tuple[bytes, Visitor]]:
    for each in settings.console.tokens:
        under = keys_under(settings.console, each.unit)
        yield _read(each.token_file), Visitor(each.name, each.role, each.unit, under=under)


def secret_of(settings: Settings) -> bytes | None:
    """
    The token itself, for who asks the interface; None without one.

    Raises:
        SettingsError: Its file cannot be read.
    """
    console = settings.console
    if console.token is not None:
        return console.token.get_secret_value().encode()
    return None if console.token_file is None else _read(console.token_file)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes().strip()
    except OSError as exc:
        raise SettingsError(f"console.token_file: {file}: {exc.strerror}") from exc


def is_loopback(host: str) -> bool:
    """Whether a `Host` header, with or without a port, is an address of this machine's own."""
    name = urlsplit(f"//{host}").hostname if _HOST.fullmatch(host) else None
    return name is not None and is_this_machine(name)


def _is_own_page(origin: str, host: str) -> bool:
    """A page that came from here: the same address and port."""
    return origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")


def _is_demo_on_loopback(settings: Settings) -> bool:
    host = settings.server.host if settings.console.port is None else settings.console.host
    return settings.environment is Environment.DEMO and is_this_machine(host)
