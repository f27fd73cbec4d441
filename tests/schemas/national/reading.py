"""
A second reading of what the national services refuse, one line a rule, told without the type files.

`rules/*.txt` says it, one file a type and version; the first word is the national rule's id.

| line | what it wants |
|---|---|
| `svar 1 1..4` | so many svar with this id; nothing after the dots is any number |
| `part 1 1.2 1..1` | so many such delsvar in each svar 1 |
| `only 1 1.1 1.2` | no other delsvar in a svar 1 |
| `ids 1 2 9000-9999` | no other svar |
| `instans 1` | exactly one instans in each svar 1 |
| `positive` | every instans is 1 or more |
| `type 1.1 cv` | every such delsvar is of this kind (`_KINDS`) |
| `size 8.2 2.0`, `length 1.3 50` | largest absolute number, most characters |
| `system 1.1 A B` | one of these code systems; `system~`: it holds one of them, a dot is any sign |
| `codes 1.1 A B` | one of these codes; `code~`: it matches this pattern |
| `diagnosis 6.2`, `codelength 6.2 5` | the form of a diagnosis code, its longest |
| `unique 1 1.1` | no code twice in svar 1 |
| `apart 32.2` | no two periods overlap by more than a boundary day |
| `unit 6.1 %` | the unit of a quantity |
| `rule 45.1 \\| yes() \\| n("45.2") == 1` | at each delsvar 45.1 that says yes, it holds |

The scope of `rule` is a delsvar, a svar, `9001+` or, left out, the certificate. Both sides are
Python over `Place`. Nothing of it is fast, and nothing of it is shared with what it judges.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any, Final

from lxml import etree

RULES: Final = Path(__file__).parent / "rules"

_CORE: Final = "{urn:riv:clinicalprocess:healthcond:certificate:3}"
_TYPES: Final = "{urn:riv:clinicalprocess:healthcond:certificate:types:3}"
_BOOLEANS: Final = {"true", "false", "1", "0"}
_DIAGNOSIS: Final = re.compile(
    r"([A-EG-Y]\d\d[A-Z0-9-]*|Z([0-689]\d|7[0-24-9])[A-Z0-9-]*|(Z73|F\d\d)[A-Z0-9-]+)", re.I | re.A
)


@dataclass(frozen=True)
class Rule:
    """A line of a file: the id of the national rule, the word, and what follows."""

    id: str
    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        return self.rest.split()


class Part:
    """A delsvar as it is read here."""

    def __init__(self, element: etree._Element, row: "Row") -> None:
        self.row = row
        self.id = element.get("id") or ""
        self.children = len(element)
        self.content = "".join(str(piece) for piece in element.itertext())
        self.text = self.content.strip(" \t\r\n")
        self.cvs = element.findall(f"{_TYPES}cv")
        self.periods = element.findall(f"{_TYPES}datePeriod")
        self.partial = element.findall(f"{_TYPES}partialDate/{_TYPES}value")
        self.quantities = element.findall(f"{_TYPES}pq")

    def of_cv(self, name: str) -> list[str]:
        return [each.text or "" for cv in self.cvs for each in cv.findall(f"{_TYPES}{name}")]

    @property
    def code(self) -> str:
        return next(iter(self.of_cv("code")), "").strip()

    @property
    def says_yes(self) -> bool:
        return "true" in self.content or "1" in self.content

    @property
    def says_no(self) -> bool:
        return "false" in self.content or "0" in self.content

    @property
    def period(self) -> tuple[str, str]:
        start, end = (
            next((each.findtext(f"{_TYPES}{name}") or "" for each in self.periods), "").strip()
            for name in ("start", "end")
        )
        return start, end

    @property
    def day(self) -> str:
        return next((each.text or "" for each in self.partial), self.text)

    def of_quantity(self, name: str) -> str:
        found = [each.findtext(f"{_TYPES}{name}") for each in self.quantities]
        return (found[0] or "").strip() if found else ""


class Row:
    """A svar."""

    def __init__(self, element: etree._Element) -> None:
        self.id = element.get("id") or ""
        self.parts = [Part(each, self) for each in element.findall(f"{_CORE}delsvar")]
        self.instans = [each.text or "" for each in element.findall(f"{_CORE}instans")]

    def often(self, part: str) -> int:
        return sum(each.id == part for each in self.parts)


class Certificate:
    """The answers of an `intyg`."""

    def __init__(self, intyg: etree._Element, today: date) -> None:
        self.rows = [Row(each) for each in intyg.findall(f"{_CORE}svar")]
        self.parts = [part for row in self.rows for part in row.parts]
        person = f"{_CORE}patient/{_CORE}person-id/{_TYPES}extension"
        self.person = intyg.findtext(person) or ""
        self.today = today

    def svar(self, svar: str) -> list[Row]:
        return [row for row in self.rows if row.id == svar]

    def delsvar(self, delsvar: str) -> list[Part]:
        return [part for part in self.parts if part.id == delsvar]

    def born(self) -> date:
        day = int(self.person[6:8])
        return date(int(self.person[:4]), int(self.person[4:6]), day - 60 if day > 60 else day)


def is_day(text: str) -> bool:
    """YYYY-MM-DD, and there is such a day."""
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.A)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _number(text: str, sign: str = ".") -> float:
    """What it says, with a decimal point, or with another sign in its place; else no number."""
    text = text.strip().replace(sign, "~").replace(".", "x").replace("~", ".")
    shape = re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", text, re.A)
    return float(text) if shape else float("nan")


def _is_cv(part: Part) -> bool:
    once = len(part.cvs) == len(part.of_cv("code")) == len(part.of_cv("codeSystem")) == 1
    return once and len(part.of_cv("displayName")) <= 1


def _is_period(part: Part) -> bool:
    start, end = part.period
    return len(part.periods) == 1 and is_day(start) and is_day(end) and start <= end


def _is_quantity(part: Part) -> bool:
    return len(part.quantities) == 1 and all(
        each.find(f"{_TYPES}{name}") is not None
        for each in part.quantities
        for name in ("value", "unit")
    )


_KINDS: Final[dict[str, Callable[[Part], bool]]] = {
    "cv": _is_cv,
    "text": lambda part: not part.children and part.text != "",
    "boolean": lambda part: not part.children and part.text in _BOOLEANS,
    "yes_no": lambda part: part.text in _BOOLEANS,
    "date": lambda part: not part.children and is_day(part.content.rstrip(" \t\r\n")),
    "period": _is_period,
    "pq": _is_quantity,
    "decimal": lambda part: not part.children and _number(part.text) == _number(part.text),
    "comma": lambda part: not part.children and re.fullmatch(r"\d+(,\d*)?", part.text) is not None,
    "whole": lambda part: not part.children and re.fullmatch(r"\d+", part.text) is not None,
    "year": lambda part: bool(re.fullmatch(r"\d{4}", part.day)) and len(part.partial) == 1,
    "day": lambda part: len(part.partial) == 1 and is_day(part.day),
}  # fmt: skip


class Place(dict[str, Any]):
    """Where a rule is asked: what its expressions may say. Without a part, of the certificate."""

    def __init__(self, of: Certificate, row: Row | None, part: Part | None) -> None:
        super().__init__()
        self._of, self._row, self._part = of, row, part

    def __missing__(self, name: str) -> Any:
        """What an expression means by a name."""
        if not hasattr(Place, name) or name.startswith("_"):
            raise KeyError(name)
        return getattr(self, name)

    def _here(self) -> Part:
        assert self._part is not None
        return self._part

    def _svar(self) -> Row:
        assert self._row is not None
        return self._row

    # --- counts

    def N(self, svar: str) -> int:  # noqa: N802  the certificate's
        return len(self._of.svar(svar))

    def D(self, delsvar: str) -> int:  # noqa: N802  the certificate's
        return len(self._of.delsvar(delsvar))

    def n(self, delsvar: str) -> int:
        """In this svar."""
        return self._svar().often(delsvar)

    def parts(self) -> int:
        return len(self._svar().parts)

    def svar_id(self) -> str:
        return self._svar().id

    def number(self, delsvar: str = "") -> float:
        """Of a delsvar; without an id, the instans of this svar."""
        if not delsvar:
            return _number("".join(self._svar().instans[:1]))
        found = self._of.delsvar(delsvar)
        return _number(found[0].text) if len(found) == 1 else float("nan")

    def comma(self, delsvar: str) -> float:
        """A number with a decimal comma."""
        found = self._of.delsvar(delsvar)
        return _number(found[0].text, ",") if len(found) == 1 else float("nan")

    def numbered(self, svar: str, instans: float) -> int:
        return sum(_number("".join(row.instans[:1])) == instans for row in self._of.svar(svar))

    # --- yes, no, codes

    def yes(self) -> bool:
        return self._here().says_yes

    def no(self) -> bool:
        return self._here().says_no

    def any_yes(self, delsvar: str) -> bool:
        return any(part.says_yes for part in self._of.delsvar(delsvar))

    def any_no(self, delsvar: str) -> bool:
        return any(part.says_no for part in self._of.delsvar(delsvar))

    def says_boolean(self) -> bool:
        return self._here().text in _BOOLEANS

    def code(self) -> str:
        return self._here().code

    def codes(self, delsvar: str) -> set[str]:
        return {part.code for part in self._of.delsvar(delsvar)}

    def same(self, delsvar: str) -> set[str]:
        """The codes in this svar."""
        return {part.code for part in self._svar().parts if part.id == delsvar and part.cvs}

    def some(self, delsvar: str, *codes: str) -> bool:
        return bool(self.codes(delsvar).intersection(codes))

    def times(self, delsvar: str, code: str) -> int:
        return sum(part.code == code for part in self._of.delsvar(delsvar))

    def cv(self, system: str, *codes: str) -> bool:
        part = self._here()
        return _is_cv(part) and part.of_cv("codeSystem") == [system] and part.code in codes

    def one_system(self, first: str, *others: str) -> bool:
        """The first one's code system holds that of each of the others, a dot being any sign."""
        systems = [self._system(each) for each in (first, *others)]
        return all(re.search(each, systems[0]) for each in systems[1:])

    def _system(self, delsvar: str) -> str:
        parts = [part for part in self._svar().parts if part.id == delsvar]
        return "".join(each for part in parts for each in part.of_cv("codeSystem")).strip()

    # --- texts and dates

    def text(self, delsvar: str = "") -> str:
        """Here, or of the first such delsvar; empty when there is none."""
        if not delsvar:
            return self._here().text
        return next((part.text for part in self._of.delsvar(delsvar)), "")

    def beside(self, delsvar: str) -> str:
        return next((part.text for part in self._svar().parts if part.id == delsvar), "")

    def content(self) -> str:
        return self._here().content

    def filled(self) -> bool:
        return _KINDS["text"](self._here())

    def all_filled(self) -> bool:
        return all(_KINDS["text"](part) for part in self._svar().parts)

    def has_no_children(self) -> bool:
        return not self._here().children

    def real(self, text: str) -> bool:
        return is_day(text)

    def dateform(self, text: str) -> bool:
        return re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.A) is not None

    def zeros(self, text: str) -> bool:
        return self.dateform(text) and not is_day(text)

    def not_after(self, delsvar: str) -> bool:
        other = self.text(delsvar)
        return not is_day(other) or self._here().text <= other

    def none_before_is_earlier(self) -> bool:
        """DOI: dates of the chain go back in time, line by line."""
        mine = _number("".join(self._svar().instans[:1]))
        others = [part for part in self._of.delsvar(self._here().id) if part is not self._part]
        return all(
            self._here().text <= part.text
            for part in others
            if _number("".join(part.row.instans[:1])) < mine and is_day(part.text)
        )

    def day(self) -> float:
        return self.number_of_day(self._here().day)

    def number_of_day(self, text: str) -> float:
        return date.fromisoformat(text).toordinal() if is_day(text) else float("nan")

    def year(self) -> float:
        return _number(self._here().day)

    def today(self) -> int:
        return self._of.today.toordinal()

    def this_year(self) -> int:
        return self._of.today.year

    def born(self) -> int:
        return self._of.born().toordinal()

    def born_year(self) -> int:
        return self._of.born().year

    def no_shared_day(self, delsvar: str) -> bool:
        periods = [part.period for part in self._of.delsvar(delsvar)]
        pairs = [(a, b) for place, a in enumerate(periods) for b in periods[:place]]
        return not any(a[0] <= b[1] and a[1] >= b[0] for a, b in pairs)

    # --- quantities

    def quantity(self) -> float:
        return _number(self._here().of_quantity("value"))

    def point_zero(self, least: int, most: int) -> bool:
        """A whole number written with `.0`."""
        text = self._here().of_quantity("value")
        return re.fullmatch(r"\d+\.0", text) is not None and least <= float(text) <= most


_Judge = Callable[[Certificate], bool]


def _within(bounds: str, times: int) -> bool:
    least, _, most = bounds.partition("..")
    return int(least) <= times <= (int(most) if most else times)


def _every(delsvar: str, holds: Callable[[Part], bool]) -> _Judge:
    return lambda of: all(holds(part) for part in of.delsvar(delsvar))


def _known_id(svar: str, ids: Sequence[str]) -> bool:
    for each in ids:
        first, _, last = each.partition("-")
        if svar == each or (last and svar.isdigit() and int(first) <= int(svar) <= int(last)):
            return True
    return False


def _differ(of: Certificate, svar: str, delsvar: str) -> bool:
    rows = of.svar(svar)
    codes = [part.code for row in rows for part in row.parts if part.id == delsvar and part.cvs]
    return len(codes) == len(set(codes))


def _apart(of: Certificate, delsvar: str) -> bool:
    periods = [part.period for part in of.delsvar(delsvar)]
    pairs = [(a, b) for place, a in enumerate(periods) for b in periods[:place]]
    return not any(a[0] < b[1] and a[1] > b[0] for a, b in pairs)


def _holds_system(part: Part, systems: Sequence[str]) -> bool:
    text = " ".join(part.of_cv("codeSystem")).strip()
    return any(re.search(system, text) for system in systems)  # a dot is any sign


def _asked(rule: Rule) -> _Judge:
    scope, when, must = (each.strip() for each in rule.rest.split("|"))
    asked, wanted = _compiled(when), _compiled(must)

    def places(of: Certificate) -> list[Place]:
        if not scope:
            return [Place(of, None, None)]
        if scope == "9001+":
            rows = [row for row in of.rows if row.id.isdigit() and int(row.id) >= 9001]
            return [Place(of, row, None) for row in rows]
        if "." in scope:
            return [Place(of, part.row, part) for part in of.delsvar(scope)]
        return [Place(of, row, None) for row in of.svar(scope)]

    return lambda of: all(_says(wanted, place) for place in places(of) if _says(asked, place))


@cache
def _compiled(expression: str) -> CodeType:
    return compile(expression, expression, "eval")


def _says(expression: CodeType, place: Place) -> bool:
    return bool(eval(expression, {"__builtins__": {}}, place))


def _judge(rule: Rule) -> _Judge:
    words = rule.words
    first, rest = (words[0], words[1:]) if words else ("", [])
    match rule.word:
        case "svar":
            return lambda of: _within(rest[0], len(of.svar(first)))
        case "part":
            return lambda of: all(_within(rest[1], row.often(rest[0])) for row in of.svar(first))
        case "only":
            return lambda of: all(part.id in rest for row in of.svar(first) for part in row.parts)
        case "ids":
            return lambda of: all(_known_id(row.id, words) for row in of.rows)
        case "instans":
            return lambda of: all(len(row.instans) == 1 for row in of.svar(first))
        case "positive":
            return lambda of: all(_number(each) >= 1 for row in of.rows for each in row.instans)
        case "unique":
            return lambda of: _differ(of, first, rest[0])
        case "apart":
            return lambda of: _apart(of, first)
        case "rule":
            return _asked(rule)
    return _every(first, _of_value(rule, rest))


def _of_value(rule: Rule, rest: Sequence[str]) -> Callable[[Part], bool]:
    match rule.word:
        case "type":
            return _KINDS[rest[0]]
        case "size":
            return lambda part: abs(_number(part.text)) <= float(rest[0])
        case "length":
            return lambda part: len(part.text) <= int(rest[0])
        case "system":
            return lambda part: bool(set(part.of_cv("codeSystem")).intersection(rest))
        case "system~":
            return lambda part: _holds_system(part, rest)
        case "codes":
            return lambda part: len(part.of_cv("code")) == 1 and (part.code or '""') in rest
        case "code~":
            return lambda part: re.search(rest[0], part.code) is not None
        case "diagnosis":
            return lambda part: _DIAGNOSIS.fullmatch(part.code) is not None
        case "codelength":
            return lambda part: len(part.code) <= int(rest[0])
        case "unit":
            return lambda part: part.of_quantity("unit") == rest[0]
    raise ValueError(f"no such word: {rule.word}")


@cache
def rules_of(key: str) -> Sequence[tuple[Rule, _Judge]]:
    """Every rule of a type, `FK7804/1`."""
    lines = (RULES / f"{key.lower().replace('/', '-')}.txt").read_text("utf-8").splitlines()
    split = [line.split(" ", 2) for line in lines if line and not line.startswith("#")]
    rules = [Rule(each[0], each[1], each[2] if len(each) > 2 else "") for each in split]
    return [(rule, _judge(rule)) for rule in rules]


def keys() -> set[str]:
    """The types and versions that there is a file of, as names of files."""
    return {path.stem for path in RULES.glob("*.txt")}


def refused_by(key: str, intyg: etree._Element, today: date) -> list[str]:
    """Ids of the national rules that a certificate breaks."""
    of = Certificate(intyg, today)
    return list(dict.fromkeys(rule.id for rule, holds in rules_of(key) if not holds(of)))
