"""Two callers that see what a rule does: a zeep client, and a bare socket."""

import io
import socket
from typing import Any, Protocol

import requests
import zeep
from lxml import etree
from zeep.exceptions import Error as ZeepError
from zeep.exceptions import Fault, TransportError
from zeep.transports import Transport

from intyg.mocks.server.serving import MockServer
from intyg.schemas.contract.contract import Contracts
from tests import builders
from tests.mocks.calls import PATHS, envelope

REGISTER = builders.register_certificate()
PATH = PATHS["RegisterCertificate"]


class ZeepCaller:
    """RegisterCertificate by zeep, strictly: what a vendor's client makes of an answer."""

    def __init__(self, contracts: Contracts) -> None:
        wsdl = contracts.wsdl_whole(contracts.get("RegisterCertificate", 3))
        self._session = requests.Session()
        self._client = zeep.Client(io.BytesIO(wsdl), transport=Transport(session=self._session))

    def close(self) -> None:
        self._session.close()

    def call(self, server: MockServer, data: bytes | None = None, timeout: float = 5.0) -> str:
        """The result as `OK - text`, or what went wrong."""
        client: Any = self._client
        client.transport.operation_timeout = timeout
        operation = client.service._binding.get("RegisterCertificate")
        try:
            response = client.transport.post_xml(
                server.url + PATH,
                etree.fromstring(data or envelope(REGISTER)),
                {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": operation.soapaction},
            )
            reply = client.service._binding.process_reply(client, operation, response)
        except Fault as exc:
            if isinstance(exc.detail, bytes):
                return "fault that is none"  # what zeep makes of XML that is no SOAP
            detail = "" if exc.detail is None else "".join(exc.detail.itertext())
            return f"fault {exc.code} {exc.message} {detail}".strip()
        except TransportError as exc:
            return f"transport {exc.status_code}"
        except (ZeepError, ValueError) as exc:
            return f"unreadable {type(exc).__name__}"
        except requests.RequestException as exc:
            return type(exc).__name__
        result = getattr(reply, "result", reply)
        if result is None:
            return "no result"
        words = [result.resultCode, result.errorId, result.resultText]
        return " ".join(str(word) for word in words if word)


class Listens(Protocol):
    """A mock's own server, or pytest-httpserver."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


def http_request(data: bytes) -> bytes:
    """The same as bytes on a connection."""
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


def raw(server: Listens, data: bytes | None = None, timeout: float = 5.0) -> bytes | str:
    """
    Every byte that comes back until the other side closes.

    Returns:
        Or `reset`, or `silence` when nothing came in time.
    """
    with socket.create_connection((server.host, server.port), timeout=timeout) as connection:
        connection.sendall(http_request(envelope(REGISTER) if data is None else data))
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            return "reset"
        except TimeoutError:
            return received or "silence"
        return received
