"""Whose numbers stand in a message: what the guard asks about besides what was written down of it.

Source: clinicalprocess_healthcond_certificate_types_3.2.xsd, `PersonId`.
"""

from collections.abc import Iterator
from typing import Final, cast

from lxml import etree

from intyg.adapter.domain.person import PersonId
from intyg.schemas.codes import PERSONNUMMER_ROOT, SAMORDNINGSNUMMER_ROOT

_MAY_BE: Final = etree.XPath("descendant-or-self::*[*[local-name()='extension']]")
"""Only few elements have a child of this name."""

_ROOTS: Final = frozenset({PERSONNUMMER_ROOT, SAMORDNINGSNUMMER_ROOT})


def persons_in(message: etree._Element) -> frozenset[PersonId]:
    """
    Everybody with a number in a message, wherever it stands and whatever its element is called.

    A number that a comment splits is read in each way that a receiver may read it.
    """
    elements = cast(list[etree._Element], _MAY_BE(message))
    return frozenset(person for element in elements for person in _persons(element))


def _persons(element: etree._Element) -> Iterator[PersonId]:
    parts = {etree.QName(child).localname: child for child in element.iterchildren(etree.Element)}
    is_person = etree.QName(element).localname.lower().endswith("erson-id")
    roots = _readings(parts["root"]) if "root" in parts else {""}
    for root in roots:
        if is_person or root in _ROOTS:
            yield from (PersonId(root, number) for number in _readings(parts["extension"]))


def _readings(value: etree._Element) -> set[str]:
    """A value as it is read; with something in the middle of it there are several ways."""
    return {(value.text or "").strip(), "".join(map(str, value.itertext())).strip()}
