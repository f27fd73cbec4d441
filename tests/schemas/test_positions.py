from lxml import etree

from intyg.schemas.positions import Positions


def test_namesakes_are_numbered_in_document_order() -> None:
    root = etree.fromstring('<a><b/><c/><!-- b --><b/><b xmlns="x"/></a>')
    by_tag = Positions(lambda element: str(element.tag))
    by_local_name = Positions(lambda element: etree.QName(element).localname)
    elements = [child for child in root if isinstance(child.tag, str)]
    assert [by_tag.of(element) for element in elements] == [(1, 2), (1, 1), (2, 2), (1, 1)]
    assert [by_local_name.of(element) for element in elements] == [(1, 3), (1, 1), (2, 3), (3, 3)]
    assert by_tag.of(root) == (1, 1)


def test_many_are_counted_once() -> None:
    root = etree.fromstring("<a>" + "<b/>" * 1000 + "</a>")
    named = []

    def name(element: etree._Element) -> str:
        named.append(element)
        return str(element.tag)

    positions = Positions(name)
    assert [positions.of(child)[0] for child in root] == list(range(1, 1001))
    assert len(named) == 2000  # once when they are counted, once when it is asked for
