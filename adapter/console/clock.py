"""The adapter's clock over REST, where it can be moved: in a demonstration, and nowhere else.

    GET  /api/clock            where it stands, and when the next retry falls due
    PUT  /api/clock            {now, frozen, backwards}, each of them optional

PUT answers once everything that fell due has been attempted. A leap makes one attempt of each
delivery; whoever wants every retry at its own time goes from `next_due` to `next_due`, as the
mocks' clock does when it leads this one.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from annotated_types import Ge, Le
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import AwareDatetime, BaseModel, ConfigDict, StrictBool, ValidationError

from intyg.adapter.console.app import whole_path
from intyg.adapter.console.problem import problem
from intyg.adapter.console.token import Token, ask_for
from intyg.adapter.deliver.worker import Workers
from intyg.adapter.domain.virtual_clock import VirtualClock
from intyg.adapter.store import Store

PATH: Final = "/api/clock"

DONE_SECONDS: Final = 45.0
"""How long attempts may take that fall due; longer than a receiver is waited for by default."""


_FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2201, 1, 1, tzinfo=UTC)
"""Far enough from where the calendar of a computer ends."""


class ClockChange(BaseModel):
    """What PUT takes. Without `now` the clock stays where it is; without `frozen` as it is."""

    model_config = ConfigDict(extra="forbid")

    now: Annotated[AwareDatetime, Ge(_FIRST), Le(_LAST)] | None = None
    frozen: StrictBool | None = None
    backwards: StrictBool = False


def build_clock(
    clock: VirtualClock,
    workers: Workers,
    store: Store,
    token: Token,
    moved: Callable[[], object] = lambda: None,
) -> Flask:
    """
    Make the WSGI application; it asks for the console's token where there is one.

    Args:
        moved: Called after the clock was put, before what falls due is delivered.
    """
    app = Flask("intyg.adapter.console.clock", static_folder=None)
    app.wsgi_app = whole_path(app.wsgi_app)  # type: ignore[assignment, method-assign]
    ask_for(token, app)

    @app.get(PATH)
    def read() -> ResponseReturnValue:
        return jsonify(_state(clock, store))

    @app.put(PATH)
    def put() -> ResponseReturnValue:
        try:
            change = ClockChange.model_validate_json(request.get_data() or b"{}")
        except ValidationError as exc:
            fault = exc.errors()[0]
            field = ".".join(map(str, fault["loc"])) or "body"
            return problem(HTTPStatus.BAD_REQUEST, f"{field}: {fault['msg']}")
        with workers.held():
            now = clock()
            if change.now is not None and change.now < now and not change.backwards:
                detail = f"now: it is {now.isoformat()} already; backwards must be meant"
                return problem(HTTPStatus.CONFLICT, detail)
            frozen = clock.frozen if change.frozen is None else change.frozen
            clock.put(change.now or now, frozen=frozen)
        moved()
        if not workers.wait_until_done(DONE_SECONDS):
            detail = f"what fell due was not done within {DONE_SECONDS:.0f} s"
            return problem(HTTPStatus.GATEWAY_TIMEOUT, detail)
        return jsonify(_state(clock, store))

    return app


def _state(clock: VirtualClock, store: Store) -> dict[str, Any]:
    with store.read() as rows:
        next_due: datetime | None = rows.deliveries.next_retry()
    return {
        "now": clock().isoformat(),
        "frozen": clock.frozen,
        "next_due": None if next_due is None else next_due.isoformat(),
    }
