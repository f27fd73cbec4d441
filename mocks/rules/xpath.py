"""
XPath over calls, with the national namespaces at hand.

libxml2 cannot be told to stop, so an expression is refused that might not end soon for a message
made to keep it busy, and a message that is far larger than any certificate is not asked.
"""

from functools import lru_cache
from typing import Any, Final

from lxml import etree

from intyg.schemas import ns

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

MAX_LENGTH: Final = 1000  # characters of an expression

MAX_BYTES: Final = 100_000  # of a message; a certificate has about a tenth
MAX_MARKUP: Final = 4_000
"""`<` and `=` of a message together; a certificate has about a thousand. What may be asked grows
with the square of it, and takes less than a second then."""

NOT_ASKED: Final = f"not asked: the message has over {MAX_BYTES} bytes or {MAX_MARKUP} tags"

_NOTHING: Final = "urn:none"
_MAX_NAMESPACE: Final = 200  # characters; the contracts' have less than half


def check_xpath(expression: str) -> None:
    """
    Refuse what could never be asked of a call, or might keep a mock busy with it.

    Raises:
        ValueError: It does not compile, uses a prefix or function that there is not, or takes too
            long; see `xpath_cost`.
    """
    from intyg.mocks.rules.xpath_cost import check_cost

    if len(expression) > MAX_LENGTH:
        raise ValueError(f"an expression has at most {MAX_LENGTH} characters")
    try:
        _compiled(expression, _NOTHING)(etree.Element("none"))
    except etree.XPathError as exc:
        raise ValueError(f"{_in_words(str(exc))}: {expression}") from None
    check_cost(expression, [*PREFIXES, "tns"])


def is_large(data: bytes) -> bool:
    """Whether a message is too much to ask expressions of."""
    return len(data) > MAX_BYTES or data.count(b"<") + data.count(b"=") > MAX_MARKUP


def ask(expression: str, element: etree._Element) -> tuple[bool, str | None]:
    """
    Ask an expression of a request element, which stands in its envelope.

    Args:
        expression: One that `check_xpath` lets pass.
        element: Of a message that is not large.

    Returns:
        Whether it holds, as XPath's boolean() says, and what it found: the text of the first
        node, the string, number or truth itself; None for no node.
    """
    namespace = etree.QName(element).namespace or _NOTHING
    if len(namespace) > _MAX_NAMESPACE:  # it would be kept
        namespace = _NOTHING
    try:
        found = _compiled(expression, namespace)(element)
    except etree.XPathError as exc:
        return False, _in_words(str(exc))
    return bool(found), _text(found)


@lru_cache(maxsize=1024)
def _compiled(expression: str, namespace: str) -> etree.XPath:
    # Without EXSLT's regular expressions, of which some never end; `tns` might be their namespace.
    namespaces = {**PREFIXES, "tns": namespace}
    return etree.XPath(expression, namespaces=namespaces, regexp=False)


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
