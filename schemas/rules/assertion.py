"""Everything that a certificate type demands, as a list of XPath 1.0 assertions.

This is the one place that says what each check of a type file means.

How it works. Rules with an id of the national Schematron are national; a check without one is ours,
and refuses only in types without national rules. Each check of the question tree becomes assertions
at its places (`each`), each rule across questions one whose conditions are predicates of `each`.
None fires or stops another: all that are broken are told, in the order of the file. Who reads them:

    check               functions over an index of the answers; where those cannot tell, libxml2
    export/schematron   as it is, for XSLT 1.0
    export/xsd11        those that refuse, in XPath 2.0 by way of `tree` and `xpath2`
    examples            to make certificates that break no rule, or one

Tests hold the engines equal.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import (
    Count,
    Delsvar,
    Instans,
    IntygType,
    Match,
    Question,
    Ref,
    Rule,
    SvarIds,
    Values,
)
from intyg.schemas.rules.kinds import KINDS, PATTERNS
from intyg.schemas.rules.xpath import (
    NO,
    YES,
    contains_like,
    like,
    literal,
    one_of,
    write_out,
)

_PLACE = re.compile(r"<([0-9]+(?:\.[0-9]+)?)>")


@dataclass(frozen=True)
class Assertion:
    """
    One demand.

    Attributes:
        rule: `FK7804/1/R21`.
        each: XPath from `intyg` to the places it is made of; `.` for the intyg.
        must: XPath that must be true at each of them.
        svar, delsvar: What it is about.
        at_signing: Depends on today (`$today`, `$day`).
        facet, node: Which check of what in the type file it stands for.
    """

    rule: str
    severity: Severity
    message: str
    each: str
    must: str
    svar: str | None = None
    delsvar: str | None = None
    at_signing: bool = False
    facet: str = ""
    node: Question | Delsvar | Rule | IntygType | None = None


def assertions_of(intyg_type: IntygType) -> tuple[Assertion, ...]:
    """Every assertion of a type, in the order of its file."""
    return tuple(_Writer(intyg_type).all())


class _Writer:
    def __init__(self, intyg_type: IntygType) -> None:
        self._type = intyg_type

    def all(self) -> Iterator[Assertion]:
        yield from self._whole_intyg()
        for question in self._type.questions:
            if not question.last:  # what additional questions must be, the file says in rules
                yield from self._question(question)
        for rule in self._type.rules:
            yield self._rule(rule)

    def _whole_intyg(self) -> Iterator[Assertion]:
        ids, instans = self._type.svar_ids, self._type.instans
        if ids is not None:
            must, shown = _allowed_svar(self._type, ids)
            message = f"this svar id is not used here; there are {shown}"
            yield self._make("svar_ids", self._type, ids.ref, message, "c:svar", must)
        if self._type.unit_address is not None:
            message = (
                "the unit's postadress, postnummer (5 digits), postort and telefonnummer are needed"
            )
            must = _address("c:skapadAv/c:enhet", "postadress", "postort", "telefonnummer")
            yield self._make("address", self._type, self._type.unit_address, message, ".", must)
        if self._type.patient_address is not None:
            message = "the patient's postadress, postnummer (5 digits) and postort are needed"
            must = _address("c:patient", "postadress", "postort")
            yield self._make("address", self._type, self._type.patient_address, message, ".", must)
        if instans is not None:
            message, each = "instans must be at least 1", "c:svar/c:instans"
            must = write_out("decimal(.) >= 1")
            yield self._make("instans_least", self._type, instans, message, each, must)

    def _question(self, question: Question) -> Iterator[Assertion]:
        term = f"{question.term} (svar {question.svar})"
        at = f"c:svar[@id='{question.svar}']"

        def make(
            facet: str, node: Question | Delsvar, ref: Ref, message: str, each: str, must: str
        ) -> Assertion:
            delsvar = node.id if isinstance(node, Delsvar) else None
            return self._make(facet, node, ref, message, each, must, question.svar, delsvar)

        for bound in _bounds(question.count):
            yield make(bound.facet, question, bound.ref, f"{term} {bound.words}", ".", bound.of(at))
        if question.instans is Instans.REQUIRED:
            message = f"{term} must have one instans"
            must = "count(c:instans) = 1"
            yield make("instans", question, question.instans_ref, message, at, must)
        for part in question.delsvar:
            for bound in _bounds(part.count):
                message = f"{part.term} (delsvar {part.id}) {bound.words}"
                must = bound.of(f"c:delsvar[@id='{part.id}']")
                yield make(bound.facet, part, bound.ref, message, at, must)
        if question.only:
            ids = tuple(part.id for part in question.delsvar)
            message = f"{term} has no delsvar but {', '.join(ids)}"
            must = f"not(c:delsvar[not({_one_of_ids(ids + question.also)})])"
            yield make("only", question, question.only, message, at, must)
        for part in question.delsvar:
            for facet, ref, message, must in _value_checks(part):
                message = f"{part.term} (delsvar {part.id}) {message}"
                # wherever it stands, as the national rules have it, also in a wrong svar
                each = f"c:svar/c:delsvar[@id='{part.id}']"
                yield make(facet, part, ref, message, each, must)
            for facet, ref, message, must in _checks_across(question, part):
                message = f"{part.term} (delsvar {part.id}) {message}"
                yield make(facet, part, ref, message, ".", must)

    def _rule(self, rule: Rule) -> Assertion:
        each = each_xpath(rule)
        where = "".join(f"[{condition}]" for condition in conditions(rule))
        svar, delsvar = concerned(rule)
        return Assertion(
            rule=f"{self._type.key}/{rule.ref.id}",
            severity=rule.ref.severity,
            message=self._worded(rule.message),
            each=each + where if each != "." or not where else f"self::*{where}",
            must=write_out(rule.must),
            svar=svar,
            delsvar=delsvar,
            at_signing=rule.at_signing,
            facet="rule",
            node=rule,
        )

    def _worded(self, message: str) -> str:
        """A rule's message with its questions named."""
        return _PLACE.sub(lambda place: self._type.term(place[1]), message)

    def _make(
        self,
        facet: str,
        node: Question | Delsvar | IntygType,
        ref: Ref,
        message: str,
        each: str,
        must: str,
        svar: str | None = None,
        delsvar: str | None = None,
    ) -> Assertion:
        rule = f"{self._type.key}/{ref.id}"
        return Assertion(
            rule, ref.severity, message, each, must, svar, delsvar, facet=facet, node=node
        )


@dataclass(frozen=True)
class _Bound:
    facet: str  # `few` or `many`
    ref: Ref
    words: str
    limit: int

    def of(self, nodes: str) -> str:
        return f"count({nodes}) {'>=' if self.facet == 'few' else '<='} {self.limit}"


def _bounds(count: Count) -> Iterator[_Bound]:
    """The limits that a count sets, with their words."""
    if count.least == 1:
        yield _Bound("few", count.too_few, "is missing", 1)
    elif count.least:
        words = f"must occur at least {count.least} times"
        yield _Bound("few", count.too_few, words, count.least)
    if count.most is not None:
        words = f"must occur at most {'once' if count.most == 1 else f'{count.most} times'}"
        yield _Bound("many", count.too_many, words if count.most else "must not occur", count.most)


def _allowed_svar(intyg_type: IntygType, ids: SvarIds) -> tuple[str, str]:
    """XPath over a svar whose id is allowed, and the ids in words."""
    known = tuple(question.svar for question in intyg_type.questions if not question.last)
    must, shown = _one_of_ids(known + ids.also), ", ".join(known)
    for ending in ids.ending_with:
        must += f" or {_ends_with(ending)}"
    if ids.first is not None:
        width = len(str(ids.last))  # a number with zeros before it is another id
        must += (
            f" or (number(@id) >= {ids.first} and number(@id) <= {ids.last}"
            f" and string-length(@id) = {width})"
        )
        shown += f" and {ids.first} to {ids.last}"
    return must, shown


def _one_of_ids(ids: tuple[str, ...]) -> str:
    """XPath: the node's id is one of these; `*106.2` is any id that ends so."""
    whole = tuple(each for each in ids if not each.startswith("*"))
    endings = [_ends_with(each[1:]) for each in ids if each.startswith("*")]
    return " or ".join([one_of("@id", whole), *endings])


def _ends_with(ending: str) -> str:
    return f"substring(@id, string-length(@id) - {len(ending) - 1}) = {literal(ending)}"


_Check: TypeAlias = tuple[str, Ref, str, str]
"""Facet, rule, what must be, XPath."""


def _value_checks(part: Delsvar) -> Iterator[_Check]:
    """What one delsvar must hold."""
    kind = KINDS[part.type]
    code = "normalize-space(t:cv/t:code)"
    free = f"{KINDS['yes_no'].xpath} or " if part.type == "boolean_or_cv" else ""
    yield "type", part.type_refs[-1], f"must be {kind.words}", kind.xpath
    if part.system:
        words = f"must have the code system {' or '.join(part.system.values)}"
        exact = part.system.match is Match.EXACT
        subject = "t:cv/t:codeSystem" if exact else "normalize-space(t:cv/t:codeSystem)"
        yield "system", part.system.ref, words, free + _matching(subject, part.system)
    if part.codes:
        words = f"must be one of {', '.join(value for value in part.codes.values if value)}"
        yield "codes", part.codes.ref, words, free + _matching(code, part.codes)
    if part.pattern:
        pattern = PATTERNS[part.pattern[0]]
        yield "pattern", part.pattern[1], f"must be a code: {pattern.words}", pattern.xpath
    if part.code_length:
        most = int(part.code_length.most)
        words = f"must be a code of at most {most} characters"
        yield "code_length", part.code_length.ref, words, f"string-length({code}) <= {most}"
    if part.length:
        most = int(part.length.most)
        words = f"must be at most {most} characters long"
        must = f"string-length(normalize-space(text()[1])) <= {most}"
        yield "length", part.length.ref, words, must
    if part.days:
        first, last = part.days.first, part.days.last
        words = f"must be from {first} to {last}"
        dates = ("t:datePeriod/t:start", "t:datePeriod/t:end") if part.type == "period" else (".",)
        must = " and ".join(_between(date, first, last) for date in dates)
        yield "days", part.days.ref, words, must
    if part.size:
        size = f"{part.size.most:g}"
        number = write_out("decimal(.)")
        must = f"{number} <= {size} and {number} >= -{size}"
        yield "size", part.size.ref, f"must be between -{size} and {size}", must
    if part.unit:
        words = f"must have the unit {' or '.join(part.unit.values)}"
        unit = _matching("normalize-space(t:pq/t:unit)", part.unit)
        yield "unit", part.unit.ref, words, unit


def _between(date: str, first: str, last: str) -> str:
    """`date` is between two days; also true of what is no date, which other checks name."""
    number = write_out(f"num({date})")
    return f"not({number} < {first.replace('-', '')} or {number} > {last.replace('-', '')})"


def _address(parent: str, *names: str) -> str:
    """The elements are filled in, and the postal code is five digits."""
    filled = " and ".join(f"normalize-space({parent}/c:{name}) != ''" for name in names)
    code = f"translate(normalize-space({parent}/c:postnummer), ' ', '')"
    return f"{filled} and translate({code}, '123456789', '000000000') = '00000'"


def _checks_across(question: Question, part: Delsvar) -> Iterator[_Check]:
    """What all delsvar with one id must fulfil together."""
    if part.unique:
        must = _different(question.svar, part.id, compared(question))
        yield "unique", part.unique, "must not hold the same code twice", must
    most = question.count.most or compared(question)
    if part.overlap:
        must = _apart(question.svar, part.id, most, "order", "<")
        yield "overlap", part.overlap, "must not hold periods that overlap", must
    if part.shared_day:
        must = _apart(question.svar, part.id, most, "num", "<=")
        yield "shared_day", part.shared_day, "must not hold periods that share a day", must


def each_xpath(rule: Rule) -> str:
    """Where a rule applies before its conditions, from the intyg."""
    if rule.each is None:
        return "."
    if rule.each.endswith(".."):
        return f"c:svar[number(@id) >= {rule.each.removesuffix('..')}]"
    if level_of(rule) == 2:
        return f"c:svar/c:delsvar[@id='{rule.each}']"
    return f"c:svar[@id='{rule.each}']"


def level_of(rule: Rule) -> int:
    """What a rule's expressions are relative to: 0 the intyg, 1 a svar, 2 a delsvar."""
    if rule.each is None:
        return 0
    return 1 if rule.each.endswith("..") or "." not in rule.each else 2


def conditions(rule: Rule) -> Iterator[str]:
    """What a place must fulfil for a rule to apply to it."""
    if rule.is_:
        yield _is(rule.is_)
    if rule.is_not:
        yield _is_not(rule.is_not)
    if rule.where:
        yield write_out(rule.where)


def concerned(rule: Rule) -> tuple[str | None, str | None]:
    """The svar and delsvar that a rule's finding names."""
    node_id = rule.each or next(iter(rule.concerns), None)
    if node_id is None or node_id.endswith(".."):
        return None, None
    svar, dot, _ = node_id.partition(".")
    return svar, node_id if dot else None


def _is(values: tuple[str, ...]) -> str:
    if values == ("yes",):
        return YES
    if values == ("no",):
        return NO
    return f"t:cv/t:code[{one_of('normalize-space()', values)}]"


def _is_not(values: tuple[str, ...]) -> str:
    if values in (("yes",), ("no",)):
        return f"not({_is(values)})"
    # a delsvar without any code is not «another code»
    return f"t:cv/t:code[not({one_of('normalize-space()', values)})]"


def _matching(subject: str, values: Values) -> str:
    if values.match is Match.EXACT:
        return one_of(subject, values.values)
    compare = like if values.match is Match.TRIMMED else contains_like
    return " or ".join(compare(subject, value) for value in values.values)


def compared(question: Question) -> int:
    """How many svar are compared with each other: one more than there may be, or ten."""
    return question.count.most + 1 if question.count.most else 10


def _different(svar: str, delsvar: str, most: int) -> str:
    """No two of the first `most` svar hold the same code."""

    def code(row: int) -> str:
        return write_out(f"svar({svar})[{row}]/code({delsvar})")

    return " and ".join(
        f"not({code(other)} and normalize-space({code(one)}) = normalize-space({code(other)})"
        f" and {code(one)})"
        for one, other in _pairs(most)
    )


def _pairs(most: int) -> list[tuple[int, int]]:
    return [(one, other) for one in range(1, most + 1) for other in range(one + 1, most + 1)]


def _apart(svar: str, delsvar: str, most: int, read: str, before: str) -> str:
    """
    No two of the first `most` periods overlap; `before` compares a start with an end.

    `read` is `order` where the national rule compares texts, otherwise `num`.
    """

    def end(row: int, name: str) -> str:
        return write_out(f"{read}(svar({svar})[{row}]/delsvar({delsvar})/t:datePeriod/t:{name})")

    return " and ".join(
        f"not({end(one, 'start')} {before} {end(other, 'end')}"
        f" and {end(other, 'start')} {before} {end(one, 'end')})"
        for one, other in _pairs(most)
    )
