"""A certificate type in words."""

import re
from dataclasses import replace
from typing import Any

import pytest

from intyg.schemas.export.outline import (
    codes_of,
    count_in_words,
    header_facts,
    outline,
    sending_in_words,
    usage_in_words,
    value_in_words,
)
from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import (
    CodeList,
    Count,
    Days,
    Delsvar,
    IntygType,
    Limit,
    Match,
    Ref,
    Role,
    Usage,
    Values,
)
from tests.strategies import TYPES, all_types

REF = Ref("R1", Severity.ERROR)


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [
        (0, 1, "optional"),
        (1, 1, "once"),
        (0, 4, "at most 4"),
        (1, 4, "1 to 4"),
        (2, 2, "2"),
        (0, None, "any number of times"),
        (1, None, "at least 1"),
    ],
)
def test_count_in_words(least: int, most: int | None, words: str) -> None:
    assert count_in_words(Count(least, most, REF, REF)) == words


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        pytest.param(Usage(True, True, True), "registered, renewed, sent", id="in use"),
        pytest.param(
            Usage(True, False, True, "TS8071"), "registered, sent; replaced by TS8071", id="old"
        ),
        pytest.param(
            Usage(False, False, False, "FK7804", "since 2026"),
            "only read; replaced by a newer version (since 2026)",
            id="replaced by a version of the same type",
        ),
    ],
)
def test_what_may_be_done_in_words(usage: Usage, words: str) -> None:
    header = replace(TYPES.lookup("FK7804", "1"), usage=usage)
    assert usage_in_words(header) == words


def test_type_without_recipient_is_not_said_to_be_sent() -> None:
    assert usage_in_words(TYPES.lookup("AG7804")) == "registered, renewed"


@pytest.mark.parametrize(
    ("recipient", "send", "signing", "complement", "words"),
    [
        (None, True, True, True, "never"),
        ("FKASSA", False, True, True, "no longer"),
        ("FKASSA", True, True, True, "when signed"),
        (
            "FKASSA",
            True,
            False,
            True,
            "when asked to; when signed if it answers a completion request",
        ),
        ("FKASSA", True, False, False, "when asked to"),
    ],
)
def test_when_it_is_sent_in_words(
    recipient: str | None, send: bool, signing: bool, complement: bool, words: str
) -> None:
    header = TYPES.lookup("FK7804", "1")
    changed = replace(
        header,
        recipient=recipient,
        usage=replace(header.usage, send=send),
        sent_on_signing=signing,
        sent_on_complement=complement,
    )
    assert sending_in_words(changed) == words


def test_what_a_type_is_in_words() -> None:
    header = replace(TYPES.lookup("FK7804", "2.0"), former=("FK7263",), signs=(Role.TANDLAKARE,))
    assert list(header_facts(header)) == [
        ("In the XML", "LISJP, version 2.0"),
        ("Formerly", "FK7263"),
        ("Recipient", "FKASSA"),
        ("Signed by", "dentist"),
        ("Sent", "when asked to; when signed if it answers a completion request"),
        ("Recipient asks", "KOMPLT, AVSTMN, KONTKT, OVRIGT, PAMINN"),
        ("Care asks", "AVSTMN, KONTKT, OVRIGT"),
        ("Events as", "cs, the newer national engine"),
        ("May be", "registered, renewed, sent"),
        ("Refused by", "the national Schematron"),
    ]


def test_what_a_type_without_recipient_is_in_words() -> None:
    facts = dict(header_facts(TYPES.lookup("AG7804")))
    assert facts["Recipient"] == "none: not sent electronically"
    assert (facts["Sent"], facts["Recipient asks"], facts["Care asks"]) == ("never", "none", "none")


@pytest.mark.parametrize(
    ("facets", "words"),
    [
        pytest.param({}, [], id="nothing more"),
        pytest.param({"length": Limit(50, REF)}, ["at most 50 characters"], id="length"),
        pytest.param({"size": Limit(99.5, REF)}, ["from -99.5 to 99.5"], id="size"),
        pytest.param(
            {"days": Days("1900-01-01", "2099-12-31", REF)},
            ["from 1900-01-01 to 2099-12-31"],
            id="days",
        ),
        pytest.param(
            {"code_length": Limit(5, REF)}, ["a code of at most 5 characters"], id="length of code"
        ),
        pytest.param({"unique": REF}, ["no code twice"], id="unique"),
        pytest.param({"overlap": REF}, ["no periods that overlap"], id="overlap"),
        pytest.param({"shared_day": REF}, ["no periods that overlap"], id="shared day"),
    ],
)
def test_what_a_delsvar_may_hold_in_words(facets: dict[str, Any], words: list[str]) -> None:
    part = Delsvar("1.1", "term", "text", (REF, REF), Count(1, 1, REF, REF), **facets)
    assert list(value_in_words(part))[1:] == words


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        pytest.param(None, ["A", "B"], id="whole list"),
        pytest.param(Values(("B",), Match.EXACT, REF), ["B"], id="a part of it"),
    ],
)
def test_codes_of_a_delsvar(codes: Values | None, told: list[str]) -> None:
    code_list = CodeList("letters", "1.2.3", {"A": "first", "B": "second"})
    texts = {"A": "first", "B": "second"}
    part = Delsvar("1.1", "term", "cv", (REF, REF), Count(1, 1, REF, REF), (code_list,))
    found = list(codes_of(replace(part, codes=codes)))
    assert found == [(code, "1.2.3", texts[code]) for code in told]


@pytest.mark.parametrize("intyg_type", all_types(), ids=lambda t: t.key)
def test_outline_names_every_question_code_and_rule(intyg_type: IntygType) -> None:
    lines = list(outline(intyg_type, rules=True))
    text = "\n".join(lines)
    for question in intyg_type.questions:
        assert any(line.startswith(f"  {question.svar}") for line in lines)
        for part in question.delsvar:
            assert f"    {part.id}" in text
            assert all(f"{code}: {shown}" in text for code, _, shown in codes_of(part))
    assert all(f"  {rule.ref.id} " in text for rule in intyg_type.rules)
    assert not re.search(r"<\d", text), "a rule's question is not named"


def test_rules_are_told_to_those_who_ask() -> None:
    intyg_type = TYPES.lookup("FK7804", "1")
    told, asked = list(outline(intyg_type)), list(outline(intyg_type, rules=True))
    assert told == asked[: len(told)]
    assert not any(rule.ref.id in line.split() for rule in intyg_type.rules for line in told)


def test_a_part_may_have_several_code_lists() -> None:
    lists = (CodeList("ONE", "1.2.3", {"A": "first"}), CodeList("TWO", "1.2.4", {"B": "second"}))
    intyg_type = TYPES.lookup("FK7804", "1")
    question = intyg_type.questions[0]
    part = replace(question.delsvar[0], type="cv", code_lists=lists, codes=None)
    changed = replace(question, delsvar=(part,))
    lines = list(outline(replace(intyg_type, questions=(changed,))))
    at = lines.index("           code list ONE, TWO:")
    assert lines[at + 1 :] == ["             A: first", "             B: second"]
