"""The commands `intyg route explain` and `intyg route check`."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from intyg.adapter.bootstrap.startup import read_facts
from intyg.adapter.cli.options import (
    ConfigOption,
    JsonOption,
    TodayOption,
    read_settings,
    told_or_today,
)
from intyg.adapter.cli.terminal import fail, out, print_json
from intyg.adapter.doctor.checks import check_routes_file
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.person import PersonId
from intyg.adapter.flows.contracts import HANDLERS, READERS
from intyg.adapter.routing.check_rows import RouteFinding
from intyg.adapter.routing.explain import (
    Explainer,
    Explanation,
    StepState,
    UnknownContractError,
    find_contract,
)
from intyg.adapter.routing.table import Routes
from intyg.adapter.rules.person_id import person_from
from intyg.adapter.settings.settings import SettingsError
from intyg.schemas.contract.contract import Contracts

route = typer.Typer(
    help="Where messages go, and who may call.", no_args_is_help=True, add_completion=False
)


_COLOURS: Final = {StepState.OK: "green", StepState.NOTE: "yellow", StepState.NO: "red"}


@route.command()
def explain(
    contract: Annotated[str, typer.Argument(help="RegisterCertificate, or with its version, :3.")],
    address: Annotated[str, typer.Argument(help="The logical address, exactly as it is sent.")],
    sender: Annotated[
        str | None, typer.Option(help="HSA-id of a system that calls the adapter.")
    ] = None,
    patient: Annotated[
        str | None, typer.Option(help="12 digits, never printed; - reads it from standard input.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say step by step where a message would go, or why not, without sending it."""
    person = None if patient is None else _person(patient)
    settings = read_settings(config)
    try:
        facts = read_facts(settings, system_clock)
        found = find_contract(facts.contracts, contract)
    except (SettingsError, UnknownContractError) as exc:
        fail(str(exc))
    explainer = Explainer(
        facts.settings,
        Routes(facts.settings, facts.clock),
        facts.guard,
        {*HANDLERS, *READERS},
        facts.clock,
    )
    explanation = explainer.explain(found, address, sender, person)
    if as_json:
        print_json(explanation.as_json())
    else:
        _print(explanation)
    raise typer.Exit(0 if explanation.goes else 1)


def _person(text: str) -> PersonId:
    try:
        return person_from(sys.stdin.readline() if text == "-" else text)
    except ValueError as exc:
        fail(str(exc))


def _print(explanation: Explanation) -> None:
    for step in explanation.steps:
        colour = _COLOURS[step.state]
        state = f"[{colour}]{step.state:<5}[/{colour}]"
        out.print(f"{step.name:<12}{state} {escape(step.text)}")
    colour = "green" if explanation.goes else "red"
    out.print(f"[{colour}]{escape(explanation.verdict)}[/{colour}]")


@route.command()
def check(
    file: Annotated[Path, typer.Argument(help="A routes file, or a settings file.")],
    as_json: JsonOption = False,
    today: TodayOption = None,
) -> None:
    """Find rows that are wrong, disagree, can never count or lead nowhere."""
    names = sorted({contract.name for contract in Contracts().all()})
    try:
        file, findings = check_routes_file(file, names, told_or_today(today))
    except OSError as exc:
        fail(f"{exc.filename or file}: {exc.strerror}")
    for finding in findings:
        _print_finding(file, finding, as_json=as_json)
    if not findings and not as_json:
        out.print(f"{escape(str(file))}: nothing found")
    raise typer.Exit(1 if findings else 0)


def _print_finding(file: Path, finding: RouteFinding, *, as_json: bool) -> None:
    if as_json:
        print_json({"line": finding.line, "code": finding.code, "text": finding.text})
        return
    place = f"{file}:{finding.line}" if finding.line else str(file)
    out.print(f"{escape(place)}: [bold]{finding.code}[/bold] {escape(finding.text)}")
