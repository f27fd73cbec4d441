"""The command `intyg deliveries`: what waits and why, sent again, given up, paused, resumed.

What looks reads the database; what changes goes through the running adapter's `/api`, and opens the
database itself only when none runs.
"""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import pydantic
import typer

from intyg.adapter.cli.database import reading
from intyg.adapter.cli.options import ConfigOption, JsonOption, read_settings
from intyg.adapter.cli.own_api import ask_adapter
from intyg.adapter.cli.rest_words import in_snake_case, second
from intyg.adapter.cli.terminal import fail, out, print_json
from intyg.adapter.console.delivery_requests import ActionRequest, Wanted, fault_of
from intyg.adapter.console.delivery_views import (
    MOST_SHOWN,
    deliveries_view,
    delivery_view,
    ways_view,
)
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.flows import operate
from intyg.adapter.flows.services import Services
from intyg.adapter.settings.settings import Settings, SettingsError
from intyg.adapter.store import Rows

deliveries = typer.Typer(
    help="What is on its way out: what waits and why, and sending again.",
    no_args_is_help=True,
    add_completion=False,
)

IdsArgument = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Of deliveries.")]
StateOption = Annotated[
    list[str] | None,
    typer.Option(help="queued, refused, failed, unknown, blocked, held …; parked, silent, paused."),
]
DestinationOption = Annotated[str | None, typer.Option(help="Its name in the routes.")]
ContractOption = Annotated[str | None, typer.Option(help="RegisterCertificate, or with :3.")]
CodeOption = Annotated[str | None, typer.Option(help="Of the last answer: VP007, 503, ERROR.")]
ErrorIdOption = Annotated[str | None, typer.Option(help="VALIDATION_ERROR …")]
UnitOption = Annotated[str | None, typer.Option(help="HSA-id of the certificate's unit.")]
IntygsIdOption = Annotated[str | None, typer.Option(help="About this certificate.")]
_TIMES: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
SinceOption = Annotated[
    datetime | None, typer.Option(formats=_TIMES, help="Last changed then or later, UTC.")
]
UntilOption = Annotated[
    datetime | None, typer.Option(formats=_TIMES, help="Last changed before, UTC.")
]
ReasonOption = Annotated[str, typer.Option(help="Why, for the audit log; no person in it.")]
ByOption = Annotated[str | None, typer.Option(help="Who; default: the user of this terminal.")]
RequestOption = Annotated[str, typer.Option(help="The same one twice is done once.")]
MaxOption = Annotated[int, typer.Option("--max", min=1, max=10_000, help="More are refused.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")]


@deliveries.command("list")
def list_(
    config: ConfigOption = None,
    state: StateOption = None,
    destination: DestinationOption = None,
    contract: ContractOption = None,
    code: CodeOption = None,
    error_id: ErrorIdOption = None,
    unit: UnitOption = None,
    intygs_id: IntygsIdOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST_SHOWN, help="The oldest so many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """How many there are of each cause, and the oldest of them."""
    wanted = _wanted(
        (), state, destination, contract, code, error_id, unit, intygs_id, since, until
    )
    filter_ = Wanted.model_validate(wanted).filter()
    with _looking(config) as rows:
        view = deliveries_view(rows, filter_, limit)
    if as_json:
        _print_json_of(view)
    else:
        _print_causes(view["causes"])
        for one in view["deliveries"]:
            out.print(_line(one), markup=False)
        out.print(f"{view['total']} deliveries")
    raise typer.Exit(0 if view["total"] else 1)


@deliveries.command()
def show(
    delivery_id: Annotated[str, typer.Argument(metavar="ID")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """One delivery, with what became of each attempt."""
    with _looking(config) as rows:
        view = delivery_view(rows, delivery_id)
    if view is None:
        fail("there is no such delivery", 1)
    if as_json:
        print_json(in_snake_case(view))
        return
    out.print(_line(view), markup=False)
    for one in view["attemptsMade"]:
        out.print(
            f"  {one['number']:>2}  {second(one['at'])}  {one['outcome']}  {one['detail']}",
            markup=False,
        )


@deliveries.command()
def ways(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """What waits for each destination, and what is stopped, since when and why."""
    with _looking(config) as rows:
        view = ways_view(rows)
    if as_json:
        for kind, rows_ in (("destination", view["destinations"]), ("stop", view["stopped"])):
            for row in rows_:
                print_json({"kind": kind, **in_snake_case(row)})
        return
    for one in view["destinations"]:
        out.print(
            f"{one['destination'] or '(no route)'}  {one['state']}  {one['waiting']} wait, "
            f"{one['inFlight']} in flight, oldest due since {one['oldestDueSeconds']:.0f} s",
            markup=False,
        )
    for one in view["stopped"]:
        _print_stop(one)


@deliveries.command()
def retry(
    ids: IdsArgument = None,
    config: ConfigOption = None,
    reason: ReasonOption = "",
    state: StateOption = None,
    destination: DestinationOption = None,
    contract: ContractOption = None,
    code: CodeOption = None,
    error_id: ErrorIdOption = None,
    unit: UnitOption = None,
    intygs_id: IntygsIdOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    per_second: Annotated[float, typer.Option(min=0.01, help="So many begin in a second.")] = 2.0,
    most: MaxOption = operate.MOST_AT_ONCE,
    by: ByOption = None,
    request_id: RequestOption = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send again what ended, or before its time what waits; each takes its old place."""
    wanted = _wanted(
        ids, state, destination, contract, code, error_id, unit, intygs_id, since, until
    )
    more = {"perSecond": per_second, "atMost": most, "requestId": request_id, "dryRun": dry_run}
    _act(operate.Action.RETRY, config, {**wanted, **more}, reason, by, as_json)


@deliveries.command("give-up")
def give_up(
    ids: IdsArgument = None,
    config: ConfigOption = None,
    reason: ReasonOption = "",
    state: StateOption = None,
    destination: DestinationOption = None,
    contract: ContractOption = None,
    code: CodeOption = None,
    intygs_id: IntygsIdOption = None,
    most: MaxOption = operate.MOST_AT_ONCE,
    by: ByOption = None,
    request_id: RequestOption = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send no more what waits or is unknown: it has failed."""
    wanted = _wanted(ids, state, destination, contract, code, None, None, intygs_id, None, None)
    more = {"atMost": most, "requestId": request_id, "dryRun": dry_run}
    _act(operate.Action.GIVE_UP, config, {**wanted, **more}, reason, by, as_json)


@deliveries.command("mark-delivered")
def mark_delivered(
    ids: IdsArgument = None,
    config: ConfigOption = None,
    reason: ReasonOption = "",
    by: ByOption = None,
    request_id: RequestOption = "",
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """The receiver says that these have arrived; what follows from that follows."""
    body = {"ids": list(ids or ()), "requestId": request_id, "dryRun": dry_run}
    _act(operate.Action.MARK_DELIVERED, config, body, reason, by, as_json)


@deliveries.command()
def pause(
    destination: Annotated[str, typer.Argument(help="Its name in the routes.")],
    config: ConfigOption = None,
    reason: ReasonOption = "",
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let nothing go to a destination until it is resumed."""
    who = by or getpass.getuser()
    done = _change(
        read_settings(config),
        f"/api/destinations/{destination}/pause",
        {"reason": reason, "by": who},
        lambda services: operate.pause(services, destination, reason, who),
    )
    if as_json:
        print_json(in_snake_case(done))
    else:
        out.print(f"paused: {destination}", markup=False)


@deliveries.command()
def resume(
    destination: Annotated[str, typer.Argument(help="Its name in the routes.")],
    config: ConfigOption = None,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let everything go to a destination again, whatever stopped it."""
    who = by or getpass.getuser()
    done = _change(
        read_settings(config),
        f"/api/destinations/{destination}/resume",
        {"by": who},
        lambda services: operate.resume(services, destination, who),
    )
    if as_json:
        print_json(in_snake_case(done))
        return
    for way in done["resumed"]:
        out.print(f"resumed: {way}", markup=False)


# --- inside ---------------------------------------------------------------------------------------


@contextmanager
def _looking(config: Path | None) -> Iterator[Rows]:
    """The database for reading, beside an adapter that runs."""
    try:
        with reading(read_settings(config)) as rows:
            yield rows
    except StoreError as exc:
        fail(exc.text)


def _wanted(
    ids: list[str] | tuple[str, ...] | None,
    state: list[str] | None,
    destination: str | None,
    contract: str | None,
    code: str | None,
    error_id: str | None,
    unit: str | None,
    intygs_id: str | None,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, Any]:
    """The filter as `/api` takes it; ends the command where it is wrong."""
    told: dict[str, Any] = {
        "ids": list(ids or ()),
        "state": list(state or ()),
        "destination": destination,
        "contract": contract,
        "code": code,
        "errorId": error_id,
        "unit": unit,
        "intygsId": intygs_id,
        "since": since and since.replace(tzinfo=UTC).isoformat(),
        "until": until and until.replace(tzinfo=UTC).isoformat(),
    }
    told = {name: value for name, value in told.items() if value}
    try:
        Wanted.model_validate(told)
    except pydantic.ValidationError as exc:
        fail(fault_of(exc))
    return told


def _act(
    action: operate.Action,
    config: Path | None,
    body: dict[str, Any],
    reason: str,
    by: str | None,
    as_json: bool,
) -> None:
    body = {**body, "reason": reason, "by": by or getpass.getuser()}
    try:
        order = ActionRequest.model_validate(body).order(action)
    except pydantic.ValidationError as exc:
        fail(fault_of(exc))
    done = _change(
        read_settings(config),
        f"/api/deliveries/{action.value}",
        body,
        lambda services: operate.carry_out(order, services),
    )
    if as_json:
        print_json(in_snake_case(done))
    else:
        _print_done(action, done)


def _change(
    settings: Settings,
    path: str,
    body: dict[str, Any],
    by_itself: Callable[[Services], dict[str, Any]],
) -> dict[str, Any]:
    answer = ask_adapter(settings, path, body)
    if answer is not None:
        return answer
    from intyg.adapter.bootstrap.app import build_services  # not above: who only looks needs none

    try:
        services = build_services(settings)
        try:
            return by_itself(services)
        finally:
            services.store.close()
    except operate.OperatorError as exc:
        fail(exc.text, 1)
    except StoreError as exc:
        fail(exc.text)
    except SettingsError as exc:
        fail(str(exc))


def _print_done(action: operate.Action, done: dict[str, Any]) -> None:
    _print_causes(done["causes"])
    for one in done["left"]:
        out.print(f"left {one['id']}: {one['why']}", markup=False)
    would = "would be changed" if done["dryRun"] else "changed"
    again = ", when this request came first" if done["repeated"] else ""
    out.print(
        f"{action.value}: {len(done['changed'])} {would}, {len(done['left'])} left{again}",
        markup=False,
    )


def _print_causes(causes: list[dict[str, Any]]) -> None:
    for one in causes:
        out.print(
            f"{one['count']:>6}  {one['contract']}  {one['state']}  {one['code'] or '-'}  "
            f"{one['words']}  {second(one['oldest'])} to {second(one['newest'])}",
            markup=False,
        )


def _print_stop(one: dict[str, Any]) -> None:
    why = one["reason"] or one["detail"]
    by = f", by {one['by']}" if one["by"] else ""
    next_ = f"; tried again {second(one['probeAt'])}" if one["probeAt"] else ""
    out.print(
        f"  {one['cause']} since {second(one['since'])}: {one['destination']} {one['contract']} "
        f"{one['logicalAddress']}: {why}{by}{next_}",
        markup=False,
    )


def _print_json_of(view: dict[str, Any]) -> None:
    for kind, rows in (("cause", view["causes"]), ("delivery", view["deliveries"])):
        for row in rows:
            print_json({"kind": kind, **in_snake_case(row)})


def _line(one: dict[str, Any]) -> str:
    stopped = f" ({one['stopped']})" if one["stopped"] else ""
    return (
        f"{one['id']}  {second(one['updatedAt'])}  {one['state']}{stopped}  {one['contract']}  "
        f"to {one['destination'] or one['logicalAddress']}  {one['intygsId']}  "
        f"{one['attempts']} attempts  {one['detail'] or ''}"
    )
