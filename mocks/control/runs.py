"""Runs over HTTP: which there are, and ending them."""

from typing import Any, Final, Protocol

from pydantic import Field

from intyg.mocks.control.journal import Journalled
from intyg.mocks.control.operation import (
    Answered,
    Done,
    Moment,
    Operation,
    ProblemError,
)
from intyg.mocks.control.rules import HasRules
from intyg.mocks.runs import Runs

_GROUP: Final = "Runs"


class Played(Journalled, HasRules, Protocol):
    """A mock, as far as its runs go."""

    @property
    def runs(self) -> Runs[Any]:
        """Its runs; a run's mock has none."""


class RunState(Answered):
    """A run."""

    run_id: str
    began_at: Moment
    idle_seconds: float = Field(description="how long nobody has called")
    calls: int = Field(description="in its journal")
    rules: int


class AllRuns(Answered):
    """The oldest first."""

    runs: tuple[RunState, ...]


def list_runs(mock: Played) -> AllRuns:
    """The runs that there are."""
    return AllRuns(
        runs=tuple(
            RunState(
                run_id=run.id,
                began_at=run.began_at,
                idle_seconds=round(run.idle_seconds, 3),
                calls=run.mock.journal.count(),
                rules=len(run.mock.rules.book.all()),
            )
            for run in mock.runs.all()
        )
    )


def end_run(mock: Played, run_id: str) -> Done:
    """End a run, and forget all of it."""
    try:
        mock.runs.end(run_id)
    except KeyError:
        known = (each.id for each in mock.runs.all())
        raise ProblemError.unknown("run", run_id, known) from None
    return Done()


def end_runs(mock: Played) -> Done:
    """End every run."""
    mock.runs.end_all()
    return Done()


def operations() -> tuple[Operation, ...]:
    """What can be done with runs, from outside of them."""
    return (
        Operation("GET", "/runs", list_runs, _GROUP),
        Operation("DELETE", "/runs", end_runs, _GROUP),
        Operation("DELETE", "/runs/<run_id>", end_run, _GROUP),
    )
