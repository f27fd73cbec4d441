"""Why a delivery is not there: a sentence of ours by code, never the receiver's own words.

What a receiver writes may quote a person; it stands only where contents may be seen.
"""

import re
from typing import Final

from intyg.adapter.deliver.worker import WITHOUT_ROUTE
from intyg.adapter.domain.delivery import OutcomeKind
from intyg.pages.words import Words

_VP: Final = re.compile(r"\bVP0\d\d\b")
_BUSY: Final = frozenset({429, 502, 503, 504})
_OWN_SENTENCE: Final = frozenset({"VP004", "VP007", "VP008", "VP009", "VP012"})
_BY_DETAIL: Final = (
    (WITHOUT_ROUTE, "no_route"),
    ("nothing was sent", "not_sent"),
    ("given up: ", "given_up"),
    ("parked: ", "deadly"),
    ("marked as delivered: ", "marked"),
    ("it may have arrived", "no_answer"),
)


def code_of(detail: str | None, http_status: int | None, error_id: str | None) -> str:
    """The code that says it shortest: of the platform, of the receiver, or of HTTP."""
    found = _VP.search(detail or "")
    of_http = f"HTTP {http_status}" if http_status and http_status >= 300 else ""
    return found[0] if found else error_id or of_http


def cause_of(
    say: Words,
    kind: OutcomeKind | None,
    detail: str | None,
    http_status: int | None,
    error_id: str | None,
) -> str:
    """What happened, in a sentence."""
    return say(f"cause.{_key(kind, detail or '', http_status, error_id)}")


def _key(
    kind: OutcomeKind | None, detail: str, http_status: int | None, error_id: str | None
) -> str:
    if kind in (OutcomeKind.HELD, OutcomeKind.BLOCKED):
        return kind.value
    if found := _VP.search(detail):
        return found[0] if found[0] in _OWN_SENTENCE else "VP"
    if error_id:
        return error_id if error_id in _ERRORS else "error"
    for text, key in _BY_DETAIL:
        if detail.startswith(text):
            return key
    if http_status in _BUSY:
        return "busy"
    return "other"


_ERRORS: Final = frozenset({"VALIDATION_ERROR", "APPLICATION_ERROR", "TECHNICAL_ERROR", "REVOKED"})
