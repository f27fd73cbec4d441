"""What SOAP toolkits make of our WSDLs."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
import zeep

from intyg.schemas.contract.contract import Contract, Contracts
from tests.real_tools import JAVA, JAXWS_JARS, need_jaxws

_READ_WSDLS: Final = Path(__file__).parents[2] / "flows" / "clients" / "java" / "ReadWsdls.java"


@pytest.fixture(scope="module")
def whole(contracts: Contracts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every WSDL, with its schemas in it."""
    folder = tmp_path_factory.mktemp("wsdl")
    for contract in contracts.all():
        wsdl = contracts.wsdl_whole(contract, f"http://127.0.0.1{contract.path}")
        (folder / f"{contract.name}_{contract.major}.wsdl").write_bytes(wsdl)
    return folder


def test_wsimport_makes_the_national_signature_of_every_wsdl(
    contracts: Contracts, whole: Path
) -> None:
    """The logical address, then the request; the response is what comes back."""
    need_jaxws()
    done = subprocess.run(
        [*JAVA, "-cp", str(JAXWS_JARS / "jaxws-tools.jar"), str(_READ_WSDLS), str(whole)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for contract in contracts.all():
        assert _java_signature(whole, contract) == (
            f"{contract.name}ResponseType",
            f"String logicalAddress, {contract.name}Type parameters",
        )


def _java_signature(whole: Path, contract: Contract) -> tuple[str, str]:
    """What the interface's one method gives back, and what it takes."""
    folder = whole / f"{contract.name}_{contract.major}"
    [interface] = folder.rglob(f"{contract.name}ResponderInterface.java")
    source = re.sub(r"@Web\w+\([^)]*\)", "", interface.read_text())
    [method] = re.findall(r"public (\w+) (\w+)\(([^)]*)\)", source)
    assert method[1].lower() == contract.name.lower()
    return method[0], " ".join(method[2].split())


def test_zeep_in_strict_mode_reads_every_wsdl(contracts: Contracts, whole: Path) -> None:
    for contract in contracts.all():
        wsdl = whole / f"{contract.name}_{contract.major}.wsdl"
        client = zeep.Client(str(wsdl), settings=zeep.Settings(strict=True))
        [service] = client.wsdl.services.values()
        [port] = service.ports.values()
        operation = port.binding.get(contract.name)
        assert operation.soapaction == contract.soap_action
        assert operation.input.body.qname.text == contract.request
        assert operation.output.body.qname.text == contract.response
        assert operation.input.header.type.elements[0][0] == "LogicalAddress"
