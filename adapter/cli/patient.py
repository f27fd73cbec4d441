"""The command `intyg patient explain`: what each signal says of somebody, and what follows.

Stores nothing and logs nothing. The number can be read from standard input, so that it stays out of
the shell's history; it is printed nowhere.
"""

import sys
from typing import Annotated

import typer
from rich.markup import escape

from intyg.adapter.cli.options import ConfigOption, read_settings
from intyg.adapter.cli.terminal import fail, out, print_json
from intyg.adapter.domain.person import GuardDecision, PatientKind, PatientVerdict, PersonId
from intyg.adapter.guard import Guard, build_test_patients
from intyg.adapter.guard.explain import Said, decisions, said_of
from intyg.adapter.rules.person_id import person_from

patient = typer.Typer(help="Who is a test patient.", no_args_is_help=True, add_completion=False)


_COLOURS = {GuardDecision.SEND: "green", GuardDecision.HOLD: "yellow", GuardDecision.BLOCK: "red"}


@patient.callback()
def _patient() -> None:
    """Who is a test patient."""


@patient.command()
def explain(
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="12 digits; - reads it from standard input.")
    ],
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what each signal says of a person, and where messages about them may go."""
    person = _person(sys.stdin.readline() if number == "-" else number)
    settings = read_settings(config)
    guard = Guard(build_test_patients(settings.test_patients), settings.environment)
    said = list(said_of(guard, person))
    verdict = guard.verdict(person)
    if as_json:
        print_json(_as_json(guard, said, verdict))
    else:
        _print(guard, said, verdict)


def _person(text: str) -> PersonId:
    try:
        return person_from(text)
    except ValueError as exc:
        fail(str(exc))


def _words(kind: PatientKind) -> str:
    return kind.value.replace("_", " ")


def _print(guard: Guard, said: list[Said], verdict: PatientVerdict) -> None:
    for each in said:
        word = _words(each.kind) if each.kind else "says nothing"
        out.print(f"{escape(each.signal)}: [bold]{word}[/bold]; {escape(each.why)}")
    because = f" ({escape(verdict.signal_and_why)})" if verdict.signal else ""
    out.print(f"\nVerdict: [bold]{_words(verdict.kind)}[/bold]{because}")
    out.print(f"In the environment {guard.environment}, a message goes")
    for role, there, decision in decisions(guard, verdict.kind):
        shown = f"[{_COLOURS[decision]}]{decision}[/{_COLOURS[decision]}]"
        out.print(f"  {f'to {there} {role}':<20} {shown}")
    out.print("A certificate keeps what its patient was when it was registered.")


def _as_json(guard: Guard, said: list[Said], verdict: PatientVerdict) -> dict[str, object]:
    return {
        "environment": guard.environment.value,
        "signals": [
            {"signal": s.signal, "says": s.kind.value if s.kind else None, "why": s.why}
            for s in said
        ],
        "verdict": verdict.kind.value,
        "because": verdict.signal_and_why or None,
        "decisions": [
            {"role": role.value, "kind": there.value, "decision": decision.value}
            for role, there, decision in decisions(guard, verdict.kind)
        ],
    }
