"""Lists of test patients in files, and the numbers that are reserved for tests."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from intyg.adapter.clients.watched_file import DamagedFileError, WatchedFile
from intyg.adapter.domain.person import PatientKind, PersonId
from intyg.adapter.rules.person_id import is_twelve_digits, luhn_holds

KEPT_AT_LEAST: Final = 0.5
"""Of a list's numbers its successor has at least this part: one that was cut off has fewer."""


class DamagedListError(DamagedFileError):
    """A list of test patients cannot be trusted; the text says which line and why, no content."""


class ListFile:
    """
    A list in a file, read again when it changes.

    Args:
        kind: `list` or `EHR's list`, for the name.
        path: Where it is; missing or damaged from the beginning, it cannot tell.
        monotonic: Seconds that only grow.
        clears: Whether somebody who is not on it is no test patient, as far as it goes.
    """

    def __init__(
        self,
        kind: str,
        path: Path,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        clears: bool = True,
    ) -> None:
        self.clears = clears
        self.name = f"{kind} {path.name}"
        self._file = WatchedFile(path, read_list, _must_keep_most, monotonic)

    @property
    def damage(self) -> str | None:
        return self._file.damage

    @property
    def remark(self) -> str | None:
        return self._file.remark

    def kind(self, person: PersonId) -> PatientKind:
        numbers = self._file.content
        if numbers is None:
            return PatientKind.CANNOT_TELL
        return PatientKind.TEST if person.extension in numbers else PatientKind.NOT_TEST

    def explain(self, person: PersonId) -> str:
        numbers = self._file.content
        if numbers is None:
            return self.damage or ""
        found = "is on" if person.extension in numbers else "is not on"
        remark = f" ({self.remark})" if self.remark else ""
        return f"{found} the list of {len(numbers)} numbers{remark}"


class ReservedNumbers:
    """
    Birth numbers (digits 9 to 11) 980 to 999 of a personnummer, which are reserved for tests.

    They say who is a test patient, never who is not: most published test numbers of people born
    from 1920 to 1979 look like anybody's.

    Source: Skatteverket's published test numbers.
    """

    name = "reserved numbers"
    clears = False
    damage = None
    remark = None

    def kind(self, person: PersonId) -> PatientKind:
        number = person.extension
        reserved = is_twelve_digits(number) and number[6] < "4" and number[8:11] >= "980"
        return PatientKind.TEST if reserved else PatientKind.NOT_TEST

    def explain(self, person: PersonId) -> str:
        if self.kind(person) is PatientKind.TEST:
            return "its birth number is one of 980 to 999"
        return "its birth number is none of 980 to 999, which says nothing"


def read_list(path: Path) -> frozenset[str]:
    """
    Read a list of test patients.

    Skatteverket's CSV (a header, then one number a line; further columns are
    ignored) and plain lists are both read. Empty lines, lines that begin with
    `#`, quotes, and a dash before the last four digits are let pass.

    Raises:
        DamagedListError: The file is missing or is no text, a line is neither
            of these or has a wrong last digit, or there is no number at all.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise DamagedListError(f"{path.name}: {exc.strerror or type(exc).__name__}") from exc
    except UnicodeDecodeError as exc:
        raise DamagedListError(f"{path.name}: not UTF-8 text") from exc
    return parse_list(path.name, text.splitlines())


def parse_list(name: str, lines: Iterable[str]) -> frozenset[str]:
    """As `read_list`, of lines already read; `name` is for the error's text."""
    numbers = set()
    header_may_come = True
    for line_number, line in enumerate(lines, start=1):
        cell = line if is_twelve_digits(line) else _first_cell(line)
        if not cell or cell.startswith("#"):
            continue
        if is_twelve_digits(cell) and luhn_holds(cell):
            numbers.add(cell)
        elif not (header_may_come and not any(map(str.isdigit, cell))):
            raise DamagedListError(
                f"{name}, line {line_number}: not a personnummer or samordningsnummer of 12 digits"
            )
        header_may_come = False
    if not numbers:
        raise DamagedListError(f"{name}: holds no number")
    return frozenset(numbers)


def _first_cell(line: str) -> str:
    """The first column, without quotes, spaces and the dash inside a number."""
    cell = line.replace(";", ",").replace("\t", ",").split(",", 1)[0].strip().strip('"').strip()
    if len(cell) == 13 and cell[8] in "-+":
        return cell[:8] + cell[9:]
    return cell


def _must_keep_most(old: frozenset[str], new: frozenset[str]) -> None:
    if len(old & new) < KEPT_AT_LEAST * len(old):
        raise DamagedListError(
            f"the new list holds {len(old & new)} of the {len(old)} numbers before it, which looks "
            "cut off: start the adapter anew if it is meant"
        )
