"""The contracts as a whole: names, validity, threads, and serving."""

import csv
import http.server
import io
import os
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import xmlschema
import zeep
from lxml import etree
from zeep.transports import Transport

from intyg.schemas import ns
from intyg.schemas.contract import files as contract_files
from intyg.schemas.contract.contract import OWN_FILES, Contract, Contracts
from intyg.schemas.contract.files import ContractError
from tests.schemas import samples
from tests.schemas.conftest import element_in_envelope


def _get(contracts: Contracts, key: str) -> Contract:
    name, major = key.split(":")
    return contracts.get(name, int(major))


# --- names ---------------------------------------------------------------------------------------


def test_names_follow_the_national_pattern(contracts: Contracts) -> None:
    contract = contracts.get("RegisterCertificate", 3)
    domain = "urn:riv:clinicalprocess:healthcond:certificate"
    assert contract == Contract(
        name="RegisterCertificate",
        major=3,
        namespace=f"{domain}:RegisterCertificateResponder:3",
        soap_action=f"{domain}:RegisterCertificateResponder:3:RegisterCertificate",
        path="/clinicalprocess/healthcond/certificate/RegisterCertificate/3/rivtabp21",
    )


def test_the_contracts_of_the_intyg_programme_have_the_two_namespaces_swapped(
    contracts: Contracts,
) -> None:
    contract = contracts.get("GetCertificateTypeInfo", 1)
    domain = "urn:riv:clinicalprocess:healthcond:certificate"
    assert contract == Contract(
        name="GetCertificateTypeInfo",
        major=1,
        namespace=f"{domain}:GetCertificateTypeInfo:1",
        soap_action=f"{domain}:GetCertificateTypeInfoResponder:1:GetCertificateTypeInfo",
        path="/clinicalprocess/healthcond/certificate/GetCertificateTypeInfo/1/rivtabp21",
    )


def test_every_contract_has_a_sample(contracts: Contracts) -> None:
    assert {contract.key for contract in contracts.all()} == set(samples.KEYS)


def test_another_domain_has_its_own_path(contracts: Contracts) -> None:
    contract = contracts.get("PingForConfiguration", 1)
    assert contract.path == "/itintegration/monitoring/PingForConfiguration/1/rivtabp21"


def test_a_contract_is_found_by_its_request_element(contracts: Contracts) -> None:
    for contract in contracts.all():
        assert contracts.by_request(contract.request) is contract
        assert contracts.by_request(contract.response) is None


def test_an_unknown_contract_is_a_key_error(contracts: Contracts) -> None:
    with pytest.raises(KeyError):
        contracts.get("RegisterCertificate", 1)


# --- validity ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", samples.KEYS)
def test_a_message_with_every_part_in_it_is_valid(contracts: Contracts, key: str) -> None:
    contract = _get(contracts, key)
    assert contracts.check(contract, element_in_envelope(contract)) == []


@pytest.mark.parametrize("key", samples.RESULT_KEYS)
def test_an_error_result_is_valid_in_the_order_of_the_schema_only(
    contracts: Contracts, key: str
) -> None:
    contract = _get(contracts, key)
    result = (
        f'<{contract.name}Response xmlns="{contract.namespace}"><result xmlns:c="{ns.CORE}">'
        "<c:resultCode>ERROR</c:resultCode>%s</result></"
        f"{contract.name}Response>"
    )
    text, error = "<c:resultText>x</c:resultText>", "<c:errorId>VALIDATION_ERROR</c:errorId>"
    assert contracts.check(contract, etree.fromstring(result % (text + error))) == []
    assert contracts.check(contract, etree.fromstring(result % (error + text))) != []


def test_a_valid_message_costs_far_less_than_a_millisecond(contracts: Contracts) -> None:
    """A tenth in fact; the bound leaves room for a busy machine."""
    contract = contracts.get("RegisterCertificate", 3)
    element = element_in_envelope(contract)
    contracts.check(contract, element)

    def seconds() -> float:
        start = time.perf_counter()
        contracts.check(contract, element)
        return time.perf_counter() - start

    assert min(seconds() for _ in range(50)) < 0.001


def test_another_element_than_the_contracts_own_is_refused(contracts: Contracts) -> None:
    contract = contracts.get("RevokeCertificate", 2)
    other = element_in_envelope(contracts.get("RegisterCertificate", 3))
    (finding,) = contracts.check(contract, other)
    assert "`RevokeCertificate`" in finding.message
    assert finding.xpath == "/RegisterCertificate"


def test_a_schema_location_in_a_message_is_never_followed(contracts: Contracts) -> None:
    contract = contracts.get("RevokeCertificate", 2)
    with _Listener() as listener:
        hint = (
            ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:schemaLocation="urn:other {listener.url} {contract.namespace} {listener.url}">'
        )
        text = samples.request(contract).replace(">", hint, 1)
        assert contracts.check(contract, element_in_envelope(contract, text)) == []
        broken = text.replace("2026-11-20T10:00:00", "2026-11-20")
        assert len(contracts.check(contract, element_in_envelope(contract, broken))) == 1
        assert listener.paths == []


def test_the_faults_of_a_message_are_not_kept(contracts: Contracts) -> None:
    """They would be megabytes, and quote it."""
    contract = contracts.get("RegisterCertificate", 3)
    text = samples.request(contract).replace("<c:svar ", "<c:svar/>" * 50 + "<c:svar ", 1)
    assert contracts.check(contract, element_in_envelope(contract, text))
    idle: list[Any] = [*contracts._sets[contract.key]._idle]
    assert [len(schema.error_log) for schema in idle] == [0] * len(idle)
    assert idle


def test_threads_get_their_own_verdicts(contracts: Contracts) -> None:
    fresh = Contracts()  # nothing compiled yet, so that compiling is raced for too
    jobs = []
    for i in range(160):
        contract = _get(fresh, samples.KEYS[i % 2])
        text = samples.request(contract)
        broken = text.replace("<t:extension>intyg-1</t:extension>", "", 1)
        jobs.append((contract, element_in_envelope(contract, broken if i % 3 else text), i % 3))

    def verdict(job: tuple[Contract, etree._Element, int]) -> list[str]:
        contract, element, _ = job
        return [finding.message for finding in fresh.check(contract, element)]

    with ThreadPoolExecutor(16) as pool:
        verdicts = list(pool.map(verdict, jobs))
    missing = ["`extension` is missing; it comes after `root` in `intygs-id`"]
    assert verdicts == [missing if broken else [] for _, _, broken in jobs]


def test_the_official_examples_get_the_national_verdict(contracts: Contracts) -> None:
    folder = os.environ.get("INTYG_NATIONAL_EXAMPLES")
    if not folder:
        pytest.skip("INTYG_NATIONAL_EXAMPLES names no folder: official examples NOT checked")
    contract = contracts.get("RegisterCertificate", 3)
    differing = []
    with (Path(folder) / "index.csv").open(encoding="utf-8") as index:
        rows = list(csv.DictReader(index))
    for row in rows:
        root = etree.parse(str(Path(folder) / row["file"])).getroot()
        verdict = "fails" if contracts.check(contract, root) else "ok"
        if verdict != row["xsd"]:
            differing.append(row["file"])
    assert rows
    assert differing == []


# --- other tools read our files ------------------------------------------------------------------


def test_xmlschema_reads_our_files_as_they_lie(contracts: Contracts) -> None:
    """Without our loader: it has its own copy of the W3C's schema, and follows plain paths."""
    paths = []
    for contract in contracts.all():
        wsdl = contracts.wsdl_path(contract)
        imports = contract_files.import_paths(wsdl, etree.parse(str(wsdl)).getroot())
        paths.append(str(dict(imports)[contract.namespace]))
    schema = xmlschema.XMLSchema(paths[0])
    for path in paths[1:]:
        schema.add_schema(path, build=True)
    for contract in contracts.all():
        assert contract.request in schema.maps.elements
        assert contract.response in schema.maps.elements


@pytest.mark.parametrize("key", samples.KEYS)
def test_zeep_reads_the_wsdl_with_everything_in_it(contracts: Contracts, key: str) -> None:
    contract = _get(contracts, key)
    whole = contracts.wsdl_whole(contract, "http://127.0.0.1:1/here")
    _assert_bound(zeep.Client(io.BytesIO(whole)), contract, "http://127.0.0.1:1/here")


def test_zeep_reads_the_wsdl_file_when_its_transport_reads_through_us(
    contracts: Contracts,
) -> None:
    class FromFiles(Transport):
        def load(self, url: str) -> bytes:
            return contract_files.read(Path(url))

    contract = contracts.get("RegisterCertificate", 3)
    client = zeep.Client(str(contracts.wsdl_path(contract)), transport=FromFiles())  # type: ignore[no-untyped-call]
    _assert_bound(client, contract, f"https://address.invalid{contract.path}")


def _assert_bound(client: zeep.Client, contract: Contract, address: str) -> None:
    service = client.wsdl.services[f"{contract.name}ResponderService"]
    port = service.ports[f"{contract.name}ResponderPort"]
    operation = port.binding.get(contract.name)
    assert port.binding_options["address"] == address
    assert operation.soapaction == contract.soap_action
    assert operation.input.body.qname.text == contract.request
    assert operation.output.body.qname.text == contract.response
    headers = [e.qname.text for _, e in operation.input.header.type.elements]
    assert headers == [f"{{{ns.REGISTRY}}}LogicalAddress"]
    assert not operation.output.header.type.elements


# --- serving -------------------------------------------------------------------------------------


class _Listener:
    """A server on a free port of loopback that answers `?wsdl` and `?xsd=` for every contract."""

    def __init__(self, contracts: Contracts | None = None) -> None:
        self.paths: list[str] = []
        paths = self.paths

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                paths.append(self.path)
                parts = urlsplit(self.path)
                found = [c for c in contracts.all() if c.path == parts.path] if contracts else []
                if contracts is None or not found:
                    self.send_error(404)
                    return
                address = f"http://{self.headers['Host']}{parts.path}"
                names = parse_qs(parts.query).get("xsd")
                body = (
                    contracts.document(found[0], names[0])
                    if names
                    else contracts.wsdl(found[0], address)
                )
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "_Listener":
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def served(contracts: Contracts) -> Iterator[_Listener]:
    with _Listener(contracts) as listener:
        yield listener


@pytest.mark.parametrize("key", [*samples.RESULT_KEYS, "ListPossibleReceivers:1"])
def test_a_foreign_client_reads_everything_over_http(
    contracts: Contracts, served: _Listener, key: str
) -> None:
    contract = _get(contracts, key)
    address = served.url + contract.path
    _assert_bound(zeep.Client(f"{address}?wsdl"), contract, address)


def test_the_served_documents_need_nothing_from_elsewhere(contracts: Contracts) -> None:
    for contract in contracts.all():
        unread, names = [contracts.wsdl(contract, "http://host/path", None)], set[str]()
        while unread:
            document = unread.pop()
            assert b"<!DOCTYPE" not in document
            for node in etree.fromstring(document).iter(f"{{{ns.XS}}}import"):
                place, asked, name = node.get("schemaLocation", "").partition("?xsd=")
                assert place in ("", "http://host/path")
                assert asked
                if name not in names:
                    names.add(name)
                    unread.append(contracts.document(contract, name))
        assert len(names) > 2


def test_documents_can_be_served_from_another_place(contracts: Contracts) -> None:
    contract = contracts.get("RegisterCertificate", 3)
    wsdl = contracts.wsdl(contract, "http://a/b", "/schemas/")
    assert b'schemaLocation="/schemas/core_components/itintegration_registry_1.0.xsd"' in wsdl


@pytest.mark.parametrize("name", ["../contract.py", "/etc/passwd", "", "core_components/other.xsd"])
def test_only_the_contracts_own_documents_are_served(contracts: Contracts, name: str) -> None:
    with pytest.raises(KeyError):
        contracts.document(contracts.get("RegisterCertificate", 3), name)


# --- an official archive in the place of our files -----------------------------------------------


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder laid out like the archive, with a name that URLs must escape."""
    folder = tmp_path / "arkiv med å" / "schemas"
    shutil.copytree(OWN_FILES, folder)
    return folder


def _replace(folder: Path, pattern: str, old: str, new: str) -> Path:
    (path,) = folder.rglob(pattern)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_an_archive_replaces_our_files(archive: Path) -> None:
    _replace(archive, "RevokeCertificateResponder_*.xsd", 'name="meddelande"', 'name="orsak"')
    contracts = Contracts(archive.parent)
    contract = contracts.get("RevokeCertificate", 2)
    text = samples.request(contract)
    assert contracts.check(contract, element_in_envelope(contract, text)) != []
    text = text.replace("m:meddelande>", "m:orsak>")
    assert contracts.check(contract, element_in_envelope(contract, text)) == []
    assert contracts.left_out == ()
    assert contracts.document(contract, "schemas/core_components/xmldsig-filter2.xsd")


def test_an_archives_own_xmldsig_is_used_and_served_without_its_doctype(archive: Path) -> None:
    target = archive / "core_components" / "xmldsig-core-schema_0.1.xsd"
    text = contract_files.xmldsig_path().read_text(encoding="utf-8")
    assert "<!DOCTYPE" in text
    target.write_text(
        text.replace('name="KeyName"', 'name="KeyLabel"').replace(
            'ref="ds:KeyName"', 'ref="ds:KeyLabel"'
        ),
        encoding="utf-8",
    )
    contracts = Contracts(archive)
    contract = contracts.get("RegisterCertificate", 3)
    document = contracts.document(contract, "core_components/xmldsig-core-schema_0.1.xsd")
    assert b"KeyLabel" in document
    assert b"<!DOCTYPE" not in document
    key_info = "</ds:SignatureValue><ds:KeyInfo><ds:%s>k</ds:%s></ds:KeyInfo>"
    for name, faults in (("KeyLabel", 0), ("KeyName", 1)):
        request = samples.request(contract)
        request = request.replace("</ds:SignatureValue>", key_info % (name, name))
        assert len(contracts.check(contract, element_in_envelope(contract, request))) == faults


def test_the_newest_wsdl_that_loads_is_chosen(archive: Path) -> None:
    folder = archive / "interactions" / "RevokeCertificateInteraction"
    own = folder / "RevokeCertificateInteraction_2.0_RIVTABP21.wsdl"
    broken = own.read_text(encoding="utf-8").replace("Responder_2.1.xsd", "Responder_9.9.xsd")
    (folder / "RevokeCertificateInteraction_2.10_RIVTABP21.wsdl").write_text(
        broken, encoding="utf-8"
    )
    newer = folder / "RevokeCertificateInteraction_2.9_RIVTABP21.wsdl"
    shutil.copy(own, newer)
    contracts = Contracts(archive)
    assert contracts.wsdl_path(contracts.get("RevokeCertificate", 2)) == newer.resolve()


def test_what_an_archive_lacks_or_spoils_is_taken_from_our_files(archive: Path) -> None:
    shutil.rmtree(archive / "interactions" / "SendMessageToCareInteraction")
    _replace(archive, "RevokeCertificateResponder_*.xsd", '"core:HosPersonal"', '"core:Nobody"')
    contracts = Contracts(archive)
    assert len(contracts.left_out) == 2
    for name in ("RevokeCertificate", "SendMessageToCare"):
        contract = contracts.get(name, 2)
        assert contracts.wsdl_path(contract).is_relative_to(OWN_FILES)
        assert contracts.check(contract, element_in_envelope(contract)) == []


def test_a_folder_without_contracts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no contract that we know"):
        Contracts(tmp_path)
