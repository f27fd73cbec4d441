"""The check of a person number that an authority makes."""

from datetime import date

from intyg.schemas.codes import PERSONNUMMER_ROOT, SAMORDNINGSNUMMER_ROOT

FIRST_BIRTH_YEAR = 1840
"""Nobody older is in the population register."""


def person_id_fault(root: str, extension: str) -> str | None:
    """
    Say what is wrong with a `types:PersonId`, in words without the number.

    Args:
        root: OID of the kind of number.
        extension: 12 digits; the XSD has seen to that.

    Returns:
        None when it is right: its kind fits its root, it holds a day that
        exists (in a samordningsnummer 60 more than the day), and its last
        digit is the Luhn digit of the nine before it, the day as written.
        A samordningsnummer may have month 00 and day 60: not known.
    """
    year, month, day = int(extension[:4]), int(extension[4:6]), int(extension[6:8])
    coordination = day >= 60
    expected = SAMORDNINGSNUMMER_ROOT if coordination else PERSONNUMMER_ROOT
    if root != expected:
        kind = "samordningsnummer" if coordination else "personnummer"
        return f"a {kind} has root {expected}"
    if year < FIRST_BIRTH_YEAR:
        return f"birth years start at {FIRST_BIRTH_YEAR}"
    if coordination:
        month, day = month or 1, day - 60 or 1
    try:
        date(year, month, day)
    except ValueError:
        return "the number holds no date that exists"
    if _luhn_digit(extension[2:11]) != int(extension[11]):
        return "the check digit is wrong"
    return None


def _luhn_digit(digits: str) -> int:
    """Weights 2, 1, 2, …; two-digit products count as the sum of their digits."""
    products = (int(digit) * (2 - place % 2) for place, digit in enumerate(digits))
    return -sum(product // 10 + product % 10 for product in products) % 10
