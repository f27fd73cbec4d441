"""
HTTP on the way out: the one way in which mocks ask anybody, and read what is answered.

A proxy in between may send answers before the answer; a stack that takes attachments wraps its
envelope. Deliberately a second implementation, as `envelope` is.

Source: RFC 9110 section 15.2 (1xx).
"""

import http.client
import ssl
from collections.abc import Mapping
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from intyg.mocks.wire.multipart import content_of, is_related, root_of

_MOST_INTERIM: Final = 100


def http_session(
    verify: str | bool = True,
    cert: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    unwrap: bool = True,
) -> requests.Session:
    """
    A session that uses nothing of the environment: a mock talks to its adapter, not to a proxy.

    Args:
        verify: PEM file of the CAs that are believed for https, also where another issued them;
            True: the usual ones.
        cert: Client certificate and key (PEM).
        headers: That every request bears.
        unwrap: Of a `multipart/related` answer, give the root part alone.
    """
    session = requests.Session()
    session.trust_env = False
    session.verify, session.cert = verify, cert
    session.headers.update(headers or {})
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    if unwrap:
        session.hooks["response"].append(_unwrap)
    return session


class _Response(http.client.HTTPResponse):
    """The answer itself: `http.client` passes over `100 Continue` alone."""

    def begin(self) -> None:
        super().begin()
        for _ in range(_MOST_INTERIM):
            if not 100 <= self.status < 200 or self.status == http.client.SWITCHING_PROTOCOLS:
                return
            self.headers = self.msg = None  # type: ignore[assignment]  # so that it begins anew
            super().begin()
        raise http.client.HTTPException("no answer after all that came before it")


class _Http(HTTPConnection):
    response_class = _Response


class _Https(HTTPSConnection):
    response_class = _Response


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        context = create_urllib3_context()
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        super().init_poolmanager(*args, ssl_context=context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


def _unwrap(response: requests.Response, *_: object, **__: object) -> None:
    content_type = response.headers.get("Content-Type", "")
    root = root_of(content_type, response.content) if is_related(content_type) else None
    if root is not None:
        response._content = content_of(root)
        response.headers["Content-Type"] = root.get("Content-Type", "text/xml")
