"""The files that make up a contract: a WSDL and the XSDs it imports, read and served.

The W3C's `xmldsig` schema is not among our files. Wherever a schema imports one that is not there,
the copy that the signxml package installs is read instead.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from os.path import normpath
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from lxml import etree

from intyg.schemas import ns

_IMPORTS: Final = (f"{{{ns.XS}}}import", f"{{{ns.XS}}}include")
_SOAP_ADDRESS: Final = f"{{{ns.WSDL_SOAP}}}address"


class ContractError(ValueError):
    """A contract's files are missing, or cannot be understood; the text says which and why."""


def _parser() -> etree.XMLParser:
    """A parser for schema files: no DTD, no entities, no network."""
    return etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)


@cache
def xmldsig_path() -> Path:
    """The W3C's `xmldsig` schema, as the signxml package installs it."""
    # Not by `importlib.resources`, which imports the package: that takes as long as the first call.
    found = find_spec("signxml")
    assert found is not None, "signxml is a dependency"
    assert found.origin is not None, "signxml is installed as files"
    return Path(found.origin).parent / "schemas" / "xmldsig-core-schema.xsd"


def is_xmldsig(path: Path) -> bool:
    """Whether this is an import of the W3C's `xmldsig` schema that signxml's copy answers."""
    return path.name.startswith("xmldsig-core-schema") and not path.is_file()


def read(path: Path) -> bytes:
    """
    The bytes of a schema file, without a document type declaration.

    Raises:
        ContractError: No such file, or not XML.
    """
    try:
        data = (xmldsig_path() if is_xmldsig(path) else path).read_bytes()
        if b"<!DOCTYPE" not in data:
            return data
        root = etree.fromstring(data, _parser())
    except (OSError, etree.XMLSyntaxError) as exc:
        raise ContractError(f"{path}: {exc}") from exc
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def parse(path: Path) -> etree._Element:
    """
    The root of a schema file.

    Raises:
        ContractError: No such file, or not XML.
    """
    try:
        return etree.fromstring(read(path), _parser())
    except etree.XMLSyntaxError as exc:
        raise ContractError(f"{path}: {exc}") from exc


def compile_schema(xsd: Path, documents: Iterable[Path]) -> etree.XMLSchema:
    """
    A schema for libxml2.

    Args:
        xsd: Declares the messages.
        documents: All files it needs, itself among them.

    Raises:
        ContractError: The files make no schema.
    """
    # libxml2 imports a namespace once, from where it is first told, so the location that the
    # certificate types give for xmldsig is not looked at. A resolver could answer there too, but
    # lxml keeps resolvers in a place that all threads share while they parse, and loses them.
    first = [(ns.DS, xmldsig_path())] if any(map(is_xmldsig, documents)) else []
    root = etree.Element(f"{{{ns.XS}}}schema", nsmap={"xs": ns.XS})
    for namespace, path in [*first, (parse(xsd).get("targetNamespace", ""), xsd)]:
        attributes = {"namespace": namespace, "schemaLocation": path.as_uri()}
        etree.SubElement(root, f"{{{ns.XS}}}import", attributes)
    try:
        return etree.XMLSchema(root)
    except etree.XMLSchemaParseError as exc:
        raise ContractError(f"{xsd.name}: {exc}") from exc


def _imports(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """Each import or include that says where, with its location."""
    for node in root.iter(*_IMPORTS):
        location = node.get("schemaLocation")
        if location:
            yield node, location


def import_paths(path: Path, root: etree._Element) -> Iterator[tuple[str, Path]]:
    """Each namespace that a document imports, with its file; an include has namespace ''."""
    for node, location in _imports(root):
        yield node.get("namespace", ""), _target(path, location)


def _target(path: Path, location: str) -> Path:
    if urlsplit(location).scheme:
        raise ContractError(f"{path} imports {location}, which is not a file beside it")
    return Path(normpath(path.parent / unquote(location)))


def closure(wsdl: Path) -> tuple[Path, ...]:
    """
    Every XSD that a WSDL needs, each after those it needs itself.

    Raises:
        ContractError: One of them is missing.
    """
    found: dict[Path, None] = {}
    visiting: set[Path] = set()

    def visit(path: Path) -> None:
        if path in visiting:
            return
        visiting.add(path)
        for _, target in import_paths(path, parse(path)):
            visit(target)
        found[path] = None

    visit(wsdl)
    return tuple(path for path in found if path != wsdl)


def served(path: Path, address: str | None, url_of: Callable[[Path], str]) -> bytes:
    """
    A WSDL or XSD whose imports, and service address if it has one, say where things are.

    Args:
        path: The file.
        address: Put into `soap:address`; None leaves it.
        url_of: The URL that an imported file is served at.
    """
    root = parse(path)
    for node, location in _imports(root):
        node.set("schemaLocation", url_of(_target(path, location)))
    _set_address(root, address)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def query(name: str) -> str:
    """A document's name as the value of a query parameter; slashes stay readable."""
    return quote(name, safe="/")


def whole(wsdl: Path, address: str | None) -> bytes:
    """A WSDL that imports nothing from elsewhere: its `types` hold every schema it needs."""
    root = parse(wsdl)
    types = root.find(f"{{{ns.WSDL}}}types")
    assert types is not None
    mark = etree.ProcessingInstruction("schemas")
    types.insert(0, mark)
    _set_address(root, address)
    schemas = [_without_locations(parse(path)) for path in closure(wsdl)]
    # Put together as text: lxml would drop namespace declarations that it finds again further out
    # under another prefix, and with them the meaning of the QNames in attribute values.
    return _without_locations(root).replace(etree.tostring(mark), b"\n".join(schemas))


def _without_locations(root: etree._Element) -> bytes:
    for node, _ in list(_imports(root)):
        del node.attrib["schemaLocation"]
    return etree.tostring(root, encoding="UTF-8", with_tail=False)


def _set_address(root: etree._Element, address: str | None) -> None:
    for node in root.iter(_SOAP_ADDRESS):
        if address is not None:
            node.set("location", address)
