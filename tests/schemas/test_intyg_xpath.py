"""The abbreviations of type files, written out to plain XPath 1.0."""

from datetime import date, timedelta
from typing import Any

import pytest
from lxml import etree

from schemas.intyg_xpath import compile_xpath, contains_like, like, literal, write_out

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
    "wrong", ["svar(1.1)", "delsvar(1)", "svar()", "coded(1.1)", "yes(1.1, A)", "num()", "svar(x)"]
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


def test_birth_of_a_samordningsnummer_is_without_the_sixty() -> None:
    element = etree.fromstring(
        '<c:intyg xmlns:c="urn:riv:clinicalprocess:healthcond:certificate:3"'
        ' xmlns:t="urn:riv:clinicalprocess:healthcond:certificate:types:3"><c:patient>'
        "<c:person-id><t:extension>191401682396</t:extension></c:person-id></c:patient></c:intyg>"
    )
    assert compile_xpath(write_out("born(.)"))(element) == date(1914, 1, 8).toordinal()
    assert compile_xpath(write_out("born_year(.)"))(element) == 1914


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
