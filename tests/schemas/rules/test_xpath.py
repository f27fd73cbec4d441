"""The abbreviations of type files, written out to plain XPath 1.0."""

import math
from datetime import date, timedelta
from typing import Any

import pytest
from lxml import etree

from intyg.schemas.rules import functions
from intyg.schemas.rules.answers import Answers
from intyg.schemas.rules.xpath import (
    compile_xpath,
    contains_like,
    like,
    literal,
    write_out,
)

ANY = etree.fromstring("<any/>")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("svar(27)", "c:svar[@id='27']"),
        ("../../svar(1)/delsvar(1.3)", "../../c:svar[@id='1']/c:delsvar[@id='1.3']"),
        ("code(1.1)", "c:delsvar[@id='1.1']/t:cv/t:code"),
        (
            "coded(1.1, A, B)",
            "c:delsvar[@id='1.1'][t:cv/t:code[normalize-space() = 'A' or normalize-space() = 'B']]",
        ),
        ("yes(2.1)", "c:delsvar[@id='2.1'][(contains(., '1') or contains(., 'true'))]"),
        ("no()", "(contains(., '0') or contains(., 'false'))"),
        ("text(../x)", "normalize-space(../x)"),
        ("text()[1]", "text()[1]"),
        ("preceding-sibling::svar(40)", "preceding-sibling::c:svar[@id='40']"),
        ("num(.)", "number(translate(substring(normalize-space(.), 1, 10), '-', ''))"),
        ("decimal(.)", "number(translate(., '+', ''))"),
        ("count(c:svar) = 1 and 'svar(1'", "count(c:svar) = 1 and 'svar(1'"),
    ],
)
def test_abbreviation_stands_for_plain_xpath(written: str, plain: str) -> None:
    if "'svar(1'" in written:
        with pytest.raises(ValueError, match="not closed"):
            write_out(written)
    else:
        assert write_out(written) == plain
        compile_xpath(plain)


@pytest.mark.parametrize(
    "wrong",
    [
        "svar(1.1)",
        "delsvar(1)",
        "svar()",
        "coded(1.1)",
        "yes(1.1, A)",
        "num()",
        "svar(x)",
        "same_system(6.2)",
    ],
)
def test_meaningless_abbreviation_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"\("):
        write_out(wrong)


def test_day_numbers_are_those_of_python() -> None:
    number: Any = compile_xpath(write_out("days($d)"))
    day = date(1899, 12, 25)
    while day < date(2101, 1, 5):
        assert number(ANY, d=day.isoformat()) == day.toordinal()
        day += timedelta(days=29)


@pytest.mark.parametrize(
    ("text", "real"),
    [
        ("2026-02-28", True),
        ("2026-02-29", False),
        ("2024-02-29", True),
        ("1900-02-29", False),
        ("2000-02-29", True),
        ("2026-04-31", False),
        ("2026-12-31", True),
        ("2026-00-10", False),
        ("2026-13-10", False),
        ("2026-10-00", False),
        ("0000-01-01", False),
        (" 2026-10-01 ", True),
        ("2026-10-01Z", True),
        ("2026-10-01+14:00", True),
        ("2026-10-01+14:01", False),
        ("2026-10-01-02:60", False),
        ("2026-10-01T10:00:00", False),
        ("2026-10-1", False),
        ("20261-10-01", False),
        ("", False),
    ],
)
def test_real_dates_are_told_from_others(text: str, real: bool) -> None:
    assert compile_xpath(write_out("real_date($d)"))(ANY, d=text) is real


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("2026-10-01Z", 0),
        ("2026-10-01+00:00", 0),
        ("2026-10-01+01:00", -60),
        ("2026-09-30-23:30", -30),
        ("2026-10-01+13:00", -13 * 60),
        ("2026-09-30-11:00", -13 * 60),  # the same moment as the one before
        (" 2026-10-01-14:00\n", 14 * 60),
    ],
)
def test_time_zone_moves_a_date(text: str, minutes: int) -> None:
    moment = (date(2026, 10, 1).toordinal() * 1440 + minutes) / 1440
    assert compile_xpath(write_out("days($d)"))(ANY, d=text) == moment


def patient(person_id: str) -> etree._Element:
    return etree.fromstring(
        '<c:intyg xmlns:c="urn:riv:clinicalprocess:healthcond:certificate:3"'
        ' xmlns:t="urn:riv:clinicalprocess:healthcond:certificate:types:3"><c:patient><c:person-id>'
        f"<t:extension>{person_id}</t:extension></c:person-id></c:patient></c:intyg>"
    )


def test_birth_of_a_samordningsnummer_is_without_the_sixty() -> None:
    element = patient("191401682396")
    assert compile_xpath(write_out("born(.)"))(element) == date(1914, 1, 8).toordinal()
    assert compile_xpath(write_out("born_year(.)"))(element) == 1914


@pytest.mark.parametrize(
    ("person_id", "birth"),
    [
        ("191212121212", date(1912, 12, 12)),
        ("191212701212", date(1912, 12, 10)),
        ("200402890000", date(2004, 2, 29)),
        ("191212911212", date(1912, 12, 31)),
        ("191401682396", None),  # would be 1914-01-8, which is no date
        ("191401602396", None),
        ("191401592396", None),
        ("190002890000", None),  # no leap year
        ("191413122396", None),
        ("191400122396", None),
        ("000001012396", None),
        ("19140112", date(1914, 1, 12)),
        ("1914011", None),
        ("1914 1122396", None),
    ],
)
def test_birth_is_no_number_where_national_rules_cannot_tell_it(
    person_id: str, birth: date | None
) -> None:
    element = patient(person_id)
    number: Any = compile_xpath(write_out("birth(.)"))(element)
    by_index = functions.birth(Answers(element))
    if birth is None:
        assert math.isnan(number)
        assert math.isnan(by_index)
    else:
        assert number == by_index == birth.toordinal()


def test_text_with_both_quotes_cannot_be_written() -> None:
    assert literal("it's") == '"it\'s"'
    with pytest.raises(ValueError, match="quotes"):
        literal("'\"")


def test_dates_are_ordered_as_their_texts_are() -> None:
    ordered = [
        "2026-11-02", "2026-11-02+01:00", "2026-11-02+14:00", "2026-11-02-05:00", "2026-11-02Z",
        "2026-11-03",
    ]  # fmt: skip
    order: Any = compile_xpath(write_out("order($s)"))
    assert sorted(ordered) == ordered
    numbers = [order(ANY, s=f" {text}\n") for text in ordered]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("text", "whole", "anywhere"),
    [
        ("1.2.752.116.1", True, True),
        ("1-2x752 116/1", True, True),
        ("1.2.752.116.1.8", False, True),
        ("x1-2-752-116-1", False, True),
        ("1..2.752.116.1", False, False),
        (".2.752.116.1", False, False),
        ("1.2.752.116.", False, False),
        ("1.2.753.116.1", False, False),
        ("", False, False),
    ],
)
def test_dot_of_a_code_system_is_any_character(text: str, whole: bool, anywhere: bool) -> None:
    """The national rules use code systems as patterns, without a backslash before the dots."""
    subject = literal(text)
    assert compile_xpath(like(subject, "1.2.752.116.1"))(ANY) is whole
    assert compile_xpath(contains_like(subject, "1.2.752.116.1"))(ANY) is anywhere
