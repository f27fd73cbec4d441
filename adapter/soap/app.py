"""The SOAP doors as one WSGI application, to be mounted under /services.

    GET  /                            lists the contracts
    GET  <national path>?wsdl         the contract, with the address that the caller used
    GET  <national path>?singleWsdl   the same with every schema inside it
    GET  <national path>?xsd=…        a schema that it imports
    POST <national path>              a message

A message that is no request to a contract here gets a SOAP fault (HTTP 500, or 413, 415, 408, 400
where HTTP has a word for it); everything else is its handler's to answer.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs, quote
from wsgiref.types import WSGIApplication

import structlog

from intyg.adapter.domain import log
from intyg.adapter.domain.clock import Clock
from intyg.adapter.domain.errors import FaultCode, FaultError
from intyg.adapter.domain.multipart import RELATED
from intyg.adapter.routing.access import Access
from intyg.adapter.settings.settings import Settings
from intyg.adapter.soap import pages, web
from intyg.adapter.soap.envelope import fault_envelope
from intyg.adapter.soap.protocol import Call
from intyg.adapter.soap.service import (
    ContractServer,
    Handler,
    build_service,
    report_unexpected,
    unexpected,
)
from intyg.schemas.contract.contract import Contract, Contracts

XML: Final = "text/xml; charset=UTF-8"

DRY_RUNS: Final = frozenset({"CreateDraftCertificate:3"})
"""Contracts that can be tried; any other that is asked to be is not done."""

_log = structlog.get_logger("intyg.adapter.soap")


def build_wsgi(
    contracts: Contracts,
    handlers: Mapping[str, Handler],
    settings: Settings,
    clock: Clock,
    fault_contracts: frozenset[str] = frozenset(),
    access: Access | None = None,
    sent: Sequence[str] = (),
) -> WSGIApplication:
    """
    Build the doors.

    Args:
        contracts: All contracts known, served or not.
        handlers: From contract key (`RegisterCertificate:3`) to its flow; these are served.
        settings: `environment`, and of `server`: `max_body_bytes`, `trust_proxy`, `public_url` and
            `validate_answers`.
        clock: For `Inbound.received_at`.
        fault_contracts: Keys of contracts whose response has no result (the read contracts): every
            error of theirs is a SOAP fault.
        access: Asked who calls, and whether they may; None: everybody may call everything.

        sent: Keys of contracts that callers serve themselves; their WSDLs are listed, too.

    Raises:
        KeyError: A handler for an unknown contract.
    """

    def known(key: str) -> Contract:
        name, _, major = key.partition(":")
        return contracts.get(name, int(major))

    doors = _Doors(
        contracts, list(map(known, handlers)), handlers, settings, clock, fault_contracts, access
    )
    doors.sent = {contract.path: contract for contract in map(known, sent)}
    return doors


class _Doors:
    """
    Attributes:
        sent: Contracts that callers serve, by path.
    """

    def __init__(
        self,
        contracts: Contracts,
        served: list[Contract],
        handlers: Mapping[str, Handler],
        settings: Settings,
        clock: Clock,
        fault_contracts: frozenset[str],
        access: Access | None,
    ) -> None:
        self._contracts = contracts
        self._by_path = {contract.path: contract for contract in served}
        self._environment = settings.environment
        self._max_bytes = settings.server.max_body_bytes
        self._trust_proxy = settings.server.trust_proxy
        self._public_url = settings.server.public_url
        self.sent: dict[str, Contract] = {}
        self._clock = clock
        self._access = access
        self._services: dict[str, ContractServer] = {
            contract.key: build_service(
                contract,
                handlers[contract.key],
                self._where_served,
                max_bytes=self._max_bytes,
                faults=contract.key in fault_contracts,
                check=contracts.check if settings.server.validate_answers else None,
                admit=partial(self._admit, contract),
            )
            for contract in served
        }

    def __call__(self, environ: web.Environ, start_response: Any) -> Iterable[bytes]:
        started = time.perf_counter()
        correlation_id, dry_run = web.correlation_id(environ), web.wants_dry_run(environ)
        call = Call(b"", None, self._clock(), correlation_id, dry_run)
        path = web.normal_path(environ.get("PATH_INFO", ""))
        contract = self._by_path.get(path)
        try:
            response = self._answer_itself(environ, path, contract)
            if response is None:
                assert contract is not None
                self._read(environ, call)
                server = self._services[contract.key]
                with server.taken_in(call) as context:
                    if not context.in_error:
                        server.get_out_object(context)  # spyne's, which calls the handler
                    status, (first, *more) = server.finish(context)
                    response = web.Response(status, first, XML, more=more)
        except FaultError as error:
            call.note_fault(error)
            response = _fault(error.http_status, error.fault_code, error.text, error.detail)
        except Exception as exc:  # noqa: BLE001 - the door: no stack trace ever leaves
            report_unexpected(exc, call.correlation_id)
            response = _fault(500, FaultCode.SERVER, unexpected(call.correlation_id).text)
        self._log(environ, call, contract, response, time.perf_counter() - started)
        start_response(
            response.status_line,
            [
                ("Content-Type", response.content_type),
                ("Content-Length", str(response.length)),
                (web.CORRELATION_HEADER, call.correlation_id),
                *response.headers,
            ],
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body, *response.more]

    def _answer_itself(
        self, environ: web.Environ, path: str, contract: Contract | None
    ) -> web.Response | None:
        """A page, or what is wrong with the request; None for a message to a contract."""
        method = environ["REQUEST_METHOD"]
        reading = method in ("GET", "HEAD")
        if not path:
            return self._index(environ) if reading else _not_allowed("GET, HEAD")
        if contract is None and path in self.sent:
            return self._sent(environ, self.sent[path])
        if contract is None:
            services = environ.get("SCRIPT_NAME") or "/"
            return web.Response.text(404, f"No service here. GET {services} lists the services.")
        if method == "POST":
            return None
        return self._document(environ, contract) if reading else _not_allowed("POST, GET, HEAD")

    def _index(self, environ: web.Environ) -> web.Response:
        base = self._base(environ) + quote(environ.get("SCRIPT_NAME", ""))
        shown = pages.Shown(
            *(
                sorted(contracts.values(), key=lambda contract: contract.key)
                for contracts in (self._by_path, self.sent)
            )
        )
        vary = (("Vary", "Accept"),)
        if "application/json" in environ.get("HTTP_ACCEPT", ""):
            body = pages.as_json(shown, base, self._environment)
            return web.Response(200, body, "application/json", vary)
        page = pages.as_html(shown, base, self._environment)
        return web.Response(200, page, "text/html; charset=UTF-8", vary)

    def _document(self, environ: web.Environ, contract: Contract) -> web.Response:
        address = self._address(environ)
        return self._description(environ, contract, address) or _not_allowed(
            "POST", f"Post a SOAP message here; {address}?wsdl describes it."
        )

    def _sent(self, environ: web.Environ, contract: Contract) -> web.Response:
        """What is told of a contract whose messages are sent from here."""
        described = None
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            described = self._description(environ, contract, None)
        return described or web.Response.text(
            404,
            f"{contract.name} {contract.major} is sent to you, and served by you; "
            f"{self._address(environ)}?wsdl describes it.",
        )

    def _description(
        self, environ: web.Environ, contract: Contract, address: str | None
    ) -> web.Response | None:
        """The WSDL or schema that is asked for; without an address, for whoever serves it."""
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True, max_num_fields=9)
        asked = {name.lower(): values[0] for name, values in query.items()}
        here = self._address(environ)
        if "singlewsdl" in asked:
            return web.Response(200, self._contracts.wsdl_whole(contract, address), XML)
        if "wsdl" in asked:
            return web.Response(200, self._contracts.wsdl(contract, address, f"{here}?xsd="), XML)
        if "xsd" not in asked:
            return None
        try:
            schema = self._contracts.document(contract, asked["xsd"], f"{here}?xsd=")
        except KeyError:
            return web.Response.text(404, f"No such schema. {here}?wsdl names them.")
        return web.Response(200, schema, XML)

    def _read(self, environ: web.Environ, call: Call) -> None:
        """
        Find out who calls, then read the message into the call.

        Raises:
            FaultError: The caller is not known, or HTTP says already that this is no message (408,
                413, 415, 400).
        """
        if self._access is not None:
            call.caller = self._access.identify(environ)  # before any of it is read
        media_type, call.charset = web.media_type(environ.get("CONTENT_TYPE"))
        if media_type not in (None, "text/xml", RELATED):
            raise FaultError("Send SOAP 1.1 as Content-Type text/xml.", http_status=415)
        if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
            raise FaultError("Send the message without Content-Encoding.", http_status=415)
        call.body = web.read_body(environ, self._max_bytes)
        if media_type == RELATED:
            call.body, call.charset = web.root_of(environ["CONTENT_TYPE"], call.body)

    def _admit(self, contract: Contract, call: Call) -> None:
        if call.dry_run and contract.key not in DRY_RUNS:
            raise FaultError(f"{web.DRY_RUN}: {contract.name} cannot be tried; it was not done.")
        if self._access is not None:
            assert call.caller is not None
            assert call.logical_address is not None
            self._access.admit(call.caller, contract, call.logical_address)

    def _where_served(self, tag: str) -> str | None:
        other = self._contracts.by_request(tag)
        if other is None or other.path not in self._by_path:
            return None
        return f"{other.name} {other.major} is served at {other.path}."

    def _address(self, environ: web.Environ) -> str:
        return self._base(environ) + web.path_of(environ)

    def _base(self, environ: web.Environ) -> str:
        return web.caller_base(environ, self._trust_proxy, self._public_url)

    def _log(
        self,
        environ: web.Environ,
        call: Call,
        contract: Contract | None,
        response: web.Response,
        seconds: float,
    ) -> None:
        """One line a request: what was called, how it ended; nothing that it said."""
        fields: dict[str, object] = {
            "http.request.method": log.shown(environ["REQUEST_METHOD"]),
            "http.request.body.bytes": len(call.body),
            "http.response.status_code": response.status,
            "http.response.body.bytes": response.length,
            "event.duration": int(seconds * 1e9),  # nanoseconds, as ECS has it
            "trace.id": call.correlation_id,
            "intyg.contract": contract.key if contract else None,
            "intyg.logical_address": log.shown(call.logical_address),
            "intyg.sender": log.shown(call.caller.sender) if call.caller else None,
            "intyg.fault": call.fault,
            "intyg.original_consumer": log.shown(
                environ.get("HTTP_X_RIVTA_ORIGINAL_SERVICECONSUMER_HSAID")
            ),
            "intyg.result_code": call.result_code,
            "intyg.error_id": call.error_id,
        }
        posted = contract is not None and environ["REQUEST_METHOD"] == "POST"
        _log.info(
            "soap.call" if posted else "soap.page",
            **{k: v for k, v in fields.items() if v is not None},
        )


def _fault(status: int, code: FaultCode, text: str, detail: str | None = None) -> web.Response:
    return web.Response(status, fault_envelope(code, text, detail), XML)


def _not_allowed(allow: str, text: str = "This method is not allowed here.") -> web.Response:
    return web.Response.text(405, text, ("Allow", allow))
