"""What keeps a draft from being signed, by the field that it stands beside, in words of the form.

The findings are those that `/api/utkast` answers. Their messages are English; in Swedish a sentence
of ours stands for each kind of check, and for rules across questions one for each way in which type
files word them. What has none is shown as it is.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from intyg.adapter.console.pages.draft_cards import headline, id_of
from intyg.adapter.console.pages.draft_fault_texts import in_swedish
from intyg.adapter.console.pages.draft_typed import UNSTORABLE, Place
from intyg.pages.words import Words
from intyg.schemas.finding import Finding
from intyg.schemas.intyg_model import Delsvar, IntygType, Question
from intyg.schemas.rules.assertion import Assertion, assertions_of

UNIT: Final = "unit"
"""Where the faults of the unit and of who writes stand."""

TOP: Final = "top"
"""Where those stand that are about nothing that the form has."""

_MISSING: Final = re.compile(r"required|needed|is missing|both or not at all")
_SVAR: Final = re.compile(r"/intyg/svar(?:\[(\d+)\])?")
_OF_UNIT: Final = re.compile(r"/skapadAv\b|^skapadAv")


@dataclass(frozen=True)
class Fault:
    """
    A finding as the form shows it.

    Attributes:
        slot: Where it stands: the id of an element.
        card: The question that it is in; `unit` or `top` for the others.
        language: What the text is in.
        missing: Something is not there yet, which nobody is told before asking to sign.
    """

    slot: str
    card: str
    text: str
    language: str
    rule: str
    missing: bool


def slot_of(svar: str) -> str:
    """Where the faults of a question as a whole stand."""
    return f"faults-{svar}"


def field_slot(name: str) -> str:
    """Where those of one field stand."""
    return f"faults-{id_of(name)}"


def faults_of(
    findings: Iterable[Finding],
    places: Sequence[Place],
    intyg_type: IntygType,
    say: Words,
    unstored: Iterable[tuple[Place, Finding]] = (),
) -> list[Fault]:
    """
    Each finding with its place and its sentence; of what could not be stored first.

    Args:
        places: Of the rows that were looked at, in their order.
    """
    known = {(each.rule, each.delsvar, each.message): each for each in assertions_of(intyg_type)}
    told = [_fault(each, place, None, intyg_type, say) for place, each in unstored]
    held = {(place, each.delsvar) for place, each in unstored}
    for each in findings:
        place = _place_of(each, places)
        if (place, each.delsvar) not in held:
            message = each.message.partition("; `")[0]  # before what is added of a stray value
            assertion = known.get((each.rule, each.delsvar, message))
            told.append(_fault(each, place, assertion, intyg_type, say))
    return list(dict.fromkeys(told))


def _place_of(finding: Finding, places: Sequence[Place]) -> Place | None:
    """The row that a finding is in, by its position in the certificate."""
    found = _SVAR.search(finding.xpath)
    number = int(found[1] or 1) if found else 0
    if 0 < number <= len(places):
        return places[number - 1]
    return (finding.svar, "0") if finding.svar else None


def _fault(
    finding: Finding,
    place: Place | None,
    assertion: Assertion | None,
    intyg_type: IntygType,
    say: Words,
) -> Fault:
    slot, card = _slot(finding, place, intyg_type)
    text, language = sentence(finding, assertion, intyg_type, say)
    facet = assertion.facet if assertion else ""
    missing = facet == "few" or (facet == "rule" and bool(_MISSING.search(finding.message)))
    return Fault(
        slot, card, text, language, finding.rule.rpartition("/")[2], missing or card == UNIT
    )


def _slot(
    finding: Finding, place: Place | None, intyg_type: IntygType
) -> tuple[str, str]:  # fmt: skip
    if finding.svar is None and place is None:
        where = UNIT if _OF_UNIT.search(finding.xpath) or _is_address(finding) else TOP
        return slot_of(where), where
    if place is None or (finding.svar and place[0] != finding.svar):
        return slot_of(finding.svar or TOP), finding.svar or TOP
    question = intyg_type.question_of(place[0])
    ids = {part.id.replace("*", place[0]) for part in question.delsvar} if question else set()
    if finding.delsvar in ids and (finding.svar is None or place[0] == finding.svar):
        return field_slot(f"{place[0]}~{place[1]}~{finding.delsvar}"), place[0]
    return slot_of(place[0]), place[0]


def _is_address(finding: Finding) -> bool:
    return finding.message.startswith("the unit's ")


# --- the sentence ---------------------------------------------------------------------------------


def sentence(
    finding: Finding, assertion: Assertion | None, intyg_type: IntygType, say: Words
) -> tuple[str, str]:
    """What is wrong, and the language that it is said in."""
    for step in finding.xpath.split("/"):
        if say.knows(f"fault.{finding.rule}.{step}"):
            return say(f"fault.{finding.rule}.{step}"), say.language
    if say.language == "en":
        return headline(finding.message) + ".", "en"
    if finding.rule == UNSTORABLE and finding.delsvar:
        part = _part(intyg_type, finding)
        return say("fault.unstored", what=_kind(part, say)), "sv"
    if say.knows(f"fault.{finding.rule}"):
        return say(f"fault.{finding.rule}"), "sv"
    found = _of_facet(assertion, say) if assertion else None
    return (found, "sv") if found else (headline(finding.message) + ".", "en")


def _part(intyg_type: IntygType, finding: Finding) -> Delsvar | None:
    question = intyg_type.question_of(finding.svar or "")
    parts = question.delsvar if question else ()
    wanted = finding.delsvar or ""
    return next((each for each in parts if each.id.replace("*", wanted[:4]) == wanted), None)


def _kind(part: Delsvar | None, say: Words) -> str:
    return say(f"fault.type.{part.type}") if part else say("fault.type.text")


def _of_facet(assertion: Assertion, say: Words) -> str | None:
    node, facet = assertion.node, assertion.facet
    if facet == "rule":
        said = in_swedish(assertion.message)
        return headline(said) if said else None
    if isinstance(node, Question | Delsvar) and facet in ("few", "many"):
        about = "question" if isinstance(node, Question) else "part"
        return say(f"fault.{facet}.{about}", term=headline(node.term), n=node.count.most or 0)
    if isinstance(node, Delsvar) and facet == "type":
        return _kind(node, say)
    if facet == "address":
        return say("fault.unit" if "unit" in assertion.message else "fault.patient")
    return say(f"fault.{facet}", **_limits(node)) if say.knows(f"fault.{facet}") else None


def _limits(node: object) -> dict[str, object]:
    if not isinstance(node, Delsvar):
        return {}
    code, text = node.code_length, node.length
    return {
        "term": headline(node.term),
        "code": int(code.most) if code else 0,
        "length": int(text.most) if text else 0,
        "first": node.days.first if node.days else "",
        "last": node.days.last if node.days else "",
        "size": f"{node.size.most:g}" if node.size else "",
    }


def by_slot(faults: Iterable[Fault]) -> Mapping[str, list[Fault]]:
    """Those of each slot."""
    found: dict[str, list[Fault]] = {}
    for each in faults:
        found.setdefault(each.slot, []).append(each)
    return found
