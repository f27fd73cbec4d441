from datetime import date

import pytest

from intyg.adapter.rules.birth import Sex, age_on, birth_date, sex_of
from tests import builders


@pytest.mark.parametrize(
    ("number", "born"),
    [
        pytest.param(builders.PATIENT, date(1890, 1, 1), id="personnummer"),
        pytest.param(builders.SAMORDNINGSNUMMER, date(1914, 1, 8), id="sixty added: 68"),
        pytest.param(builders.SAMORDNINGSNUMMER_WITHOUT_MONTH, date(1915, 1, 12), id="month 00"),
        pytest.param("191711602399", date(1917, 11, 1), id="day 60"),
        pytest.param("202602310000", None, id="no day"),
        pytest.param("19900101-123", None, id="no digits"),
        pytest.param("9001011234", None, id="ten digits"),
    ],
)
def test_the_birth_date_stands_in_the_number(number: str, born: date | None) -> None:
    assert birth_date(number) == born


@pytest.mark.parametrize(
    ("number", "sex"),
    [
        ("189001019802", Sex.FEMALE),
        ("189001029819", Sex.MALE),
        ("198002159893", Sex.MALE),
        ("unknown", Sex.UNKNOWN),
    ],
)
def test_the_last_digit_but_one_tells_the_sex(number: str, sex: Sex) -> None:
    assert sex_of(number) is sex


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        (date(1980, 2, 15), date(2026, 2, 14), 45),
        (date(1980, 2, 15), date(2026, 2, 15), 46),
        (date(2000, 2, 29), date(2026, 2, 28), 25),
        (date(2000, 2, 29), date(2026, 3, 1), 26),
        (date(2026, 2, 15), date(2026, 2, 15), 0),
    ],
)
def test_age_is_in_full_years(born: date, day: date, years: int) -> None:
    assert age_on(born, day) == years
