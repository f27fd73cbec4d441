"""Answers as the fields of a form: flat names and texts; and back, as far as they can be stored.

35~0~35.1            the part 35.1 of the first row of question 35
1~=ANNAT~1.1         ticked: the row of question 1 whose code is ANNAT
32~=HALFTEN~32.2~end the last day of a period; also ~start and ~unit
6~0~6.2~codeSystem   what a code from a register came with; also ~displayName, of the code ~was
1~=ANNAT~~had        whether the row was there when the form was made
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeAlias

from intyg.adapter.drafts.answers import parts_of, why_not_value
from intyg.adapter.formats.intyg_json import ORDER, Json
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import Delsvar, IntygType, Question

Place: TypeAlias = tuple[str, str]
"""Id of a svar, and the key of its row."""

UNSTORABLE: Final = "ANSWER_FORM"
"""The rule of what no certificate of the type could hold."""

TICK: Final = "="
_YES: Final = frozenset({True, "true", "1"})
_NO: Final = frozenset({False, "false", "0"})
_DIGITS: Final = re.compile(r"(\d{4})(\d\d)(\d\d)")
_LOOSE: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_DAY_AND_MONTH: Final = re.compile(r"(\d{1,2})/(\d{1,2})")


@dataclass(frozen=True)
class Typed:
    """What stands in the fields of a form, by their names."""

    values: Mapping[str, Sequence[str]] = field(repr=False)

    def one(self, name: str) -> str:
        """The text of a field; empty without one."""
        found = self.values.get(name, ())
        return found[0] if found else ""

    def many(self, name: str) -> list[str]:
        """The values of a field that can have several."""
        return [each for each in self.values.get(name, ()) if each]

    def keys(self, svar: str) -> list[str]:
        """The rows of a question that have fields, each once, in the order of the form."""
        start = f"{svar}~"
        named = (name.split("~")[1] for name in self.values if name.startswith(start))
        return list(dict.fromkeys(named))

    def held(self, part: str) -> set[str]:
        """What the parts with an id hold, whatever their rows."""
        end = f"~{part}"
        return {
            each
            for name, values in self.values.items()
            if name.endswith(end)
            for each in values
            if each
        }


@dataclass(frozen=True)
class Parsed:
    """
    What a form says.

    Attributes:
        answers: By question, as drafts take them.
        findings: What of it could not be stored, and is left out of them.
        places: Of the rows in them, in the same order.
    """

    answers: Json = field(repr=False)
    findings: Sequence[tuple[Place, Finding]]
    places: Sequence[Place]


# --- what a question looks like -------------------------------------------------------------------


def codes_of(part: Delsvar) -> dict[str, str]:
    """The codes that a part may hold, with their texts; empty for codes of registers."""
    texts = {code: text for each in part.code_lists for code, text in each.codes.items()}
    if part.codes is None:
        return texts
    return {code: texts.get(code, code) for code in part.codes.values if code}


def is_ticked(question: Question) -> bool:
    """Whether a question is a list of codes to tick, each with what is asked about it."""
    first = question.delsvar[0]
    alone = len(question.delsvar) == 1 or first.unique is not None
    return question.count.most != 1 and bool(codes_of(first)) and alone and not question.last


def svar_ids(question: Question, typed: Typed) -> list[str]:
    """The ids that a question is answered by: its own, or those of additional ones and the next."""
    if question.last is None:
        return [question.svar]
    found = sorted({name.split("~")[0] for name in typed.values if question.has(name[:4])}, key=int)
    return [*found, str(int(found[-1]) + 1 if found else int(question.svar))]


# --- from answers to fields -----------------------------------------------------------------------


def typed_of(answers: Json, intyg_type: IntygType) -> Typed:
    """The fields that say what stored answers say."""
    values: dict[str, Sequence[str]] = {}
    for (svar, key), row in rows_of(answers, intyg_type):
        question = intyg_type.question_of(svar)
        for part in parts_of(question, svar).items() if question else ():
            values |= _fields(f"{svar}~{key}", *part, row.get(part[0]))
        if key.startswith(TICK):
            values[f"{svar}~{key}~~had"] = ["1"]
    return Typed(values)


def rows_of(answers: Json, intyg_type: IntygType) -> Iterator[tuple[Place, Json]]:
    """Each row of stored answers, with the place where the form has it."""
    for svar, value in answers.items():
        question = intyg_type.question_of(svar)
        rows = value if isinstance(value, list) else [value]
        taken: set[str] = set()
        for number, row in enumerate(rows if question and svar != ORDER else ()):
            assert question is not None
            key = _key(question, row, taken) or str(number)
            taken.add(key)
            yield (svar, key), row


def _key(question: Question, row: Json, taken: set[str]) -> str | None:
    """The code that a row is ticked by."""
    first = question.delsvar[0]
    coded = row.get(first.id)
    code = coded.get("code") if isinstance(coded, dict) else None
    key = f"{TICK}{code}"
    known = is_ticked(question) and code in codes_of(first) and key not in taken
    return key if known else None


def _fields(row: str, name: str, part: Delsvar, value: Any) -> dict[str, Sequence[str]]:
    start = f"{row}~{name}"
    if value is None:
        return {}
    if isinstance(value, list):
        found = [_fields(row, name, part, one) for one in value]
        several = [text for each in found for text in each.get(start, ())]
        return {**found[0], **({start: several} if several else {})} if found else {}
    if isinstance(value, dict):
        return _fields_of_object(start, part, value)
    if part.type in ("boolean", "yes_no", "boolean_or_cv"):
        value = "true" if value in _YES else "false" if value in _NO else value
    return {start: [str(value)]}


def _fields_of_object(start: str, part: Delsvar, value: Json) -> dict[str, Sequence[str]]:
    if part.type == "period":
        return {f"{start}~{end}": [value.get(end, "")] for end in ("start", "end")}
    if part.type == "pq":
        return {start: [value.get("value", "")], f"{start}~unit": [value.get("unit", "")]}
    if "code" not in value:
        return {start: [str(value.get("value", ""))]}
    found: dict[str, Sequence[str]] = {start: [str(value["code"])]}
    kept = ("codeSystem", "displayName") if not codes_of(part) else ()
    for name in (each for each in kept if value.get(each)):
        found[f"{start}~{name}"] = [str(value[name])]
        found[f"{start}~was"] = found[start]
    return found


# --- from fields to answers -----------------------------------------------------------------------


def parse(typed: Typed, intyg_type: IntygType, today: date) -> Parsed:
    """
    The answers that a form holds.

    Args:
        today: For dates without a year.
    """
    answers: Json = {}
    findings: list[tuple[Place, Finding]] = []
    places: list[Place] = []
    for question in intyg_type.questions:
        for svar in svar_ids(question, typed):
            rows = []
            for key in typed.keys(svar):
                place, row = (svar, key), _row(typed, question, svar, key, today)
                findings += [(place, found) for found in _unstorable(row, question, svar)]
                if row:
                    rows.append(row)
                    places.append(place)
            if rows:
                answers[svar] = rows
    return Parsed(answers, findings, places)


def _row(typed: Typed, question: Question, svar: str, key: str, today: date) -> Json:
    row: Json = {}
    for name, part in parts_of(question, svar).items():
        value = _value(typed, f"{svar}~{key}~{name}", part, today)
        if value not in ("", [], {}):
            row[name] = value
    return _ticked(typed, row, svar, key, question.delsvar[0].id)


def _ticked(typed: Typed, row: Json, svar: str, key: str, coded: str) -> Json:
    """A row that is ticked; one that says something without a tick, unless that was taken away."""
    if not key.startswith(TICK) or coded in row:
        return row
    is_new = bool(row) and not typed.one(f"{svar}~{key}~~had")
    return {coded: key.removeprefix(TICK), **row} if is_new else {}


def _unstorable(row: Json, question: Question, svar: str) -> Iterator[Finding]:
    """What no certificate of the type could hold; it is taken out of the row."""
    for name, part in parts_of(question, svar).items():
        values = row.get(name, ())
        for one in values if isinstance(values, list) else [values] if name in row else []:
            fault = why_not_value(one, part)
            if fault is not None:
                row.pop(name, None)
                yield Finding(UNSTORABLE, fault, f"svar.{svar}.{name}", svar=svar, delsvar=name)


def _value(typed: Typed, name: str, part: Delsvar, today: date) -> Any:
    """What a part's fields say; empty where they say nothing."""
    text = typed.one(name).strip()
    match part.type:
        case "boolean" | "yes_no" | "boolean_or_cv":
            return {"true": True, "false": False}.get(text, text)
        case "cv":
            return _code(typed, name) if part.count.most == 1 else typed.many(name)
        case "date" | "zero_date" | "day":
            return written_date(text, today)
        case "period":
            return _period(typed, name, today)
        case "pq":
            unit = typed.one(f"{name}~unit").strip()
            return {"value": text.replace(",", "."), "unit": unit} if text else {}
        case "decimal":
            return text.replace(",", ".")
        case "decimal_comma":
            return text.replace(".", ",")
    return text


def _code(typed: Typed, name: str) -> Any:
    code = typed.one(name).strip()
    kept = {"codeSystem": typed.one(f"{name}~codeSystem")}
    if code == typed.one(f"{name}~was"):
        kept["displayName"] = typed.one(f"{name}~displayName")
    said = {member: text for member, text in kept.items() if text}
    return {"code": code, **said} if code and said else code


def _period(typed: Typed, name: str, today: date) -> Json:
    ends = {end: written_date(typed.one(f"{name}~{end}"), today) for end in ("start", "end")}
    return {end: day for end, day in ends.items() if day}


def written_date(text: str, today: date) -> str:
    """As certificates have it: `20261208` and `8/12` are `2026-12-08`; others as they are."""
    plain = text.strip()
    if found := _DIGITS.fullmatch(plain) or _LOOSE.fullmatch(plain):
        return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}"
    if found := _DAY_AND_MONTH.fullmatch(plain):
        return f"{today.year}-{int(found[2]):02}-{int(found[1]):02}"
    return plain
