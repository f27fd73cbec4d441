"""A certificate on its way into another message: cut out and put in as bytes, never written anew.

Each message has an `intyg` element of its own, in its own namespace; what stands inside is the
same. So only the element around the content changes name.
"""

from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import quoteattr

from intyg.adapter.domain.intyg import IntygBytes
from intyg.adapter.formats.xml_bytes import document_element
from intyg.schemas import ns

_REGISTER: Final = f"{{{ns.message('RegisterCertificate', 3)}}}"
_STATUS: Final = f"{{{ns.CORE}}}status"
_AFTER_STATUS: Final = frozenset({f"{{{ns.CORE}}}svar", f"{{{ns.EXT32}}}underskrift"})


def cut_intyg(register_certificate: bytes) -> IntygBytes:
    """
    Cut out the content of a request's `intyg`, and the namespaces that it relies on.

    Args:
        register_certificate: A RegisterCertificate element as a document of
            its own, UTF-8, valid by its schema.
    """
    intyg = find_intyg_bytes(register_certificate)
    assert intyg is not None  # the schema requires one
    return intyg


def find_intyg_bytes(request: bytes) -> IntygBytes | None:
    """
    The same of a request that is not known to be valid; None if there is no `intyg` in it.

    Args:
        request: Any contract's request element, as for `cut_intyg`.
    """
    root = document_element(request)
    if root.tag != f"{_REGISTER}RegisterCertificate":
        return None
    intyg = next((child for child in root.children() if child.tag == f"{_REGISTER}intyg"), None)
    if intyg is None:
        return None
    place, statuses = intyg.inside_end, []
    for child in intyg.children():
        tag = child.tag
        if tag == _STATUS:
            statuses.append(child)
        elif tag in _AFTER_STATUS:
            place = child.start
            break
    before = statuses[0].start if statuses else place
    after = statuses[-1].end if statuses else place
    return IntygBytes(
        intyg.prefixes,
        request[intyg.inside : before],
        request[before:after],
        request[after : intyg.inside_end],
    )


def scope(prefixes: Mapping[str, str]) -> str:
    """Namespace declarations for a start tag, each with a blank before it."""
    return "".join(
        f" xmlns{':' if name else ''}{name}={quoteattr(uri)}" for name, uri in prefixes.items()
    )


def free_prefix(taken: Mapping[str, str], wanted: str) -> str:
    """A prefix that the certificate does not use for something else."""
    number = 0
    while (prefix := f"{wanted}{number or ''}") in taken:
        number += 1
    return prefix
