"""Where an element stands in the bytes, for each element of a document that a parser knows."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from intyg.adapter.domain.errors import FaultError
from intyg.adapter.formats.xml_bytes import bytes_of, document_element

_names = st.sampled_from(["a", "b", "a.b", "p:a", "p:å"])
_texts = st.sampled_from(
    ["", "x", "\r\n", "å", "]]&gt;>", "<!-- </a><b> -->", "<![CDATA[<a></b>]]>", "<?x <a> ?>"]
)
_attributes = st.sampled_from(
    ["", " c='>'", ' c="/"', " xmlns:p='u:2'", " xmlns='u:&#x33;'", ' d = "\'"', " xmlns=''\n"]
)


@st.composite
def _documents(draw: st.DrawFn, depth: int = 2) -> str:
    """An element; the test gives each in it a number, `n`, of its own."""
    name, attributes = draw(_names), draw(_attributes)
    if draw(st.integers(0, 3)) == 0:
        return f"<{name} n=''{attributes}/>"
    children = draw(st.lists(_documents(depth - 1), max_size=3)) if depth else []
    inside = "".join(draw(_texts) + child for child in children) + draw(_texts)
    return f"<{name} n=''{attributes}>{inside}</{name} >"


@settings(max_examples=50)
@given(document=_documents(), before=st.sampled_from(["", "<!-- <a> -->", "<?x <a>?>\n"]))
def test_each_element_is_found_where_it_stands(document: str, before: str) -> None:
    numbers = iter(range(1000))
    text = re.sub(
        " n=''", lambda _: f" n='{next(numbers)}'", f"<p:r xmlns:p='u:1'>{document}</p:r>"
    )
    data = (before + text).encode()
    root = etree.fromstring(data)
    for element in root.iter(etree.Element):
        found = bytes_of(element, data)
        assert found.tag == element.tag
        assert {p: uri for p, uri in found.prefixes.items() if uri} == {
            p or "": uri for p, uri in element.nsmap.items() if uri
        }
        there = data[found.start : found.end]
        if element is not root:
            assert there.split(b"'", 2)[1].decode() == element.get("n")
        assert [child.tag for child in found.children()] == [
            child.tag for child in element.iterchildren(etree.Element)
        ]
        assert found.is_empty == there.endswith(b"/>")
        alone = etree.fromstring(found.alone())
        assert _c14n(alone) == _c14n(element)
        children = list(found.children())  # know their ends by the way to the next
        assert [bytes_of(child, data).end for child in element.iterchildren(etree.Element)] == [
            child.end for child in children
        ]
        assert [child.is_last for child in children] == [
            child is children[-1] for child in children
        ]


def test_a_text_without_element_has_none() -> None:
    with pytest.raises(FaultError):
        document_element(b"<!-- <a/> -->")


def _c14n(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_tail=False)
