"""The command `intyg send`: post a message from a file, where it may go, and read the answer."""

import tomllib
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer
from lxml import etree

from intyg.adapter.cli.options import UP, ConfigOption, JsonOption
from intyg.adapter.cli.terminal import STDIN, fail, out, print_json, read
from intyg.adapter.clients.http_client import (
    HttpAnswer,
    HttpClient,
    HttpRequest,
    Limits,
    NoAnswerError,
)
from intyg.adapter.clients.tls import PUBLIC, TlsFilesError, client_context
from intyg.adapter.deliver.transport import as_asked, why_stopped
from intyg.adapter.domain.destination import ClientTls, Destination
from intyg.adapter.domain.errors import AdapterError, ApplicationError
from intyg.adapter.domain.person import GuardDecision, PatientKind, PatientVerdict, PersonId
from intyg.adapter.formats import safe_xml
from intyg.adapter.formats.persons import persons_in
from intyg.adapter.guard import Guard, build_test_patients
from intyg.adapter.routing.table import destination
from intyg.adapter.settings.settings import Settings, SettingsError, load_settings
from intyg.adapter.settings.web_address import LOOPBACK, check_web_address, machine_of
from intyg.schemas import ns
from intyg.schemas.codes import ResultCode
from intyg.schemas.contract.contract import Contract, Contracts

_MAX_ANSWER_BYTES: Final = 15 * 1024 * 1024


def send(
    file: Annotated[
        Path, typer.Argument(help="A request element or envelope; - is standard input.")
    ] = STDIN,
    to: Annotated[
        str | None,
        typer.Option(
            help="Service address, or the base that paths are added to; "
            "default: the adapter of `make up`."
        ),
    ] = None,
    config: ConfigOption = None,
    logical_address: Annotated[
        str, typer.Option(help="For the header; an envelope keeps its own.")
    ] = "INTYGSADAPTER",
    timeout: Annotated[float, typer.Option(help="Seconds until the answer is there.")] = 30.0,
    ca: Annotated[Path | None, typer.Option(help="PEM: who vouches for the server.")] = None,
    cert: Annotated[Path | None, typer.Option(help="PEM: the client certificate.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM: its key, unless it is in it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """
    Post a message to an adapter or mock and print the answer.

    Without --config to this machine only. With it to the settings' destinations, where the guard
    lets the patient's messages go, and to the adapter itself.
    """
    try:
        settings = load_settings(config) if config else None
        data = read(file)
        tls = ClientTls(ca, cert, key)
        to = to or adapter_of_up(UP)
        answer = post_file(data, Contracts(), to, logical_address, timeout, tls, settings)
    except OSError as exc:
        fail(f"{exc.filename or file}: {exc.strerror or exc}")
    except (SettingsError, TlsFilesError, NotForUsError) as exc:
        fail(str(exc))
    except AdapterError as exc:
        fail(exc.text, 1)
    if as_json:
        print_json(asdict(answer))
    else:
        out.print(answer.text, markup=False, highlight=False)
    raise typer.Exit(0 if answer.accepted else 1)


def adapter_of_up(folder: Path) -> str:
    """Where the adapter of `make up` serves, by the settings in its folder, or usually."""
    try:
        port = tomllib.loads((folder / "adapter.toml").read_text("utf-8"))["server"]["port"]
    except (OSError, ValueError, LookupError, TypeError):
        port = 8080
    return f"http://127.0.0.1:{port}/services"


class NotForUsError(Exception):
    """Nothing may be sent to the address; the text says what would be right."""


@dataclass(frozen=True)
class PostedAnswer:
    """
    What came back; OK, INFO, and an answer that has no result and is no fault are accepted.

    Attributes:
        text: All of it in words.
        http_status: Of the answer.
        result_code, error_id, result_text: Of its `result`; None where it has none.
        faultcode, faultstring, detail: Of a SOAP fault; None where it is none.
    """

    accepted: bool
    text: str
    http_status: int
    result_code: str | None = None
    error_id: str | None = None
    result_text: str | None = None
    faultcode: str | None = None
    faultstring: str | None = None
    detail: str | None = None


def post_file(
    data: bytes,
    contracts: Contracts,
    to: str,
    logical_address: str,
    timeout_seconds: float,
    tls: ClientTls = PUBLIC,
    settings: Settings | None = None,
) -> PostedAnswer:
    """
    Post a message.

    Args:
        data: A request element, which gets an envelope, or a whole envelope.
        contracts: To know what the request is.
        to: Full service address, or a base address that the national path is added to.
        logical_address: For the header of a bare request.
        timeout_seconds: Until the whole answer is there.
        tls: Who vouches for the server, and the certificate that it is shown; where it says
            nothing, a destination's own counts.
        settings: Know where messages may go; without them, to this machine only.

    Raises:
        FaultError: The file is not XML as we take it.
        ApplicationError: No contract has this request, the guard lets it not go, or nobody
            answered.
        NotForUsError: The address is none that may be sent to.
        TlsFilesError: A file for TLS cannot be used.
    """
    root = safe_xml.parse(data).getroot()
    whole = root.tag == f"{{{ns.SOAP11}}}Envelope"
    element = root.find(f"{{{ns.SOAP11}}}Body/*") if whole else root
    contract = None if element is None else contracts.by_request(str(element.tag))
    if contract is None:
        raise ApplicationError("the file holds no request of a contract that is known")
    headers = {
        "Content-Type": "text/xml; charset=UTF-8",
        "SOAPAction": f'"{contract.soap_action}"',
        "Accept-Encoding": "identity",
    }
    message = data if whole else safe_xml.envelope(safe_xml.to_utf8(data), logical_address)
    limits = Limits(timeout_seconds, timeout_seconds, timeout_seconds, _MAX_ANSWER_BYTES)
    url, usual = permitted(root, contract, to, settings)
    shown = usual if tls == PUBLIC else tls
    client = HttpClient(None if shown == PUBLIC else client_context(shown))
    with closing(client):
        try:
            return _read(client.exchange(HttpRequest("POST", url, headers, message), limits))
        except NoAnswerError as exc:
            raise ApplicationError(f"{url}: {exc}") from exc


# --- where it may go ------------------------------------------------------------------------------


def permitted(
    message: etree._Element, contract: Contract, to: str, settings: Settings | None
) -> tuple[str, ClientTls]:
    """
    Ask whether a message may go to an address.

    Returns:
        The address to post to, and how TLS is spoken there.

    Raises:
        NotForUsError: The address is none that may be sent to.
        ApplicationError: The guard lets the message not go.
    """
    try:
        check_web_address(to)
    except ValueError as exc:
        raise NotForUsError(f"--to {exc}") from exc
    url = _address(to, contract)
    if settings is None:
        if machine_of(url).rpartition(":")[0] != LOOPBACK:
            raise NotForUsError(
                f"{to} is not on this machine: give --config, whose destinations may be sent to"
            )
        return url, PUBLIC
    there = _destinations_at({_place(to), _place(url)}, settings, contract)
    if there:
        guard = Guard(build_test_patients(settings.test_patients), settings.environment)
        for one in there:
            _ask(guard, as_asked(contract.name, one), persons_in(message))
        return there[0].url, there[0].tls
    if machine_of(url) == _own_machine(settings):
        return url, PUBLIC
    known = ", ".join(sorted(settings.destinations)) or "none"
    raise NotForUsError(
        f"{to} is no destination of the settings ({known}), nor this adapter's own address"
    )


def _ask(guard: Guard, to: Destination, persons: Collection[PersonId]) -> None:
    """Every person in the message must be one whose messages may go there; nobody is not enough."""
    nobody = PatientVerdict(PatientKind.CANNOT_TELL, "message", "it names nobody")
    asked = [guard.decision(person, to) for person in persons]
    for decision, verdict in asked or [(guard.decide(to, nobody.kind), nobody)]:
        if decision is not GuardDecision.SEND:
            raise ApplicationError(f"the guard lets it not go: {why_stopped(verdict, to)}")


def _destinations_at(places: set[str], settings: Settings, contract: Contract) -> list[Destination]:
    """One address may be several: another name for it, or another role."""
    all_there_are = (
        destination(name, row, contract.name, contract.major)
        for name, row in settings.destinations.items()
        if row.url
    )
    return [one for one in all_there_are if _place(one.url) in places]


def _place(url: str) -> str:
    return machine_of(url) + urlsplit(url).path.rstrip("/")


def _own_machine(settings: Settings) -> str | None:
    """Where the adapter of these settings listens; None if on any port that is free."""
    server = settings.server
    host = f"[{server.host}]" if ":" in server.host else server.host
    scheme = "https" if server.tls else "http"
    return machine_of(f"{scheme}://{host}:{server.port}") if server.port else None


def _address(to: str, contract: Contract) -> str:
    if to.rstrip("/").endswith(contract.path):
        return to
    return to.rstrip("/") + contract.path


# --- what comes back ------------------------------------------------------------------------------


def _read(reply: HttpAnswer) -> PostedAnswer:
    """Leniently, by local names: answers out there do not always follow their schema."""
    try:
        root = safe_xml.parse(
            reply.body, _MAX_ANSWER_BYTES, max_markup=safe_xml.MAX_LIST_MARKUP
        ).getroot()
    except Exception as exc:  # noqa: BLE001  # whatever came, it is no SOAP answer
        text = f"HTTP {reply.status}, no SOAP ({type(exc).__name__})"
        return PostedAnswer(False, text, reply.status)
    texts = {
        etree.QName(element).localname: (element.text or "").strip()
        for element in root.iter(etree.Element)
        if len(element) == 0
    }
    if "faultstring" in texts:
        return _fault(texts, reply.status)
    code = texts.get("resultCode")
    if code is None:
        return PostedAnswer(reply.status < 400, f"HTTP {reply.status}", reply.status)
    error, said = texts.get("errorId"), texts.get("resultText")
    return PostedAnswer(
        code in (ResultCode.OK, ResultCode.INFO),
        " ".join(filter(None, (code, error, said))),
        reply.status,
        result_code=code,
        error_id=error,
        result_text=said,
    )


def _fault(texts: Mapping[str, str], status: int) -> PostedAnswer:
    code, said, detail = texts.get("faultcode"), texts["faultstring"], texts.get("detailString")
    shown = f"Fault {code or ''}: {said}"
    return PostedAnswer(
        False,
        f"{shown}\n{detail}" if detail else shown,
        status,
        faultcode=code,
        faultstring=said,
        detail=detail,
    )
