"""What a new draft takes over from an older certificate or draft."""

from typing import Final

from intyg.adapter.formats.intyg_json import INSTANS, ORDER, Json
from intyg.adapter.rules.draft_rules import Way
from intyg.schemas.intyg_model import IntygType

_OF_DB: Final = frozenset({"1", "2", "3", "4"})
"""Identity, day of death, place, child: the same questions in DB and DOI; nothing about causes."""

_ADDED: Final = "25"
"""Övriga upplysningar, where a complement's comment goes."""


def carried(answers: Json, way: Way, intyg_type: IntygType) -> Json:
    """
    The answers that a new draft begins with.

    Args:
        answers: Of the older one; of the same type, but for a template.
        way: How the new one comes to be.
        intyg_type: Of the new one.
    """
    if way is Way.RENEW:
        return _without(answers, frozenset(intyg_type.usage.renewed_without))
    if way is Way.TEMPLATE:
        return _mapped(answers, intyg_type)
    return dict(answers)


def with_comment(answers: Json, comment: str, intyg_type: IntygType) -> Json:
    """The answers with a comment of whoever completes, after what stands there already."""
    part = f"{_ADDED}.1"
    known = any(question.svar == _ADDED for question in intyg_type.questions)
    if not comment or not known:
        return answers
    row = answers.get(_ADDED, {})
    row = row[0] if isinstance(row, list) else row
    before = str(row.get(part, ""))
    return answers | {_ADDED: row | {part: f"{before}\n{comment}".strip()}}


def _without(answers: Json, left_out: frozenset[str]) -> Json:
    kept: Json = {}
    for svar, value in answers.items():
        if svar in left_out or svar == ORDER:
            continue
        rows = [_row_without(row, left_out) for row in _rows(value)]
        rows = [row for row in rows if set(row) - {INSTANS}]
        if rows:
            kept[svar] = rows if isinstance(value, list) else rows[0]
    return kept


def _row_without(row: Json, left_out: frozenset[str]) -> Json:
    return {name: value for name, value in row.items() if name not in left_out and name != ORDER}


def _mapped(answers: Json, intyg_type: IntygType) -> Json:
    """
    What a certificate of another type says that this one asks, too.

    Of a death certificate what `_OF_DB` lists; between the two that share a form, every
    question that both have.
    """
    known = {q.svar: {part.id for part in q.delsvar} for q in intyg_type.questions}
    kept: Json = {}
    for svar, value in answers.items():
        if svar not in known or (intyg_type.code == "DOI" and svar not in _OF_DB):
            continue
        rows = [_row_of(row, known[svar]) for row in _rows(value)]
        rows = [row for row in rows if set(row) - {INSTANS}]
        if rows:
            kept[svar] = rows if isinstance(value, list) else rows[0]
    return kept


def _row_of(row: Json, known: set[str]) -> Json:
    return {name: value for name, value in row.items() if name in known or name == INSTANS}


def _rows(value: object) -> list[Json]:
    rows: list[Json] = value if isinstance(value, list) else [value]  # type: ignore[list-item]
    return rows
