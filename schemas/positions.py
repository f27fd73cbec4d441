"""Which of several an element is: what an XPath says in brackets."""

from collections.abc import Callable

from lxml import etree


class Positions:
    """
    Numbers elements among their siblings of the same name.

    The siblings of a parent are counted once, however many of them are asked about: counting them
    for each would cost the square of their number. Only while the document does not change.

    Args:
        name: What of an element is its name.
    """

    def __init__(self, name: Callable[[etree._Element], str]) -> None:
        self._name = name
        self._numbers: dict[etree._Element, dict[etree._Element, int]] = {}
        self._counts: dict[etree._Element, dict[str, int]] = {}

    def of(self, element: etree._Element) -> tuple[int, int]:
        """An element's number among its namesakes, from 1, and how many there are with it."""
        parent = element.getparent()
        if parent is None:
            return 1, 1
        if parent not in self._numbers:
            self._count(parent)
        return self._numbers[parent][element], self._counts[parent][self._name(element)]

    def _count(self, parent: etree._Element) -> None:
        counts: dict[str, int] = {}
        numbers: dict[etree._Element, int] = {}
        for child in parent.iterchildren(etree.Element):
            name = self._name(child)
            numbers[child] = counts[name] = counts.get(name, 0) + 1
        self._numbers[parent], self._counts[parent] = numbers, counts
