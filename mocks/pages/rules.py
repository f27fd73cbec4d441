"""A mock's rules: which there are, what each has done, on and off; and making it misbehave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from intyg.mocks.control import ProblemError
from intyg.mocks.pages.address import PREFIX
from intyg.mocks.pages.reading import masked
from intyg.mocks.pages.visit import Visit, before, look, mock_of, prefix, tell
from intyg.mocks.rules.answers import Effect
from intyg.mocks.rules.model import Match, Rule
from intyg.mocks.rules.named import NAMES, EffectNameError, effect_named
from intyg.mocks.rules.parse import rule_json
from intyg.schemas.codes import ErrorId

FIRST: Final = 1000
"""Priority of what is ordered here: before what files say, after what `fail-next` orders."""


@dataclass(frozen=True)
class Row:
    """A rule in the list."""

    rule: Rule
    acted: int
    match: str
    answers: str


def build_rule_pages(visit: Visit) -> Blueprint:
    """`/mock/<key>/rules`: the list; POST switches, removes and adds."""
    pages = Blueprint("rules", __name__)
    path = f"{PREFIX}/<key>/rules"

    @pages.get(path)
    def rules(key: str) -> ResponseReturnValue:
        return _list(key, None)

    @pages.post(path)
    def change(key: str) -> ResponseReturnValue:
        try:
            _DOES.get(request.form.get("do", ""), _misbehave)(visit, key, request.form)
        except ProblemError as exc:
            return _list(key, masked(exc.detail)), exc.status
        return redirect(f"{prefix()}/{key}/rules", HTTPStatus.SEE_OTHER)

    return pages


def _list(key: str, fault: str | None) -> str:
    mock = mock_of(key)
    book = mock.rules.book
    states = look(mock, "list_rules").rules
    by_id = {each.id: each for each in book.all()}
    return render_template(
        "rules.html",
        mock=mock,
        key=key,
        tab="rules",
        rows=[_row(by_id[each.id], each.acted) for each in states if each.id in by_id],
        contracts=sorted(
            {each.partition(":")[0] for each in look(mock, "describe_mock").contracts}
        ),
        names=effect_names(mock.settings.part),
        error_ids=[each.value for each in ErrorId],
        form=request.form,
        fault=fault,
    )


def _row(rule: Rule, acted: int) -> Row:
    answers = ", ".join(effect_words(each) for each in rule.answers)
    return Row(rule, acted, masked(match_words(rule.match)), answers)


def match_words(match: Match) -> str:
    """What calls must be like: `contract=RegisterCertificate typ=LISJP`."""
    said = match.model_dump(mode="json", exclude_defaults=True)
    return " ".join(f"{name}={_shown(value)}" for name, value in said.items())


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{_shown(each)}" for name, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "|".join(map(str, value))
    return str(value)


def effect_words(effect: Effect) -> str:
    """What is answered: `error TECHNICAL_ERROR`, `http 503`."""
    said = effect.model_dump(mode="json", exclude_defaults=True)
    more = [str(value) for name, value in said.items() if name in _TOLD]
    late = [name for name in ("store", "delay") if said.get(name)]
    return " ".join([effect.kind, *more, *late])


_TOLD: Final = ("error_id", "code", "status", "shape")


@cache
def effect_names(part: str) -> tuple[str, ...]:
    """The names of what a mock can be made to do."""
    return tuple(name for name in NAMES if name == "ERROR" or _is_effect(name, part))


def _is_effect(name: str, part: str) -> bool:
    try:
        effect_named(name, None, None, part)
    except EffectNameError:
        return False
    return True


# --- what is done ---------------------------------------------------------------------------------


def _switch(visit: Visit, key: str, form: Mapping[str, str]) -> None:
    rule_id, enabled = form.get("rule", ""), form.get("enabled") == "1"
    moment = before()
    tell(mock_of(key), "switch_rule", {"enabled": enabled}, rule_id=rule_id)
    what = "switch_on" if enabled else "switch_off"
    rule = rule_json(mock_of(key).rules.book.get(rule_id))
    visit.record(moment, key, what, {"rule_id": rule_id, "rule": rule})


def _remove(visit: Visit, key: str, form: Mapping[str, str]) -> None:
    rule_id = form.get("rule", "")
    moment, acted = before(), look(mock_of(key), "get_rule", rule_id=rule_id).acted
    look(mock_of(key), "remove_rule", rule_id=rule_id)
    visit.record(moment, key, "remove", {"rule_id": rule_id, "acted": acted})


def _misbehave(visit: Visit, key: str, form: Mapping[str, str]) -> None:
    """
    Make coming calls be answered otherwise.

    Raises:
        ProblemError: The form says something that there is not.
    """
    mock, contract = mock_of(key), form.get("contract", "")
    name = form.get("name", "")
    detail = form.get("error_id") if name == "ERROR" else None
    effect = _effect(name, detail, mock.settings.part)
    body: dict[str, Any] = {
        "text": f"ordered on a page: {name}",
        "priority": FIRST,
        "match": {"contract": contract},
        "answers": [effect.model_dump(mode="json")],
        "count": _count(form.get("count", "")),
    }
    moment = before()
    made = tell(mock, "add_rule", body)
    values = {"rule_id": made.id, "contract": contract, "name": name, "detail": detail}
    visit.record(moment, key, "misbehave", values)


def _effect(name: str, detail: str | None, part: str) -> Effect:
    try:
        return effect_named(name, detail, None, part)
    except EffectNameError as exc:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(exc)) from None


def _count(text: str) -> int:
    if not text.strip().isdecimal() or not 0 < int(text) <= 10_000:
        raise ProblemError.of_field("count", "from 1 to 10000")
    return int(text)


_DOES: Final = {"switch": _switch, "remove": _remove, "misbehave": _misbehave}
