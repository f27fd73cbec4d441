"""Effects by the names that people have for them: results, the platform's faults, troubles."""

from typing import Final

from intyg.mocks.rules.answers import Effect, Error, Info, Normal, Ok
from intyg.mocks.rules.model import unknown
from intyg.mocks.rules.presets import VpCode
from intyg.mocks.rules.trouble import TROUBLES, find, prefix_of
from intyg.schemas.codes import ErrorId

NAMES: Final = tuple(
    dict.fromkeys(
        (
            "OK",
            "INFO",
            "ERROR",
            "NORMAL",
            *VpCode,
            *(each.name for each in TROUBLES if "…" not in each.name),
        )
    )
)
"""What `answers` takes; `<n>` stands for a number."""


class EffectNameError(ValueError):
    """There is no effect of that name; says which is nearest."""


def effect_named(name: str, detail: str | None, text: str | None, part: str) -> Effect:
    """
    The effect of a name.

    Args:
        name: `OK`, `INFO`, `ERROR`, `NORMAL`, or what a trouble address has after its prefix:
            `VP007`, `HTTP503`, `TIMEOUT`, `STORED-THEN-RESET`, …
        detail: Of ERROR the `errorId`, of INFO the text.
        text: `resultText` of ERROR.
        part: Of the mock, which its trouble addresses go by.

    Raises:
        EffectNameError: There is none of that name.
    """
    match name:
        case "OK":
            return Ok()
        case "NORMAL":
            return Normal()
        case "INFO":
            return Info(text=detail or text or "With a remark")
        case "ERROR":
            return _error(detail, text)
    rule = find(f"{prefix_of(part)}-{name}", part, "")
    if rule is None or len(rule.answers) != 1 or rule.probability < 1:
        raise EffectNameError(f"answers: {unknown(name, NAMES)}")
    return rule.answers[0]


def _error(error_id: str | None, text: str | None) -> Error:
    known = tuple(ErrorId)
    if error_id not in known:
        raise EffectNameError(f"answers: ERROR needs an errorId; {unknown(error_id or '', known)}")
    made = Error(error_id=ErrorId(error_id))
    return made if text is None else made.model_copy(update={"text": text})
