"""XPath over calls, with the national namespaces at hand."""

from functools import lru_cache
from typing import Any, Final

from lxml import etree

from schemas import ns

PREFIXES: Final = {
    "soap": ns.SOAP11,
    "itr": ns.REGISTRY,
    "core": ns.CORE,
    "types": ns.TYPES,
    "ext32": ns.EXT32,
    "ext33": ns.EXT33,
    "ext34": ns.EXT34,
    "csuext": ns.CSU_EXT,
    "core1": ns.CORE1,
    "recv": ns.RECEIVER,
    "ds": ns.DS,
    "xf2": ns.DSF,
}
"""What every expression may use. `tns` is there too: the namespace of the call's own request
element, whichever contract it is."""

_NOTHING: Final = "urn:none"


def check_xpath(expression: str) -> None:
    """
    Refuse what could never be asked of a call.

    Raises:
        ValueError: It does not compile, or uses a prefix or function that there is not.
    """
    try:
        _compiled(expression, _NOTHING)(etree.Element("none"))
    except etree.XPathError as exc:
        raise ValueError(f"{_in_words(str(exc))}: {expression}") from None


def ask(expression: str, element: etree._Element) -> tuple[bool, str | None]:
    """
    Ask an expression of a request element, which stands in its envelope.

    Returns:
        Whether it holds, as XPath's boolean() says, and what it found: the text of the first
        node, the string, number or truth itself; None for no node.
    """
    namespace = etree.QName(element).namespace or _NOTHING
    try:
        found = _compiled(expression, namespace)(element)
    except etree.XPathError as exc:
        return False, _in_words(str(exc))
    return bool(found), _text(found)


@lru_cache(maxsize=1024)
def _compiled(expression: str, namespace: str) -> etree.XPath:
    return etree.XPath(expression, namespaces={**PREFIXES, "tns": namespace})


def _text(found: Any) -> str | None:
    if isinstance(found, list):
        return _text(found[0]) if found else None
    if isinstance(found, etree._Element):
        return "".join(str(text) for text in found.itertext())
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, float):
        return f"{found:g}"
    return str(found)


def _in_words(message: str) -> str:
    if "namespace prefix" in message.lower():
        return f"a prefix is unknown; there are {', '.join([*PREFIXES, 'tns'])}"
    return message[:1].lower() + message[1:]
