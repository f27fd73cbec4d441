"""Answers that an EHR sends along when it orders a draft (`forifyllnad`), and what becomes of each.

Nationally an answer that cannot be used is dropped and nobody is told. Here the same are dropped,
and a report says of each answer whether it was used, and why not. It names questions and reasons
and never repeats a value.

Both national engines are played: FK7804 version 1 is the one older type that takes answers, and has
rules of its own (`_OLDER`); every other type is treated as the newer engine treats its types.

Source: prefill handlers of the national editor and of its newer engine.
"""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from lxml import etree

from intyg.adapter.clients.diagnoses import ICD10_SYSTEM
from intyg.adapter.drafts.answers import (
    Filler,
    diagnosis_pairs,
    parts_of,
    why_not_value,
)
from intyg.adapter.formats.intyg_json import Json, JsonFormError, svar_to_json
from intyg.schemas import ns
from intyg.schemas.intyg_model import Delsvar, IntygType, Question
from intyg.schemas.rules.kinds import PATTERNS, is_real_date

_C: Final = f"{{{ns.CORE}}}"
_OLDER: Final = "FK7804/1"
_PART_BY_PART: Final = frozenset({"1", "6", "32"})
"""Of the older type: here an unknown part costs that part, elsewhere the rest of the svar."""


class Reason(StrEnum):
    """Why an answer was dropped, in the newer engine's words."""

    ANSWER_NOT_FOUND = "ANSWER_NOT_FOUND"
    WRONG_NUMBER_OF_ANSWERS = "WRONG_NUMBER_OF_ANSWERS"
    INVALID_SUB_ANSWER_ID = "INVALID_SUB_ANSWER_ID"
    INVALID_BOOLEAN_VALUE = "INVALID_BOOLEAN_VALUE"
    INVALID_FORMAT = "INVALID_FORMAT"
    INVALID_DIAGNOSIS_CODE = "INVALID_DIAGNOSIS_CODE"
    TOO_LONG = "TOO_LONG"  # the older type only; elsewhere the ordinary check says so
    WITH_ANOTHER = "WITH_ANOTHER"  # its pair, or its row, was dropped


_WORDS: Final = {
    Reason.ANSWER_NOT_FOUND: "the type has no such question",
    Reason.WRONG_NUMBER_OF_ANSWERS: "it is answered more often than it may be, or in part only",
    Reason.INVALID_SUB_ANSWER_ID: "the question has no such part",
    Reason.INVALID_BOOLEAN_VALUE: "must be true or false",
    Reason.INVALID_FORMAT: "is not of the form that the type wants",
    Reason.INVALID_DIAGNOSIS_CODE: "is no diagnosis code (ICD-10-SE)",
    Reason.TOO_LONG: "is longer than it may be",
    Reason.WITH_ANOTHER: "what it belongs to was dropped",
}


@dataclass(frozen=True)
class Line:
    """What became of one answer; `text` says more than the reason, and no value."""

    svar: str
    delsvar: str | None
    instans: int | None
    reason: Reason | None  # None: used
    text: str = ""

    def json(self) -> Json:
        """As the report shows it."""
        said: Json = {"svar": self.svar, "delsvar": self.delsvar, "instans": self.instans}
        said["utfall"] = "dropped" if self.reason else "used"
        if self.reason:
            said["orsak"] = self.reason.value
        said["text"] = self.text or (_WORDS[self.reason] if self.reason else "")
        return {name: value for name, value in said.items() if value not in (None, "")}


@dataclass
class Prefill:
    """The answers that are used, and the report."""

    answers: Json = field(default_factory=dict, repr=False)
    lines: list[Line] = field(default_factory=list)

    def report(self) -> Json:
        """The report as JSON: counts, then a line for each answer."""
        dropped = sum(line.reason is not None for line in self.lines)
        return {
            "anvanda": len(self.lines) - dropped,
            "bortfallna": dropped,
            "svar": [line.json() for line in self.lines],
        }

    def text(self) -> str:
        """The report in words: a line for each answer that was dropped."""
        report = self.report()
        lines = [f"Of the answers sent along {report['anvanda']} were used."]
        for line in self.lines:
            if line.reason:
                where = line.delsvar or line.svar
                lines.append(f"{where} dropped: {line.text or _WORDS[line.reason]}")
        return "\n".join(lines)


def prefill(
    svar: Iterable[etree._Element], intyg_type: IntygType, filler: Filler, today: date
) -> Prefill:
    """
    Use what can be used.

    Args:
        svar: `core:Svar` elements, valid by the contract's schema.
        filler: Of the same type; knows the diagnoses, where there is a list.
        today: In Sweden; where the older type lacks a date, it is this.
    """
    taker = _Taker(intyg_type, filler, today)
    for row in svar:
        taker.take(row)
    taker.done.answers = filler.filled(taker.done.answers)
    return taker.done


class _Taker:
    """Takes svar after svar; `done` is what came of them."""

    def __init__(self, intyg_type: IntygType, filler: Filler, today: date) -> None:
        self.done = Prefill()
        self._type = intyg_type
        self._filler = filler
        self._today = today
        self._older = intyg_type.key == _OLDER

    def take(self, row: etree._Element) -> None:
        """Use a svar, or parts of it, or nothing of it."""
        svar = (row.get("id") or "").strip()
        question = self._type.question_of(svar)
        number = _instans(row)
        if question is None:
            self._drop(svar, None, number, Reason.ANSWER_NOT_FOUND)
            return
        taken = self.done.answers.setdefault(svar, [])
        if question.count.most is not None and len(taken) >= question.count.most:
            self._drop(svar, None, number, Reason.WRONG_NUMBER_OF_ANSWERS)
            return
        before = len(self.done.lines)
        values = self._values(row, svar, question, number)
        values = self._whole(values, svar, question, number, before)
        if values and values not in taken:
            taken.append(values)

    def _values(
        self, row: etree._Element, svar: str, question: Question, number: int | None
    ) -> Json:
        """The parts that can be used."""
        parts, values = parts_of(question, svar), Json()
        for delsvar in row.findall(f"{_C}delsvar"):
            name = (delsvar.get("id") or "").strip()
            if name not in parts:
                self._drop(svar, name, number, Reason.INVALID_SUB_ANSWER_ID)
                if self._older and svar not in _PART_BY_PART:
                    break  # as nationally: what was taken before it stays
                continue
            reason, value = self._value(delsvar, svar, parts[name])
            if name in values:
                reason = Reason.WRONG_NUMBER_OF_ANSWERS
            if reason is None:
                values[name] = value
            self.done.lines.append(Line(svar, name, number, reason))
        return values

    def _value(
        self, delsvar: etree._Element, svar: str, part: Delsvar
    ) -> tuple[Reason | None, Any]:  # fmt: skip
        try:
            row = etree.Element(f"{_C}svar", {"id": svar})
            row.append(_copy(delsvar))
            said = svar_to_json([row], self._type)[svar]
        except JsonFormError:
            return Reason.INVALID_FORMAT, None
        value = (said[0] if isinstance(said, list) else said)[part.id.replace("*", svar)]
        if part.type in ("boolean", "yes_no") and str(value).lower() in ("true", "false"):
            value = str(value).lower() == "true"
        return self._why_not(value, part), value

    def _why_not(self, value: Any, part: Delsvar) -> Reason | None:
        if part.type in ("boolean", "yes_no"):
            return None if isinstance(value, bool) else Reason.INVALID_BOOLEAN_VALUE
        if part.pattern:
            return self._why_not_diagnosis(value, part)
        if why_not_value(value, part) is not None or isinstance(value, list):
            return Reason.INVALID_FORMAT
        if part.type == "date" and not is_real_date(str(value)):
            return Reason.INVALID_FORMAT
        if part.type in ("cv", "boolean_or_cv") and not _is_listed(value, part):
            return Reason.INVALID_FORMAT
        if part.type == "period" and len(value) != 2 and not self._older:
            return Reason.WRONG_NUMBER_OF_ANSWERS
        too_long = part.length is not None and isinstance(value, str)
        if self._older and too_long and part.length and len(value) > part.length.most:
            return Reason.TOO_LONG
        return None

    def _why_not_diagnosis(self, value: Any, part: Delsvar) -> Reason | None:
        if not isinstance(value, dict) or why_not_value(value, part) is not None:
            return Reason.INVALID_FORMAT
        assert part.pattern is not None
        code = str(value["code"]).strip().upper().replace(".", "")
        if value.get("codeSystem") != ICD10_SYSTEM or not PATTERNS[part.pattern[0]].quick(code):
            return Reason.INVALID_DIAGNOSIS_CODE
        known = self._filler.diagnoses is None or self._filler.diagnoses.text(code) is not None
        return None if known else Reason.INVALID_DIAGNOSIS_CODE

    def _whole(
        self, values: Json, svar: str, question: Question, number: int | None, before: int
    ) -> Json:
        """What is left when what belongs together is used together, or not at all."""
        lines = self.done.lines[before:]
        bad = {line.delsvar for line in lines if line.reason}
        if question.count.most != 1 and bad and not self._older:
            self._drop_rest(before, set(values))
            return {}
        for text, code in diagnosis_pairs(question):
            if code in bad and text in values:
                del values[text]
                self._drop_rest(before, {text})
        return self._older_row(values, svar, number, before) if self._older else values

    def _older_row(self, values: Json, svar: str, number: int | None, before: int) -> Json:
        """The older type's two rows that need their first part, and get today for their second."""
        if svar not in ("1", "32") or not values:
            return values
        kind, day = f"{svar}.1", f"{svar}.2"
        if kind not in values:
            self._drop_rest(before, set(values))
            return {}
        today = self._today.isoformat()
        if svar == "1" and day not in values:
            values[day] = today
        elif svar == "32" and "start" not in values.get(day, {}):
            values[day] = {"start": today}
        else:
            return values
        self.done.lines.append(Line(svar, day, number, None, "not given: today"))
        return values

    def _drop_rest(self, before: int, names: set[str]) -> None:
        """Parts that could be used by themselves, but not without what was dropped."""
        for at, line in enumerate(self.done.lines):
            if at >= before and line.reason is None and line.delsvar in names:
                self.done.lines[at] = Line(
                    line.svar, line.delsvar, line.instans, Reason.WITH_ANOTHER
                )

    def _drop(self, svar: str, delsvar: str | None, number: int | None, reason: Reason) -> None:
        self.done.lines.append(Line(_shown(svar), _shown(delsvar), number, reason))


def _shown(name: Any) -> Any:
    """An id as it stands if it can be one; anything may stand there."""
    plain = isinstance(name, str) and len(name) <= 10 and name.replace(".", "").isalnum()
    return name if plain or name is None else "…"


def _instans(row: etree._Element) -> int | None:
    text = (row.findtext(f"{_C}instans") or "").strip()
    return int(text) if text.isdigit() and len(text) < 6 else None


def _copy(element: etree._Element) -> etree._Element:
    copy = deepcopy(element)
    copy.tail = None
    copy.set("id", (element.get("id") or "").strip())
    return copy


def _is_listed(value: Any, part: Delsvar) -> bool:
    """Whether a code is of the lists of its part, and under their code system."""
    if not isinstance(value, dict) or not part.code_lists:
        return True
    return any(
        not one.codes or (value["code"] in one.codes and value.get("codeSystem") == one.system)
        for one in part.code_lists
    )
