"""What `intyg example` does with a contract's name: a request of that contract."""

import uuid
from collections.abc import Callable, Mapping
from typing import Final

from lxml import etree

from intyg.adapter.cli.terminal import fail
from intyg.adapter.formats import safe_xml
from intyg.schemas.contract.contract import Contract, Contracts
from intyg.schemas.examples.draft import Frame, Parent, request_bytes
from intyg.schemas.examples.requests import About, RequestError, example_request
from intyg.schemas.intyg_model import IntygType

# --- what they make -------------------------------------------------------------------------------

TOLD: Final = (
    *("to", "part", "amne", "text", "status", "ref", "svar_pa", "reminds", "frage_id"),
    *("last_day", "meddelande_id", "handelse", "archived"),
)
"""The options that say what a request of another contract holds."""

CERTIFICATE: Final = "RegisterCertificate"
"""The contract whose request is a certificate: written as one of its type."""


def contract_called(contracts: Contracts, name: str, major: str | None) -> Contract | None:
    """The contract with a name, the newest unless told; None if it is no contract's name."""
    found = [each for each in contracts.all() if each.name.casefold() == name.strip().casefold()]
    if not found:
        return None
    wanted = [each for each in found if major in (None, str(each.major))]
    if not wanted:
        majors = ", ".join(str(each.major) for each in found)
        fail(f"{found[0].name} has no version {major}; known: {majors}")
    return max(wanted, key=lambda each: each.major)


def parent_of(relation: str | None, svar_pa: str | None) -> Parent | None:
    """The older certificate of `Relation`, and the request for completion that is answered."""
    if relation is None:
        return None
    code, colon, intygs_id = relation.partition(":")
    if not (code and colon and intygs_id):
        fail("--relation: a code and an id are needed, KOMPLT:ID")
    return Parent(code, intygs_id, svar_pa)


def only_of_certificates(told: Mapping[str, str | None], relation: str | None) -> None:
    """End the command where an option is given that a certificate does not have."""
    given = [option for option, text in told.items() if text is not None]
    if relation is not None and "svar_pa" in given:
        given.remove("svar_pa")
    if given == ["svar_pa"]:
        fail("--svar-pa: a certificate that answers has a --relation, too")
    if given:
        options = ", ".join(f"--{option.replace('_', '-')}" for option in given)
        fail(f"{options}: a certificate has no such thing; give the name of a contract that does")


def request_of(
    contracts: Contracts,
    contract: Contract,
    frame: Frame,
    intyg_type: IntygType,
    certificate: Callable[[], etree._Element],
    told: Mapping[str, str | None],
) -> bytes:
    """
    A request, checked against its contract's schema; ends the command where it cannot be made.

    Args:
        certificate: Makes a RegisterCertificate request, for the contract that needs one.
        told: What the options say, by name; None is not said.

    Raises:
        ValueError: A text with characters that XML cannot hold.
    """
    about = About(frame, intyg_type, str(uuid.uuid4()), certificate)
    said = {option: text for option, text in told.items() if text is not None}
    try:
        element = example_request(contract.key, contract.request, about, said)
    except RequestError as exc:
        fail(str(exc))
    if faults := contracts.check(contract, element):
        fail("\n".join(f"{each.xpath}: {each.message}" for each in faults))
    return request_bytes(element)


def enveloped(data: bytes, logical_address: str | None) -> bytes:
    """A request as a whole SOAP message, where a logical address for its header is told."""
    return data if logical_address is None else safe_xml.envelope(data, logical_address) + b"\n"
