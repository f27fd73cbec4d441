"""The command `intyg`: reads arguments, calls the parts, prints.

Exit codes: 0 all well; 1 the answer is no (invalid, refused, failed); 2 a file could not be read,
or the command was used wrongly.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from intyg.adapter.cli.commands import Commands
from intyg.adapter.cli.options import JsonOption, TodayOption, told_or_today
from intyg.adapter.cli.validate_file import check_file
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.domain.lossy_file import lossy_stderr
from intyg.adapter.formats import safe_xml
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.finding import Finding, Severity
from intyg.schemas.typefile.lookup import IntygTypes

if TYPE_CHECKING:
    from intyg.adapter.settings.settings import Settings
    from intyg.adapter.signature import SigningKey

cli = typer.Typer(
    name="intyg",
    cls=Commands,  # which knows those of `commands.py`, too
    help="Integration adapter for Swedish medical certificates (intyg), and its mock authorities.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

KEYS = Path("data/keys")
"""Where `intyg test-keys` puts keys unless told otherwise."""


def main() -> None:
    """Entry point of the command."""
    lossy_stderr()
    cli()


def _fail(text: str, code: int = 2) -> NoReturn:
    err.print(f"[red]{escape(text)}[/red]")
    raise typer.Exit(code)


def _read(path: Path) -> bytes:
    """A file's bytes, or standard input's for `-`."""
    return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()


def _settings(config: Path | None) -> "Settings":
    from intyg.adapter.settings.settings import SettingsError, load_settings

    try:
        return load_settings(config)
    except SettingsError as exc:
        _fail(str(exc))


def _schemas(contracts_dir: Path | None, types_dir: Path | None) -> tuple[Contracts, IntygTypes]:
    from intyg.adapter.bootstrap.load_schemas import load_schemas
    from intyg.adapter.settings.settings import SettingsError

    try:
        contracts, types = load_schemas(contracts_dir, types_dir)
    except SettingsError as exc:
        _fail(str(exc))
    for fault in types.refused:
        err.print(f"types_dir: {fault}", highlight=False, markup=False)
    return contracts, types


# --- files ----------------------------------------------------------------------------------------


@cli.command()
def validate(
    files: Annotated[list[Path], typer.Argument(help="Messages; - is standard input.")],
    as_json: JsonOption = False,
    contracts_dir: Annotated[
        Path | None, typer.Option(help="An official archive of the contracts.")
    ] = None,
    types_dir: Annotated[Path | None, typer.Option(help="More certificate types.")] = None,
    today: TodayOption = None,
) -> None:
    """Check messages against contract and certificate type: envelope, request or bare intyg."""
    contracts, types = _schemas(contracts_dir, types_dir)
    day = told_or_today(today)
    worst = 0
    for file in files:
        try:
            findings = check_file(_read(file), contracts, types, today=day)
        except OSError as exc:
            findings = [Finding("FILE", f"cannot be read: {exc.strerror}", "/")]
            worst = 2
        valid = not any(f.severity is Severity.ERROR for f in findings)
        worst = max(worst, 0 if valid else 1)
        if as_json:
            _print_json(file=str(file), valid=valid, errors=[_as_json(f) for f in findings])
        else:
            _print_findings(file, findings, valid)
    raise typer.Exit(worst)


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "xpath": finding.xpath,
        "line": finding.line,
        "message": finding.message,
        "severity": finding.severity.value,
    }


def _print_json(**fields: Any) -> None:
    typer.echo(json.dumps(fields, ensure_ascii=False))


def _print_findings(file: Path, findings: list[Finding], valid: bool) -> None:
    verdict = "[green]valid[/green]" if valid else "[red]not valid[/red]"
    out.print(f"{escape(str(file))}: {verdict}", highlight=False)
    for finding in findings:
        colour = "red" if finding.severity is Severity.ERROR else "yellow"
        place = f"line {finding.line} {finding.xpath}" if finding.line else finding.xpath
        out.print(
            f"  [{colour}]{finding.severity}[/{colour}] [bold]{escape(finding.rule)}[/bold] "
            f"{escape(finding.message)}\n    [dim]{escape(place)}[/dim]",
            highlight=False,
        )


@cli.command()
def sign(
    file: Annotated[Path, typer.Argument(help="A message with one intyg; - is standard input.")],
    key: Annotated[
        Path | None, typer.Option(help="PEM key or PKCS#12; default: the test key.")
    ] = None,
    cert: Annotated[Path | None, typer.Option(help="PEM certificate; not with PKCS#12.")] = None,
    password: Annotated[
        str | None, typer.Option(envvar="INTYG_KEY_PASSWORD", help="Of the key.", show_envvar=True)
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", help="Default: standard output.")] = None,
) -> None:
    """Sign an intyg in the national profile; a signature that is there is replaced."""
    from intyg.adapter import signature
    from intyg.adapter.settings.settings import SettingsError

    if key is None:
        key, cert = KEYS / "signer.key.pem", KEYS / "signer.pem"
        if not key.exists():
            _fail(f"no key: {key} is not there; run intyg test-keys, or give --key")
    try:
        signing_key = signature.load_signing_key(key, cert, password)
        signed = signature.sign_document(_read(file), signing_key)
        _warn_of_another_author(signed, signing_key)
        if output is None:
            sys.stdout.buffer.write(signed)
        else:
            output.write_bytes(signed)
    except OSError as exc:
        _fail(f"{exc.filename or file}: {exc.strerror}")
    except SettingsError as exc:
        _fail(str(exc))
    except AdapterError as exc:
        _fail(f"{file}: {exc.text}", 1)


def _warn_of_another_author(signed: bytes, key: "SigningKey") -> None:
    """Signing for somebody else is allowed here, but receivers that look will not trust it."""
    from intyg.adapter.signature import SignatureCode, TrustStore, verify_message

    root = safe_xml.parse(signed).getroot()
    own = TrustStore(pinned=[key.cert.parsed])
    if verify_message(root, own, system_clock()).code is SignatureCode.SIGNER_NOT_AUTHOR:
        err.print(
            f"note: the signer {key.cert.signer.hsa_id} is not skapadAv/personal-id; "
            "a receiver that checks will say SIGNER_NOT_AUTHOR",
            highlight=False,
        )


@cli.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A message with intyg; - is standard input.")],
    as_json: JsonOption = False,
    at: Annotated[
        datetime | None,
        typer.Option(help="When the certificate must be valid, UTC; default: now."),
    ] = None,
    pin: Annotated[
        list[Path] | None, typer.Option(help="Signer certificate taken as it is (PEM or DER).")
    ] = None,
    trust: Annotated[
        list[Path] | None, typer.Option(help="CA certificate (PEM); default: the test CA.")
    ] = None,
) -> None:
    """Verify the signature of an intyg: prints outcome and code."""
    from intyg.adapter.cli.verify_file import verify_file
    from intyg.adapter.domain.log import shown
    from intyg.adapter.settings.settings import SettingsError
    from intyg.adapter.signature import SignatureOutcome, TrustStore

    anchors = list(trust or [])
    if not anchors and not pin and (KEYS / "ca.pem").exists():
        anchors = [KEYS / "ca.pem"]
    moment = at.replace(tzinfo=UTC) if at and at.tzinfo is None else at or system_clock()
    try:
        trusted = TrustStore.from_files(anchors=anchors, pinned=pin or ())
        result = verify_file(_read(file), Contracts(), trusted, moment)
    except OSError as exc:
        _fail(f"{exc.filename or file}: {exc.strerror}")
    except SettingsError as exc:
        _fail(str(exc))
    signer = result.signer.hsa_id if result.signer else None
    if as_json:
        _print_json(
            file=str(file),
            outcome=result.outcome.value,
            code=result.code.value if result.code else None,
            message=result.text,
            signer=signer,
            method=result.method,
        )
    else:
        code = result.code if result.code and result.code.value != result.outcome.value else ""
        out.print(f"{result.outcome} {code}".rstrip(), highlight=False)
        said = f"; signer {shown(signer)}" if signer else ""  # a word from an unread certificate
        err.print(escape(result.text + said), highlight=False)
    raise typer.Exit(0 if result.outcome is SignatureOutcome.VALID else 1)


@cli.command()
def send(
    file: Annotated[Path, typer.Argument(help="A request element or envelope; - is stdin.")],
    to: Annotated[str, typer.Option(help="Service address, or the base that paths are added to.")],
    logical_address: Annotated[
        str, typer.Option(help="For the header; an envelope keeps its own.")
    ] = "INTYGSADAPTER",
    timeout: Annotated[float, typer.Option(help="Seconds.")] = 30.0,
    ca: Annotated[Path | None, typer.Option(help="PEM: who vouches for the server.")] = None,
    cert: Annotated[Path | None, typer.Option(help="PEM: the client certificate.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM: its key, unless it is in it.")] = None,
) -> None:
    """Post a message to an adapter or mock and print the answer."""
    from intyg.adapter.cli.send_file import post_file
    from intyg.adapter.domain.destination import ClientTls

    tls = ClientTls(ca, cert, key)
    try:
        answer = post_file(_read(file), Contracts(), to, logical_address, timeout, tls)
    except OSError as exc:
        _fail(f"{exc.filename or file}: {exc.strerror or exc}")
    except AdapterError as exc:
        _fail(exc.text, 1)
    out.print(answer.text, markup=False, highlight=False)
    raise typer.Exit(0 if answer.accepted else 1)


# --- other ----------------------------------------------------------------------------------------


@cli.command("test-keys")
def make_keys(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")] = KEYS,
    keep: Annotated[bool, typer.Option("--keep", help="Leave keys that are there.")] = False,
) -> None:
    """Make a test CA, signers, and server and client certificates. For tests only."""
    from intyg.adapter.signature.demo_keys import make_test_keys

    make_test_keys(folder, system_clock(), keep=keep)
    out.print(f"test keys in {folder}", highlight=False)


@cli.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as distribution_version

    out.print(distribution_version("intygsadapter"), highlight=False)
