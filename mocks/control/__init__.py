"""
The control interface of a mock: JSON over HTTP, under `/control`.

    operation     what an operation is, and what it says when it cannot be done
    interface     the operations that every mock has
    gate          what stands before the application, and makes it when it is first asked
    app           the Flask application that serves operations
    description   the same operations as an OpenAPI description, and as a page to read

A mock lists its operations in one table; the application, the description and the table in the
documentation all come from it.
"""

from intyg.mocks.control.operation import (
    Answered,
    Asked,
    MockOf,
    Moment,
    Operation,
    ProblemError,
    missed,
)

__all__ = ["Answered", "Asked", "MockOf", "Moment", "Operation", "ProblemError", "missed"]
