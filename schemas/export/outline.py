"""A certificate type in words: what it is, what may be done with it, and its question tree."""

from collections.abc import Iterator
from typing import Final

from intyg.schemas.finding import Severity
from intyg.schemas.intyg_model import (
    Count,
    Delsvar,
    Engine,
    Instans,
    IntygHeader,
    IntygType,
    Question,
)
from intyg.schemas.rules.assertion import assertions_of
from intyg.schemas.rules.kinds import KINDS, PATTERNS

ROLES: Final = {
    "lakare": "doctor",
    "privatlakare": "private doctor",
    "tandlakare": "dentist",
    "sjukskoterska": "nurse",
    "barnmorska": "midwife",
}
"""Who may sign, in English."""

ENGINES: Final = {
    Engine.CS: "cs, the newer national engine",
    Engine.LEGACY: "legacy, the older national engine",
}
"""Whose events care is told, in English."""


def outline(intyg_type: IntygType, *, rules: bool = False) -> Iterator[str]:
    """
    A type as lines of text: header and questions.

    Args:
        intyg_type: The type and version.
        rules: Also everything that is checked, by the id of its rule.
    """
    yield f"{intyg_type.code} {intyg_type.name}, version {intyg_type.version}"
    yield ""
    for label, text in header_facts(intyg_type):
        yield f"{label + ':':<18}{text}"
    yield ""
    yield "Questions"
    category = None
    for question in intyg_type.questions:
        if question.category and question.category != category:
            category = question.category
            yield ""
            yield f"  [{category}]"
        yield from _question_lines(question)
    if rules:
        yield ""
        yield "Rules"
        for assertion in assertions_of(intyg_type):
            rule = assertion.rule.removeprefix(f"{intyg_type.key}/")
            only = " [only warns]" if assertion.severity is Severity.WARNING else ""
            yield f"  {rule:<14} {assertion.message}{only}"


def header_facts(header: IntygHeader) -> Iterator[tuple[str, str]]:
    """What a type is, as pairs of label and text."""
    yield "In the XML", f"{header.xml_code}, version {' or '.join(header.xml_versions)}"
    if header.former:
        yield "Formerly", ", ".join(header.former)
    yield "Recipient", header.recipient or "none: not sent electronically"
    yield "Signed by", ", ".join(ROLES[role] for role in header.signs)
    yield "Sent", sending_in_words(header)
    yield "Recipient asks", _listed(header.messages.incoming)
    yield "Care asks", _listed(header.messages.care)
    yield "Events as", ENGINES[header.engine]
    yield "May be", usage_in_words(header)
    checked = "the national Schematron" if header.national_rules else "our own rules; it has none"
    yield "Refused by", checked


def sending_in_words(header: IntygHeader) -> str:
    """When a certificate goes to its recipient by itself."""
    if header.recipient is None:
        return "never"
    if not header.usage.send:
        return "no longer"
    if header.sent_on_signing:
        return "when signed"
    if header.sent_on_complement:
        return "when asked to; when signed if it answers a completion request"
    return "when asked to"


def usage_in_words(header: IntygHeader) -> str:
    """What may still be done with certificates of a type, and what replaced it."""
    usage = header.usage
    may = []
    if usage.register:
        may.append("registered")
    if usage.renew:
        may.append("renewed")
    if usage.send and header.recipient:
        may.append("sent")
    words = ", ".join(may) if may else "only read"
    if usage.replaced_by:
        newer = usage.replaced_by == header.code
        words += f"; replaced by {'a newer version' if newer else usage.replaced_by}"
    return words + (f" ({usage.note})" if usage.note else "")


def count_in_words(count: Count) -> str:
    """How many times something occurs."""
    if count.least == count.most == 1:
        return "once"
    if count.most is None:
        return "any number of times" if not count.least else f"at least {count.least}"
    if count.least == 0:
        return "optional" if count.most == 1 else f"at most {count.most}"
    return f"{count.least}" if count.least == count.most else f"{count.least} to {count.most}"


def value_in_words(part: Delsvar) -> Iterator[str]:
    """What a delsvar may hold, one thing a line."""
    yield KINDS[part.type].words
    if part.length:
        yield f"at most {part.length.most:g} characters"
    if part.size:
        yield f"from -{part.size.most:g} to {part.size.most:g}"
    if part.unit:
        yield f"in {' or '.join(part.unit.values)}"
    if part.days:
        yield f"from {part.days.first} to {part.days.last}"
    if part.pattern:
        yield PATTERNS[part.pattern[0]].words
    if part.code_length:
        yield f"a code of at most {part.code_length.most:g} characters"
    if part.unique:
        yield "no code twice"
    if part.overlap or part.shared_day:
        yield "no periods that overlap"


def codes_of(part: Delsvar) -> Iterator[tuple[str, str, str]]:
    """Code, code system and Swedish text of each code that a delsvar may hold."""
    wanted = part.codes.values if part.codes else None
    for code_list in part.code_lists:
        for code, text in code_list.codes.items():
            if wanted is None or code in wanted:
                yield code, code_list.system, text


def _question_lines(question: Question) -> Iterator[str]:
    svar = f"{question.svar}..{question.last}" if question.last else question.svar
    instans = {Instans.REQUIRED: ", numbered", Instans.OPTIONAL: ", may be numbered"}
    counted = count_in_words(question.count) + instans.get(question.instans, "")
    yield ""
    yield f"  {svar:<5} {question.term} ({counted})"
    if question.when:
        yield f"        when: {question.when}"
    for part in question.delsvar:
        yield f"    {part.id:<6} {part.term} ({count_in_words(part.count)})"
        if part.when:
            yield f"           when: {part.when}"
        yield f"           {'; '.join(value_in_words(part))}"
        if part.code_lists:
            names = ", ".join(code_list.name for code_list in part.code_lists)
            yield f"           code list {names}:"
            for code, _, text in codes_of(part):
                yield f"             {code}: {text}"
        elif part.system:
            yield f"           code system {' or '.join(part.system.values)}"


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words) if words else "none"
