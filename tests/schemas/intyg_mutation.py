"""Small changes to a certificate, of every sort that a sender gets wrong; most break some rule."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st
from lxml import etree

from intyg.schemas.intyg_model import IntygType
from intyg.schemas.ns import CORE, TYPES, message

SVAR: Final = f"{{{CORE}}}svar"
DELSVAR: Final = f"{{{CORE}}}delsvar"
INSTANS: Final = f"{{{CORE}}}instans"
CODE: Final = f"{{{TYPES}}}code"
SYSTEM: Final = f"{{{TYPES}}}codeSystem"

IDS: Final = (
    "", " 1", "1 ", "01", "1.1", "1.10", "9.1", "112", "9000", "9001", "9999", "10000", "9001.1",
    "1e1", "+9001", "９００１", "x",
)  # fmt: skip
CODES: Final = (
    "", " ", "ANNAT", "annat", "NI", "F3", "F32", "f32", "Z73", "Z730", "M54-5", "M54.5",
    "S47123", "ÅÄÖ", "90734009", "E10", "VAR11",
)  # fmt: skip
SYSTEMS: Final = (
    "", "x", "1.2.752.116.1.1.1", "1.2.752.116.1.1.1.1.3", "1.2.752.116.1.1.1.1.8",
    "1.2.752.116.1.3.1.4.1", "x1.2.752.116.1.1.1.1.3", "KV_FKMU_0001",
)  # fmt: skip
DATES: Final = (
    "2026-11-23", " 2026-11-23", "2026-11-23 ", "2026-11-23Z", "2026-11-23+01:00",
    "2026-11-23+99:00", "2026-11-23T10:00:00", "20261123", "26-11-23", "2026-2-3", "23-11-2026",
    "2026/11/23", "2026-02-29", "2024-02-29", "1900-02-29", "2000-02-29", "2026-04-31",
    "2026-13-01", "2026-00-00", "2026-11-00", "0000-00-00", "0000-01-01", "0001-01-01",
    "-2026-01-01", "9999-12-31", "12026-01-01", "2099-12-12", "1900-01-01", "1899-12-31", "2026",
    "1890", "2027", "２０２６-11-23", "2026-1e-01", "x",
)  # fmt: skip
BOOLEANS: Final = (
    "true", "false", "1", "0", "TRUE", "True", " true", "false\n", "10", "01", "truefalse",
    "untrue", "yes", "ja", "",
)  # fmt: skip
NUMBERS: Final = (
    "0", "1", "2", " 2 ", "-1", "+1", "1e2", "1e-2", "01", "1.5", "0,7", "0.05", "2.0", "2,1",
    "100", ".", ".5", "5.", "-", "INF", "-INF", "NaN", "１", "1_0", "x",
)  # fmt: skip
BLANKS: Final = ("", " ", "\n\t", "\N{NO-BREAK SPACE}")
NAMESPACES: Final = (CORE, TYPES, message("RegisterCertificate", 3), "urn:example:other")

Draw: TypeAlias = st.DrawFn
Change: TypeAlias = Callable[[Draw, IntygType, etree._Element], None]


@st.composite
def mutations(
    draw: Draw, intyg_type: IntygType, request: etree._Element, most: int = 3
) -> etree._Element:
    """The request with a few changes to the answers of its `intyg`, now and then with none."""
    changed = deepcopy(request)
    least = draw(st.sampled_from((1, 1, 1, 0)))  # left to itself, it is none most of the time
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=least, max_size=most)):
        change(draw, intyg_type, changed[-1])
    return changed


def _drop(draw: Draw, _intyg_type: IntygType, intyg: etree._Element) -> None:
    if (picked := _pick(draw, _nodes(intyg))) is not None:
        _parent(picked).remove(picked)


def _duplicate(draw: Draw, _intyg_type: IntygType, intyg: etree._Element) -> None:
    if (picked := _pick(draw, _nodes(intyg))) is not None:
        picked.addnext(deepcopy(picked))


def _reorder(draw: Draw, _intyg_type: IntygType, intyg: etree._Element) -> None:
    if (picked := _pick(draw, _nodes(intyg))) is not None:
        parent = _parent(picked)
        parent.insert(draw(st.integers(0, len(parent) - 1)), picked)


def _move(draw: Draw, _intyg_type: IntygType, intyg: etree._Element) -> None:
    """A delsvar to another svar."""
    svar, delsvar = list(intyg.iter(SVAR)), list(intyg.iter(DELSVAR))
    if svar and delsvar:
        _pick(draw, svar).append(_pick(draw, delsvar))


def _change_id(draw: Draw, intyg_type: IntygType, intyg: etree._Element) -> None:
    ids = {question.svar for question in intyg_type.questions}
    ids |= {part.id for question in intyg_type.questions for part in question.delsvar}
    picked = _pick(draw, list(intyg.iter(SVAR, DELSVAR)))
    if picked is None:
        return
    new = draw(st.sampled_from((*sorted(ids), *IDS, None)))
    if new is None:
        picked.attrib.pop("id", None)
    else:
        picked.set("id", new)


def _change_code(draw: Draw, intyg_type: IntygType, intyg: etree._Element) -> None:
    lists = [part.code_lists for question in intyg_type.questions for part in question.delsvar]
    codes = sorted({code for several in lists for one in several for code in one.codes})
    code = draw(st.sampled_from((*codes, *CODES)))
    _write(draw, list(intyg.iter(CODE)), [code, f" {code}\n", f"{code}\N{NO-BREAK SPACE}"])


def _change_system(draw: Draw, intyg_type: IntygType, intyg: etree._Element) -> None:
    lists = [part.code_lists for question in intyg_type.questions for part in question.delsvar]
    systems = sorted({one.system for several in lists for one in several})
    system = draw(st.sampled_from((*systems, *SYSTEMS)))
    _write(draw, list(intyg.iter(SYSTEM)), [system, f" {system} "])


def _change_date(draw: Draw, _intyg_type: IntygType, intyg: etree._Element) -> None:
    dates = [leaf for leaf in _leaves(intyg) if _looks_like_date(leaf.text or "")]
    _write(draw, dates, DATES)


def _change_boolean(draw: Draw, _intyg_type: IntygType, intyg: etree._Element) -> None:
    words = {"true", "false", "1", "0"}
    _write(draw, [leaf for leaf in _leaves(intyg) if leaf.text in words], BOOLEANS)


def _change_number(draw: Draw, _intyg_type: IntygType, intyg: etree._Element) -> None:
    numbers = [leaf for leaf in _leaves(intyg) if (leaf.text or "").strip("-0123456789.,") == ""]
    _write(draw, numbers, NUMBERS)


def _blank(draw: Draw, _intyg_type: IntygType, intyg: etree._Element) -> None:
    _write(draw, _leaves(intyg), BLANKS)


def _mix_up(draw: Draw, _intyg_type: IntygType, intyg: etree._Element) -> None:
    """A value of another kind."""
    _write(draw, _leaves(intyg), (*BOOLEANS, *DATES, *NUMBERS, *CODES, "x" * 54, "x" * 4001))


def _add_child(draw: Draw, _intyg_type: IntygType, intyg: etree._Element) -> None:
    parent = _pick(draw, [intyg, *_inside(intyg)])
    names = ("svar", "delsvar", "instans", "cv", "code", "codeSystem", "displayName", "other")
    tag = f"{{{draw(st.sampled_from(NAMESPACES))}}}{draw(st.sampled_from(names))}"
    child = etree.Element(tag)
    child.text = draw(st.sampled_from((None, "true", "x", "2026-11-02")))
    if node_id := draw(st.sampled_from((None, "1", "1.1", "27.1"))):
        child.set("id", node_id)
    extra: etree._Element = draw(
        st.sampled_from((child, child, child, etree.Comment("1"), etree.ProcessingInstruction("p")))
    )
    parent.insert(draw(st.integers(0, len(parent))), extra)


def _change_namespace(draw: Draw, _intyg_type: IntygType, intyg: etree._Element) -> None:
    if (picked := _pick(draw, _inside(intyg))) is not None:
        name = etree.QName(picked).localname
        picked.tag = f"{{{draw(st.sampled_from(NAMESPACES))}}}{name}"


CHANGES: Final[Sequence[Change]] = (
    _drop, _duplicate, _reorder, _move, _change_id, _change_code, _change_system, _change_date,
    _change_boolean, _change_number, _blank, _mix_up, _add_child, _change_namespace,
)  # fmt: skip


def _nodes(intyg: etree._Element) -> list[etree._Element]:
    return list(intyg.iter(SVAR, DELSVAR, INSTANS))


def _inside(intyg: etree._Element) -> list[etree._Element]:
    """Every element in a svar, the svar too."""
    return [each for svar in intyg.iter(SVAR) for each in svar.iter(etree.Element)]


def _leaves(intyg: etree._Element) -> list[etree._Element]:
    return [element for element in _inside(intyg) if not len(element)]


def _looks_like_date(text: str) -> bool:
    return text[:4].isdigit() and (len(text) == 4 or text[4:5] == "-")


def _pick(draw: Draw, elements: Sequence[etree._Element]) -> Any:
    """One of them; None when there is none."""
    return elements[draw(st.integers(0, len(elements) - 1))] if elements else None


def _write(draw: Draw, elements: Sequence[etree._Element], texts: Sequence[str]) -> None:
    picked = _pick(draw, elements)
    if picked is not None:
        picked.text = draw(st.sampled_from(texts))


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None
    return parent
