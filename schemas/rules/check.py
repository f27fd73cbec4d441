"""The compiled validator of certificates: every check of a type file, answered fast.

What a check means is said by `assertion` in XPath. Here each one becomes a function over the
indexed answers that returns where it does not hold; where the index cannot tell, libxml2 evaluates
the assertion itself. `tests/schemas/rules/test_check.py` holds the two equal.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import call
from typing import Any, Final, TypeAlias

from lxml import etree

from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import (
    Days,
    Delsvar,
    Instans,
    IntygType,
    Match,
    Question,
    Rule,
    Values,
)
from intyg.schemas.ns import CORE, SOAP11, TYPES
from intyg.schemas.positions import Positions
from intyg.schemas.rules.answers import (
    SAYS,
    Answers,
    Day,
    Part,
    Place,
    Row,
    Test,
)
from intyg.schemas.rules.assertion import (
    Assertion,
    assertions_of,
    compared,
    level_of,
)
from intyg.schemas.rules.kinds import (
    BLANKS,
    BOOLEANS,
    KINDS,
    PATTERNS,
    is_real_date,
    quick_partial_date,
)
from intyg.schemas.rules.xpath import compile_xpath, write_out

_SVAR: Final = f"{{{CORE}}}svar"
_DELSVAR: Final = f"{{{CORE}}}delsvar"
_INSTANS: Final = f"{{{CORE}}}instans"
_VALUES: Final = frozenset({"cv", "datePeriod", "partialDate", "pq"})
_ALWAYS_NUMBERED: Final = frozenset({_SVAR, _DELSVAR})
_ADDITIONAL: Final = "9001.."


_Broken: TypeAlias = Callable[[Answers, Day], Sequence[etree._Element]]
"""The elements at which a check does not hold."""


@dataclass(frozen=True, eq=False)
class _Check:
    """A check, ready to run; `order` is its place in the type file."""

    order: int
    assertion: Assertion
    broken: _Broken


_Look: TypeAlias = Callable[[Part], bool | None]
"""Whether a delsvar keeps a check; not true may also mean: look closer."""


class _OfDelsvar:
    """
    What is checked of each delsvar with one id.

    Attributes:
        is_fine: Whether none of `details` is broken; not true may also mean:
            look closer.
    """

    def __init__(self, node: Delsvar | None, checks: list[_Check]) -> None:
        facets = {check.assertion.facet for check in checks}
        tests = [] if node is None else [_value_test(facet, node) for facet in facets]
        self.is_fine = (node and _quick_look(node, facets)) or _all_of(tests)
        self.details = checks


class _OfSvar:
    """What is checked of all svar with one id: a quick look, and the checks behind it."""

    def __init__(
        self, question: Question, checks: list[_Check], of_delsvar: Mapping[str, _OfDelsvar]
    ) -> None:
        self._most = question.count.most
        self._instans = question.instans is Instans.REQUIRED
        self._known = {part.id: part.count for part in question.delsvar}
        self._also = frozenset(question.also)
        self._of_delsvar = of_delsvar
        self._usual: dict[tuple[str, ...], list[_Look]] = {}  # by orders found to be right
        across = [check for check in checks if check.assertion.facet in _ACROSS]
        self.several = across  # only several svar can break these
        self.details = [check for check in checks if check not in across]

    def is_fine(self, rows: list[Row], ask: list[_Check]) -> bool:
        """
        Look at the svar with this id, and at their delsvar.

        Args:
            rows: The svar.
            ask: Gets the checks that a delsvar may break.

        Returns:
            Whether none of `details` can be broken; False may also mean: look
            closer.
        """
        fine = self._most is None or len(rows) <= self._most
        for row in rows:
            parts = row.parts
            tests = self._usual.get(tuple(row.part_ids))
            if tests is None:
                looks = [self._of_delsvar.get(part.id, _UNKNOWN) for part in parts]
                tests = [look.is_fine for look in looks]
                fine = self._is_right(tuple(row.part_ids), tests) and fine
            others = len(row.element) - len(parts)
            if others != self._instans or (others and not _is_plain_instans(row.element[0])):
                fine = False
            if not all(map(call, tests, parts)):
                for part in parts:
                    ask.extend(self._of_delsvar.get(part.id, _UNKNOWN).details)
        return fine

    def _is_right(self, shape: tuple[str, ...], tests: list[_Look]) -> bool:
        for node_id, count in self._known.items():
            times = shape.count(node_id)
            if times < count.least or (count.most is not None and times > count.most):
                return False
        if not self._also.union(self._known).issuperset(shape):
            return False
        if len(self._usual) < _MOST_SHAPES:
            self._usual[shape] = tests
        return True


def _all_of(tests: list[_Look]) -> _Look:
    if len(tests) == 1:
        return tests[0]
    return lambda part: all(test(part) for test in tests)


def _quick_look(node: Delsvar, facets: set[str]) -> Callable[[Part], bool] | None:
    """All checks of the most frequent forms in one function; None for other forms."""
    system, codes, most = node.system, node.codes, node.length.most if node.length else math.inf
    if node.type in ("boolean", "yes_no") and facets == {"type"}:
        return lambda part: part.text in BOOLEANS
    if node.type == "text" and facets <= {"type", "length"}:
        return lambda part: bool((text := part.text) and text.strip(BLANKS) and len(text) <= most)
    if node.type == "date" and facets == {"type", "days"} and node.days:
        first, last = node.days.first, node.days.last
        return lambda part: bool(
            (text := part.text) and is_real_date(text) and first <= text[:10] <= last
        )
    if node.type != "cv" or not system or "system" not in facets:
        return None
    # one of the values itself is right however they are compared
    systems = frozenset(system.values)
    if facets == {"type", "system", "codes"} and codes:
        wanted = frozenset(codes.values) - {""}  # a code that could not be read is empty
        return lambda part: part.code in wanted and part.system in systems
    if facets == {"type", "system", "pattern", "code_length"} and node.pattern and node.code_length:
        pattern, longest = PATTERNS[node.pattern[0]].quick, node.code_length.most
        return lambda part: (
            part.system in systems and len(part.code) <= longest and pattern(part.code)
        )
    return None


_ACROSS: Final = frozenset({"unique", "overlap", "shared_day"})
_MOST_SHAPES: Final = 500
"""So many orders of delsvar are remembered for a svar; more than any type allows to be right."""
_UNKNOWN: Final = _OfDelsvar(None, [])
"""For a delsvar that no question has: nothing is asked of what it holds."""


def _is_plain_instans(element: etree._Element) -> bool:
    text = element.text or ""
    plain = text.isascii() and text.isdigit() and not text.startswith("0")
    return plain and not len(element) and element.tag == _INSTANS


class IntygCheck:
    """
    The checks of one certificate type and version, compiled once.

    May be used from several threads at a time.
    """

    def __init__(self, intyg_type: IntygType) -> None:
        self.intyg_type = intyg_type
        self._always: list[_Check] = []  # must be asked whatever the certificate holds
        self._needed: list[tuple[str, int, _Check]] = []  # svar, how many at least
        self._rules: dict[str, list[_Check]] = {}  # by the svar or delsvar that they apply to
        self._whole: list[_Check] = []  # ids and instans of all svar
        by_node: dict[str, list[_Check]] = {}
        for order, assertion in enumerate(assertions_of(intyg_type)):
            check = _Check(order, assertion, _compiled(assertion, intyg_type))
            self._sort_in(check, by_node)
        self._of_delsvar = {
            part.id: _OfDelsvar(part, by_node[part.id])
            for question in intyg_type.questions
            if not question.last
            for part in question.delsvar
        }
        self._of_svar = {
            question.svar: _OfSvar(question, by_node.get(question.svar, []), self._of_delsvar)
            for question in intyg_type.questions
            if not question.last
        }

    def check(
        self, intyg: etree._Element, *, today: date, at_signing: bool = True
    ) -> list[Finding]:
        """
        Check an `intyg` element, whatever namespace it is in itself.

        Args:
            intyg: The element, anywhere in a message.
            today: The day for rules that depend on it, in Sweden.
            at_signing: False leaves out the rules that depend on today: a
                certificate that kept them when signed may break them later.

        Returns:
            Every finding, errors and warnings, in the order of the type file;
            nothing of the certificate's content is in them.
        """
        answers = Answers(intyg)
        day = Day.of(today)
        found: list[tuple[_Check, Sequence[etree._Element]]] = []
        for check in self._to_ask(answers):
            elements = check.broken(answers, day)
            if elements and (at_signing or not check.assertion.at_signing):
                found.append((check, elements))
        found.sort(key=lambda pair: pair[0].order)
        positions = Positions(_tag)
        return [
            _finding(check.assertion, at, positions) for check, elements in found for at in elements
        ]

    def _sort_in(self, check: _Check, by_node: dict[str, list[_Check]]) -> None:
        node, facet = check.assertion.node, check.assertion.facet
        if isinstance(node, Rule):
            if node.each is None:
                self._always.append(check)
            else:
                self._rules.setdefault(node.each, []).append(check)
        elif isinstance(node, Question) and facet == "few":
            self._needed.append((node.svar, node.count.least, check))
        elif isinstance(node, Question):
            by_node.setdefault(node.svar, []).append(check)
        elif isinstance(node, Delsvar) and facet in {"few", "many", *_ACROSS}:
            assert check.assertion.svar is not None
            by_node.setdefault(check.assertion.svar, []).append(check)
        elif isinstance(node, Delsvar):
            by_node.setdefault(node.id, []).append(check)
        elif facet == "address":
            self._always.append(check)
        else:
            self._whole.append(check)

    def _is_additional(self, rows: list[Row]) -> bool:
        """Whether svar are of an id that the type leaves for additional questions, and plain."""
        ids = self.intyg_type.svar_ids
        if ids is None or ids.first is None or ids.last is None:
            return False
        return (
            len(rows[0].id) == len(str(ids.last))
            and ids.first <= rows[0].number() <= ids.last
            and all(
                len(row.element) == len(row.parts)
                and all(part.id not in self._of_delsvar for part in row.parts)
                for row in rows
            )
        )

    def _of_misplaced(self, rows: list[Row]) -> Iterator[_Check]:
        """What is checked of delsvar that stand in a svar that is not theirs."""
        for row in rows:
            for part in row.parts:
                yield from self._of_delsvar.get(part.id, _UNKNOWN).details

    def _to_ask(self, answers: Answers) -> list[_Check]:
        """The checks that this certificate may break; the others it cannot."""
        ask = list(self._always)
        rows_by_id, rules = answers.rows_by_id, self._rules
        for svar, least, check in self._needed:
            if len(rows_by_id.get(svar, ())) < least:
                ask.append(check)
        look_closer = False
        for svar_id, rows in rows_by_id.items():
            of_svar = self._of_svar.get(svar_id)
            if of_svar is None:
                ask.extend(rules.get(_ADDITIONAL, ()))
                if not self._is_additional(rows):
                    look_closer = True
                    ask.extend(self._of_misplaced(rows))
                continue
            if not of_svar.is_fine(rows, ask):
                look_closer = True
                ask.extend(of_svar.details)
            if len(rows) > 1:
                ask.extend(of_svar.several)
        for node_id in rules.keys() & rows_by_id.keys():
            ask.extend(rules[node_id])
        for node_id in rules.keys() & answers.parts_by_id.keys():
            ask.extend(rules[node_id])
        if look_closer:
            ask.extend(self._whole)
        return list(dict.fromkeys(ask))


def _finding(assertion: Assertion, element: etree._Element, positions: Positions) -> Finding:
    return Finding(
        rule=assertion.rule,
        message=assertion.message + _astray(element),
        xpath=path_of(element, positions),
        line=_line_of(element),
        severity=assertion.severity,
        svar=assertion.svar or _nearest(element, _SVAR),
        delsvar=assertion.delsvar,
    )


def _astray(element: etree._Element) -> str:
    """
    What to add of a value in the wrong namespace, which the schema lets pass.

    Toolkits that build a sub-answer's content from a wildcard write the namespace of the operation.
    """
    for child in element.iterchildren(etree.Element) if element.tag == _DELSVAR else ():
        name = etree.QName(child)
        if name.localname in _VALUES and name.namespace != TYPES:
            return f"; `{name.localname}` is in the wrong namespace; here it belongs to {TYPES}"
    return ""


def _line_of(element: etree._Element) -> int | None:
    line: Any = element.sourceline
    return None if line is None else int(line)


def _nearest(element: etree._Element, tag: str) -> str | None:
    """The id of a svar, if `element` is one or in one; anything but an id of the schema is cut."""
    found: etree._Element | None = element
    while found is not None and found.tag != tag:
        found = found.getparent()
    node_id = None if found is None else found.get("id")
    of_schema = node_id and node_id.isascii() and node_id.isdigit() and len(node_id) < 10
    return node_id if of_schema else None


def _tag(element: etree._Element) -> str:
    return str(element.tag)


def path_of(element: etree._Element, positions: Positions) -> str:
    """
    Where an element is: local names from the request element, numbered where it has twins.

    Args:
        positions: Of elements by their whole name.
    """
    steps: list[str] = []
    at: etree._Element | None = element
    while at is not None and at.tag != f"{{{SOAP11}}}Body":
        number, twins = positions.of(at)
        numbered = at.tag in _ALWAYS_NUMBERED or twins > 1
        steps.append(etree.QName(at).localname + (f"[{number}]" if numbered else ""))
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
            return _across(assertion, node, intyg_type.question(assertion.svar))
        return _value(assertion, node)
    if assertion.facet == "svar_ids":
        return _svar_ids(assertion, intyg_type)
    if assertion.facet == "address":
        return _address(assertion.must)
    return _instans_least


def _address(must: str) -> _Broken:
    """The same, looking for the address's parent once and not for each part of the address."""
    parent = "c:skapadAv/c:enhet" if "c:skapadAv" in must else "c:patient"
    one_filled_in: Any = compile_xpath(
        f"count({parent}) = 1 and {parent}[{must.replace(f'{parent}/', '')}]"
    )
    filled_in: Any = compile_xpath(f"boolean({must})")
    return lambda answers, _day: (
        () if one_filled_in(answers.intyg) or filled_in(answers.intyg) else (answers.intyg,)
    )


def _instans_least(answers: Answers, _day: Day) -> Sequence[etree._Element]:
    return [
        instans
        for row in answers.rows
        for instans in row.element.iterchildren(_INSTANS)
        if not _is_plain_instans(instans) and not _at_least_one(instans)
    ]


def _at_least_one(instans: etree._Element) -> bool:
    return bool(_AT_LEAST_ONE(instans))


_AT_LEAST_ONE = compile_xpath(write_out("decimal(.) >= 1"))


def _svar_ids(assertion: Assertion, intyg_type: IntygType) -> _Broken:
    known = frozenset(question.svar for question in intyg_type.questions if not question.last)
    allowed = compile_xpath(assertion.must)

    def broken(answers: Answers, _day: Day) -> Sequence[etree._Element]:
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
    only_allowed: Any = compile_xpath(assertion.must)
    return lambda answers, _day: [
        row.element
        for row in answers.rows_by_id.get(svar, ())
        if any(part.id not in known for part in row.parts) and not only_allowed(row.element)
    ]


def _part_count(assertion: Assertion, part: Delsvar) -> _Broken:
    svar, node_id = assertion.svar or "", part.id
    least, most = part.count.least, part.count.most

    def broken(answers: Answers, _day: Day) -> Sequence[etree._Element]:
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

    def broken(answers: Answers, _day: Day) -> Sequence[etree._Element]:
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
            return value_answer(node.type)
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
        case "days" if node.days and node.type == "date":
            first, last = (int(day.replace("-", "")) for day in _span(node.days))
            return lambda part: not (part.date_number() < first or part.date_number() > last)
        case "days" if node.days and node.type == "period":
            return _period_within(*(int(day.replace("-", "")) for day in _span(node.days)))
    return lambda _part: None


def _span(days: Days) -> tuple[str, str]:
    return days.first, days.last


def _period_within(first: int, last: int) -> Callable[[Part], bool | None]:
    def test(part: Part) -> bool | None:
        period = part.period()
        return period and first <= period[0] and period[1] <= last

    return test


def value_answer(kind: str) -> Callable[[Part], bool | None]:
    """Whether a delsvar holds a value of a kind (a name in `KINDS`); None: its XPath knows."""
    if kind == "cv":
        return lambda part: part.plain_cv or None
    if kind == "period":
        return lambda part: part.period() is not None or None
    quick = KINDS[kind].quick_text
    if kind == "day":
        return lambda part: is_real_date(quick_partial_date(part.element)) or None
    if quick is None:
        return lambda _part: None
    return lambda part: quick(part.text) if part.text is not None else None


def _listed(values: Values, of: Callable[[Part], str]) -> Callable[[Part], bool | None]:
    wanted = frozenset(values.values)
    # a dot in a value stands for any character: what is not the value itself, XPath looks at
    if values.match is Match.CONTAINS:
        return lambda part: (part.plain_cv and any(value in of(part) for value in wanted)) or None
    if values.match is Match.TRIMMED:
        return lambda part: (part.plain_cv and of(part).strip(BLANKS) in wanted) or None
    return lambda part: of(part) in wanted if part.plain_cv else None


def _across(assertion: Assertion, node: Delsvar, question: Question) -> _Broken:
    """A check of all svar with one id together; asked only when there are several."""
    svar, node_id = question.svar, node.id

    def repeated(answers: Answers, _day: Day) -> Sequence[etree._Element]:
        before: set[str] = set()
        found = []
        for row in answers.rows_by_id.get(svar, ())[: compared(question)]:
            code = first_code(row)
            if code in before:
                found.append(row.element)
            elif code is not None:
                before.add(code)
        return found

    def first_code(row: Row) -> str | None:
        for part in row.parts:
            if part.id == node_id and (codes := part.codes()):
                return codes[0]
        return None

    def overlapping(answers: Answers, _day: Day) -> Sequence[etree._Element]:
        found: list[etree._Element] = []
        before: list[tuple[float, float]] = []
        for row in answers.rows_by_id.get(svar, ())[: question.count.most or compared(question)]:
            period = period_of(row)
            for other in before:
                if overlap(period, other):
                    found.append(row.element)
                    break
            before.append(period)
        return found

    def period_of(row: Row) -> tuple[float, float]:
        for part in row.parts:
            if part.id == node_id:
                period = part.period()
                if period:
                    return period
                break
        return start_of(row.element), end_of(row.element)

    if assertion.facet == "unique":
        return repeated
    overlap = _share_a_day if assertion.facet == "shared_day" else _overlap
    read = "num" if assertion.facet == "shared_day" else "order"
    start_of, end_of = (
        _number_at(f"{read}(delsvar({node_id})/t:datePeriod/t:{end})") for end in ("start", "end")
    )
    return overlapping


def _number_at(expression: str) -> Any:
    return compile_xpath(write_out(expression))


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _share_a_day(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


# --- rules across questions -----------------------------------------------------------------------


def _rule(rule: Rule) -> _Broken:
    fails, places = _fails(rule), _places(rule)

    def broken(answers: Answers, day: Day) -> Sequence[etree._Element]:
        return [_element(answers, place) for place in places(answers) if fails(answers, place, day)]

    return broken


def _fails(rule: Rule) -> Test:
    """Whether a rule applies to a place and does not hold there."""
    from intyg.schemas.rules.quick import (
        quick_failure,
    )  # late: what it reads with is dear to import

    quick = quick_failure(rule, level_of(rule))
    if quick is not None:
        return quick
    level = level_of(rule)
    tests = [_picked(rule.is_, but=False)] if rule.is_ else []
    tests += [_picked(rule.is_not, but=True)] if rule.is_not else []
    tests += [_test(rule.where, level)] if rule.where else []
    must = _test(rule.must, level)
    return lambda answers, place, day: (
        all(test(answers, place, day) for test in tests) and not must(answers, place, day)
    )


def _places(rule: Rule) -> Callable[[Answers], Sequence[Place]]:
    """Where a rule is asked, as far as its conditions."""
    each = rule.each
    if each is None:
        return lambda _answers: (None,)
    if level_of(rule) == 2:
        return lambda answers: answers.parts_by_id.get(each, ())
    if each.endswith(".."):
        first = int(each.removesuffix(".."))
        return lambda answers: answers.rows_from(first)
    return lambda answers: answers.rows_by_id.get(each, ())


def _picked(values: tuple[str, ...], *, but: bool) -> Test:
    """The condition `is` of a rule, or `is_not`."""

    def test(_answers: Answers, part: Place, _day: Day) -> bool:
        assert isinstance(part, Part)
        if values in (("yes",), ("no",)):
            return part.says(*SAYS[values[0]]) is not but
        return any((code in values) is not but for code in part.codes())

    return test


def _element(answers: Answers, place: Place) -> etree._Element:
    if place is None:
        return answers.intyg
    assert not isinstance(place, str)
    return place.element


def _test(expression: str, level: int) -> Test:
    from intyg.schemas.rules.quick import quick_test

    quick = quick_test(expression, level)
    if quick is not None:
        return quick
    written = write_out(expression)
    compiled: Any = compile_xpath(f"boolean({written})")
    variables = [name for name in ("today", "day") if f"${name}" in written]

    def asked(answers: Answers, place: Place, day: Day) -> bool:
        element = _element(answers, place)
        if not variables:
            return bool(compiled(element))
        return bool(compiled(element, **{name: getattr(day, name) for name in variables}))

    return asked
