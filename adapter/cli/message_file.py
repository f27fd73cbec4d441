"""A message in a file: a SOAP envelope, or what would stand in one."""

from lxml import etree

from intyg.adapter.domain.errors import AdapterError
from intyg.schemas import ns


def request_element(root: etree._Element) -> etree._Element:
    """
    The request element, whether it stands in an envelope or alone.

    Raises:
        AdapterError: The envelope holds none, or several.
    """
    if root.tag != f"{{{ns.SOAP11}}}Envelope":
        return root
    body = root.find(f"{{{ns.SOAP11}}}Body")
    children = [] if body is None else list(body.iterchildren(etree.Element))
    if len(children) != 1:
        raise AdapterError(f"the SOAP Body must hold one element, it holds {len(children)}")
    return children[0]
