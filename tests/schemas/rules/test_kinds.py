"""Kinds of value: the quick Python says what the XPath says."""

import pytest
from lxml import etree

from intyg.schemas.ns import CORE, TYPES
from intyg.schemas.rules.answers import Part
from intyg.schemas.rules.check import value_answer
from intyg.schemas.rules.kinds import KINDS, PATTERNS, is_real_date

TEXTS = (
    "", " ", "\u00a0", "x", " x ", "true", " true ", "TRUE", "1", "0", "10", "false", "yes",
    "2026-11-02", " 2026-11-02", "2026-11-02 ", "2026-11-02Z", "2026-11-02+01:00", "2026-11-31",
    "2024-02-29", "2023-02-29", "2026-00-00", "0000-00-00", "2026-1-2", "20261102", "0000-01-01",
    "2026-11-02+14:00", "2026-11-02+14:30", "2026-11-02x", "１", "２０２６-11-02", "1.5", "1,5",
    "-1.5", "+1.5", "1.", ".5", ".", "-", "+", "1.2.3", "1,2,3", ",", "1e3", "--1", "1-", "007",
    "1 5",
)  # fmt: skip

CODE, SYSTEM = "<t:code>A</t:code>", "<t:codeSystem>S</t:codeSystem>"
NAME = "<t:displayName>N</t:displayName>"


def period(start: str, end: str) -> str:
    return f"<t:datePeriod><t:start>{start}</t:start><t:end>{end}</t:end></t:datePeriod>"


STRUCTURES = (
    "<!-- c -->", "x<!-- c -->", "<!-- c -->x", "<c:x/>", "x<c:x>y</c:x>", "true<c:x/>",
    "<c:x>true</c:x>", f"<t:cv>{CODE}{SYSTEM}</t:cv>", f"<t:cv>{SYSTEM}{CODE}{NAME}</t:cv>",
    f"<t:cv>{CODE}</t:cv>", f"<t:cv>{SYSTEM}</t:cv>", f"<t:cv>{CODE}{CODE}{SYSTEM}</t:cv>",
    f"<t:cv>{CODE}{SYSTEM}{SYSTEM}</t:cv>", f"<t:cv>{CODE}{SYSTEM}{NAME}{NAME}</t:cv>",
    f"<t:cv>{CODE}{SYSTEM}</t:cv>" * 2, f"<t:cv><t:code><t:x/>A</t:code>{SYSTEM}</t:cv>",
    f"<t:cv>{CODE}<t:codeSystem>S<t:x/></t:codeSystem></t:cv>", f"text<t:cv>{CODE}{SYSTEM}</t:cv>",
    f"<t:cv>{CODE}{SYSTEM}<!-- c --></t:cv>", f"<c:cv>{CODE}{SYSTEM}</c:cv>", "<t:cv/>",
    f"<t:cv><t:code>1</t:code>{SYSTEM}</t:cv>", f"<t:cv>{CODE}{SYSTEM}</t:cv><c:x/>",
    period("2026-11-01", "2026-11-02"), period("2026-11-02", "2026-11-01"),
    period("2026-11-01", "2026-11-01"), period("2026-11-31", "2026-12-01"), period("", ""),
    period(" 2026-11-01", "2026-11-02"), period("2026-11-01 ", "2026-11-02Z"),
    "<t:datePeriod><t:end>2026-11-01</t:end><t:start>2026-11-01</t:start></t:datePeriod>",
    "<t:datePeriod><t:start>2026-11-01</t:start></t:datePeriod>", "<t:datePeriod/>",
    period("2026-11-01", "2026-11-02") * 2,
    "<t:partialDate><t:format>YYYY</t:format><t:value>2026</t:value></t:partialDate>",
    "<t:partialDate><t:value>2026-11-02</t:value></t:partialDate>",
    "<t:partialDate><t:value>2026-11-31</t:value></t:partialDate>", "<t:partialDate/>",
    "<t:pq><t:value>25.0</t:value><t:unit>%</t:unit></t:pq>", "<t:pq><t:value>2</t:value></t:pq>",
)  # fmt: skip


ASKED_BY_XPATH = ("boolean_or_cv", "pq", "year")
"""Kinds without a quick answer."""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_quick_answer_is_that_of_the_xpath(kind: str) -> None:
    answers = []
    for content in TEXTS + STRUCTURES:
        element = etree.fromstring(
            f'<c:svar id="1" xmlns:c="{CORE}" xmlns:t="{TYPES}"><c:delsvar id="1.1">{content}'
            "</c:delsvar></c:svar>"
        )
        answers.append(value_answer(kind)(Part(element[0])))
        assert answers[-1] in (None, bool(KINDS[kind].compiled(element[0]))), content
    assert (True in answers) is (kind not in ASKED_BY_XPATH)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("text", "x", " "),
        ("boolean", " 1 ", "ja"),
        ("date", "2026-11-02", "2026-11-31"),
        ("zero_date", "2026-00-00", "2026"),
        ("decimal", "-1.5", "1,5"),
        ("decimal_comma", "1,5", "1.5"),
        ("integer", "007", "-7"),
        ("cv", f"<t:cv>{CODE}{SYSTEM}</t:cv>", f"<t:cv>{CODE}</t:cv>"),
        ("period", period("2026-11-01", "2026-11-02"), period("2026-11-02", "2026-11-01")),
        ("boolean_or_cv", f"<t:cv>{CODE}{SYSTEM}</t:cv>", "x"),
        ("boolean_or_cv", "false", "true<c:x/>"),
        ("yes_no", "1<c:x/>", "2"),
        (
            "year",
            "<t:partialDate><t:value>2026</t:value></t:partialDate>",
            "<t:partialDate><t:value>2026-11</t:value></t:partialDate>",
        ),
        (
            "year",
            "<t:partialDate><t:value>2026</t:value></t:partialDate>",
            "<t:partialDate><t:value>2026</t:value></t:partialDate>" * 2,
        ),
        (
            "period",
            period("2026-11-02", "2026-11-02Z"),
            period("2026-11-02Z", "2026-11-02"),  # the national rule compares texts
        ),
        (
            "day",
            "<t:partialDate><t:value>2026-11-02</t:value></t:partialDate>",
            "<t:partialDate><t:value>2026-11</t:value></t:partialDate>",
        ),
        ("pq", "<t:pq><t:value>2</t:value><t:unit>%</t:unit></t:pq>", "2"),
    ],
)
def test_kind_tells_good_from_bad(kind: str, good: str, bad: str) -> None:
    for content, right in ((good, True), (bad, False)):
        element = etree.fromstring(
            f'<c:delsvar xmlns:c="{CORE}" xmlns:t="{TYPES}">{content}</c:delsvar>'
        )
        assert bool(KINDS[kind].compiled(element)) is right


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("S47", True), ("s47", True), ("S47-P", True), ("S4", False), ("47S", False),
        ("F32", False), ("F321", True), ("f32", False), ("Z73", False), ("z730", True),
        ("Z72", True), ("Z74", True), ("Z7", False), ("Å47", False), ("S47.1", False), ("", False),
        ("F32-", True), ("Z73Ö", False), ("SS7", False),
    ],
)  # fmt: skip
def test_form_of_diagnosis_codes(code: str, right: bool) -> None:
    pattern = PATTERNS["diagnosis"]
    element = etree.fromstring(
        f'<c:delsvar xmlns:c="{CORE}" xmlns:t="{TYPES}"><t:cv><t:code>{code}</t:code></t:cv>'
        "</c:delsvar>"
    )
    assert pattern.quick(code) is right
    assert bool(element.xpath(pattern.xpath, namespaces={"t": TYPES})) is right


def test_dates_of_python_and_xpath_agree_on_odd_text() -> None:
    assert not is_real_date("2026-11-02\u00a0")
