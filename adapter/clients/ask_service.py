"""One small question to a service beside the adapter: a staff directory, a population register."""

import json as json_text
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pydantic

from intyg.adapter.clients.http_client import HttpClient, HttpRequest, Limits, NoAnswerError
from intyg.adapter.clients.tls import TlsFilesError, client_context
from intyg.adapter.domain.destination import ClientTls


def ask_service(
    url: str,
    *,
    json: Mapping[str, object] | None = None,
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
        timeout_seconds: From now until the last byte of the answer.
        max_bytes: Longer answers are cut off here.

    Returns:
        HTTP status and body.

    Raises:
        NoAnswerError: No connection, no answer in time, or a broken one.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token.get_secret_value()}"
    body = None
    if json is not None:
        headers["Content-Type"] = "application/json"
        body = json_text.dumps(json).encode()
    request = HttpRequest("GET" if body is None else "POST", url, headers, body)
    limits = Limits(timeout_seconds, timeout_seconds, timeout_seconds, max_bytes)
    try:
        with closing(HttpClient(client_context(ClientTls(ca)) if ca else None)) as client:
            answer = client.exchange(request, limits)
        return answer.status, answer.body[:max_bytes]
    except (NoAnswerError, TlsFilesError) as exc:
        why, sent = str(exc), isinstance(exc, NoAnswerError) and exc.sent
    raise NoAnswerError(why, sent=sent)  # outside: what it was made from may quote address or token
