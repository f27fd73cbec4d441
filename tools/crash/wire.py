"""Calls of an adapter over HTTP: SOAP, and REST about drafts."""

import http.client
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from intyg.schemas.examples.example import SIGNER
from tools.crash.messages import DOCTORS_NAME, Request

CALL_SECONDS: Final = 30.0
_BY: Final = urlencode({"hanteratAv": SIGNER, "namn": DOCTORS_NAME})


def call(port: int, request: Request) -> bytes:
    """
    Call an adapter once.

    Raises:
        OSError, HTTPException: There is no answer.
    """
    headers = {"Content-Type": "text/xml"}
    return _exchange(port, "POST", request.path, request.envelope, headers)[1]


def ask(
    port: int, method: str, path: str, body: Mapping[str, Any] | None, stamp: int | None
) -> tuple[int, bytes]:
    """
    Ask about drafts, as the doctor whose key the adapter has.

    Args:
        path: Below `/api/utkast`.
        stamp: For If-Match.

    Returns:
        Status and body.

    Raises:
        OSError, HTTPException: There is no answer.
    """
    headers = {} if stamp is None else {"If-Match": f'"{stamp}"'}
    data = b"" if body is None else json.dumps(body).encode()
    return _exchange(port, method, f"/api/utkast{path}?{_BY}", data, headers)


def _exchange(
    port: int, method: str, path: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CALL_SECONDS)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
