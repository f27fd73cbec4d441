"""Age and sex, as a personnummer or samordningsnummer says them.

A samordningsnummer has 60 added to its day; where the date is not known its month may be 00 and its
day 60, which count as January and as the first. The last digit but one is odd for men.

Source: Skatteverket's rules for personnummer and samordningsnummer.
"""

from datetime import date
from enum import StrEnum

from intyg.adapter.rules.person_id import is_samordningsnummer, is_twelve_digits


class Sex(StrEnum):
    """As statistics tell it."""

    FEMALE = "F"
    MALE = "M"
    UNKNOWN = "U"


def birth_date(number: str) -> date | None:
    """The day that a number of twelve digits begins with; None where it is no day."""
    if not is_twelve_digits(number):
        return None
    year, month, day = int(number[:4]), int(number[4:6]), int(number[6:8])
    if is_samordningsnummer(number):
        month, day = month or 1, (day - 60) or 1
    try:
        return date(year, month, day)
    except ValueError:
        return None


def sex_of(number: str) -> Sex:
    """By the last digit but one of twelve."""
    if not is_twelve_digits(number):
        return Sex.UNKNOWN
    return Sex.MALE if int(number[10]) % 2 else Sex.FEMALE


def age_on(born: date, day: date) -> int:
    """Full years; who was born on 29 February is a year older on 1 March."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
