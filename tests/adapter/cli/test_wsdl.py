"""`intyg wsdl`: files that SOAP clients load by themselves."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from lxml import etree
from zeep import Client

from intyg.adapter.cli.wsdl import CALLED, OFFERED, ways
from intyg.adapter.deliver.decision import RESENDABLE
from intyg.adapter.domain.hook import HOOK_KEY
from intyg.schemas.contract.contract import Contracts
from tests.adapter.cli.calls import lines, run

BASE = "http://adapter.example:8443/services"
SOAP_ADDRESS = "{http://schemas.xmlsoap.org/wsdl/soap/}address"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contracts")
    assert run("wsdl", "--out", folder, "--address", BASE).exit_code == 0
    return folder


def test_both_directions_are_there(folder: Path) -> None:
    written = {path.parent.relative_to(folder).as_posix() for path in folder.glob("*/*/*.wsdl")}
    assert written == {
        *(f"offers/{key.replace(':', '-')}" for key in OFFERED),
        *(f"calls/{key.replace(':', '-')}" for key in CALLED),
    }
    assert {contract.key for contract in Contracts().all()} == {*OFFERED, *CALLED}


def test_what_is_called_is_what_deliveries_may_be_of() -> None:
    asked_only = {"SendCertificateToRecipient:2"}  # what it sends on is the certificate itself
    assert set(CALLED) == RESENDABLE - asked_only - {HOOK_KEY}  # which is no contract


def test_every_import_is_a_file_in_the_contract_s_own_folder(folder: Path) -> None:
    for wsdl in folder.glob("*/*/*.wsdl"):
        own = {path.resolve() for path in wsdl.parent.rglob("*") if path.is_file()}
        found = {wsdl.resolve()}
        for path in own:
            for node in etree.parse(path).iter("{http://www.w3.org/2001/XMLSchema}*"):
                location = node.get("schemaLocation")
                if location is not None:
                    found.add((path.parent / unquote(location)).resolve())
        assert found == own, wsdl


def test_addresses_are_the_adapter_s_where_it_is_called(folder: Path) -> None:
    for way in ways(Contracts()):
        [address] = etree.parse(folder / way.wsdl).iter(SOAP_ADDRESS)
        url = address.get("location", "")
        assert url.endswith(way.contract.path)
        assert url.startswith(BASE) == (way.direction == "offers")


@pytest.mark.parametrize(
    "wsdl",
    ["offers/RegisterCertificate-3/*.wsdl", "calls/CertificateStatusUpdateForCare-3/*.wsdl"],
)
def test_a_soap_client_loads_it_from_the_disk(folder: Path, wsdl: str) -> None:
    [path] = folder.glob(wsdl)
    client = Client(str(path))
    [service] = client.wsdl.services.values()
    [port] = service.ports.values()
    [operation] = port.binding.all()
    assert operation == path.stem
    assert "intyg: " in port.binding.get(operation).input.signature()


def test_each_contract_is_an_object_or_a_line(tmp_path: Path) -> None:
    rows = lines(run("wsdl", "--out", tmp_path / "a", "--json"))
    shown = run("wsdl", "--out", tmp_path / "b").stdout.splitlines()
    assert len(rows) == len(shown) == len(OFFERED) + len(CALLED)
    for row, line in zip(rows, shown, strict=True):
        assert Path(row["wsdl"]).is_file()
        assert re.split(" +", line)[:2] == [row["direction"], row["with"]]


def test_an_address_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    result = run("wsdl", "--out", tmp_path / "x", "--address", "adapter.example")
    assert result.exit_code == 2
    assert not (tmp_path / "x").exists()
