"""What every mock can be asked and told."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import Field

from intyg.mocks.control import (
    clock,
    journal,
    rules,
    runs,
)
from intyg.mocks.control.operation import (
    Answered,
    Asked,
    Done,
    Operation,
    ProblemError,
)
from intyg.mocks.rules.answers import (
    Effect,
    Error,
    Fault,
    Http,
)
from intyg.mocks.rules.model import Rule
from intyg.mocks.rules.parse import RuleError
from intyg.mocks.settings import ANY
from intyg.schemas.codes import ErrorId

_FAILURES: Final = "Failures"

ORDERED: Final = "next-"
"""What the ids of rules begin with that `fail_next` makes."""


class Mock(clock.Timed, runs.Played, Protocol):
    """A mock, as far as these operations go."""

    def describe(self) -> Mapping[str, Any]:
        """Who it is."""

    def state(self) -> Mapping[str, int]:
        """How much there is of what."""

    def reset(self) -> None:
        """Forget everything."""

    def forget(self, intygs_id: str) -> int:
        """Forget what there is about a certificate; returns how many things that were."""

    def known_intyg(self) -> set[str]:
        """Ids of certificates that it has heard of."""

    def everywhere(self) -> Sequence["Mock"]:
        """It and the mocks that were started with it; of a run, those that have it."""


class Description(Answered):
    """Who a mock is and what it takes."""

    name: str
    logical_address: str
    part: str
    types: tuple[str, ...] = Field(default=(), description="of the certificates that it takes")
    contracts: dict[str, str] = Field(description="key of a contract, and its national path")
    adapter_url: str | None = Field(description="where it sends its own messages")


class State(Answered):
    """How much there is; null: of what this mock never has any."""

    calls: int = Field(description="in the journal")
    dropped: int = Field(description="calls that the bounds of the journal have pushed out")
    rules: int
    runs: int = Field(description="0 within a run")
    intyg: int | None = None
    revoked: int | None = Field(None, description="of `intyg`")
    handelser: int | None = None
    meddelanden: int | None = Field(None, description="either way")
    open_questions: int | None = Field(None, description="either way, of `meddelanden`")
    conversations: int | None = Field(None, description="that scripts have begun")


class Order(Asked):
    """How coming calls are to fail."""

    contract: str = Field(description="`RegisterCertificate`, `RegisterCertificate:3` or `*`")
    how: Literal["error", "fault", "http"]
    error_id: ErrorId | None = None
    text: str = "Ordered to fail"
    http_status: Annotated[int, Field(ge=400, le=599)] = 503
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


def read_state(mock: Mock) -> State:
    """How much there is: calls, rules, runs, certificates, open questions."""
    return State(**mock.state())


def list_failures(mock: Mock) -> Failures:
    """Ordered failures."""
    return Failures(failures=tuple(_ordered(rule, left) for rule, left in _pending(mock)))


def order_failure(mock: Mock, body: Order) -> Failures:
    """Make coming calls fail."""
    contract = None if body.contract == ANY else body.contract
    try:
        mock.rules.fail_next(_effect(body), contract, count=body.count, intygs_id=body.intygs_id)
    except RuleError as exc:
        raise ProblemError.of_field(exc.field.rpartition(".")[2], exc.text) from None
    return list_failures(mock)


def cancel_failures(mock: Mock) -> Failures:
    """Order nothing any more."""
    for rule, _ in _pending(mock):
        mock.rules.book.remove(rule.id)
    return list_failures(mock)


def _pending(mock: Mock) -> list[tuple[Rule, int]]:
    """Ordered failures with how often they will still act."""
    mine = [rule for rule in mock.rules.book.all() if rule.id.startswith(ORDERED)]
    left = [(rule, (rule.count or 0) - mock.rules.book.acted(rule.id)) for rule in mine]
    return [(rule, count) for rule, count in left if count > 0]


def _effect(order: Order) -> Effect:
    if (order.how == "error") is (order.error_id is None):
        raise ProblemError.of_field("error_id", "goes with how = error, and only with it")
    if order.error_id is not None:
        return Error(error_id=order.error_id, text=order.text)
    if order.how == "fault":
        return Fault(text=order.text)
    return Http(status=order.http_status, page=order.text)


def _ordered(rule: Rule, count: int) -> Ordered:
    effect = rule.answers[0]
    contract, intygs_id = rule.match.contract, rule.match.intygs_id
    return Ordered(
        contract=contract[0] if contract else ANY,
        how=effect.kind,
        error_id=effect.error_id if isinstance(effect, Error) else None,
        text=effect.text if isinstance(effect, Error | Fault) else "",
        http_status=effect.status if isinstance(effect, Http) else 500,
        count=count,
        intygs_id=intygs_id[0] if intygs_id else None,
    )


class Reset(Asked):
    """What to forget; if nothing is named, everything in the run, or outside of runs."""

    intygs_id: str | None = Field(default=None, description="what there is about this certificate")
    run: str | None = Field(default=None, description="this run; the same as ending it")
    everywhere: bool = Field(
        default=False, description="also at the mocks that were started with this one"
    )


def reset_mock(mock: Mock, body: Reset) -> Done:
    """
    Forget state, journal and rules.

    All of them, or a run with all that is in it, or what there is about one certificate, as if it
    had never come; here, or everywhere. A call that waits for its answer when all is forgotten gets
    none.
    """
    if body.run is not None and body.intygs_id is not None:
        raise ProblemError.of_field("run", "goes without intygs_id; ask the run itself for that")
    mocks = mock.everywhere() if body.everywhere else (mock,)
    unknown: list[ProblemError] = []
    for each in mocks:
        try:
            _reset(each, body)
        except ProblemError as exc:
            unknown.append(exc)
    if len(unknown) == len(mocks):
        raise unknown[0]
    return Done()


def _reset(mock: Mock, body: Reset) -> None:
    """At one mock; a ProblemError says that it has nothing of the kind."""
    if body.run is not None:
        runs.end_run(mock, body.run)
    elif body.intygs_id is None:
        mock.reset()
    elif not mock.forget(body.intygs_id):
        raise ProblemError.unknown("intyg", body.intygs_id, mock.known_intyg())


def operations() -> tuple[Operation, ...]:
    """What every mock can do."""
    return (
        Operation("GET", "", describe_mock, "Mock"),
        Operation("GET", "/state", read_state, "Mock"),
        Operation("POST", "/reset", reset_mock, "Mock"),
        *journal.operations(),
        *rules.operations(),
        *clock.operations(),
        *runs.operations(),
        Operation("GET", "/fail-next", list_failures, _FAILURES),
        Operation("POST", "/fail-next", order_failure, _FAILURES),
        Operation("DELETE", "/fail-next", cancel_failures, _FAILURES),
    )
