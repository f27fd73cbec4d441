"""The adapter's clock, led by the mocks': the adapter has one that can be moved in `demo` alone."""

from datetime import datetime
from typing import Any

import requests

from intyg.mocks.clock.clock import ClockError
from intyg.mocks.wire.http_session import http_session
from intyg.mocks.wire.tls import AdapterTls

TIMEOUT_SECONDS = 60.0
"""For one step; an attempt to deliver that hangs is waited for."""


class AdapterClock:
    """
    A `Follower` of a timeline, over the adapter's REST interface.

    Args:
        url: The adapter's clock, `http://127.0.0.1:8080/api/clock`.
        token: Of the adapter's console, if it asks for one.
        tls: For https.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        tls: AdapterTls = AdapterTls(),  # noqa: B008 -- frozen
    ) -> None:
        self._tls = tls
        self._url = url
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def freeze(self) -> datetime:
        """Let it stand still; returns where."""
        return datetime.fromisoformat(self._put(frozen=True)["now"])

    def lead(self, moment: datetime, *, backwards: bool = False) -> datetime | None:
        """Move it, and wait until the adapter has made the attempts that fell due."""
        told = self._put(now=moment.isoformat(), frozen=True, backwards=backwards)
        return None if told["next_due"] is None else datetime.fromisoformat(told["next_due"])

    def run(self) -> None:
        """Let it go on."""
        self._put(frozen=False)

    def _put(self, **fields: Any) -> Any:
        try:
            # A connection each: at most some hundred a move, and none is left open.
            with http_session(self._tls.verify, self._tls.client, self._headers) as session:
                response = session.put(self._url, json=fields, timeout=TIMEOUT_SECONDS)
                told = response.json()
        except (requests.RequestException, ValueError) as exc:
            raise ClockError(f"the adapter's clock does not answer: {type(exc).__name__}") from None
        if response.status_code != 200:
            raise ClockError(f"the adapter's clock: {told.get('detail', response.status_code)}")
        return told
