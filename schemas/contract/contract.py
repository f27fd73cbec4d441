"""The national contracts: names on the wire, schemas, WSDL.

Everything about a contract is read from its WSDL, so a folder with an official archive can take the
place of our own files.
"""

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from intyg.schemas import ns
from intyg.schemas.contract import files as contract_files
from intyg.schemas.contract.files import ContractError
from intyg.schemas.contract.split_values import split_values
from intyg.schemas.finding import Finding

if TYPE_CHECKING:
    import xmlschema

OWN_FILES: Final = Path(__file__).resolve().parents[1] / "contracts"

MAX_SCHEMAS: Final = max(4, os.cpu_count() or 1)
"""Compiled copies of a contract's schema, 0.6 MB each: no more messages than that are checked at
once, however many threads wait for answers."""


@dataclass(frozen=True)
class Contract:
    """
    One national service contract, e.g. RegisterCertificate 3.

    Attributes:
        name: As in the WSDL, `RegisterCertificate`.
        major: Version in the namespace and path.
        namespace: Message namespace; request and response elements live there.
        soap_action: As the binding says.
        path: National path, `/clinicalprocess/healthcond/certificate/<name>/<major>/rivtabp21`.
    """

    name: str
    major: int
    namespace: str
    soap_action: str
    path: str

    @property
    def key(self) -> str:
        """`RegisterCertificate:3`."""
        return f"{self.name}:{self.major}"

    @property
    def request(self) -> str:
        """The request element, in Clark notation."""
        return f"{{{self.namespace}}}{self.name}"

    @property
    def response(self) -> str:
        """The response element, in Clark notation."""
        return f"{{{self.namespace}}}{self.name}Response"


class Contracts:
    """
    Every contract we know, with its schemas. Safe to share between threads.

    Args:
        contracts_dir: A folder with the official archive, anywhere in it.
            None, or a contract that the folder lacks or whose files there
            do not load: our own files.

    Raises:
        ContractError: The folder has no contract that we know and that loads.

    Attributes:
        left_out: Why a file of `contracts_dir` is not used, one sentence a
            contract; empty for our own files.
    """

    def __init__(self, contracts_dir: Path | None = None) -> None:
        own = OWN_FILES.resolve()
        self._sets = {found.contract.key: found for found in _find(own)}
        self.left_out: tuple[str, ...] = ()
        if contracts_dir is not None:
            self._replace(contracts_dir.resolve())
        self._by_request = {s.contract.request: s.contract for s in self._sets.values()}

    def _replace(self, folder: Path) -> None:
        """Take every contract from the folder that it has and that loads, the newest first."""
        candidates = [s for s in _find(folder) if s.contract.key in self._sets]
        chosen: dict[str, _SchemaSet] = {}
        problems: dict[str, str] = {}
        for candidate in sorted(candidates, key=lambda s: s.file_version, reverse=True):
            key = candidate.contract.key
            if key in chosen:
                continue
            try:
                candidate.load()
            except ContractError as exc:
                problems.setdefault(key, f"{key}: our own files are used, since {exc}")
            else:
                chosen[key] = candidate
        if not chosen:
            raise ContractError(f"{folder} has no contract that we know and that loads")
        self.left_out = tuple(
            problems.get(key, f"{key}: our own files are used, since {folder} has none")
            for key in self._sets
            if key not in chosen
        )
        self._sets |= chosen

    def all(self) -> tuple[Contract, ...]:
        """Every contract, ordered by name and version."""
        return tuple(self._sets[key].contract for key in sorted(self._sets))

    def get(self, name: str, major: int) -> Contract:
        """The contract, e.g. `get("RegisterCertificate", 3)`; KeyError for one that we lack."""
        return self._sets[f"{name}:{major}"].contract

    def by_request(self, tag: str) -> Contract | None:
        """The contract that a request element belongs to, by its name in Clark notation."""
        return self._by_request.get(tag)

    def check(self, contract: Contract, element: etree._Element) -> list[Finding]:
        """
        Check a request or response element against its contract's XSD.

        A value in two pieces is a fault, too: the XSD does not see it (`split_values`).

        Args:
            contract: Whose element it is.
            element: The element itself, perhaps inside a SOAP envelope;
                what is around it is not looked at.

        Returns:
            Every fault, in document order; empty when valid. No finding
            holds a value from the message.
        """
        schemas = self._sets[contract.key]
        line, split = None, list[Finding]()
        right_root = element.tag in (contract.request, contract.response)
        if right_root:
            valid, line = schemas.look_at(element)
            split = split_values(element)
            if valid:
                return split
        # Only now: xmlschema takes longer to import than everything else here together.
        from intyg.schemas.contract import findings as schema_findings

        if not right_root:
            return [schema_findings.wrong_root(element, contract.request)]
        return split + schema_findings.explain(schemas.every_error(), element, line)

    def warm(self, contract: Contract) -> None:
        """Compile now what the first wrong message would wait half a second for."""
        self._sets[contract.key].every_error()

    def wsdl_path(self, contract: Contract) -> Path:
        """The WSDL as a file. The W3C's `xmldsig` is missing beside it; `wsdl_whole` has it."""
        return self._sets[contract.key].wsdl

    def wsdl(self, contract: Contract, address: str | None, xsd_base: str | None = None) -> bytes:
        """
        The WSDL as it is served.

        Args:
            contract: Which contract.
            address: The service's URL as the caller sees it, without query;
                None leaves what the file says, and needs an `xsd_base`.
            xsd_base: What a document's name is appended to, to form the URL
                that it is served at; None means `<address>?xsd=`.
        """
        base = f"{address}?xsd=" if xsd_base is None else xsd_base
        return self._sets[contract.key].serve_wsdl(address, base)

    def wsdl_whole(self, contract: Contract, address: str | None = None) -> bytes:
        """The WSDL with every schema inside it, for a SOAP client in the same process (zeep)."""
        return contract_files.whole(self._sets[contract.key].wsdl, address)

    def document(self, contract: Contract, name: str, xsd_base: str = "?xsd=") -> bytes:
        """
        An XSD that the WSDL needs, as it is served.

        Args:
            contract: Which contract.
            name: As in the URLs that `wsdl` and `document` write.
            xsd_base: As for `wsdl`. A relative one is resolved by the client
                against the URL it got this document from.

        Raises:
            KeyError: The contract has no such document.
        """
        return self._sets[contract.key].serve_document(name, xsd_base)

    def document_names(self, contract: Contract) -> tuple[str, ...]:
        """The names that `document` answers."""
        return tuple(self._sets[contract.key].documents())


class _SchemaSet:
    """One contract's files, compiled when they are first needed."""

    def __init__(self, contract: Contract, wsdl: Path, responder: Path, folder: Path) -> None:
        self.contract = contract
        self.wsdl = wsdl
        self._responder = responder
        self._folder = folder
        self._idle: list[etree.XMLSchema] = []
        self._turns = threading.BoundedSemaphore(MAX_SCHEMAS)
        self._lock = threading.Lock()
        self._documents: dict[str, Path] | None = None
        self._xmlschema: xmlschema.XMLSchema10 | None = None

    @property
    def file_version(self) -> tuple[int, ...]:
        """The version in the WSDL's file name, to choose the newest by: `…_3.2_…` gives (3, 2)."""
        match = re.search(r"_(\d+(?:\.\d+)*)", self.wsdl.stem)
        return tuple(map(int, match[1].split("."))) if match else ()

    def load(self) -> None:
        """Compile now; ContractError tells what is wrong with the files."""
        self._idle.append(self._compiled())

    def look_at(self, element: etree._Element) -> tuple[bool, int | None]:
        """
        Whether an element is valid, and the line of its last fault.

        Each message has a compiled schema for itself: the error log is kept on it, and emptied when
        it has been read. It would keep megabytes, and what they quote.
        """
        with self._turns:
            schema: Any  # lxml-stubs do not know what is on its log
            try:
                schema = self._idle.pop()
            except IndexError:
                schema = self._compiled()
            try:
                if schema.validate(element):
                    return True, None
                last = schema.error_log.last_error
                return False, None if last is None else last.line
            finally:
                schema._clear_error_log()
                etree.clear_error_log()  # the thread's own: its last hundred, of up to 64 kB each
                self._idle.append(schema)

    def _compiled(self) -> etree.XMLSchema:
        return contract_files.compile_schema(self._responder, self.documents().values())

    def every_error(self) -> "xmlschema.XMLSchema10":
        """The schema that lists every error; built at the first invalid message (half a second)."""
        with self._lock:
            if self._xmlschema is None:
                from intyg.schemas.contract import findings as schema_findings

                self._xmlschema = schema_findings.compile_schema(self._responder)
            return self._xmlschema

    def documents(self) -> dict[str, Path]:
        """Every XSD that the WSDL needs, by the name it is served under."""
        with self._lock:
            if self._documents is None:
                self._documents = {
                    self._name(path): path for path in contract_files.closure(self.wsdl)
                }
            return self._documents

    def _name(self, path: Path) -> str:
        return Path(relpath(path, self._folder)).as_posix()

    def serve_wsdl(self, address: str | None, xsd_base: str) -> bytes:
        return contract_files.served(self.wsdl, address, lambda path: self._url(path, xsd_base))

    def serve_document(self, name: str, xsd_base: str) -> bytes:
        path = self.documents()[name]  # a look-up, so that no name leads outside the contract
        return contract_files.served(path, None, lambda target: self._url(target, xsd_base))

    def _url(self, path: Path, xsd_base: str) -> str:
        return xsd_base + contract_files.query(self._name(path))


def _find(folder: Path) -> Iterator[_SchemaSet]:
    """Every WSDL under the folder that is written like a RIV-TA contract with profile BP 2.1."""
    for path in sorted(folder.rglob("*.wsdl")):
        root = contract_files.parse(path)
        contract = _read_contract(root)
        if contract is None:
            continue
        imports = dict(contract_files.import_paths(path, root))
        if contract.namespace in imports:
            yield _SchemaSet(contract, path, imports[contract.namespace], folder)


def _read_contract(root: etree._Element) -> Contract | None:
    """
    What a WSDL says about its contract; None for another profile than BP 2.1.

    The message namespace is that of the request element, wherever the WSDL's own namespace is: the
    contracts of the intyg programme have the two swapped.
    """
    operation = root.find(f"{{{ns.WSDL}}}binding/{{{ns.WSDL}}}operation")
    soap = operation.find(f"{{{ns.WSDL_SOAP}}}operation") if operation is not None else None
    if operation is None or soap is None:
        return None
    name = operation.get("name", "")
    parts = {
        etree.QName(prefixed.nsmap.get(prefix), local).text
        for prefixed in root.iter(f"{{{ns.WSDL}}}part")
        for prefix, _, local in [prefixed.get("element", "").rpartition(":")]
        if prefix and local
    }
    requests = [etree.QName(part) for part in parts if etree.QName(part).localname == name]
    if len(requests) != 1 or f"{{{ns.REGISTRY}}}LogicalAddress" not in parts:
        return None
    namespace = requests[0].namespace or ""
    *domain, contract, major = namespace.removeprefix("urn:riv:").split(":")
    if not major.isdecimal() or contract.removesuffix("Responder") != name:
        return None
    return Contract(
        name=name,
        major=int(major),
        namespace=namespace,
        soap_action=soap.get("soapAction", ""),
        path="/" + "/".join([*domain, name, major, "rivtabp21"]),
    )
