"""N: the octets that are signed, as a pure function of one `intyg`.

The national profile says it with a stylesheet and two XPath filters inside each signature. Those
are never run: whoever wrote the message wrote them. What they come to is this walk.

The same walk finds what those octets would hide (step 7): a general verifier accepts statements
that are slipped in under one of the dropped names, or in another namespace than readers look in.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

from lxml import etree

from intyg.adapter.signature.result import DEFAULT_MAX_DEPTH, Refusal, SignatureCode
from intyg.schemas import ns

UNSIGNED_NAMES: Final = ("skickatTidpunkt", "relation", "status", "underskrift")
"""Dropped with all they hold, at any depth and in any namespace; in the profile's order."""

_XML_SPACE: Final = " \t\r\n"
_SPECIAL_IN_VALUE: Final = re.compile('[&<"\t\n\r]')
_DROPPED: Final = frozenset(UNSIGNED_NAMES)
_SIGNERINGSTIDPUNKT: Final = f"{{{ns.CORE}}}signeringstidpunkt"
_UNDERSKRIFT: Final = f"{{{ns.EXT32}}}underskrift"
_CORE_STATUS: Final = f"{{{ns.CORE}}}status"
_DROPPED_CHILDREN: Final = frozenset(
    {f"{{{ns.CORE}}}{name}" for name in UNSIGNED_NAMES if name != "underskrift"} | {_UNDERSKRIFT}
)
"""Where the schema has them: children of `intyg`; and `status` once more inside `status`."""

_NATIONAL: Final = frozenset({ns.CORE, ns.TYPES, ns.EXT32, ns.EXT34})


def normalise(
    intyg: etree._Element,
    *,
    max_depth: int = DEFAULT_MAX_DEPTH,
    with_time: bool = True,
    national: bool = False,
) -> bytes:
    """
    The octets that a national signature covers.

    Args:
        intyg: The one element, in whatever document and with whatever prefixes.
        max_depth: Levels of elements, counting `intyg` as one.
        with_time: False leaves out `signeringstidpunkt`, to recognise
            signatures that were made before it was set.
        national: True refuses content that the octets would hide, too;
            what is in `underskrift` is then still to be looked at.

    Returns:
        UTF-8: local names only, attributes by name, text as it is but text
        nodes of only whitespace dropped, c14n escaping.

    Raises:
        Refusal: COMMENT_OR_PI, XML (an entity) or NAMESPACED_ATTRIBUTE:
            libraries disagree on them; SIZE: too deep; if `national`,
            FOREIGN_NAMESPACE and UNSIGNED_NAME_MISPLACED.
    """
    return "".join(_pieces(intyg, max_depth, with_time=with_time, national=national)).encode()


def _pieces(intyg: etree._Element, max_depth: int, *, with_time: bool, national: bool) -> list[str]:
    root = _name(intyg.tag)
    out = [_start_tag(root, intyg), _text(intyg.text)]
    write = out.append
    # (children still to write, what follows after the last); no recursion: the depth is theirs
    stack: list[tuple[Iterator[etree._Element], str]] = [(iter(intyg), root.end_tag)]
    while stack:
        children, end = stack[-1]
        for child in children:
            tag = child.tag
            if tag.__class__ is not str:
                raise _not_an_element(child)
            name = _name(tag)
            tail = child.tail
            if name.is_dropped or (not with_time and tag == _SIGNERINGSTIDPUNKT):
                if national and name.is_dropped:
                    _check_dropped(child, len(stack), max_depth)
                if tail is not None:
                    write(_text(tail))
                continue
            if national and not name.is_national:
                raise Refusal(SignatureCode.FOREIGN_NAMESPACE)
            write(_start_tag(name, child) if child.keys() else name.start_tag)
            end_tag = name.end_tag
            text = child.text
            if text is not None:
                write(_text(text))
            if tail is not None:
                end_tag += _text(tail)
            if len(child):
                if len(stack) >= max_depth - 1:
                    raise _too_deep(max_depth)
                stack.append((iter(child), end_tag))
                break
            write(end_tag)
        else:
            stack.pop()
            write(end)
    return out


@dataclass(frozen=True, slots=True)
class _Name:
    """What an element's name says."""

    start_tag: str  # without attributes
    end_tag: str
    is_dropped: bool
    is_national: bool


@functools.lru_cache(maxsize=2048)  # the contracts have some 200 names
def _name(tag: str) -> _Name:
    namespace, _, local = tag.rpartition("}")
    return _Name(f"<{local}>", f"</{local}>", local in _DROPPED, namespace[1:] in _NATIONAL)


def _check_dropped(element: etree._Element, depth: int, max_depth: int) -> None:
    """An element that is not signed, `depth` levels below `intyg`, with all it holds."""
    if depth != 1 or element.tag not in _DROPPED_CHILDREN:
        raise Refusal(SignatureCode.UNSIGNED_NAME_MISPLACED)
    if element.tag == _UNDERSKRIFT:
        return
    for inner in element.iter():
        if not isinstance(inner.tag, str):
            raise _not_an_element(inner)
        name = _name(inner.tag)
        if not name.is_national:
            raise Refusal(SignatureCode.FOREIGN_NAMESPACE)
        if any(key[0] == "{" for key in cast(list[str], inner.keys())):
            raise Refusal(SignatureCode.NAMESPACED_ATTRIBUTE)
        if name.is_dropped and inner is not element:
            twice = inner.tag == element.tag == _CORE_STATUS and inner.getparent() is element
            if not twice:
                raise Refusal(SignatureCode.UNSIGNED_NAME_MISPLACED)
    if _has_levels(max_depth - 1)(element):
        raise _too_deep(max_depth)


@functools.cache
def _has_levels(levels: int) -> etree.XPath:
    """Whether there are so many levels below an element; found level by level."""
    return etree.XPath(f"boolean({'/'.join('*' * levels)})")


def _start_tag(name: _Name, element: etree._Element) -> str:
    """A start tag with its attributes."""
    start_tag = name.start_tag[:-1]
    names = cast(list[str], element.keys())
    if len(names) > 1:
        names.sort()
    for attribute in names:
        if attribute[0] == "{":
            raise Refusal(SignatureCode.NAMESPACED_ATTRIBUTE)
        value = element.get(attribute, "")
        if _SPECIAL_IN_VALUE.search(value):
            value = _escape_value(value)
        start_tag = f'{start_tag} {attribute}="{value}"'
    return start_tag + ">"


def _text(text: str | None) -> str:
    """A text node as c14n writes it; nothing if it is only whitespace."""
    if text is None or not text.strip(_XML_SPACE):
        return ""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if "\r" in text:
        text = text.replace("\r", "&#xD;")
    return text


def _escape_value(value: str) -> str:
    """An attribute's value as c14n writes it."""
    return (
        value.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace('"', "&quot;")
        .replace("\t", "&#x9;")
        .replace("\n", "&#xA;")
        .replace("\r", "&#xD;")
    )


def _too_deep(max_depth: int) -> Refusal:
    detail = f"deeper than {max_depth} levels"
    return Refusal(SignatureCode.SIZE, detail, detail)


def _not_an_element(node: etree._Element) -> Refusal:
    if isinstance(node, etree._Entity):
        return Refusal(SignatureCode.XML, "an entity reference")
    return Refusal(SignatureCode.COMMENT_OR_PI)
