"""The command `intyg mocks`: every mock, for an adapter that runs elsewhere."""

import errno
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from intyg.adapter.cli.options import JsonOption, TypesOption, known_types
from intyg.adapter.cli.terminal import fail, print_json, write
from intyg.adapter.cli.until_signalled import run_until_signalled
from intyg.sandbox import mocks_options as options
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.typefile.lookup import IntygTypes

if TYPE_CHECKING:
    from intyg.mocks.clock.timeline import Timeline
    from intyg.mocks.server.persona_base import Persona
    from intyg.mocks.server.service import MockService
    from intyg.mocks.server.serving import MockServer, MockTls
    from intyg.mocks.wire.tls import AdapterTls

    _Mocks: TypeAlias = dict[str, MockService[Persona]]

mocks = typer.Typer(
    help="Run the mock authorities and the mock EHR until they are stopped.",
    add_completion=False,
)


@mocks.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    adapter: options.AdapterUrl = "http://127.0.0.1:8080/services",
    ports_from: options.PortsFrom = 8081,
    port: options.Port = None,
    ca: options.Ca = None,
    types_dir: TypesOption = None,
    rules_dir: options.RulesDir = None,
    journal: options.JournalFile = None,
    token: options.Token = None,
    no_token: options.NoToken = False,
    scripts_dir: options.ScriptsDir = None,
    adapter_clock: options.AdapterClockUrl = None,
    adapter_token: options.AdapterToken = None,
    adapter_ca: options.AdapterCa = None,
    adapter_cert: options.AdapterCert = None,
    adapter_key: options.AdapterKey = None,
    cert: options.Cert = None,
    key: options.Key = None,
    client_ca: options.ClientCa = None,
    require_client: options.RequireClient = False,
    run_by_client: options.RunByClient = False,
    as_json: JsonOption = False,
) -> None:
    """Run the mock authorities and the mock EHR until they are stopped."""
    if context.invoked_subcommand is not None:
        return
    try:
        far = _Adapter(adapter, _adapter_tls(adapter_ca, adapter_cert, adapter_key), adapter_token)
        told = _Told(
            token=_token(token, no_token=no_token),
            ca_files=tuple(ca or ()),
            journal=journal,
            rules=rules_dir,
            scripts=scripts_dir,
            run_by_client=run_by_client,
        )
        ports = _ports(ports_from, port or ())
        tls = _tls(cert, key, client_ca, require_client=require_client, by_client=run_by_client)
        clock = _clock(adapter_clock, far)
        made = _made(context, told, far, known_types(types_dir), clock)
        _serve(made, ports, tls, told.token, as_json=as_json)
    except OSError as exc:
        fail(_why_not(exc, "--ports-from, or --port NAME=PORT (0 takes a free one)"), 1)
    except ValueError as exc:
        fail(str(exc), 1)


@dataclass(frozen=True)
class _Adapter:
    """The adapter that the mocks speak to: where it serves, TLS towards it, its REST's token."""

    services_url: str
    tls: "AdapterTls"
    token: str | None = field(repr=False)


@dataclass(frozen=True)
class _Told:
    """What the options say that the mocks are to be like; see there."""

    token: str | None = field(repr=False)
    ca_files: tuple[Path, ...]
    journal: Path | None
    rules: Path | None
    scripts: Path | None
    run_by_client: bool


def _token(given: str | None, *, no_token: bool) -> str | None:
    from intyg.mocks.control.token import new_token

    return None if no_token else given or new_token()


def _clock(url: str | None, adapter: _Adapter) -> "Timeline":
    """The mocks' clock, which leads the adapter's if it is told where that is."""
    from intyg.mocks.clock.timeline import Timeline

    line = Timeline()
    if url is not None:
        from intyg.mocks.clock.adapter_clock import AdapterClock

        line.follow(AdapterClock(url, adapter.token, adapter.tls))
    return line


def _made(
    context: typer.Context, told: _Told, adapter: _Adapter, types: IntygTypes, clock: "Timeline"
) -> "_Mocks":
    """
    All mocks with their rules and conversations; they are closed when the command ends.

    Raises:
        OSError, ValueError: A file cannot be used.
    """
    from intyg.mocks.conversations.files import read_scripts
    from intyg.mocks.personas import give_scripts, make_personas
    from intyg.mocks.rules.files import give_rules, read_rules
    from intyg.mocks.rules.type_codes import TypeCodes

    codes = TypeCodes(types.headers())
    made = make_personas(
        Contracts(),
        types,
        adapter.services_url,
        told.ca_files,
        clock,
        control_token=told.token,
        journal_file=told.journal,
        run_by_client_certificate=told.run_by_client,
        adapter_tls=adapter.tls,
        adapter_token=adapter.token,
    )
    for mock in made.values():
        context.call_on_close(mock.close)
    give_scripts(read_scripts([told.scripts] if told.scripts else [], codes), made)
    rules = read_rules([told.rules] if told.rules else [], codes=codes)
    give_rules(rules, [each.rules for each in made.values()])
    return made


def _serve(
    made: "_Mocks",
    ports: Mapping[str, int],
    tls: "MockTls | None",
    token: str | None,
    *,
    as_json: bool,
) -> None:
    """Until a signal comes; says where each is, and how their control is asked."""
    from intyg.mocks.server.serving import allow_many_connections, run_mocks

    allow_many_connections()
    with run_mocks(made, ports=ports, tls=tls) as running:
        if as_json:
            run_until_signalled(lambda: _tell(running.values(), token))
            return
        lines = [f"{each.mock.settings.name:<19}{each.url}" for each in running.values()]
        if token is not None:
            example = next(iter(running.values())).url
            trust = "" if tls is None else "--cacert <its CA> "
            lines.append(f"curl {trust}-H 'Authorization: Bearer {token}' {example}/control")
        lines.append(f"In a browser: {next(iter(running.values())).pages_url()}")
        run_until_signalled(lambda: typer.echo("\n".join(lines), err=True))


def _tell(running: "Iterable[MockServer]", token: str | None) -> None:
    """An object for each mock, when all of them run."""
    for each in running:
        settings = each.mock.settings
        print_json(
            {
                "name": settings.name,
                "logical_address": settings.logical_address,
                "url": each.url,
                "control_token": token,
            }
        )


def _why_not(exc: OSError, set_port: str) -> str:
    """What an address or a file does not do, in one line."""
    from intyg.adapter.bootstrap.listening import why_not  # not above: settings take half a second

    if exc.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL) or _is_low_port(exc):
        return why_not(exc, str(exc.filename), set_port, "another")
    return f"{exc.filename}: {exc.strerror}"


def _is_low_port(exc: OSError) -> bool:
    return exc.errno == errno.EACCES and str(exc.filename).startswith("127.0.0.1:")


@mocks.command()
def lint(
    paths: Annotated[list[Path], typer.Argument(help="Files (YAML) or folders.")],
    types_dir: TypesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check files with behaviour rules or conversations: all that is wrong, with file and line."""
    from intyg.mocks.conversations.files import holds_scripts, read_scripts
    from intyg.mocks.rules.files import read_rules
    from intyg.mocks.rules.type_codes import TypeCodes
    from intyg.mocks.yaml_file import FileFault, FilesError, yaml_files

    codes = TypeCodes(known_types(types_dir).headers())
    files = list(yaml_files(paths))
    scripts = [each for each in files if holds_scripts(each)]
    found: dict[str, int] = {}
    faults: list[FileFault] = []
    for kind, read, some in (
        ("rule", partial(read_rules, codes=codes), [each for each in files if each not in scripts]),
        ("script", partial(read_scripts, codes=codes), scripts),
    ):
        try:
            found[kind] = len(read(some))
        except FilesError as exc:
            faults += exc.faults
    for fault in faults:
        if as_json:
            print_json({"file": str(fault.file), "line": fault.line, "text": fault.text})
        else:
            typer.echo(str(fault))
    if faults:
        raise typer.Exit(2 if any(each.line == 0 for each in faults) else 1)
    counts = [f"{n} {kind if n == 1 else kind + 's'}" for kind, n in found.items() if n]
    if not as_json:
        typer.echo(f"{', '.join(counts) or '0 rules'}, all well")


@mocks.command(name="rule-schema")
def rule_schema() -> None:
    """Print the JSON Schema of a behaviour rule, for editors."""
    from intyg.mocks.rules import rule_schema as schema

    typer.echo(json.dumps(schema(), ensure_ascii=False, indent=2))


@mocks.command(name="script-schema")
def script_schema() -> None:
    """Print the JSON Schema of a conversation's script, for editors."""
    from intyg.mocks.conversations.script import script_schema as schema

    typer.echo(json.dumps(schema(), ensure_ascii=False, indent=2))


@mocks.command(name="import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(help="Behaviour rules of the national mock service (JSON): one, or a list."),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write there; else it is printed.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Turn behaviour rules of the national mock service into rules for `--rules-dir` (YAML)."""
    from intyg.mocks.national.files import import_rules

    try:
        text = import_rules(files)
    except OSError as exc:
        fail(f"{exc.filename}: {exc.strerror}")
    except ValueError as exc:
        fail(str(exc), 1)
    facts = {"files": [str(file) for file in files]}
    write(text.encode(), output, facts if as_json else None)


@mocks.command()
def national(
    port: Annotated[
        int, typer.Option(min=0, max=options.MAX_PORT, help="0 takes a free one.")
    ] = 18888,
    token: options.Token = None,
    no_token: options.NoToken = False,
    as_json: JsonOption = False,
) -> None:
    """
    Run a mock with the REST paths of the national mock service, until it is stopped.

    It takes everything from everybody, as that service does; /api wants no token.
    """
    from intyg.mocks.national import SETTINGS, NationalMock
    from intyg.mocks.server.serving import serve

    settings = replace(SETTINGS, control_token=_token(token, no_token=no_token))
    mock = NationalMock.of(Contracts(), settings)
    try:
        with serve(mock, port=port) as running:
            if as_json:
                run_until_signalled(lambda: _tell([running], settings.control_token))
                return
            lines = [f"{settings.name} {running.url}"]
            if settings.control_token is not None:
                lines.append(
                    f"curl -H 'Authorization: Bearer {settings.control_token}' "
                    f"{running.url}/control"
                )
            run_until_signalled(lambda: typer.echo("\n".join(lines), err=True))
    except OSError as exc:
        fail(_why_not(exc, "--port (0 takes a free one)"), 1)


def _ports(first: int, chosen: Iterable[str]) -> dict[str, int]:
    """A port for each persona; `chosen` says others, as NAME=PORT."""
    from intyg.mocks.personas import ports_from
    from intyg.mocks.rules.model import unknown

    ports = ports_from(first)
    for each in chosen:
        name, _, number = each.partition("=")
        if name not in ports:
            raise ValueError(f"--port {each}: {unknown(name, ports)}")
        if not number.isdecimal() or int(number) > options.MAX_PORT:
            raise ValueError(f"--port {each}: must be NAME=PORT, up to {options.MAX_PORT}")
        ports[name] = int(number)
    return ports


def _adapter_tls(ca: Path | None, cert: Path | None, key: Path | None) -> "AdapterTls":
    """What the options say about TLS towards the adapter; OSError: a file cannot be used."""
    from intyg.mocks.wire.tls import AdapterTls

    if (cert is None) is not (key is None):
        raise ValueError("--adapter-cert and --adapter-key go together")
    tls = AdapterTls(ca, cert, key)
    tls.check()
    return tls


def _tls(
    cert: Path | None,
    key: Path | None,
    client_ca: Path | None,
    *,
    require_client: bool,
    by_client: bool,
) -> "MockTls | None":
    """What the options say about TLS; None: plain HTTP. A ValueError says what is missing."""
    from intyg.mocks.server.serving import MockTls

    if (cert is None) is not (key is None):
        raise ValueError("--cert and --key go together")
    if by_client and client_ca is None:
        raise ValueError("--run-by-client: needs --client-ca")
    if cert is None or key is None:
        if client_ca is not None or require_client:
            raise ValueError("--client-ca and --require-client: need --cert and --key")
        return None
    if require_client and client_ca is None:
        raise ValueError("--require-client: needs --client-ca")
    return MockTls(cert, key, client_ca, require_client=require_client)
