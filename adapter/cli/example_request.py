"""What `intyg example` does with a contract's name: a request of that contract."""

import uuid
from collections.abc import Callable, Mapping
from typing import Annotated, Final

import typer
from lxml import etree

from intyg.adapter.cli.terminal import fail
from intyg.adapter.formats import safe_xml
from intyg.schemas.contract.contract import Contract, Contracts
from intyg.schemas.examples.draft import Frame, Parent, request_bytes
from intyg.schemas.examples.requests import About, RequestError, example_request
from intyg.schemas.intyg_model import IntygType

# --- options --------------------------------------------------------------------------------------

Unit = Annotated[str | None, typer.Option(help="HSA-id of the care unit.")]
Relation = Annotated[
    str | None,
    typer.Option(metavar="CODE:ID", help="What it is to an older certificate: KOMPLT:ID."),
]
SvarPa = Annotated[str | None, typer.Option(help="Id of the message that is answered.")]
Envelope = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="As a SOAP message, to this logical address."),
]

_OTHERS: Final = "With the name of another contract"

Type = Annotated[
    str | None,
    typer.Option("--type", rich_help_panel=_OTHERS, help="Certificate type, where one is named."),
]
To = Annotated[
    str | None,
    typer.Option(rich_help_panel=_OTHERS, help="Whom it is for: part code, or logical address."),
]
Part = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Who asks or is concerned: FKASSA.")
]
Amne = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Subject of a message: KONTKT.")
]
Text = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Of a message, or why it is revoked.")
]
FrageId = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Question that KOMPLT asks about: 35.")
]
LastDay = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Last day for an answer, YYYY-MM-DD.")
]
Reminds = Annotated[
    str | None,
    typer.Option(rich_help_panel=_OTHERS, help="Id of the message that PAMINN reminds of."),
]
MeddelandeId = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Default: a new one each time.")
]
Status = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="State that is recorded: RECEIV.")
]
Handelse = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="Event that care is told: SIGNAT.")
]
Ref = Annotated[str | None, typer.Option(rich_help_panel=_OTHERS, help="The EHR's own reference.")]
Archived = Annotated[
    str | None, typer.Option(rich_help_panel=_OTHERS, help="The archived ones: true or false.")
]

# --- what they make -------------------------------------------------------------------------------

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
