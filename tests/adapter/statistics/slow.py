"""Every report once more, slowly and plainly, straight from the certificates of a history.

Days are sets of dates, and cases are found by following which lines are near each other; nothing of
the adapter's statistics is used, but the names of groups.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.adapter.statistics.history import PROVIDERS, Asked, Cert

AGES = (15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65)
LENGTHS = (14, 30, 60, 90, 180, 364, 730)
CHAPTERS = {"M": "M00-M99", "F": "F00-F99", "S": "S00-T98", "Z": "Z00-Z99"}
GROUPS = {"M": "musculoskeletal", "F": "mental", "S": "other", "Z": "factors"}
FRAGOR = {"6": "6", "17": "17", "32": "32", "37": "32", "35": "35", "40": "40", "44": "40"}
ASKED_ABOUT = {"LISJP", "LUSE"}
NEAR = timedelta(days=6)
DAY = timedelta(days=1)

Figures = Counter[tuple[str, str, str]]
"""Month ("" for all), group, sex."""


@dataclass(frozen=True)
class Wish:
    """What is wanted: months as their first days; empty filters let everything pass."""

    months: tuple[date, ...]
    by_month: bool
    units: frozenset[str] = frozenset()
    diagnoses: frozenset[str] = frozenset()  # first letters, as chapters
    ages: frozenset[str] = frozenset()
    lengths: frozenset[str] = frozenset()
    typer: frozenset[str] = frozenset()

    def spans(self) -> Iterator[tuple[str, date, date]]:
        if self.by_month:
            for first in self.months:
                yield f"{first.month:02d}", first, _last_of(first)
        else:
            yield "", self.months[0], _last_of(self.months[-1])


def _last_of(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - DAY


def group_of(number: int, borders: Sequence[int]) -> str:
    low = 0
    for border in borders:
        if number <= border:
            return f"{low}-{border}"
        low = border + 1
    return f"{low}-"


def sex(cert: Cert) -> str:
    return "F" if cert.person[10] in "02468" else "M"


def years(cert: Cert, day: date) -> int:
    month, born = int(cert.person[4:6]), int(cert.person[6:8])
    if born > 60:
        born -= 60
    if month > 12 or month == 0:
        month = 1
    return day.year - int(cert.person[:4]) - (0 if (month, born) <= (day.month, day.day) else 1)


def letter(cert: Cert) -> str:
    """Of its diagnosis, which is one of the chapters above, or none."""
    first = (cert.diagnosis or "?")[0].upper()
    return first if first in CHAPTERS else "?"


# --- sick leave -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    place: int
    cert: Cert = field(compare=False)
    first: date
    last: date
    level: int

    @property
    def age(self) -> int:
        return years(self.cert, max(one.last for one in self.cert.leaves))

    def days(self) -> set[date]:
        return {self.first + DAY * n for n in range((self.last - self.first).days + 1)}

    def order(self) -> tuple[date, int, int]:
        return self.first, self.place, self.level


@dataclass
class Case:
    lines: list[Line]
    days: set[date]
    certs: set[int]

    @property
    def start(self) -> date:
        return min(line.first for line in self.lines)

    @property
    def end(self) -> date:
        return max(line.last for line in self.lines)

    @property
    def last(self) -> Line:
        return max(self.lines, key=Line.order)


def near(one: Line, other: Line) -> bool:
    return one.first <= other.last + NEAR and other.first <= one.last + NEAR


def joined(lines: Iterable[Line]) -> list[list[Line]]:
    """Lines that hang together, each group whole."""
    left, groups = list(lines), []
    while left:
        group, waiting = [], [left.pop()]
        while waiting:
            line = waiting.pop()
            group.append(line)
            waiting += [other for other in left if near(line, other)]
            left = [other for other in left if not near(line, other)]
        groups.append(group)
    return groups


def cases(certs: Sequence[Cert], wish: Wish, first: date, last: date) -> list[Case]:
    lines = [
        Line(place, cert, one.first, one.last, one.level)
        for place, cert in enumerate(certs)
        if cert.typ == "LISJP" and not cert.revoked
        for one in cert.leaves
    ]
    found = []
    for key in {(line.cert.person, PROVIDERS[line.cert.unit]) for line in lines}:
        own = [line for line in lines if (line.cert.person, PROVIDERS[line.cert.unit]) == key]
        found += _of_one(own, wish, first, last)
    return [
        case
        for case in found
        if not wish.lengths or group_of(len(case.days), LENGTHS) in wish.lengths
    ]


def _of_one(own: list[Line], wish: Wish, first: date, last: date) -> list[Case]:
    seen = [line for line in own if _seen(line, wish)]
    found = []
    for group in joined(line for line in seen if line.first <= last and line.last >= first):
        (whole,) = (
            one for one in joined(line for line in seen if line.first <= last) if group[0] in one
        )
        days = {day for line in whole for day in line.days()}
        found.append(Case(group, days, {line.place for line in group}))
    if not (wish.units or wish.diagnoses or wish.ages):
        return found
    return [
        _extended(some, whole)
        for whole in joined(own)
        if (some := [case for case in found if case.lines[0] in whole])
    ]


def _seen(line: Line, wish: Wish) -> bool:
    return (
        (not wish.units or line.cert.unit in wish.units)
        and (not wish.diagnoses or letter(line.cert) in wish.diagnoses)
        and (not wish.ages or group_of(line.age, AGES) in wish.ages)
    )


def _extended(some: list[Case], whole: list[Line]) -> Case:
    case = Case(
        [line for one in some for line in one.lines],
        {day for one in some for day in one.days},
        {place for one in some for place in one.certs},
    )
    others = [line for line in whole if line not in case.lines]
    start, end = case.start, case.end
    while True:
        earlier = [
            line for line in others if line.first < start <= line.last + NEAR and line.last <= end
        ]
        if not earlier:
            break
        moves = min(earlier, key=Line.order)
        start = moves.first
        case.days |= moves.days()
        case.certs.add(moves.place)
    for line in others:
        if not (line.first < start and line.last > end):
            case.days |= {day for day in line.days() if start <= day <= end}
    for place in {line.place for line in others}:
        parts = [line for line in others if line.place == place]
        if all(start < line.first and line.last < end for line in parts):
            case.certs.add(place)
    return case


OF_LINE: dict[str, Callable[[Line], str]] = {
    "sjukfall-diagnosis": lambda line: GROUPS.get(letter(line.cert), "unknown"),
    "sjukfall-chapter": lambda line: CHAPTERS.get(letter(line.cert), "Ö00-Ö00"),
    "sjukfall-level": lambda line: str(line.level),
    "sjukfall-unit": lambda line: line.cert.unit,
    "sjukfall-doctor": lambda line: line.cert.doctor,
}
OF_CASE: dict[str, Callable[[Case], str]] = {
    "sjukfall": lambda _: "",
    "sjukfall-age": lambda case: group_of(max(line.age for line in case.lines), AGES),
    "sjukfall-length": lambda case: group_of(len(case.days), LENGTHS),
    "sjukfall-intyg": lambda case: str(len(case.certs)) if len(case.certs) < 11 else "11-",
}


def sjukfall(name: str, certs: Sequence[Cert], wish: Wish) -> Figures:
    figures: Figures = Counter()
    for month, first, last in wish.spans():
        for case in cases(certs, wish, first, last):
            if name == "sjukfall-long":
                groups = {"long"} if len(case.days) > 90 else set()
            elif name in OF_CASE:
                groups = {OF_CASE[name](case)}
            elif wish.by_month:
                groups = {OF_LINE[name](case.last)}
            else:
                groups = {OF_LINE[name](line) for line in case.lines}
            for group in groups:
                figures[month, group, sex(case.last.cert)] += 1
    return figures


# --- certificates and messages --------------------------------------------------------------------


def passes(cert: Cert, wish: Wish, on: date) -> bool:
    """Filters of what is no sick leave; ages are those on a day."""
    return (
        (not wish.units or cert.unit in wish.units)
        and (not wish.typer or cert.typ in wish.typer)
        and (not wish.diagnoses or letter(cert) in wish.diagnoses)
        and (not wish.ages or group_of(years(cert, on), AGES) in wish.ages)
    )


def intyg(name: str, certs: Sequence[Cert], wish: Wish) -> Figures:
    figures: Figures = Counter()
    for month, first, last in wish.spans():
        for cert in certs:
            if cert.revoked or not first <= cert.signed <= last:
                continue
            if name == "intyg" and cert.typ not in ("LISJP", "LUSE"):
                continue
            if passes(cert, wish, cert.signed):
                figures[month, "" if name == "intyg" else cert.typ, sex(cert)] += 1
    return figures


def meddelanden(name: str, certs: Sequence[Cert], messages: Sequence[Asked], wish: Wish) -> Figures:
    figures: Figures = Counter()
    for month, first, last in wish.spans():
        for message in messages:
            cert = certs[message.about]
            if not passes(cert, wish, cert.signed.replace(day=1)):
                continue
            until = last if wish.by_month else last + DAY
            if name == "meddelanden" and first <= message.sent <= until:
                figures[month, "", sex(cert)] += 1
            if name == "meddelanden" or not first <= cert.signed <= last:
                continue
            for group in _groups(name, cert, message):
                figures[month, group, sex(cert)] += 1
    return figures


def _groups(name: str, cert: Cert, message: Asked) -> list[str]:
    if name == "completion-fraga":
        listed = message.fragor if message.amne == "KOMPLT" and cert.typ == "LISJP" else ()
        return [FRAGOR[one] for one in listed if one in FRAGOR]
    whose = {"meddelanden-unit": f"{cert.unit} ", "meddelanden-doctor": f"{cert.doctor} "}
    return [f"{whose.get(name, '')}{message.amne}"]


def completion_share(
    certs: Sequence[Cert], messages: Sequence[Asked], wish: Wish
) -> tuple[Figures, Figures]:
    """How many were asked about, and of how many."""
    part: Figures = Counter()
    whole: Figures = Counter()
    for month, first, last in wish.spans():
        for place, cert in enumerate(certs):
            if not (cert.sent and cert.typ in ASKED_ABOUT and first <= cert.signed <= last):
                continue
            if not passes(cert, wish, cert.signed.replace(day=1)):
                continue
            whole[month, cert.typ, sex(cert)] += 1
            if any(one.about == place and one.amne == "KOMPLT" for one in messages):
                part[month, cert.typ, sex(cert)] += 1
    return part, whole
