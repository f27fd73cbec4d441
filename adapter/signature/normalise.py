"""N: the octets that are signed, as a pure function of one `intyg`.

The national profile says it with a stylesheet and two XPath filters inside each signature. Those
are never run: whoever wrote the message wrote them. What they come to is this walk.
"""

from collections.abc import Iterator
from typing import Final, cast

from lxml import etree

from adapter.signature.result import DEFAULT_MAX_DEPTH, Refusal, SignatureCode
from schemas import ns

UNSIGNED_NAMES: Final = ("skickatTidpunkt", "relation", "status", "underskrift")
"""Dropped with all they hold, at any depth and in any namespace; in the profile's order."""

_XML_SPACE: Final = " \t\r\n"
_DROPPED: Final = frozenset(UNSIGNED_NAMES)
_SIGNERINGSTIDPUNKT: Final = f"{{{ns.CORE}}}signeringstidpunkt"


def normalise(
    intyg: etree._Element, *, max_depth: int = DEFAULT_MAX_DEPTH, with_time: bool = True
) -> bytes:
    """
    The octets that a national signature covers.

    Args:
        intyg: The one element, in whatever document and with whatever prefixes.
        max_depth: Levels of elements, counting `intyg` as one.
        with_time: False leaves out `signeringstidpunkt`, to recognise
            signatures that were made before it was set.

    Returns:
        UTF-8: local names only, attributes by name, text as it is but text
        nodes of only whitespace dropped, c14n escaping.

    Raises:
        Refusal: A comment, processing instruction, entity or namespaced
            attribute among what is signed (libraries disagree on them), or
            too deep.
    """
    local = intyg.tag.rpartition("}")[2]
    out = [_start(intyg, local), _text(intyg.text)]
    write = out.append
    # (children still to write, what follows after the last of them); no recursion: depth is theirs
    stack: list[tuple[Iterator[etree._Element], str]] = [(iter(intyg), f"</{local}>")]
    while stack:
        children, end = stack[-1]
        for child in children:
            tag = child.tag
            if tag.__class__ is not str:
                raise _not_an_element(child)
            local = tag[tag.rfind("}") + 1 :]
            if local in _DROPPED or (not with_time and tag == _SIGNERINGSTIDPUNKT):
                write(_text(child.tail))
                continue
            write(_start(child, local))
            text = child.text
            if text is not None:
                write(_text(text))
            if len(child):
                if len(stack) >= max_depth - 1:
                    raise Refusal(SignatureCode.SIZE, f"deeper than {max_depth} levels")
                stack.append((iter(child), f"</{local}>{_text(child.tail)}"))
                break
            tail = child.tail
            write(f"</{local}>" if tail is None else f"</{local}>{_text(tail)}")
        else:
            stack.pop()
            write(end)
    return "".join(out).encode()


def _start(element: etree._Element, local: str) -> str:
    names = cast(list[str], element.keys())
    if not names:
        return f"<{local}>"
    if len(names) > 1:
        names.sort()
    written = [f"<{local}"]
    for name in names:
        if name[0] == "{":
            raise Refusal(SignatureCode.NAMESPACED_ATTRIBUTE)
        written.append(f' {name}="{_escape_value(element.get(name, ""))}"')
    written.append(">")
    return "".join(written)


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


def _not_an_element(node: etree._Element) -> Refusal:
    if isinstance(node, etree._Entity):
        return Refusal(SignatureCode.XML, "an entity reference")
    return Refusal(SignatureCode.COMMENT_OR_PI)
