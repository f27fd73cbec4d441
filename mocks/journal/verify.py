"""Whether what was expected came; and if it did not, what came nearest and why that is not it."""

from collections.abc import Sequence
from dataclasses import dataclass

from intyg.mocks.journal.entry import Entry
from intyg.mocks.journal.filters import Filter, read


@dataclass(frozen=True)
class Mismatch:
    """One field of a call beside what was expected of it."""

    field: str
    expected: str  # `=ERROR`, `>=500`; several values joined with ` or `
    actual: str
    met: bool


@dataclass(frozen=True)
class Nearest:
    """The call that met most of a filter, field by field."""

    number: int
    fields: tuple[Mismatch, ...]


@dataclass(frozen=True)
class Verification:
    """
    What came of a comparison.

    Attributes:
        met: Whether everything that was expected came.
        numbers: The calls that matched, in order.
        text: In words, for people.
        nearest: To what is missing; None if all came, or nothing did.
    """

    met: bool
    numbers: tuple[int, ...]
    text: str
    nearest: Nearest | None = None


def verify(
    entries: Sequence[Entry], where: Filter, at_least: int = 1, at_most: int | None = None
) -> Verification:
    """Whether between `at_least` and `at_most` calls match; None: any number above."""
    found = tuple(each.number for each in entries if where.matches(each))
    wanted = _amount(at_least, at_most)
    text = f"{wanted} of {str(where) or 'any'}: {_calls(found)}"
    if len(found) < at_least:
        rest = [each for each in entries if each.number not in found]
        near = nearest(rest, where)
        return Verification(False, found, _with_nearest(text, near), near)
    met = at_most is None or len(found) <= at_most
    return Verification(met, found, text)


def verify_order(entries: Sequence[Entry], filters: Sequence[Filter]) -> Verification:
    """
    Whether calls match the filters one after the other; others may come between.

    A call counts for one filter only.
    """
    rest, found = list(entries), list[int]()
    for place, where in enumerate(filters, 1):
        at = next((n for n, each in enumerate(rest) if where.matches(each)), None)
        if at is None:
            after = f" after call {found[-1]}" if found else ""
            text = f"nothing matches filter {place} ({where}){after}"
            # what came too early is nearest of all, and says so by being listed whole
            near = nearest(rest, where) or nearest(entries, where)
            return Verification(False, tuple(found), _with_nearest(text, near), near)
        found.append(rest[at].number)
        rest = rest[at + 1 :]
    return Verification(True, tuple(found), f"{len(filters)} filters in order: {_calls(found)}")


def nearest(entries: Sequence[Entry], where: Filter) -> Nearest | None:
    """The call that meets most of a filter, the newest of several; None without calls."""
    compared = [(compare(each, where), each.number) for each in entries]
    if not compared:
        return None
    fields, number = max(compared, key=lambda each: (sum(f.met for f in each[0]), each[1]))
    return Nearest(number, fields)


def compare(entry: Entry, where: Filter) -> tuple[Mismatch, ...]:
    """A call beside a filter, field by field."""
    return tuple(
        Mismatch(
            each.field,
            f"{each.operator}{' or '.join(each.values)}",
            _shown(each.field, entry),
            each.met_by(entry),
        )
        for each in where.criteria
    )


def _shown(field: str, entry: Entry) -> str:
    if field == "xpath":
        return "the request, for which it does not hold"
    if field in ("request", "reply"):
        return f"{len(getattr(entry, field))} bytes"
    return ", ".join(
        f"{value:g}" if isinstance(value, float) else str(value) for value in read(field, entry)
    )


def _amount(at_least: int, at_most: int | None) -> str:
    if at_most is None:
        return f"at least {at_least}"
    return f"exactly {at_least}" if at_least == at_most else f"{at_least} to {at_most}"


def _calls(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:20])) + (" …" if len(numbers) > 20 else "")
    return f"{len(numbers)} came" + (f" (calls {shown})" if numbers else "")


def _with_nearest(text: str, near: Nearest | None) -> str:
    if near is None:
        return f"{text}; no other call came"
    wrong = [
        f"{f.field}: expected {f.expected}, was {f.actual or 'empty'}"
        for f in near.fields
        if not f.met
    ]
    why = "; ".join(wrong) or "it matches, but came too early"
    return f"{text}; nearest is call {near.number}: {why}"
