"""One small question to a service beside the adapter: a staff directory, a population register.

Bounded in size, and in time however slowly an answer dribbles. Nothing from the environment is used
(no proxy, `.netrc` or certificates), and no redirect is followed: the answer comes from the address
in the settings or not at all.
"""

import http.client
import io
import socket
import time
from pathlib import Path
from typing import Any, Final

import pydantic
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_BLOCK_BYTES: Final = 16 * 1024


class NoAnswerError(Exception):
    """There is no answer; the text is the error's class, since the original quotes the address."""


def ask_service(
    url: str,
    *,
    json: dict[str, str] | None = None,
    token: pydantic.SecretStr | None = None,
    ca: Path | None = None,
    timeout_seconds: float,
    max_bytes: int,
) -> tuple[int, bytes]:
    """
    GET, or POST if there is something to post.

    Args:
        json: What is posted.
        token: Sent as `Authorization: Bearer`.
        ca: CA certificates (PEM) for https; None: the public authorities (certifi).
        timeout_seconds: From now until the last byte of the answer. Connecting may take as long,
            for each address of the host, and so may the TLS handshake; then the time is up.
        max_bytes: Longer answers are cut off here.

    Returns:
        HTTP status and body.

    Raises:
        NoAnswerError: No connection, no answer in time, or a broken one.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token.get_secret_value()}"
    try:
        with requests.Session() as session:
            session.trust_env = False
            for scheme in ("http://", "https://"):
                session.mount(scheme, _Until(time.monotonic() + timeout_seconds))
            with session.request(
                "GET" if json is None else "POST",
                url,
                json=json,
                headers=headers,
                timeout=timeout_seconds,
                verify=True if ca is None else str(ca),
                allow_redirects=False,
                stream=True,
            ) as reply:
                return reply.status_code, _read(reply, max_bytes)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
        failed = type(exc).__name__
    raise NoAnswerError(failed)  # outside: the original error quotes the address


def _read(reply: requests.Response, max_bytes: int) -> bytes:
    data = b""
    # read1 gives what there is: read would wait for a whole block, however slowly it comes.
    while len(data) < max_bytes and (block := reply.raw.read1(_BLOCK_BYTES)):
        data += block
    return data[:max_bytes]


class _Until(HTTPAdapter):
    """
    Answers are read until a moment: the library's own limit is for each wait, and a header that
    comes byte by byte has many.
    """

    def __init__(self, until: float) -> None:
        class Response(http.client.HTTPResponse):
            def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
                super().__init__(sock, *args, **kwargs)
                self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, until))

        class HTTP(HTTPConnection):
            response_class = Response

        class HTTPS(HTTPSConnection):
            response_class = Response

        class HTTPPool(HTTPConnectionPool):
            ConnectionCls = HTTP

        class HTTPSPool(HTTPSConnectionPool):
            ConnectionCls = HTTPS

        self._pools = {"http": HTTPPool, "https": HTTPSPool}
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools


class _TimedReader(io.RawIOBase):
    """Reads from a socket until a moment."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, until: float) -> None:
        self._raw = raw
        self._sock = sock
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
