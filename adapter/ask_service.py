"""One small question to a service beside the adapter: a staff directory, a population register.

Bounded in time and size. Nothing from the environment is used (no proxy, `.netrc` or certificates),
and no redirect is followed: the answer comes from the address in the settings or not at all.
"""

import time
from pathlib import Path
from typing import Final

import pydantic
import requests
import urllib3

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
        ca: CA certificates (PEM) for https; None: the system's.
        timeout_seconds: For connecting, for each wait for a byte, and for the answer's body.
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
                return reply.status_code, _read(reply, timeout_seconds, max_bytes)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
        failed = type(exc).__name__
    raise NoAnswerError(failed)  # outside: the original error quotes the address


def _read(reply: requests.Response, timeout_seconds: float, max_bytes: int) -> bytes:
    until = time.monotonic() + timeout_seconds
    data = b""
    # read1 gives what there is: read would wait for a whole block, however slowly it comes.
    while len(data) < max_bytes and (block := reply.raw.read1(_BLOCK_BYTES)):
        data += block
        if time.monotonic() > until:
            raise TimeoutError
    return data[:max_bytes]
