"""Who is logged in: a cookie that only we can have written, and a token that only our forms have.

Nothing is kept here, so that any process of several can read what another one wrote.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

COOKIE: Final = "intyg_session"

LASTS: Final = timedelta(hours=12)
"""A working day; then one logs in again."""

_FORMAT: Final = 1


@dataclass(frozen=True)
class Visitor:
    """
    Somebody who is logged in.

    Attributes:
        name: As the settings name their token.
        role: What they may do.
        unit: HSA-id of the unit that they work for; None: of none.
        under: HSA-ids, in capitals, of the units under that one.
        key: Made up when they logged in; their forms are known by it.
    """

    name: str
    role: str
    unit: str | None = None
    key: str = ""
    under: frozenset[str] = frozenset()


class Sessions:
    """
    Writes and reads cookies.

    Args:
        secret: Nobody else has it; another one ends every session.
        clock: Now, aware and in UTC; the machine's own, since people live by it.
    """

    def __init__(self, secret: bytes, clock: Callable[[], datetime]) -> None:
        self._secret = secret
        self._clock = clock
        self._signed = URLSafeSerializer(secret, salt="intyg session")

    def start(self, visitor: Visitor) -> str:
        """The cookie of somebody who has just shown who they are."""
        values = [_FORMAT, visitor.name, visitor.role, visitor.unit, secrets.token_hex(8)]
        return str(self._signed.dumps([*values, int(self._clock().timestamp())]))

    def read(self, cookie: str | None) -> Visitor | None:
        """Who that is; None: nobody, or the day is over."""
        try:
            written = self._signed.loads(cookie or "")
            form, name, role, unit, key, at = written
        except (BadData, ValueError, TypeError):
            return None
        age = self._clock().timestamp() - at
        return Visitor(name, role, unit, key) if form == _FORMAT and age < _SECONDS else None

    def form_token(self, visitor: Visitor) -> str:
        """What every form of theirs brings back."""
        return hmac.digest(self._secret, f"form {visitor.key}".encode(), "sha256").hex()[:32]

    def is_form_token(self, visitor: Visitor, given: str) -> bool:
        """Whether a form is ours, compared in a time that tells nothing."""
        return hmac.compare_digest(self.form_token(visitor).encode(), given.encode("utf-8"))


_SECONDS: Final = LASTS.total_seconds()


class OnceLinks:
    """Links that log in once: made here, and known to this process alone."""

    def __init__(self) -> None:
        self._open: dict[str, Visitor] = {}

    def make(self, visitor: Visitor) -> str:
        """What stands in the link."""
        code = secrets.token_urlsafe(24)
        self._open[code] = visitor
        return code

    def take(self, code: str) -> Visitor | None:
        """Who the link was made for, the first time; then None."""
        return self._open.pop(code, None)
