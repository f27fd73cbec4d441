"""What every mock can be asked and told."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import Field

from mocks.control import journal
from mocks.control.operation import Answered, Asked, Done, Operation, ProblemError
from mocks.failures import FailNext, Failure
from schemas.codes import ErrorId

_FAILURES: Final = "Failures"


class Mock(journal.Journalled, Protocol):
    """A mock, as far as these operations go."""

    @property
    def failures(self) -> FailNext:
        """What is ordered to fail."""

    def describe(self) -> Mapping[str, Any]:
        """Who it is."""

    def fail_next(self, failure: Failure) -> None:
        """Make coming calls fail."""

    def reset(self) -> None:
        """Forget everything."""


class Description(Answered):
    """Who a mock is and what it takes."""

    name: str
    logical_address: str
    part: str
    types: tuple[str, ...] = Field(default=(), description="of the certificates that it takes")
    contracts: dict[str, str] = Field(description="key of a contract, and its national path")
    adapter_url: str | None = Field(description="where it sends its own messages")


class Order(Asked):
    """How coming calls are to fail."""

    contract: str = Field(description="`RegisterCertificate`, `RegisterCertificate:3` or `*`")
    how: Literal["error", "fault", "http"]
    error_id: ErrorId | None = None
    text: str = "Ordered to fail"
    http_status: int = 503
    count: Annotated[int, Field(ge=1)] = 1
    intygs_id: str | None = None


class Ordered(Answered):
    """An order that still stands."""

    contract: str
    how: str
    error_id: ErrorId | None
    text: str
    http_status: int
    count: int
    intygs_id: str | None


class Failures(Answered):
    """What is still ordered, oldest first."""

    failures: tuple[Ordered, ...]


def describe_mock(mock: Mock) -> Description:
    """Who this is and what it takes."""
    return Description(**mock.describe())


def list_failures(mock: Mock) -> Failures:
    """Ordered failures."""
    return Failures.model_validate({"failures": mock.failures.pending()})


def order_failure(mock: Mock, body: Order) -> Failures:
    """Make coming calls fail."""
    try:
        mock.fail_next(Failure(**dict(body)))
    except ValueError as exc:
        field, _, text = str(exc).partition(": ")
        raise ProblemError.of_field(field, text) from None
    return list_failures(mock)


def cancel_failures(mock: Mock) -> Failures:
    """Order nothing any more."""
    mock.failures.clear()
    return list_failures(mock)


def reset_mock(mock: Mock) -> Done:
    """Forget everything."""
    mock.reset()
    return Done()


def operations() -> tuple[Operation, ...]:
    """What every mock can do."""
    return (
        Operation("GET", "", describe_mock, "Mock"),
        Operation("POST", "/reset", reset_mock, "Mock"),
        *journal.operations(),
        Operation("GET", "/fail-next", list_failures, _FAILURES),
        Operation("POST", "/fail-next", order_failure, _FAILURES),
        Operation("DELETE", "/fail-next", cancel_failures, _FAILURES),
    )
