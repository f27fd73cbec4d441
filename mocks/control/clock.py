"""
The clock: read it, set it, move it forward.

A move forward answers once everything that fell due on the way has been carried out, here and at
the adapter whose clock goes with this one.
"""

from typing import Final, Protocol

from pydantic import AwareDatetime, Field

from intyg.mocks.clock.clock import ClockError
from intyg.mocks.clock.duration import Duration
from intyg.mocks.clock.timeline import Timeline
from intyg.mocks.control.operation import (
    Answered,
    Asked,
    Moment,
    Operation,
    ProblemError,
)

_GROUP: Final = "Clock"


class Timed(Protocol):
    """A mock, as far as these operations go."""

    @property
    def timeline(self) -> Timeline:
        """What is to happen when; mocks may share one."""


class ClockSetting(Asked):
    """Where the clock is to stand; what is not said stays as it is."""

    now: AwareDatetime | None = Field(None, description="with a zone")
    frozen: bool | None = Field(None, description="whether it stands still")
    backwards: bool = Field(False, description="that `now` may lie in the past")


class Advance(Asked):
    """How far the clock is to move forward."""

    by: Duration


class ClockState(Answered):
    """Where the clock stands."""

    now: Moment
    frozen: bool
    pending: int = Field(description="what is set to happen, by scripts")
    next_due: Moment | None = Field(description="when the first of it happens")
    carried_out: int = Field(description="how much happened in the move that led here")


def read_clock(mock: Timed) -> ClockState:
    """Where the clock stands, and what is to happen next."""
    return ClockState.model_validate(mock.timeline.read())


def set_clock(mock: Timed, body: ClockSetting) -> ClockState:
    """Set the clock, stop it or let it run."""
    line = mock.timeline
    try:
        moment = line.freeze() if body.frozen else line.read()
        if body.now is not None:
            moment = line.move_to(body.now, backwards=body.backwards)
        if body.frozen is False:
            moment = line.run(moment.carried_out)
    except ClockError as exc:
        raise ProblemError(409, str(exc)) from None
    return ClockState.model_validate(moment)


def advance_clock(mock: Timed, body: Advance) -> ClockState:
    """Move the clock forward, and carry out on the way what falls due."""
    try:
        return ClockState.model_validate(mock.timeline.advance(body.by))
    except ClockError as exc:
        raise ProblemError(409, str(exc)) from None


def operations() -> tuple[Operation, ...]:
    """What can be done with the clock."""
    return (
        Operation("GET", "/clock", read_clock, _GROUP),
        Operation("PUT", "/clock", set_clock, _GROUP),
        Operation("POST", "/clock/advance", advance_clock, _GROUP),
    )
