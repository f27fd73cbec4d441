"""A certificate as a person reads it: category, question, answer, in the order of the form.

Answers to questions that the type does not have stand at the end, so that nothing is hidden.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final
from unicodedata import category

from lxml import etree

from intyg.schemas.intyg_model import Delsvar, IntygType, Question
from intyg.schemas.ns import CORE, TYPES

_C, _T = f"{{{CORE}}}", f"{{{TYPES}}}"
_NEITHER: Final = "Uppgifter som intygstypen inte har"
_WORDS: Final = {"true": "Ja", "1": "Ja", "false": "Nej", "0": "Nej"}

_STYLE: Final = (
    "body{font-family:sans-serif;max-width:45em;margin:2em auto;line-height:1.4}"
    "dt{font-weight:bold;margin-top:.6em}dd{margin:0 0 0 1.5em;white-space:pre-wrap}"
    "small{color:#555;font-weight:normal}"
)


@dataclass(frozen=True)
class Answer:
    """
    One answer.

    Attributes:
        id: Of the delsvar, `35.1`.
        term: What is asked, Swedish; empty where the type does not know it.
        text: What is answered: codes by their text, yes and no as Ja and Nej.
    """

    id: str
    term: str
    text: str


@dataclass(frozen=True)
class Answered:
    """A svar with its answers; `number` counts the svar of a repeated question from 1."""

    id: str
    term: str
    category: str | None
    number: int | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Rendering:
    """
    A certificate in words.

    Attributes:
        title: The type's name.
        facts: What it is, who it is about and who issued it, as pairs of label and text.
        answered: Its svar, in form order, those of unknown questions last.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    answered: tuple[Answered, ...]

    def as_text(self) -> str:
        """Plain text, one answer a line; further lines of it are indented."""
        lines = [self.title, "=" * len(self.title), ""]
        lines += [f"{label}: {text}" for label, text in self.facts]
        heading = None
        for svar in self.answered:
            if svar.category != heading:
                heading = svar.category
                lines += ["", heading.upper()] if heading else []
            lines += ["", _heading(svar)]
            for answer in svar.answers:
                text = answer.text.replace("\n", "\n      ")
                lines.append(f"  {answer.term} ({answer.id}): {text}".replace("   (", "  ("))
        return "\n".join(lines) + "\n"

    def as_html(self) -> str:
        """A whole HTML page that loads nothing from elsewhere."""
        parts = [
            '<!DOCTYPE html>\n<html lang="sv">\n<head>\n<meta charset="utf-8">',
            f"<title>{escape(self.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>{escape(self.title)}</h1>\n<dl>",
            *(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in self.facts),
            "</dl>",
        ]
        heading = None
        for svar in self.answered:
            if svar.category != heading:
                heading = svar.category
                parts += [f"<h2>{escape(heading)}</h2>"] if heading else []
            parts.append(f"<h3>{escape(_heading(svar))}</h3>\n<dl>")
            for answer in svar.answers:
                label = f"{escape(answer.term)} <small>({escape(answer.id)})</small>"
                parts.append(f"<dt>{label}</dt><dd>{escape(answer.text)}</dd>")
            parts.append("</dl>")
        return "\n".join([*parts, "</body>\n</html>\n"])


def render(intyg_type: IntygType, intyg: etree._Element) -> Rendering:
    """
    A certificate in words.

    Args:
        intyg_type: Its type; what the type does not know is shown by its id.
        intyg: The element, anywhere in a message. It need not be valid.
    """
    svar = list(intyg.iterchildren(f"{_C}svar"))
    order = {question.svar: place for place, question in enumerate(intyg_type.questions)}
    by_id: dict[str, list[etree._Element]] = {}
    for element in svar:
        by_id.setdefault(element.get("id", ""), []).append(element)
    answered: list[Answered] = []
    for svar_id in sorted(by_id, key=lambda node: order.get(node, len(order))):
        question = intyg_type.question_of(svar_id)
        rows = by_id[svar_id]
        for number, element in enumerate(rows, 1):
            answered.append(_answered(question, element, number if len(rows) > 1 else None))
    return Rendering(
        f"{intyg_type.code} {intyg_type.name}", tuple(_facts(intyg_type, intyg)), tuple(answered)
    )


def _heading(svar: Answered) -> str:
    number = f" {svar.number}" if svar.number else ""
    return f"{svar.id}. {svar.term}{number}" if svar.term else f"{svar.id}.{number}"


def _answered(question: Question | None, element: etree._Element, number: int | None) -> Answered:
    svar_id = element.get("id", "")
    parts = {} if question is None else {part.id: part for part in question.delsvar}
    order = {part_id: place for place, part_id in enumerate(parts)}
    answers = []
    for delsvar in element.iterchildren(f"{_C}delsvar"):
        part_id = delsvar.get("id", "")
        part = parts.get(part_id) or parts.get("*." + part_id.partition(".")[2])
        answers.append(Answer(part_id, part.term if part else "", _said(part, delsvar)))
    answers.sort(key=lambda answer: order.get(answer.id, len(order)))
    return Answered(
        svar_id,
        question.term if question else "",
        question.category if question else _NEITHER,
        number,
        tuple(answers),
    )


def _said(part: Delsvar | None, delsvar: etree._Element) -> str:
    """What a delsvar says, in words."""
    said = [delsvar.text or ""]
    for element in delsvar.iterchildren(etree.Element):
        said += [_in_words(part, element), element.tail or ""]
    text = "; ".join(piece for piece in map(_plain, said) if piece)
    if part is not None and part.type in ("boolean", "yes_no", "boolean_or_cv"):
        return _WORDS.get(text, text)
    return text


def _plain(text: str) -> str:
    """Without blanks around it and without characters that would steer a terminal."""
    return "".join(
        char for char in text if char in "\n\t" or not category(char).startswith("C")
    ).strip()


def _in_words(part: Delsvar | None, element: etree._Element) -> str:
    name = etree.QName(element).localname

    def text(child: str) -> str:
        return (element.findtext(f"{_T}{child}") or "").strip()

    match name:
        case "cv":
            return _code_in_words(part, text("code"), text("codeSystem"), text("displayName"))
        case "datePeriod":
            return f"{text('start')} till {text('end')}"
        case "partialDate":
            return text("value")
        case "pq":
            return f"{text('value')} {text('unit')}".strip()
    return " ".join("".join(str(piece) for piece in element.itertext()).split())


def _code_in_words(part: Delsvar | None, code: str, system: str, display: str) -> str:
    """The code's text: from our list, since nobody checks the one in the message."""
    for code_list in part.code_lists if part else ():
        if code in code_list.codes and code_list.system in (system, ""):
            return f"{code_list.codes[code]} [{code}]"
    return f"{display} [{code}]" if display else f"[{code}]"


def _facts(intyg_type: IntygType, intyg: etree._Element) -> Iterator[tuple[str, str]]:
    def text(*names: str) -> str:
        steps = [name if name.startswith("{") else f"{_C}{name}" for name in names]
        return (intyg.findtext("/".join(steps)) or "").strip()

    extension = f"{_T}extension"
    patient = " ".join(filter(None, (text("patient", "fornamn"), text("patient", "efternamn"))))
    relation = (
        text("relation", "typ", f"{_T}code"),
        text("relation", "intygs-id", extension),
    )
    pairs = (
        ("Version", text("version")),
        ("Intygs-id", text("intygs-id", extension)),
        ("Signerat", text("signeringstidpunkt").replace("T", " ")),
        ("Patient", " ".join(filter(None, (text("patient", "person-id", extension), patient)))),
        ("Utfärdare", text("skapadAv", "fullstandigtNamn")),
        ("Enhet", text("skapadAv", "enhet", "enhetsnamn")),
        ("Vårdgivare", text("skapadAv", "enhet", "vardgivare", "vardgivarnamn")),
        ("Mottagare", intyg_type.recipient or ""),
        ("Relation", " ".join(filter(None, relation))),
    )
    for label, said in pairs:
        if said:
            yield label, _plain(said)
