"""Whether a toolkit wrote `SignedInfo` anew: told, and never taken for what was signed.

Data binding (JAXB, suds, node-soap) keeps the names of a signature and chooses prefixes of its own,
and may indent. What was signed has other octets then, and `SignatureValue` is not right for them.
Here the usual ways of writing it are tried, so that whoever sent it is told which of the two faults
it is: a wrong signature, or a right one that was not sent as it was.

Source: XMLDSig core 1.1 section 4.4 (the octets of SignedInfo are signed, its prefixes with them).
"""

import re
from collections.abc import Callable
from itertools import product
from typing import Any, Final

from lxml import etree

from intyg.schemas import ns

_DS_PREFIXES: Final = ("ds", None, "dsig")
_FILTER_PREFIXES: Final = ("dsf", None, "xf2", "dsig-xpath", "ds-xpath")
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,7}")
"""A prefix that may be quoted: it is the sender's word, and names nobody."""


def how_rewritten(signature: etree._Element, fits: Callable[[etree._Element], bool]) -> str:
    """
    How a signature's SignedInfo differs from what was signed.

    Args:
        signature: Whose value is not right for its SignedInfo.
        fits: Whether the value is right in the same signature, written in another way.

    Returns:
        A sentence for the sender; empty when no usual way of writing it fits.
    """
    indentations = (True, False) if _is_indented(signature[0]) else (True,)
    for indented, ds, filters in product(indentations, _DS_PREFIXES, _FILTER_PREFIXES):
        if fits(_written(signature, {ns.DS: ds, ns.DSF: filters}, indented)):
            return _told(signature.prefix, ds)
    return ""


def _is_indented(element: etree._Element) -> bool:
    return any(len(each) and each.text for each in element.iter())


def _told(now: str | None, ds: str | None) -> str:
    if now == ds:
        what = ""
    elif now is None:
        what = f" (no prefix for `{ds}`)"
    else:
        shown = f"prefix `{now}`" if _PLAIN.fullmatch(now) else "another prefix"
        what = f" ({shown} for {'none' if ds is None else f'`{ds}`'})"
    return f"SignedInfo was written anew{what}; send the signed bytes as they are"


def _written(
    node: etree._Element, prefixes: dict[str, str | None], indented: bool
) -> etree._Element:
    """
    The same element with other prefixes.

    Args:
        indented: Keep white space between elements.
    """
    uri = etree.QName(node).namespace or ""
    nsmap: Any = _namespaces(node, uri, prefixes)  # lxml-stubs know no default namespace
    copy = etree.Element(node.tag, nsmap=nsmap)
    copy.attrib.update(dict(node.attrib))
    copy.text = node.text if indented or not len(node) else None
    for child in node.iterchildren(etree.Element):
        own = _written(child, prefixes, indented)
        copy.append(own)
        own.tail = child.tail if indented else None
    return copy


def _namespaces(
    node: etree._Element, uri: str, prefixes: dict[str, str | None]
) -> dict[str | None, str]:
    if uri in prefixes:
        return {prefixes[uri]: uri}
    return {prefix: name for prefix, name in node.nsmap.items() if name not in prefixes}
