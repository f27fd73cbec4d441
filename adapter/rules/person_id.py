"""Is this a personnummer or samordningsnummer that can exist?

The contract's schema asks for twelve digits and one of two roots, no more. What is checked here
beyond that are four rules, each with an id of its own; none of their texts holds the number.

    RESERVE_NUMBER    a reserve number (`reservnummer`): no such person in the population register
    PERSON_ID_DATE    no real day, before 1840, or not come yet
    PERSON_ID_ROOT    personnummer under the root of samordningsnummer, or the reverse
    PERSON_ID_LUHN    the last digit does not fit the others

A samordningsnummer has 60 added to its day. Where the birth date is not known its month may be 00
and its day 60 (170 of Skatteverket's published test numbers are such).

RegisterCertificate asks before anything is kept, and each finding refuses. For citizens' lists of
certificates the first two alone count: there is no such person.

Source: Skatteverket's rules for personnummer and samordningsnummer; types_3.2.xsd `PersonId`.
"""

from datetime import date
from typing import Final

from intyg.adapter.domain.person import PersonId
from intyg.schemas.codes import PERSONNUMMER_ROOT, SAMORDNINGSNUMMER_ROOT
from intyg.schemas.finding import Finding

EARLIEST_YEAR: Final = 1840

_DOUBLED: Final = bytes.maketrans(b"0123456789", b"0246813579")
"""Twice a digit, as the sum of the result's own digits: 7 → 14 → 5."""


def check_person(person: PersonId, xpath: str, today: date) -> list[Finding]:
    """
    Apply the rules above.

    Args:
        person: As read; any text is taken.
        xpath: Where it stands in the message, for the findings.
        today: In Sweden; nobody is born later.

    Returns:
        What is wrong, without the number; empty when nothing is. Not twelve
        digits, a reserve number or no real date ends the check.
    """
    number = person.extension
    where = f"{xpath}/extension"
    if not is_twelve_digits(number):
        return [Finding("PERSON_ID_DATE", "person-id must be twelve digits, YYYYMMDDNNNN", where)]
    if int(number[:4]) > today.year:
        text = (
            "reserve numbers (reservnummer) cannot be used: certificates are for "
            "personnummer and samordningsnummer only"
        )
        return [Finding("RESERVE_NUMBER", text, where)]
    if not _is_real_date(number, today):
        text = (
            f"the first eight digits must be a real date from {EARLIEST_YEAR} until today "
            "(60 is added to the day of a samordningsnummer)"
        )
        return [Finding("PERSON_ID_DATE", text, where)]
    findings = []
    if person.root != root_of(number):
        text = (
            f"root must be {PERSONNUMMER_ROOT} for a personnummer and "
            f"{SAMORDNINGSNUMMER_ROOT} for a samordningsnummer"
        )
        findings.append(Finding("PERSON_ID_ROOT", text, f"{xpath}/root"))
    if not luhn_holds(number):
        findings.append(Finding("PERSON_ID_LUHN", "the last digit does not fit the others", where))
    return findings


def is_twelve_digits(number: str) -> bool:
    """Twelve ASCII digits and nothing else."""
    return len(number) == 12 and number.isascii() and number.isdigit()


def is_samordningsnummer(number: str) -> bool:
    """Sixty is added to the day."""
    return number[6] >= "6"


def root_of(number: str) -> str:
    """The root that a number of twelve digits belongs under."""
    return SAMORDNINGSNUMMER_ROOT if is_samordningsnummer(number) else PERSONNUMMER_ROOT


def luhn_holds(number: str) -> bool:
    """
    Luhn over YYMMDDNNNC, the day as written: weights 2, 1, 2, 1, …; the sum ends in 0.

    Lists of tens of thousands are checked, so the digits are added up as their ASCII codes: each is
    48 too much, and ten times 48 ends in 0.
    """
    digits = number.encode("ascii")
    return (sum(digits[2::2].translate(_DOUBLED)) + sum(digits[3::2])) % 10 == 0


def person_from(text: str) -> PersonId:
    """
    A person by a number that somebody typed: twelve digits, a dash before the last four let pass.

    Raises:
        ValueError: It is no such number; the text does not repeat it.
    """
    number = text.strip().replace("-", "")
    if not is_twelve_digits(number) or not luhn_holds(number):
        raise ValueError(
            "give a personnummer or samordningsnummer of 12 digits whose last digit fits"
        )
    return PersonId(root_of(number), number)


def same_person(one: PersonId, other: PersonId) -> bool:
    """The number decides: which root it belongs under follows from it."""
    return one.extension == other.extension


def _is_real_date(number: str, today: date) -> bool:
    year, month, day = int(number[:4]), int(number[4:6]), int(number[6:8])
    if is_samordningsnummer(number):
        month, day = month or 1, (day - 60) or 1
    try:
        born = date(year, month, day)
    except ValueError:
        return False
    return year >= EARLIEST_YEAR and born <= today
