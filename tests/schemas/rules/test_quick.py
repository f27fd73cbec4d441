"""What the index says of an expression is what libxml2 says of it."""

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest

from intyg.schemas.intyg_model import Rule
from intyg.schemas.rules.answers import Answers, Day, Place
from intyg.schemas.rules.assertion import level_of
from intyg.schemas.rules.quick import quick_test
from intyg.schemas.rules.xpath import compile_xpath, write_out
from tests.schemas.intyg_builder import Answers as Certificate
from tests.schemas.intyg_builder import (
    Cv,
    PartialDate,
    Period,
    Raw,
    Svar,
    fk7804,
)
from tests.schemas.rules.test_check import TODAY, TYPES, thrown_together

DAY: Final = Day.of(TODAY)

ODD: Final = Certificate(
    "X",
    "1",
    [
        Svar("1", [("1.1", " 1.5 "), ("1.2", "2026-02-30"), ("1.3", "2026-1-02"), ("1.1", "x")]),
        Svar("1", [("1.1", "-0.3"), ("1.2", " 2026-11-02 "), ("1.3", "\u00a02026-11-02")], ["1"]),
        Svar("2", [("2.1", Cv(" A  B ", "1.2")), ("2.2", Period("2026-11-02", "x"))], ["2", "3"]),
        Svar("2", [("2.1", Raw("<t:cv><t:code>C</t:code></t:cv>" * 2)), ("2.2", "")], ["x"]),
        Svar("3", [("3.1", PartialDate("2026")), ("3.2", Raw("1<!-- c -->0<c:b>5</c:b>"))]),
        Svar("3", [("3.1", Raw("<t:partialDate><t:value>1<c:b/>2</t:value></t:partialDate>"))]),
        Svar("3", [("3.2", "1e3"), ("3.3", "2026-11-02+14:00"), ("3.4", "20261123"), ("3.5", "٣")]),
        Svar("1", [("1.1", "0.1"), ("1.1", "0.30000000000000004")]),
    ],
)


@pytest.mark.parametrize(
    "expression",
    [
        "number(../delsvar(1.1)) = 1.5 or number(../delsvar(1.1)) < 0",
        "number() > 0.2 and number() <= 1",
        "number() != 0.3",
        "not(number() = 0.3)",
        "boolean(number()) and not(boolean(number()))",
        "num(.) > 20260101",
        "days(.) + 28 >= $day - 400",
        "floor(num(.) div 100) = 202611",
        "real_date(.)",
        "real_date(../delsvar(1.2)) or real_date(../delsvar(1.3))",
        "text(.) = '2026-11-02'",
        "text(.) != ''",
        "not(filled())",
        "contains(., '1') and starts-with(text(.), '2')",
        "string-length() > 8 and string-length(text(.)) <= 10",
        "translate(., '123456789', '000000000') = '0000-00-00'",
        "substring(., 1, 4) = '2026'",
        "not(*)",
        "yes() or no()",
        "t:cv/t:code = ' A  B '",
        "t:cv/t:code[normalize-space() = 'A B']",
        "not(t:cv/t:code[. != 'C'])",
        "contains(t:cv/t:code, 'B')",
        "num(t:datePeriod/t:start) >= $today or days(t:datePeriod/t:end) < $day",
        "number(t:partialDate/t:value) <= floor($today div 10000)",
        "days(t:partialDate/t:value) >= born(../..) or born_year(../..) = 1890",
        "days(t:partialDate/t:value) >= birth(../..)",
        "days(.) < days('2026-11-02') or days(.) > days('2026-11-02')",
        "count(../delsvar(1.1)) = 2",
        "../../svar(1)[delsvar(1.3)]/delsvar(1.1) = 1.5",
        "../preceding-sibling::svar(1)/delsvar(1.1)",
        "count(../following-sibling::svar(3)) > 1",
        "number(../c:instans) >= 2 or ../c:instans = 1",
        "../../svar(2)[c:instans = 3]/coded(2.1, A, C)",
        "../../*/yes(3.2) and ../../*/no(3.2)",
        "../../*/delsvar(1.1) = '-0.3'",
        "boolean(../../svar(2)) = boolean(../../*/yes(3.2))",
        "../preceding-sibling::c:svar/@id = ../@id",
        "not(substring(., 1, 4))",
        "boolean(text(.)) and not(not(text(.)))",
        "boolean(translate(., '0123456789-', '')) and not(yes())",
    ],
)
def test_odd_values_are_read_as_libxml2_reads_them(expression: str) -> None:
    quick = quick_test(expression, 2)
    assert quick is not None
    compiled: Any = compile_xpath(f"boolean({write_out(expression)})")
    answers = Answers(ODD.intyg())
    for row in answers.rows:
        for part in row.parts:
            wanted = compiled(part.element, today=DAY.today, day=DAY.day)
            assert bool(quick(answers, part, DAY)) is wanted, (row.place, part.id)


@pytest.mark.parametrize(
    "expression",
    [
        "svar(4)[1]",  # a place in a list
        "../c:svar",
        "position() = 1",
        "unknown(.)",
        "delsvar(1.1) = delsvar(1.2) = true()",
        ". or",
        "count(.) * 2",
        "count(*) * number(.) = 2",
        "number(.) div 0",
        "number(.) div 'x'",
        "number(.) div number(../delsvar(1.1))",
        "starts-with(yes(), 't')",
        "contains(yes(), 'B')",
        "substring(number(.), 1, 4) = '2026'",
        "*/svar(1)",
        "string(.)",
    ],
)
def test_other_expressions_are_left_to_libxml2(expression: str) -> None:
    assert [quick_test(expression, level) for level in (1, 2)] == [None, None]


def test_nearly_every_expression_of_our_types_is_answered_from_the_index() -> None:
    every = [
        (rule, expression) for t in TYPES.values() for rule, expression in _expressions(t.rules)
    ]
    left = [rule for rule, text in every if quick_test(text, level_of(rule)) is None]
    assert len(every) > 500
    assert len(left) <= 5


@pytest.mark.parametrize("key", sorted(TYPES))
def test_every_expression_of_a_type_means_the_same(key: str) -> None:
    """Each at every place where it may be asked, also where the rule does not apply."""
    every = [
        (rule, text, quick, compile_xpath(f"boolean({write_out(text)})"))
        for rule, text in _expressions(TYPES[key].rules)
        if (quick := quick_test(text, level_of(rule)))
    ]
    dice = random.Random(key)
    for _ in range(4):
        intyg = thrown_together(TYPES[key], dice).intyg()
        answers = Answers(intyg)
        for rule, text, quick, compiled in every:
            for place in _places(rule, answers):
                assert not isinstance(place, str)
                element = intyg if place is None else place.element
                wanted = compiled(element, today=DAY.today, day=DAY.day)
                assert bool(quick(answers, place, DAY)) is wanted, (rule.ref.id, text)


def _expressions(rules: Sequence[Rule]) -> Iterator[tuple[Rule, str]]:
    for rule in rules:
        for text in (rule.must, rule.where):
            if text:
                yield rule, text


def _places(rule: Rule, answers: Answers) -> Sequence[Place]:
    if rule.each is None:
        return (None,)
    if level_of(rule) == 2:
        return answers.parts_by_id.get(rule.each, ())
    return answers.rows if rule.each.endswith("..") else answers.rows_by_id.get(rule.each, ())


def test_patient_s_number_is_read_once_and_may_be_missing() -> None:
    quick = quick_test("born(..) > 0", 1)
    assert quick is not None
    intyg = fk7804().intyg()
    read_before = Answers(intyg)
    assert quick(read_before, read_before.rows[0], DAY)
    patient = intyg.find("{*}patient")
    assert patient is not None
    intyg.remove(patient)
    assert quick(read_before, read_before.rows[0], DAY)
    without = Answers(intyg)
    assert not quick(without, without.rows[0], DAY)
