"""The command `intyg wsdl`: the contracts as files, for whoever builds a client or a service."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from intyg.adapter.bootstrap.load_schemas import load_schemas
from intyg.adapter.cli.options import JsonOption
from intyg.adapter.cli.terminal import fail, print_json
from intyg.adapter.domain.destination import receiver_of
from intyg.adapter.flows.contracts import HANDLERS, READERS
from intyg.adapter.settings.settings import SettingsError
from intyg.adapter.settings.web_address import check_web_address
from intyg.schemas.contract.contract import Contract, Contracts
from intyg.schemas.contract.files import ContractError

OFFERED: Final = (*HANDLERS, *READERS)
"""Contracts that others call the adapter by."""

CALLED: Final = (
    "RegisterCertificate:3",
    "RevokeCertificate:2",
    "SendMessageToRecipient:2",
    "SendMessageToCare:2",
    "CertificateStatusUpdateForCare:3",
)
"""Contracts that the adapter calls others by."""


@dataclass(frozen=True)
class Way:
    """
    A contract in one direction.

    Attributes:
        direction: `offers` or `calls`; also the folder.
        other: Who calls, or is called: `anybody`, `authority` or `care`.
    """

    direction: str
    contract: Contract
    other: str

    @property
    def wsdl(self) -> Path:
        """Where it is written, below the folder for all."""
        folder = f"{self.contract.name}-{self.contract.major}"
        return Path(self.direction, folder, f"{self.contract.name}.wsdl")


def wsdl(
    folder: Annotated[
        Path, typer.Option("--out", "-o", help="Folder to write into; made if it is not there.")
    ],
    address: Annotated[
        str, typer.Option(help="Where the adapter serves; the national paths are added.")
    ] = "http://127.0.0.1:8080/services",
    contracts_dir: Annotated[
        Path | None, typer.Option(help="An official archive of the contracts.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write every contract as WSDL and XSD: those that the adapter offers, and those it calls."""
    try:
        check_web_address(address)
        contracts, _ = load_schemas(contracts_dir, None)
    except (SettingsError, ValueError) as exc:
        fail(str(exc))
    for way in ways(contracts):
        try:
            write_contract(contracts, way, folder, address)
        except OSError as exc:
            fail(f"{exc.filename}: {exc.strerror}")
        except ContractError as exc:
            fail(str(exc))
        if as_json:
            print_json(_as_json(way, folder))
        else:
            typer.echo(f"{way.direction:<7}{way.other:<10}{folder / way.wsdl}")


def ways(contracts: Contracts) -> Iterator[Way]:
    """Every contract that is spoken, in each direction in which it is."""
    by_key = {contract.key: contract for contract in contracts.all()}
    for key in sorted(OFFERED):
        yield Way("offers", by_key[key], "anybody")
    for key in sorted(CALLED):
        yield Way("calls", by_key[key], receiver_of(by_key[key].name).value)


def write_contract(contracts: Contracts, way: Way, folder: Path, address: str) -> None:
    """
    Write a WSDL, and beside it what it imports, so that a client needs nothing else.

    Args:
        address: The adapter's base address. Where the adapter calls, the WSDL keeps its own: those
            addresses are others'.

    Raises:
        OSError: A file cannot be written.
        ContractError: One would be written beside the contract's own folder.
    """
    contract = way.contract
    url = address.rstrip("/") + contract.path if way.direction == "offers" else None
    path = folder / way.wsdl
    _write(path, contracts.wsdl(contract, url, xsd_base=""))
    for name in contracts.document_names(contract):
        if ".." in name.split("/"):
            raise ContractError(f"{contract.key}: {name} lies outside the contracts' folder")
        up = "../" * name.count("/")  # what it imports is found from where it stands
        _write(path.parent / name, contracts.document(contract, name, xsd_base=up))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _as_json(way: Way, folder: Path) -> dict[str, object]:
    return {
        "direction": way.direction,
        "contract": way.contract.key,
        "with": way.other,
        "path": way.contract.path,
        "wsdl": str(folder / way.wsdl),
    }
