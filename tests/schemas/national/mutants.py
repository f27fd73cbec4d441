"""
Certificates made wrong in every way that senders make them wrong, by chance from a seed.

What may be written in a place is taken from the second reading (`reading`): its codes, code systems
and bounds, and one beside each of them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final, TypeAlias

from lxml import etree

from tests.schemas.national.reading import Rule, is_day, rules_of

_CORE: Final = "{urn:riv:clinicalprocess:healthcond:certificate:3}"
_TYPES: Final = "{urn:riv:clinicalprocess:healthcond:certificate:types:3}"
_BOOLEANS: Final = ("true", "false", "1", "0")
_NOT_BOOLEANS: Final = ("TRUE", "ja", "", "kanske", "tru")
_NOT_DATES: Final = (
    "2026-02-29", "2026-13-01", "2026-00-00", "2026-11-00", "0000-00-00", "20261123", "2026-1-2",
    "23-11-2026", "2026", "2026-11-23T10:00:00", "x", "",
)  # fmt: skip
_CODES: Final = ("NI", "X", "annat", "F32", "F3", "Z73", "Z730", "M545", "M5455", "M54555", "E11")
_SYSTEMS: Final = (
    "X", "1.2.752.116.1.1.1", "1.2.752.116.1.1.1.1.3", "1.2.752.116.1.1.1.1.8", "KV_FKMU_0001",
    "1.2.752.116.1.3.1.4.1", "b64ea353-e8f6-4832-b563-fc7d46f29548",
)  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What the second reading says that a value may be, and its bounds."""

    codes: dict[str, list[str]] = field(default_factory=dict)
    systems: list[str] = field(default_factory=list)
    lengths: dict[str, int] = field(default_factory=dict)
    numbers: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> "Facts":
        facts = cls()
        for rule in rules:
            first, *rest = rule.words or [""]
            if rule.word == "codes":
                facts.codes.setdefault(first, []).extend(each for each in rest if each != '""')
            elif rule.word == "code~":
                facts.codes.setdefault(first, []).extend(_spelled(rest[0]))
            elif rule.word in ("system", "system~"):
                facts.systems.extend(each for each in rest if each not in facts.systems)
            elif rule.word in ("length", "size"):
                facts.lengths[first] = int(float(rest[0]))
            facts.codes.setdefault(first, []).extend(re.findall(r'"([A-Z_a-z0-9]+)"', rule.rest))
            facts.numbers.extend(
                map(float, re.findall(r"(?<![\w.\"])\d+(?:\.\d+)?(?![\w.\"])", rule.rest))
            )
        return facts


def _spelled(pattern: str) -> list[str]:
    """Some texts that a pattern of codes may take."""
    stem = re.match(r"\^?\(?([A-Z]+)", pattern)
    ends = ("", "1", "6", "7", "9", "10", "11", "12", "17", "18", "19")
    words = re.findall(r"[A-Z_]{4,}|\b\d{6,}\b|\bNI\b|E1\d+", pattern)
    return words + [f"{stem[1]}{end}" for end in ends if stem and len(stem[1]) < 4]


@dataclass(frozen=True)
class Mutant:
    """A changed certificate, and what was done to it."""

    done: str
    kinds: tuple[str, ...]
    request: etree._Element


_Change: TypeAlias = Callable[["_Work"], str]


class Mutants:
    """Makes mutants of one type."""

    def __init__(self, key: str, today: date) -> None:
        self._facts = Facts.of([rule for rule, _ in rules_of(key)])
        self._today = today

    def of(self, request: etree._Element, rng: Random) -> Mutant:
        """One change, now and then two or three."""
        changed = deepcopy(request)
        work = _Work(changed[-1], self._facts, self._today, rng)
        kinds = rng.choices(KINDS, k=rng.choice((1, 1, 1, 2, 3)))
        done = [_CHANGES[kind](work) for kind in kinds]
        told = [(kind, each) for kind, each in zip(kinds, done, strict=True) if each]
        return Mutant("; ".join(each for _, each in told), tuple(kind for kind, _ in told), changed)


class _Work:
    """A certificate under change."""

    def __init__(self, intyg: etree._Element, facts: Facts, today: date, rng: Random) -> None:
        self.intyg, self.facts, self.today, self.rng = intyg, facts, today, rng
        self.svar = intyg.findall(f"{_CORE}svar")
        self.delsvar = [part for svar in self.svar for part in svar.findall(f"{_CORE}delsvar")]

    def pick(self, elements: Sequence[etree._Element]) -> etree._Element | None:
        return self.rng.choice(elements) if elements else None

    def inside(self, *names: str) -> list[etree._Element]:
        return [
            each for part in self.delsvar for name in names for each in part.iter(_TYPES + name)
        ]

    def plain(self) -> list[etree._Element]:
        return [part for part in self.delsvar if not len(part)]

    def write(self, element: etree._Element | None, texts: Sequence[str]) -> str:
        if element is None or not texts:
            return ""
        element.text = self.rng.choice(texts)
        return f"{_place(element)} = {element.text[:40]!r}"


def _place(element: etree._Element) -> str:
    node: etree._Element | None = element
    while node is not None and "id" not in node.attrib:
        node = node.getparent()
    name = etree.QName(element).localname
    where = "" if node is None else str(node.get("id"))
    return where if name in ("svar", "delsvar") else f"{where} {name}"


def _missing(work: _Work) -> str:
    instans = [each for svar in work.svar for each in svar.findall(f"{_CORE}instans")]
    picked = work.pick(work.rng.choice((work.svar, work.delsvar, work.delsvar, instans)))
    if picked is None or (parent := picked.getparent()) is None:
        return ""
    parent.remove(picked)
    return f"{_place(picked) or 'instans'} is missing"


def _repeated(work: _Work) -> str:
    """Once more, or up to what a bound says and one more."""
    picked = work.pick(work.rng.choice((work.svar, work.delsvar)))
    if picked is None:
        return ""
    times = work.rng.choice((1, 1, 1, 2, 3, 4, 5, 10))
    for _ in range(times):
        picked.addnext(deepcopy(picked))
    return f"{_place(picked)} {times} times more"


def _emptied(work: _Work) -> str:
    leaves = work.plain() + work.inside("code", "codeSystem", "start", "end", "value", "unit")
    return work.write(work.pick(leaves), ("", " ", "\n\t"))


def _code(work: _Work) -> str:
    picked = work.pick(work.inside("code"))
    own = work.facts.codes.get(_id_above(picked), [])
    every = [code for codes in work.facts.codes.values() for code in codes]
    pool = work.rng.choice((own, own, every, list(_CODES))) or list(_CODES)
    texts = [work.rng.choice(pool)]
    return work.write(picked, [*texts, f" {texts[0]}\n", texts[0].swapcase()])


def _system(work: _Work) -> str:
    pool = (*work.facts.systems, *_SYSTEMS)
    text = work.rng.choice(pool)
    return work.write(work.pick(work.inside("codeSystem")), (text, f"x{text}", text[:-1]))


def _order(work: _Work) -> str:
    parents = [work.intyg, *work.svar]
    parent = work.rng.choice(parents)
    tag = f"{_CORE}svar" if parent is work.intyg else f"{_CORE}delsvar"
    moved = parent.findall(tag)
    places = [parent.index(each) for each in moved]
    work.rng.shuffle(moved)
    for each in moved:
        parent.remove(each)
    for place, each in zip(places, moved, strict=True):
        parent.insert(place, each)
    return f"{_place(parent)} in another order"


def _bound(work: _Work) -> str:
    """A number or a length at a bound, one below or one above it."""
    numbers = [part for part in work.plain() if re.fullmatch(r"\d+([.,]\d+)?", part.text or "")]
    numbers += work.inside("value")
    texts = [part for part in work.plain() if _id_above(part) in work.facts.lengths]
    if texts and work.rng.random() < 0.6:
        picked = work.rng.choice(texts)
        length = work.facts.lengths[_id_above(picked)] + work.rng.choice((-1, 0, 1))
        picked.text = "å" * max(length, 0)
        return f"{_place(picked)} {length} long"
    if not numbers:
        return ""
    bound = work.rng.choice((*work.facts.numbers, 0.0, 1.0, 100.0))
    step = work.rng.choice((0.0, 1.0, -1.0, 0.1, -0.1, 0.01))
    text = f"{max(bound + step, 0):.2f}".rstrip("0").rstrip(".")
    forms = (text, text.replace(".", ","), f"{text.split('.')[0]}.0", f"-{text}")
    return work.write(work.rng.choice(numbers), forms)


def _date(work: _Work) -> str:
    picked = work.pick(
        [each for each in work.plain() if re.match(r"\d{4}-\d\d-\d\d", each.text or "")]
        + work.inside("start", "end")
        + [each for each in work.inside("value") if (each.text or "")[:4].isdigit()]
    )
    if picked is None:
        return ""
    days = work.rng.choice((0, 1, -1, 28, 29, -28, -29, 365, 366, 367, -400, -40000))
    base = work.today
    if is_day(picked.text or "") and work.rng.random() < 0.5:
        base = date.fromisoformat(picked.text or "")
    texts = [_moved(base, days).isoformat()] * 3 + [work.rng.choice(_NOT_DATES)]
    if len(picked.text or "") == 4:
        texts = [str(work.today.year + work.rng.choice((-1, 0, 1, -200))), "26", "x"]
    return work.write(picked, texts)


def _moved(day: date, days: int) -> date:
    return day + timedelta(days) if day.toordinal() + days > 366 else date(1, 1, 1)


def _boolean(work: _Work) -> str:
    picked = [part for part in work.plain() if part.text in _BOOLEANS]
    return work.write(work.pick(picked), _BOOLEANS * 4 + _NOT_BOOLEANS)


def _kind(work: _Work) -> str:
    """A value of another kind."""
    picked = work.pick(work.delsvar)
    other = work.pick(work.delsvar)
    if picked is None or other is None or picked is other:
        return ""
    for child in list(picked):
        picked.remove(child)
    picked.text = other.text
    picked.extend(deepcopy(list(other)))
    return f"{_place(picked)} holds what {_place(other)} does"


def _whole_svar(work: _Work) -> str:
    """All svar with one id away."""
    picked = work.pick(work.svar)
    if picked is None:
        return ""
    for svar in work.svar:
        parent = svar.getparent()
        if svar.get("id") == picked.get("id") and parent is not None:
            parent.remove(svar)
    return f"no svar {picked.get('id')}"


def _number_of_svar(work: _Work) -> str:
    instans = [each for svar in work.svar for each in svar.findall(f"{_CORE}instans")]
    return work.write(work.pick(instans), ("0", "1", "2", "3", "4", "5", "12"))


def _person(work: _Work) -> str:
    """The patient was born another day."""
    extension = work.intyg.find(f"{_CORE}patient/{_CORE}person-id/{_TYPES}extension")
    born = _moved(work.today, work.rng.choice((0, -1, -27, -28, -29, -365, -400, -8000, -36000)))
    return work.write(extension, (f"{born:%Y%m%d}0000",))


def _id_above(element: etree._Element | None) -> str:
    node = element
    while node is not None and "id" not in node.attrib:
        node = node.getparent()
    return "" if node is None else str(node.get("id"))


_CHANGES: Final[Mapping[str, _Change]] = {
    "missing": _missing,
    "doubled": _repeated,
    "emptied": _emptied,
    "code": _code,
    "system": _system,
    "order": _order,
    "bound": _bound,
    "date": _date,
    "boolean": _boolean,
    "kind": _kind,
    "no svar": _whole_svar,
    "instans": _number_of_svar,
    "person": _person,
}

KINDS: Final = tuple(_CHANGES)
"""The sorts of change; each is as likely as the others."""
