"""Values in two pieces: `ID<!-- -->X` is `ID` to one reader, and `IDX` to another.

An XSD passes over comments and processing instructions, and signatures do not cover comments. So a
certificate could be revoked here, and another one at its authority.

Source: XML 1.0 sections 2.5 and 2.6; Canonical XML 1.1 section 2.1; XML Schema 1.0 part 1, 3.1.1.
"""

from typing import Any, Final

from lxml import etree

from intyg.schemas.finding import MAX_FINDINGS, Finding
from intyg.schemas.positions import Positions

RULE: Final = "SPLIT_VALUE"
TEXT: Final = (
    "a value must be in one piece: no comment and no processing instruction may stand in it, since "
    "two systems can read such a value in two ways"
)

_BROKEN: Final = etree.XPath(
    "descendant-or-self::*[comment() or processing-instruction()]"
    "[not(*) or text()[normalize-space()]]"
)
"""Between elements, where there is no text, they change nothing."""


def split_values(root: etree._Element) -> list[Finding]:
    """
    Every value of a message that holds a comment or a processing instruction.

    Args:
        root: A request or response element; what is around it is not looked at.

    Returns:
        At most `MAX_FINDINGS`, in document order.
    """
    if next(root.iter(etree.Comment, etree.PI), None) is None:  # nearly always
        return []
    positions = Positions(_name)
    found: Any = _BROKEN(root)  # elements, since that is what the path ends with
    return [
        Finding(RULE, TEXT, _path(element, root, positions), element.sourceline)
        for element in found[:MAX_FINDINGS]
    ]


def _path(element: etree._Element, root: etree._Element, positions: Positions) -> str:
    steps = []
    for node in (element, *element.iterancestors()):
        number, namesakes = (1, 1) if node is root else positions.of(node)
        steps.append(f"{_name(node)}[{number}]" if namesakes > 1 else _name(node))
        if node is root:
            break
    return "/" + "/".join(reversed(steps))


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
