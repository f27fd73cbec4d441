"""Answers as JSON, as somebody writes them: of the type's form, then in the form that is stored.

A draft may be incomplete and wrong in many ways; the type's rules say so, when it is checked. What
is refused here is what no certificate of the type could hold: a question or part that it does not
have, an answer of another kind, a sign that XML cannot carry.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from intyg.adapter.clients.diagnoses import ICD10_SYSTEM, Diagnoses, plain_code
from intyg.adapter.formats.intyg_json import INSTANS, ORDER, Json
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import CodeList, Delsvar, Instans, IntygType, Question
from intyg.schemas.rules.kinds import BOOLEANS, KINDS, PATTERNS, is_real_date

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_YEAR: Final = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
_CV_MEMBERS: Final = frozenset(
    {"code", "codeSystem", "codeSystemName", "codeSystemVersion", "displayName", "originalText"}
)
_TEXTS: Final = frozenset(
    {"text", "boolean", "yes_no", "date", "zero_date", "decimal", "decimal_comma", "integer"}
)
"""Kinds that are text in the XML."""


def parts_of(question: Question, svar: str) -> dict[str, Delsvar]:
    """A question's parts by their ids, in the order of the form."""
    return {part.id.replace("*", svar): part for part in question.delsvar}


# --- is it of the type's form? --------------------------------------------------------------------


def check_answers(answers: object, intyg_type: IntygType) -> list[Finding]:
    """
    What no certificate of the type could hold, each with where it is and what would be right.

    Args:
        answers: As somebody sent them; anything.
    """
    if not isinstance(answers, dict):
        return [_finding("ANSWER_FORM", "svar must be an object: answers by question", "svar")]
    findings: list[Finding] = []
    for svar, value in answers.items():
        if svar != ORDER:
            findings += _check_question(svar, value, intyg_type)
    return findings


def _check_question(svar: str, value: object, intyg_type: IntygType) -> Iterator[Finding]:
    question, path = intyg_type.question_of(svar), f"svar.{svar}"
    if question is None:
        known = ", ".join(one.svar for one in intyg_type.questions)
        text = f"{intyg_type.code} has no such question; it has {known}"
        yield _finding("ANSWER_NOT_FOUND", text, path, svar)
        return
    for row in value if isinstance(value, list) else [value]:
        if isinstance(row, dict):
            yield from _check_row(svar, row, question)
        else:
            ids = ", ".join(parts_of(question, svar))
            text = f"must be an object with {ids}, or a list of such objects"
            yield _finding("ANSWER_FORM", text, path, svar)


def _check_row(svar: str, row: Json, question: Question) -> Iterator[Finding]:
    parts = parts_of(question, svar)
    for name, value in row.items():
        path = f"svar.{svar}.{name}"
        if name == ORDER:
            continue
        if name == INSTANS:
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                yield _finding("ANSWER_FORM", "instans must be a whole number from 1", path, svar)
        elif name not in parts:
            text = f"question {svar} has no such part; it has {', '.join(parts)}"
            yield _finding("INVALID_SUB_ANSWER_ID", text, path, svar, name)
        else:
            for one in value if isinstance(value, list) else [value]:
                fault = why_not_value(one, parts[name])
                if fault is not None:
                    yield _finding("ANSWER_FORM", fault, path, svar, name)


def why_not_value(value: object, part: Delsvar) -> str | None:
    """Why a value cannot stand in a part of an answer, as what would be right; None when it can."""
    if isinstance(value, str) and _NOT_XML.search(value):
        return "holds a control character, which no certificate can carry"
    if isinstance(value, dict):
        return _why_not_object(value, part.type)
    if value is None or isinstance(value, float) or not isinstance(value, str | bool | int):
        return f"must be {KINDS[part.type].words}"
    if part.type in _TEXTS:
        return _why_not_text(value, part.type)
    if part.type in ("cv", "year", "day") and isinstance(value, str):
        return None  # a code, or a date, alone: filled in
    if part.type == "boolean_or_cv" and isinstance(value, str | bool):
        return None
    return f"must be {KINDS[part.type].words}"


def _why_not_text(value: str | bool | int, kind: str) -> str | None:
    if isinstance(value, bool):
        is_fine = kind in ("boolean", "yes_no")
    elif kind in ("boolean", "yes_no"):
        is_fine = str(value) in BOOLEANS or value == ""
    else:
        is_fine = isinstance(value, str) or kind == "integer"
    return None if is_fine else f"must be {KINDS[kind].words}"


def _why_not_object(value: Mapping[str, Any], kind: str) -> str | None:
    right = f"must be {KINDS[kind].words}"
    if not all(isinstance(one, str) and not _NOT_XML.search(one) for one in value.values()):
        return right
    members, is_fine = set(value), False
    if kind in ("cv", "boolean_or_cv"):
        is_fine = "code" in members and members <= _CV_MEMBERS
    elif kind == "period":
        days = all(is_real_date(day) for day in value.values())
        is_fine = bool(members) and members <= {"start", "end"} and days
    elif kind in ("year", "day"):
        fits = _YEAR.fullmatch(value.get("value", "")) is not None
        is_fine = members in ({"value"}, {"format", "value"}) and fits
    elif kind == "pq":
        is_fine = members == {"value", "unit"} and bool(_NUMBER.fullmatch(value["value"]))
    return None if is_fine else right


def _finding(
    rule: str, text: str, path: str, svar: str | None = None, delsvar: str | None = None
) -> Finding:
    return Finding(rule, text, path, svar=svar, delsvar=delsvar)


# --- as it is stored ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filler:
    """
    Fills in what follows from an answer: number, code system, display text.

    Attributes:
        diagnoses: None: texts of diagnoses are left as they came.
    """

    intyg_type: IntygType
    diagnoses: Diagnoses | None = None

    def filled(self, answers: Json) -> Json:
        """
        Answers of the type's form, with everything that follows from them; empty ones left out.

        Rows of a repeated question are numbered 1, 2, 3, … in their order.
        """
        done: Json = {}
        for svar, value in answers.items():
            question = self.intyg_type.question_of(svar)
            if question is None:  # `ordning`: what is written here stands in the form's order
                continue
            rows = [self._row(svar, row, question) for row in _listed(value)]
            rows = [row for row in rows if set(row) - {INSTANS}]
            for number, row in enumerate(rows, start=1):
                _number(row, number, question)
            if rows:
                done[svar] = rows if question.count.most != 1 or len(rows) > 1 else rows[0]
        return done

    def _row(self, svar: str, row: Json, question: Question) -> Json:
        done: Json = {}
        for name, part in parts_of(question, svar).items():
            values = [self._value(one, part) for one in _listed(row.get(name, []))]
            values = [one for one in values if one != ""]
            if values:
                done[name] = values[0] if len(values) == 1 else values
        if self.diagnoses is not None:
            for text, code in diagnosis_pairs(question):
                self._name_diagnosis(done, text, code)
        order = list(parts_of(question, svar))
        return dict(sorted(done.items(), key=lambda pair: order.index(pair[0])))

    def _value(self, value: Any, part: Delsvar) -> Any:
        if part.type in ("boolean", "yes_no") and value in ("true", "false"):
            return value == "true"
        if part.type in ("year", "day"):
            return _partial_date(value)
        is_code = part.type == "cv" or (
            part.type == "boolean_or_cv" and value not in (True, False, "true", "false", "1", "0")
        )
        return self._code(value, part) if is_code and value != "" else value

    def _code(self, value: Any, part: Delsvar) -> Json:
        given: Json = {"code": value} if isinstance(value, str) else dict(value)
        code = plain_code(given["code"]) if part.pattern else given["code"]
        found = _list_with(part, code)
        system = given.get("codeSystem") or (found.system if found else _system_of(part))
        display = given.get("displayName") or (found.codes[code] if found else None)
        if not display and self.diagnoses and system == ICD10_SYSTEM:
            display = self.diagnoses.text(code)
        done = {"code": code, "codeSystem": system or ""}
        if display:
            done["displayName"] = display
        rest = {k: v for k, v in given.items() if k not in ("code", "codeSystem", "displayName")}
        order = ("code", "codeSystem", "codeSystemName", "codeSystemVersion")
        both = {**done, **rest}
        return {name: both[name] for name in sorted(both, key=lambda n: _order_of(n, order))}

    def _name_diagnosis(self, row: Json, text: str, code: str) -> None:
        """Fill in the text beside a diagnosis, where there is none."""
        coded = row.get(code)
        if text in row or not isinstance(coded, dict) or self.diagnoses is None:
            return
        name = self.diagnoses.text(coded["code"])
        if name:
            row[text] = name

    def unknown_diagnoses(self, answers: Json) -> list[Finding]:
        """Each diagnosis code that is not in the list; none without a list."""
        if self.diagnoses is None or self.diagnoses.damage:
            return []
        findings = []
        for svar, value in answers.items():
            question = self.intyg_type.question_of(svar)
            for row in _listed(value) if question else ():
                for name, part in parts_of(question, svar).items() if question else ():
                    coded = row.get(name)
                    if part.pattern and isinstance(coded, dict) and not self._is_known(coded):
                        text = "the code is not in the list of diagnoses (ICD-10-SE)"
                        at = f"/RegisterCertificate/intyg/svar[@id='{svar}']"
                        findings.append(
                            Finding("DIAGNOSIS_CODE", text, at, svar=svar, delsvar=name)
                        )
        return findings

    def _is_known(self, coded: Json) -> bool:
        assert self.diagnoses is not None
        return (
            coded.get("codeSystem") != ICD10_SYSTEM
            or self.diagnoses.text(str(coded["code"])) is not None
        )


def diagnosis_pairs(question: Question) -> Iterator[tuple[str, str]]:
    """Ids of a text and of the diagnosis code that it stands beside: 6.1 and 6.2, 51.2 and 51.1."""
    texts = {part.id for part in question.delsvar if part.type == "text"}
    for part in question.delsvar:
        if part.pattern and part.pattern[0] in PATTERNS:
            svar, _, number = part.id.partition(".")
            for beside in (int(number) - 1, int(number) + 1):
                if f"{svar}.{beside}" in texts:
                    texts.remove(f"{svar}.{beside}")
                    yield f"{svar}.{beside}", part.id
                    break


def _order_of(name: str, order: tuple[str, ...]) -> int:
    return order.index(name) if name in order else len(order) + (name != "displayName")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _number(row: Json, number: int, question: Question) -> None:
    """Number a row as the type wants it; `instans` stands first."""
    row.pop(INSTANS, None)
    if question.instans is not Instans.ABSENT:
        rest = dict(row)
        row.clear()
        row.update({INSTANS: number, **rest})


def _partial_date(value: Any) -> Any:
    text = value.get("value", "") if isinstance(value, dict) else value
    if not isinstance(text, str) or not text:
        return value
    form = {4: "YYYY", 7: "YYYY-MM"}.get(len(text), "YYYY-MM-DD")
    return {"format": form, "value": text}


def _list_with(part: Delsvar, code: str) -> CodeList | None:
    return next((one for one in part.code_lists if code in one.codes), None)


def _system_of(part: Delsvar) -> str | None:
    if part.system and part.system.values:
        return part.system.values[0]
    return part.code_lists[0].system if part.code_lists else None
