"""
What stands before the control interface: it makes the application when somebody first asks.

Most mocks in tests are never asked anything, and Flask takes a tenth of a second to import.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol
from wsgiref.types import WSGIApplication, WSGIEnvironment

from werkzeug.wrappers import Response

from intyg.mocks.control.operation import MOCK, Operation, ProblemError
from intyg.mocks.control.token import brings


class Guarded(Protocol):
    """A mock, as far as the application itself knows it."""

    @property
    def token(self) -> str | None:
        """What a request must bring as Bearer; None: nothing."""


class Control:
    """
    Answers under `/control` for a mock, and for its runs.

    Args:
        name: Of the mock, for the description.
        operations: What it can be asked; each path and method once.
    """

    def __init__(self, name: str, operations: Callable[[], Sequence[Operation]]) -> None:
        self._name = name
        self._operations = operations

    def respond(self, environ: WSGIEnvironment, mock: Guarded) -> Response:
        """Answer for a mock."""
        return Response.from_app(self._app, {**environ, MOCK: mock})

    def admits(self, environ: WSGIEnvironment, mock: Guarded) -> bool:
        """Whether a request brings the mock's token, or needs none."""
        return mock.token is None or brings(environ.get("HTTP_AUTHORIZATION", ""), mock.token)

    def refuse(self, why: ProblemError) -> Response:
        """Answer a request that belongs to no mock."""
        from intyg.mocks.control.app import problem

        return problem(why)

    @cached_property
    def _app(self) -> WSGIApplication:
        from intyg.mocks.control.app import make_app

        return make_app(self._name, self._operations())
