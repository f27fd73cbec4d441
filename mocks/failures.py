"""Ordered failures: the next calls are refused, faulted or given a bare HTTP status."""

import threading
from dataclasses import dataclass, replace
from typing import Final

from mocks.settings import ANY
from schemas.codes import ErrorId
from schemas.contract import Contract

HOWS: Final = ("error", "fault", "http")


@dataclass(frozen=True)
class Failure:
    """
    How coming calls fail. They leave the mock's state as it was.

    Attributes:
        contract: `RegisterCertificate`, `RegisterCertificate:3`, or `*`.
        how: `error` answers a result ERROR with `error_id`, `fault` a SOAP
            fault Server, `http` a bare `http_status` with `text` as a page.
        count: So many calls fail, then the mock is itself again.
        intygs_id: Only calls about this certificate; None means any.

    Raises:
        ValueError: It could not act; the text starts with the field.
    """

    contract: str
    how: str
    error_id: ErrorId | None = None
    text: str = "Ordered to fail"
    http_status: int = 503
    count: int = 1
    intygs_id: str | None = None

    def __post_init__(self) -> None:
        if self.how not in HOWS:
            raise ValueError(f"how: must be one of {', '.join(HOWS)}")
        if (self.how == "error") is (self.error_id is None):
            raise ValueError("error_id: goes with how = error, and only with it")
        if self.how == "http" and not 400 <= self.http_status <= 599:
            raise ValueError("http_status: must be 400 to 599")
        if self.count < 1:
            raise ValueError("count: must be at least 1")

    @property
    def description(self) -> str:
        """For the journal."""
        what = {"error": self.error_id, "fault": "Server", "http": self.http_status}[self.how]
        return f"ordered: {self.how} {what}"

    def matches(self, contract: Contract, intygs_id: str | None) -> bool:
        """Whether a call is meant."""
        return self.contract in (ANY, contract.name, contract.key) and self.intygs_id in (
            None,
            intygs_id,
        )


class FailNext:
    """The ordered failures, oldest first; each acts exactly `count` times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: list[Failure] = []

    def add(self, failure: Failure) -> None:
        """Order one more."""
        with self._lock:
            self._failures.append(failure)

    def take(self, contract: Contract, intygs_id: str | None) -> Failure | None:
        """The failure that acts on this call, used up by one; None if none does."""
        with self._lock:
            for place, failure in enumerate(self._failures):
                if failure.matches(contract, intygs_id):
                    if failure.count == 1:
                        del self._failures[place]
                    else:
                        self._failures[place] = replace(failure, count=failure.count - 1)
                    return failure
            return None

    def pending(self) -> tuple[Failure, ...]:
        """What is still ordered, with the counts that are left."""
        with self._lock:
            return tuple(self._failures)

    def clear(self) -> None:
        """Order nothing any more."""
        with self._lock:
            self._failures.clear()
