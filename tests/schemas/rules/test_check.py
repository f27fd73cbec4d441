"""The fast validator says of every certificate what the XPath assertions say, for every type.

Certificates are thrown together from each type's own questions with a fixed seed: right answers,
wrong ones, missing, repeated and misplaced ones.
"""

import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Final

import pytest
from lxml import etree

from intyg.schemas.intyg_model import Delsvar, IntygType, Question
from intyg.schemas.ns import SOAP11
from intyg.schemas.positions import Positions
from intyg.schemas.rules.answers import Day, Row
from intyg.schemas.rules.assertion import Assertion, assertions_of, level_of
from intyg.schemas.rules.check import IntygCheck, path_of
from intyg.schemas.rules.kinds import KINDS
from intyg.schemas.rules.quick import quick_test
from intyg.schemas.rules.xpath import compile_xpath
from intyg.schemas.typefile.lookup import IntygTypes
from tests.schemas.intyg_builder import (
    Answers,
    Content,
    Cv,
    PartialDate,
    Period,
    Raw,
    Svar,
    fk7804,
)

TODAY: Final = date(2026, 11, 23)
TYPES: Final = {t.key: t for t in IntygTypes().all()}
ODD: Final[tuple[Content, ...]] = (
    "", " ", "true", "false", "1", "0", "10", "text", " text ", "x" * 4100, "2026-11-02",
    "2026-00-00", "2027-01-01", "1.9", "2.1", "0,7", "0.05", "100",
    Cv("ANNAT", "KV_FKMU_0001"), Cv(" F32 ", "1.2.752.116.1.1.1"), Cv("", ""), Cv("NI", "x"),
    Period("2026-11-02", "2026-11-30"), Period("2026-11-30", "2026-12-01"), Period("", "x"),
    PartialDate("2026"), PartialDate("2026-11-02"), PartialDate("2099"),
    Raw("<!-- c -->true"), Raw("a<c:b>c</c:b>"), Raw("<t:cv><t:code>A</t:code></t:cv>"),
    Raw("<t:cv><t:code>A</t:code><t:codeSystem>B</t:codeSystem></t:cv>" * 2),
    Raw("<t:pq><t:value>25.0</t:value><t:unit>%</t:unit></t:pq>"),
)  # fmt: skip


def right(part: Delsvar, dice: random.Random) -> Content:
    """An answer of the kind that is asked for."""
    code = dice.choice(part.codes.values) if part.codes else "S47"
    system = dice.choice(part.system.values) if part.system else "1.2.3"
    day = f"2026-11-{dice.randint(1, 30):02}"
    made: dict[str, Content] = {
        "text": "text",
        "boolean": dice.choice(["true", "false", "1", "0"]),
        "yes_no": dice.choice(["true", "false"]),
        "date": day,
        "zero_date": dice.choice([day, "2026-10-00", "2026-00-00"]),
        "year": PartialDate(dice.choice(["2024", "1890", "2030"])),
        "day": PartialDate(day),
        "period": Period(day, f"2026-12-{dice.randint(1, 31):02}"),
        "cv": Cv(code, system),
        "boolean_or_cv": "true" if dice.random() < 0.5 else Cv(code, system),
        "decimal": dice.choice(["0.05", "0.5", "0.9", "2.0"]),
        "decimal_comma": dice.choice(["0,05", "0,5", "0,9"]),
        "integer": "50",
        "pq": Raw("<t:pq><t:value>25.0</t:value><t:unit>%</t:unit></t:pq>"),
    }
    return made[part.type]


def thrown_together(intyg_type: IntygType, dice: random.Random) -> Answers:
    """A certificate with mostly right answers and a few wrong things."""
    wildness = dice.choice([0.0, 0.02, 0.1, 0.3])

    def now_and_then() -> bool:
        return dice.random() < wildness

    def parts(question: Question) -> Iterator[tuple[str, Content]]:
        for part in question.delsvar:
            if part.count.least or dice.random() < 0.5:
                for _ in range(2 if now_and_then() else 1):
                    node_id = part.id.replace("*", question.svar)
                    yield node_id, dice.choice(ODD) if now_and_then() else right(part, dice)
        if now_and_then():
            yield f"{question.svar}.{dice.choice([1, 7, 10])}", dice.choice(ODD)

    svar: list[Svar] = []
    for question in intyg_type.questions:
        most = question.count.most or 2
        times = dice.randint(question.count.least, most)
        times += now_and_then() - now_and_then()
        for number in range(times):
            instans = [str(number + 1)] if question.instans != "absent" else []
            if now_and_then():
                instans = dice.choice([[], ["0"], ["1", "2"], ["x"]])
            made = list(parts(question)) or [(f"{question.svar}.1", "text")]
            svar.append(Svar(question.svar, made, instans))
    if now_and_then():
        svar.append(Svar(dice.choice(["77", "112", "9000", "9002"]), [("1.1", dice.choice(ODD))]))
    if now_and_then():
        dice.shuffle(svar)
    return Answers(intyg_type.xml_code, intyg_type.xml_versions[0], svar)


def broken_by_xpath(
    assertion: Assertion, intyg: etree._Element, today: date
) -> list[etree._Element]:
    """Where an assertion does not hold, by its XPath alone: slow; the fast way must equal it."""
    day = Day.of(today)
    places: Any = compile_xpath(assertion.each)(intyg, today=day.today, day=day.day)
    must = compile_xpath(f"boolean({assertion.must})")
    return [place for place in places if not must(place, today=day.today, day=day.day)]


@pytest.mark.parametrize("key", sorted(TYPES))
def test_fast_answer_is_that_of_the_assertions(key: str) -> None:
    intyg_type = TYPES[key]
    check, assertions = IntygCheck(intyg_type), assertions_of(intyg_type)
    dice = random.Random(key)
    seen: set[str] = set()
    for number in range(40):
        intyg = thrown_together(intyg_type, dice).intyg()
        fast = {(finding.rule, finding.message) for finding in check.check(intyg, today=TODAY)}
        slow = {
            (assertion.rule, assertion.message)
            for assertion in assertions
            if broken_by_xpath(assertion, intyg, TODAY)
        }
        assert fast == slow, f"certificate {number}"
        seen |= {rule for rule, _ in fast}
    assert len(seen) > 3  # there was something to agree on


@pytest.mark.parametrize("key", sorted(TYPES))
def test_every_shape_of_rule_means_the_same_from_the_index(key: str) -> None:
    """Most rules are answered from the index: if none were, the index would be dead code."""
    rules = TYPES[key].rules
    quick = [rule for rule in rules if quick_test(rule.must, level_of(rule)) is not None]
    if len(rules) > 15:
        assert len(quick) > len(rules) // 4


def test_a_rule_of_any_shape_may_ask_for_the_day() -> None:
    """These expressions are left to libxml2, which is told the days that stand in them."""
    intyg_type = TYPES["FK7804/1"]
    tomorrow = date(2026, 11, 24)
    for variable, day in (("$today", 20261123), ("$day", Day.of(TODAY).day)):
        must = f"{variable} * count(*) = {day} * count(*)"
        assert quick_test(must, 0) is None
        rule = replace(intyg_type.rules[0], each=None, is_=(), is_not=(), where=None)
        check = IntygCheck(replace(intyg_type, rules=(replace(rule, must=must),)))
        broken = [
            {finding.rule for finding in check.check(fk7804().intyg(), today=today)}
            for today in (TODAY, tomorrow)
        ]
        assert broken[1] - broken[0] == {f"FK7804/1/{rule.ref.id}"}


def test_kinds_that_files_use_are_all_known() -> None:
    used = {part.type for t in TYPES.values() for q in t.questions for part in q.delsvar}
    assert used == set(KINDS)


def test_place_in_an_envelope_starts_at_the_request() -> None:
    body = fk7804().put("35.1", "").text()
    envelope = etree.fromstring(
        f'<s:Envelope xmlns:s="{SOAP11}"><s:Body>{body}</s:Body></s:Envelope>'.encode()
    )
    (finding,) = IntygCheck(TYPES["FK7804/1"]).check(envelope[0][0][0], today=TODAY)
    assert finding.xpath == "/RegisterCertificate/intyg/svar[8]/delsvar[1]"


def test_places_are_numbered_where_there_are_twins() -> None:
    tree = etree.fromstring('<a><b/><b><c/></b><d xmlns="x"/></a>')
    positions = Positions(lambda element: str(element.tag))
    assert [path_of(element, positions) for element in tree.iter()] == [
        "/a", "/a/b[1]", "/a/b[2]", "/a/b[2]/c", "/a/d",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("svar_id", "number"), [("12", 12.0), (" 12", 12.0), ("٣", None), ("²", None), ("x", None)]
)
def test_an_id_is_the_number_that_xpath_makes_of_it(svar_id: str, number: float | None) -> None:
    element = etree.Element("svar", id=svar_id)
    read = Row(element, 0).number()
    assert read == (number if number is not None else pytest.approx(float("nan"), nan_ok=True))


def test_one_check_serves_several_threads() -> None:
    check = IntygCheck(TYPES["FK7804/1"])
    good, bad = fk7804(), fk7804().put("6.4", Cv("F321", "1.2.752.116.1.3.1.4.1"))
    wrong: list[object] = []

    def run() -> None:
        whole, broken = good.intyg(), bad.intyg()
        for _ in range(30):
            if check.check(whole, today=TODAY):
                wrong.append("good")
            if [f.rule for f in check.check(broken, today=TODAY)] != ["FK7804/1/R80"]:
                wrong.append("bad")

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_certificate_without_any_svar_is_told_what_is_missing() -> None:
    findings = IntygCheck(TYPES["FK7804/1"]).check(Answers("LISJP", "1", []).intyg(), today=TODAY)
    rules = {finding.rule.removeprefix("FK7804/1/") for finding in findings}
    assert rules == {"R4", "R9", "R19", "R20", "R21", "R22", "R23", "R24"}
    assert {finding.xpath for finding in findings} == {"/RegisterCertificate/intyg"}
