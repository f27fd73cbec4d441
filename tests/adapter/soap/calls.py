"""Calling the doors in a test: an envelope around a request, and a WSGI call without a server."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from wsgiref.types import WSGIApplication

from lxml import etree

from intyg.schemas import ns
from intyg.schemas.contract.contract import Contract

ADDRESS = "SE2321000016-1003"


def envelope(body: str, address: str | None = ADDRESS, head: str = "") -> str:
    """A SOAP 1.1 request."""
    if address is not None:
        head += f'<LogicalAddress xmlns="{ns.REGISTRY}">{address}</LogicalAddress>'
    return (
        f'<s:Envelope xmlns:s="{ns.SOAP11}"><s:Header>{head}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )


def request(contract: Contract, inside: str = "") -> str:
    """A contract's request element; not a valid one, which is the handler's business."""
    return f'<m:{contract.name} xmlns:m="{contract.namespace}">{inside}</m:{contract.name}>'


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def child(self) -> etree._Element:
        """The answer's body element; the answer must be a SOAP 1.1 envelope in UTF-8."""
        assert self.headers["Content-Type"] == "text/xml; charset=UTF-8"
        self.body.decode("utf-8")
        root = etree.fromstring(self.body)
        assert root.tag == f"{{{ns.SOAP11}}}Envelope"
        assert [child.tag for child in root] == [f"{{{ns.SOAP11}}}Body"]
        assert len(root[0]) == 1
        child = root[0][0]
        assert isinstance(child, etree._Element)
        return child

    @property
    def fault(self) -> tuple[str, str]:
        """faultcode without prefix, and faultstring."""
        assert self.child.tag == f"{{{ns.SOAP11}}}Fault"
        prefix, _, code = self.child.findtext("faultcode", "").partition(":")
        assert self.child.nsmap[prefix] == ns.SOAP11
        return code, self.child.findtext("faultstring", "")

    @property
    def result(self) -> dict[str, str]:
        """resultCode, resultText and errorId, those that are there."""
        result = self.child[0]
        return {etree.QName(part).localname: part.text or "" for part in result}


def call(app: WSGIApplication, method: str, path: str, body: bytes = b"", **environ: Any) -> Answer:
    """Call a WSGI application as a server would."""
    path, _, query = path.partition("?")
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        told.append((status, headers))

    if method == "POST":
        environ = {
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "text/xml; charset=UTF-8",
            **environ,
        }
    parts: Iterable[bytes] = app(
        {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "/services",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_HOST": "door.example",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            **{name: value for name, value in environ.items() if value is not None},
        },
        start_response,
    )
    status, headers = told[0]
    return Answer(int(status.split()[0]), dict(headers), b"".join(parts))
