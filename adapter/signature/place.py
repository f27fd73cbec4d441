"""Step 2: where the intyg is, by the exact path of the interaction that carries it.

Never "the Signature somewhere in the document": what a signature covers says nothing about an
element that merely stands near it.
"""

from collections.abc import Mapping
from typing import Final

from lxml import etree

from intyg.adapter.signature.result import Refusal, SignatureCode
from intyg.schemas import ns

ENVELOPE: Final = f"{{{ns.SOAP11}}}Envelope"
BODY: Final = f"{{{ns.SOAP11}}}Body"


def _paths() -> dict[str, tuple[str, ...]]:
    listed = [
        ("RegisterCertificate", 3, "RegisterCertificate", "intyg"),
        ("CertificateStatusUpdateForCare", 3, "CertificateStatusUpdateForCare", "intyg"),
        ("GetCertificate", 2, "GetCertificateResponse", "intyg"),
        ("ListCertificatesForCare", 3, "ListCertificatesForCareResponse", "intygsLista/intyg"),
        (
            "ListCertificatesForCareWithQA",
            3,
            "ListCertificatesForCareWithQAResponse",
            "list/item/intyg",
        ),
        (
            "ListCertificatesForCitizen",
            3,
            "ListCertificatesForCitizenResponse",
            "intygsLista/intyg",
        ),
        (
            "ListCertificatesForCitizen",
            4,
            "ListCertificatesForCitizenResponse",
            "intygsLista/intyg",
        ),
    ]
    paths = {}
    for contract, major, root, path in listed:
        namespace = ns.message(contract, major)
        paths[f"{{{namespace}}}{root}"] = tuple(
            f"{{{namespace}}}{step}" for step in path.split("/")
        )
    return paths


PATHS: Final[Mapping[str, tuple[str, ...]]] = _paths()
"""Root element of a message, and the steps from there to `core:Intyg`, as in the XSDs."""


def find_intyg(root: etree._Element) -> list[etree._Element]:
    """
    Every intyg of a message, at its interaction's path and nowhere else.

    Args:
        root: A SOAP envelope, or the element that stands in its Body.

    Raises:
        Refusal: PLACE, if this is no message that carries intyg.
    """
    message = _message(root)
    path = PATHS.get(message.tag)
    if path is None:
        raise Refusal(SignatureCode.PLACE, "not a message that carries intyg")
    found = [message]
    for step in path:
        found = [child for element in found for child in element.findall(step)]
    return found


def find_one_intyg(root: etree._Element) -> etree._Element:
    """
    The intyg of a message that carries exactly one.

    Raises:
        Refusal: PLACE.
    """
    found = find_intyg(root)
    if len(found) != 1:
        raise Refusal(SignatureCode.PLACE, f"{len(found)} intyg")
    return found[0]


def _message(root: etree._Element) -> etree._Element:
    if root.tag != ENVELOPE:
        return root
    bodies = root.findall(BODY)
    children = [c for body in bodies for c in body if isinstance(c.tag, str)]
    if len(bodies) != 1 or len(children) != 1:
        raise Refusal(SignatureCode.PLACE, "not one element in one SOAP Body")
    return children[0]
