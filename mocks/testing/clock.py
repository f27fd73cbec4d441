"""The clock of the mocks, and of the adapter that goes with them."""

from datetime import datetime, timedelta
from typing import Any

from intyg.mocks.clock.duration import read_duration
from intyg.mocks.control.clock import ClockState
from intyg.mocks.testing.link import Link


class TestClock:
    """
    One clock for all that a test has.

    What falls due on the way of a move, be it a retry of the adapter's or a message of a mock's, is
    done when the move returns.
    """

    __test__ = False

    def __init__(self, link: Link) -> None:
        self._link = link

    @property
    def now(self) -> datetime:
        """Aware, UTC."""
        return self._state("GET").now

    def advance(self, by: str | timedelta) -> datetime:
        """
        Move forward, through all that falls due.

        Args:
            by: `30s`, `5m`, `2h`, `7d`, `4w`, a sum (`1d 12h`), or a timedelta.

        Returns:
            Where it stands then.

        Raises:
            ValueError: `by` is no duration.
            ControlError: The adapter was not done in time.
        """
        span = read_duration(by) if isinstance(by, str) else by
        return self._state("POST", "/advance", by=f"{span.total_seconds():f}s").now

    def set(self, moment: datetime, *, backwards: bool = False) -> datetime:
        """Move to a moment, which needs a zone; back only with `backwards`, past nothing due."""
        return self._state("PUT", now=moment.isoformat(), backwards=backwards).now

    def freeze(self) -> datetime:
        """Let time stand still until it is moved; returns where."""
        return self._state("PUT", frozen=True).now

    def run(self) -> datetime:
        """Let time go on."""
        return self._state("PUT", frozen=False).now

    def _state(self, method: str, path: str = "", **body: Any) -> ClockState:
        told = self._link.ask(method, f"/clock{path}", body=body or None)
        return ClockState.model_validate(told)
