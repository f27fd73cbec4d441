"""The compiled validator of certificates: every check of a type file, answered fast.

What a check means is said by `intyg_assertion` in XPath. Here each one becomes a function over the
indexed answers that returns where it does not hold; where the index cannot tell, libxml2 evaluates
the assertion itself. `tests/schemas/test_intyg_check.py` holds the two equal.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from lxml import etree

from schemas.finding import Finding
from schemas.intyg_answers import Answers, Part, Place, Row, quick_test
from schemas.intyg_assertion import Assertion, assertions_of
from schemas.intyg_kinds import BLANKS, KINDS, PATTERNS, quick_period
from schemas.intyg_model import Delsvar, IntygType, Match, Question, Rule, Values
from schemas.intyg_xpath import compile_xpath, write_out
from schemas.ns import CORE, SOAP11

_SVAR: Final = f"{{{CORE}}}svar"
_DELSVAR: Final = f"{{{CORE}}}delsvar"
_INSTANS: Final = f"{{{CORE}}}instans"
_ALWAYS_NUMBERED: Final = frozenset({_SVAR, _DELSVAR})


@dataclass(frozen=True)
class _Day:
    """Today, as rules ask for it."""

    today: int  # 20261123
    day: int  # date.toordinal

    @classmethod
    def of(cls, day: date) -> "_Day":
        return cls(day.year * 10000 + day.month * 100 + day.day, day.toordinal())


_Broken: TypeAlias = Callable[[Answers, _Day], Sequence[etree._Element]]
"""The elements at which a check does not hold."""


class IntygCheck:
    """
    The checks of one certificate type and version, compiled once.

    May be used from several threads at a time.
    """

    def __init__(self, intyg_type: IntygType) -> None:
        self.intyg_type = intyg_type
        self._checks = [
            (entry, _compiled(entry, intyg_type)) for entry in assertions_of(intyg_type)
        ]

    def check(
        self, intyg: etree._Element, *, today: date | None = None, at_signing: bool = True
    ) -> list[Finding]:
        """
        Check an `intyg` element, whatever namespace it is in itself.

        Args:
            intyg: The element, anywhere in a message.
            today: The day for rules that depend on it; None is the machine's
                date.
            at_signing: False leaves out the rules that depend on today: a
                certificate that kept them when signed may break them later.

        Returns:
            Every finding, errors and warnings, in the order of the type file;
            nothing of the certificate's content is in them.
        """
        answers, day = Answers(intyg), _Day.of(today or date.today())  # noqa: DTZ011  local date, as signed
        findings: list[Finding] = []
        for assertion, broken in self._checks:
            elements = broken(answers, day)
            if elements and (at_signing or not assertion.at_signing):
                findings.extend(_finding(assertion, element) for element in elements)
        return findings


def _finding(assertion: Assertion, element: etree._Element) -> Finding:
    return Finding(
        rule=assertion.rule,
        message=assertion.message,
        xpath=path_of(element),
        line=_line_of(element),
        severity=assertion.severity,
        svar=assertion.svar or _nearest(element, _SVAR),
        delsvar=assertion.delsvar,
    )


def _line_of(element: etree._Element) -> int | None:
    line: Any = element.sourceline
    return None if line is None else int(line)


def _nearest(element: etree._Element, tag: str) -> str | None:
    """The id of a svar, if `element` is one or in one; anything but an id of the schema is cut."""
    found: etree._Element | None = element
    while found is not None and found.tag != tag:
        found = found.getparent()
    node_id = None if found is None else found.get("id")
    return node_id if node_id and node_id.isdigit() and len(node_id) < 10 else None


def path_of(element: etree._Element) -> str:
    """Where an element is: local names from the request element, numbered where it has twins."""
    steps: list[str] = []
    at: etree._Element | None = element
    while at is not None and at.tag != f"{{{SOAP11}}}Body":
        tag = str(at.tag)
        before = sum(1 for _ in at.itersiblings(tag, preceding=True))
        after = next(at.itersiblings(tag), None)
        numbered = tag in _ALWAYS_NUMBERED or before or after is not None
        steps.append(etree.QName(at).localname + (f"[{before + 1}]" if numbered else ""))
        at = at.getparent()
    return "/" + "/".join(reversed(steps))


# --- one function a check -------------------------------------------------------------------------


def _compiled(assertion: Assertion, intyg_type: IntygType) -> _Broken:
    node = assertion.node
    if isinstance(node, Rule):
        return _rule(node)
    if isinstance(node, Question):
        return _question_check(assertion, node)
    if isinstance(node, Delsvar):
        if assertion.facet in ("few", "many"):
            return _part_count(assertion, node)
        if assertion.facet in ("unique", "overlap", "shared_day"):
            assert assertion.svar is not None
            return _across(assertion, node, assertion.svar)
        return _value(assertion, node)
    if assertion.facet == "svar_ids":
        return _svar_ids(assertion, intyg_type)
    return _instans_least


def _instans_least(answers: Answers, _day: _Day) -> Sequence[etree._Element]:
    return [
        instans
        for row in answers.rows
        for instans in row.element.iterchildren(_INSTANS)
        if instans.text not in ("1", "2", "3", "4", "5") and not _at_least_one(instans)
    ]


def _at_least_one(instans: etree._Element) -> bool:
    return bool(_AT_LEAST_ONE(instans))


_AT_LEAST_ONE = compile_xpath("number() >= 1")


def _svar_ids(assertion: Assertion, intyg_type: IntygType) -> _Broken:
    known = frozenset(question.svar for question in intyg_type.questions if not question.last)
    allowed = compile_xpath(assertion.must)

    def broken(answers: Answers, _day: _Day) -> Sequence[etree._Element]:
        return [
            row.element for row in answers.rows if row.id not in known and not allowed(row.element)
        ]

    return broken


def _question_check(assertion: Assertion, question: Question) -> _Broken:
    svar = question.svar
    match assertion.facet:
        case "few":
            least = question.count.least
            return lambda answers, _day: (
                (answers.intyg,) if len(answers.rows_by_id.get(svar, ())) < least else ()
            )
        case "many":
            most = question.count.most
            assert most is not None
            return lambda answers, _day: [
                row.element for row in answers.rows_by_id.get(svar, ())[most:]
            ]
        case "instans":
            return lambda answers, _day: [
                row.element
                for row in answers.rows_by_id.get(svar, ())
                if sum(1 for _ in row.element.iterchildren(_INSTANS)) != 1
            ]
    known = frozenset(part.id for part in question.delsvar).union(question.also)
    return lambda answers, _day: [
        row.element
        for row in answers.rows_by_id.get(svar, ())
        if any(part.id not in known for part in row.parts)
    ]


def _part_count(assertion: Assertion, part: Delsvar) -> _Broken:
    svar, node_id = assertion.svar, part.id
    least, most = part.count.least, part.count.most

    def broken(answers: Answers, _day: _Day) -> Sequence[etree._Element]:
        found = []
        for row in answers.rows_by_id.get(svar, ()):
            times = sum(part.id == node_id for part in row.parts)
            if times < least if few else times > (most or 0):
                found.append(row.element)
        return found

    few = assertion.facet == "few"
    return broken


def _value(assertion: Assertion, node: Delsvar) -> _Broken:
    """A check of each delsvar by itself, wherever it stands."""
    node_id, holds, asked = (
        node.id,
        _value_test(assertion.facet, node),
        compile_xpath(assertion.must),
    )

    def broken(answers: Answers, _day: _Day) -> Sequence[etree._Element]:
        parts = answers.parts_by_id.get(node_id)
        if not parts:
            return ()
        found = []
        for part in parts:
            answer = holds(part)
            if not (asked(part.element) if answer is None else answer):
                found.append(part.element)
        return found

    return broken


def _value_test(facet: str, node: Delsvar) -> Callable[[Part], bool | None]:
    """The check in Python; None from it where the XPath must be asked."""
    match facet:
        case "type":
            return _type_test(node)
        case "system" if node.system and node.type == "cv":
            return _listed(node.system, lambda part: part.system)
        case "codes" if node.codes and node.type == "cv":
            return _listed(node.codes, lambda part: part.code)
        case "pattern" if node.pattern:
            pattern = PATTERNS[node.pattern[0]].quick
            return lambda part: pattern(part.code) if part.plain_cv else None
        case "code_length" if node.code_length:
            code_most = node.code_length.most
            return lambda part: len(part.code) <= code_most if part.plain_cv else None
        case "length" if node.length:
            most = node.length.most
            # shorter even with blanks: short enough; otherwise count as XPath does
            return lambda part: (part.text is not None and len(part.text) <= most) or None
    return lambda _part: None


def _type_test(node: Delsvar) -> Callable[[Part], bool | None]:
    if node.type == "cv":
        return lambda part: part.plain_cv or None
    if node.type == "period":
        return lambda part: quick_period(part.element)
    quick = KINDS[node.type].quick_text
    if quick is None:
        return lambda _part: None
    return lambda part: quick(part.text) if part.text is not None else None


def _listed(values: Values, of: Callable[[Part], str]) -> Callable[[Part], bool | None]:
    wanted = frozenset(values.values)
    if values.match is Match.CONTAINS:
        return lambda part: any(value in of(part) for value in wanted) if part.plain_cv else None
    if values.match is Match.TRIMMED:
        return lambda part: of(part).strip(BLANKS) in wanted if part.plain_cv else None
    return lambda part: of(part) in wanted if part.plain_cv else None


def _across(assertion: Assertion, node: Delsvar, svar: str) -> _Broken:
    """A check of all delsvar with one id together; asked only when there are several svar."""
    node_id = node.id

    def seen(answers: Answers) -> Iterator[tuple[Row, Part]]:
        for row in answers.rows_by_id.get(svar, ()):
            for part in row.parts:
                if part.id == node_id:
                    yield row, part

    def repeated(answers: Answers, _day: _Day) -> Sequence[etree._Element]:
        if len(answers.rows_by_id.get(svar, ())) < 2:
            return ()
        before: set[str] = set()
        found = []
        for row, part in seen(answers):
            codes = part.codes()
            if not before.isdisjoint(codes):
                found.append(row.element)
            before.update(codes)
        return found

    def overlapping(answers: Answers, _day: _Day) -> Sequence[etree._Element]:
        if len(answers.rows_by_id.get(svar, ())) < 2:
            return ()
        found: list[etree._Element] = []
        before: list[tuple[float, float]] = []
        for row, part in seen(answers):
            start, end = float(start_of(part.element)), float(end_of(part.element))
            if any(_overlap(start, end, *other, shared_day=shared_day) for other in before):
                found.append(row.element)
            before.append((start, end))
        return found

    if assertion.facet == "unique":
        return repeated
    shared_day = assertion.facet == "shared_day"
    start_of: Any = compile_xpath(write_out("num(t:datePeriod/t:start)"))
    end_of: Any = compile_xpath(write_out("num(t:datePeriod/t:end)"))
    return overlapping


def _overlap(
    start: float, end: float, other_start: float, other_end: float, *, shared_day: bool
) -> bool:
    if shared_day:
        return start <= other_end and other_start <= end
    return start < other_end and other_start < end


# --- rules across questions -----------------------------------------------------------------------


def _rule(rule: Rule) -> _Broken:
    places = _places(rule)
    level = 0 if rule.each is None else 2 if "." in rule.each else 1
    must = _test(rule.must, level)
    where = _test(rule.where, level) if rule.where else None

    def broken(answers: Answers, day: _Day) -> Sequence[etree._Element]:
        found = []
        for place in places(answers):
            if (where is None or where(answers, place, day)) and not must(answers, place, day):
                found.append(answers.intyg if place is None else place.element)
        return found

    return broken


def _places(rule: Rule) -> Callable[[Answers], Sequence[Place]]:
    """Where a rule is asked, as far as `is` and `is_not` tell."""
    each = rule.each
    if each is None:
        return lambda _answers: (None,)
    if each == "svar":
        return lambda answers: answers.rows
    if "." not in each:
        return lambda answers: answers.rows_by_id.get(each, ())
    wanted = _picked(rule.is_, but=False) if rule.is_ else None
    unwanted = _picked(rule.is_not, but=True) if rule.is_not else None

    def places(answers: Answers) -> Sequence[Place]:
        parts: Sequence[Part] = answers.parts_by_id.get(each, ())
        if wanted and parts:
            parts = [part for part in parts if wanted(part)]
        if unwanted and parts:
            parts = [part for part in parts if unwanted(part)]
        return parts

    return places


def _picked(values: tuple[str, ...], *, but: bool) -> Callable[[Part], bool]:
    if values == ("yes",):
        return lambda part: part.says("true", "1") is not but
    if values == ("no",):
        return lambda part: part.says("false", "0") is not but
    wanted = frozenset(values)
    if but:
        return lambda part: any(code not in wanted for code in part.codes())
    return lambda part: any(code in wanted for code in part.codes())


def _test(expression: str, level: int) -> Callable[[Answers, Place, _Day], bool]:
    quick = quick_test(expression, level)
    if quick is not None:
        return lambda answers, place, _day: quick(answers, place)
    written = write_out(expression)
    compiled: Any = compile_xpath(f"boolean({written})")
    variables = [name for name in ("today", "day") if f"${name}" in written]

    def asked(answers: Answers, place: Place, day: _Day) -> bool:
        element = answers.intyg if place is None else place.element
        return bool(compiled(element, **{name: getattr(day, name) for name in variables}))

    return asked


def broken_by_xpath(
    assertion: Assertion, intyg: etree._Element, today: date
) -> list[etree._Element]:
    """Where an assertion does not hold, by its XPath alone: slow; the fast way must equal it."""
    day = _Day.of(today)
    places: Any = compile_xpath(assertion.each)(intyg, today=day.today, day=day.day)
    must = compile_xpath(f"boolean({assertion.must})")
    return [place for place in places if not must(place, today=day.today, day=day.day)]
