"""Where elements stand in the bytes of a document that the parser has accepted.

A parser says what a document holds, not where in the bytes it stands. What is cut out and put in as
bytes is looked for here, by patterns that know comments, CDATA, processing instructions and quoted
values. The patterns run through tags in C: Python is asked once a child that is looked at, never
once a tag.

Source: XML 1.0, productions 14–21, 39–44; Namespaces in XML 1.0, section 3.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import accumulate, compress, islice, pairwise, starmap, tee
from operator import attrgetter, mul, not_
from typing import Final

from lxml import etree

from intyg.adapter.domain.errors import FaultError

# Markup of a well-formed document without a DTD: what is no tag, the inside of a start tag, and the
# tags. The number of a tag's last group tells which: 1 end tag, 2 start tag, 3 empty element.
_NO_TAG: Final = rb"!--.*?-->|!\[CDATA\[.*?\]\]>|\?.*?\?>"
_INSIDE: Final = rb"""[^>"']*(?:(?:"[^"]*"|'[^']*')[^>"']*)*"""
_MARKUP: Final = re.compile(
    rb"<(?:%b|(/)[^>]*>|%b(?:(?<!/)()>|()>))" % (_NO_TAG, _INSIDE), re.DOTALL
)
_END, _START, _EMPTY = 1, 2, 3
_DEEPER: Final = {None: 0, _END: -1, _START: 1, _EMPTY: 0}
"""How many levels deeper it is behind a piece of markup."""
_KIND: Final = attrgetter("lastindex")

_TAG_NAME: Final = re.compile(rb"<([^\s/>]+)")
_ATTRIBUTE: Final = re.compile(rb"""\s+([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
_REFERENCE: Final = re.compile("&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|(lt|gt|amp|quot|apos));")
_LINE_OR_TAB: Final = re.compile("\r\n|[\t\n\r]")
_SPECIAL: Final = re.compile("[&\t\n\r]")
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}

_NOTHING: Final[Mapping[bytes, bytes]] = {}


class ElementBytes:
    """
    An element in the bytes of its document.

    Attributes:
        text: The document, UTF-8; well-formed, without a DTD.
        start: The first byte of its start tag.
        inside: The first byte behind its start tag.
        is_empty: It is an empty element by its syntax, `<a/>`.
        own: The namespace declarations of its start tag: `xmlns` or `xmlns:…` to the quoted value,
            both as written.
        declared: Those in force in it, its own too.
    """

    def __init__(
        self, text: bytes, tag: re.Match[bytes], outside: Mapping[bytes, bytes] = _NOTHING
    ) -> None:
        name = _TAG_NAME.match(text, tag.start())
        assert name is not None
        self.text = text
        self.start, self.inside = tag.span()
        self.is_empty = tag.lastindex == _EMPTY
        self._name, self._behind_name = name[1], name.end()
        self._ends = (self.inside, self.inside) if self.is_empty else None
        self.own = _declarations(text, name.end(), tag.end())
        self.declared = {**outside, **self.own} if self.own else outside

    @property
    def tag(self) -> str:
        """Its name as lxml has it, `{namespace}local`."""
        prefix, _, local = self._name.rpartition(b":")
        quoted = self.declared.get(b"xmlns:" + prefix if prefix else b"xmlns", b'""')
        namespace = _value(quoted)
        return f"{{{namespace}}}{local.decode()}" if namespace else local.decode()

    @property
    def prefixes(self) -> Mapping[str, str]:
        """The prefixes in force in it, with their namespaces; "" is the default one."""
        return {
            attribute[6:].decode(): _value(quoted) for attribute, quoted in self.declared.items()
        }

    @property
    def inside_end(self) -> int:
        """Behind the last byte of its content."""
        return self._end_tag()[0]

    @property
    def end(self) -> int:
        """Behind its last byte."""
        return self._end_tag()[1]

    def _end_tag(self) -> tuple[int, int]:
        """
        From where to where its end tag stands.

        Only tags with the same name need counting: elements nest, so those balance by themselves.
        That is ten times faster than visiting every tag.
        """
        if self._ends is None:
            depth, tags = 1, _tags_named(self._name).finditer(self.text, self.inside)
            while depth:
                tag = next(tags)  # there is one: the document is well-formed
                depth += _DEEPER[tag.lastindex]
            self._ends = tag.span()
        return self._ends

    @property
    def is_last(self) -> bool:
        """No element stands behind it in the same parent."""
        tags = filter(_KIND, _MARKUP.finditer(self.text, self.end))
        return next(tags).lastindex == _END

    def children(self) -> Iterator["ElementBytes"]:
        """Its children, in order; what is behind the last one that is asked for is not read."""
        if self.is_empty:
            return
        markup, again = tee(_MARKUP.finditer(self.text, self.inside))
        depths = accumulate(map(_DEEPER.__getitem__, map(_KIND, again)), initial=0)
        child = None
        # what has no element around it, on one side at least
        for tag in compress(markup, map(not_, starmap(mul, pairwise(depths)))):
            if tag.lastindex != _END:
                if tag.lastindex is not None:
                    child = ElementBytes(self.text, tag, self.declared)
                    yield child
            elif child is None or child.is_empty:
                return
            else:
                child._ends, child = tag.span(), None

    def alone(self) -> bytes:
        """
        The element as a document of its own.

        The declarations in force around it that it does not make itself are added to its start tag,
        after the name; nothing else is changed.
        """
        added = b"".join(
            b" %b=%b" % (attribute, quoted)
            for attribute, quoted in self.declared.items()
            # An undeclared default (xmlns="") needs no undeclaring where nothing is declared.
            if attribute not in self.own and quoted not in (b'""', b"''")
        )
        text, at = self.text, self._behind_name
        return b"%b%b%b" % (text[self.start : at], added, text[at : self.end])


def document_element(text: bytes) -> ElementBytes:
    """
    The element that a document consists of.

    Raises:
        FaultError: There is none.
    """
    first = next(filter(_KIND, _MARKUP.finditer(text)), None)
    if first is None:
        raise FaultError("The message holds no element.")
    return ElementBytes(text, first)


def bytes_of(element: etree._Element, text: bytes) -> ElementBytes:
    """
    Where an element of a parsed document stands in the document's bytes.

    Args:
        text: What was parsed, in UTF-8. What stands behind the element may be other than it was.
    """
    path = [element, *element.iterancestors()][-2::-1]  # without the document element
    found = document_element(text)
    for step in path:
        before = sum(1 for _ in step.itersiblings(etree.Element, preceding=True))
        found = next(islice(found.children(), before, None))
    return found


def _declarations(text: bytes, start: int, end: int) -> dict[bytes, bytes]:
    """The namespace declarations of a start tag."""
    if text.find(b"xmlns", start, end) < 0:
        return {}
    return {
        attribute[1]: attribute[2]
        for attribute in _ATTRIBUTE.finditer(text, start, end)
        if attribute[1] == b"xmlns" or attribute[1].startswith(b"xmlns:")
    }


def _value(quoted: bytes) -> str:
    """What a parser makes of an attribute's value (XML 1.0 section 3.3.3)."""
    text = quoted[1:-1].decode()
    if _SPECIAL.search(text):
        text = _REFERENCE.sub(_character, _LINE_OR_TAB.sub(" ", text))
    return text


def _character(reference: re.Match[str]) -> str:
    hexadecimal, decimal, name = reference.groups()
    if name:
        return _NAMED[name]
    return chr(int(hexadecimal, 16) if hexadecimal else int(decimal))


@lru_cache(maxsize=64)
def _tags_named(name: bytes) -> re.Pattern[bytes]:
    name = re.escape(name)
    return re.compile(
        rb"<(?:%b|(/)%b\s*>|%b(?=[\s/>])%b(?:(?<!/)()>|()>))" % (_NO_TAG, name, name, _INSIDE),
        re.DOTALL,
    )
