"""The command `intyg validate`.

Unlike in the flows, nothing is refused early when validating: the contract's schema and the rules
of the certificate's type are both asked, so that every fault is seen at once.
"""

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from lxml import etree
from rich.markup import escape
from rich.progress import Progress

from intyg.adapter.bootstrap.load_schemas import load_schemas
from intyg.adapter.cli.junit import Checked, junit, place_of
from intyg.adapter.cli.message_file import request_element
from intyg.adapter.cli.options import (
    JsonOption,
    TodayOption,
    TypesOption,
    told_or_today,
    unknown_in_message,
)
from intyg.adapter.cli.terminal import STDIN, err, fail, out, print_json, read, write
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.formats import safe_xml
from intyg.adapter.settings.settings import SettingsError
from intyg.schemas import ns
from intyg.schemas.contract.contract import Contracts
from intyg.schemas.finding import Finding, Severity
from intyg.schemas.typefile.lookup import IntygTypes, UnknownTypeError

_REGISTER: Final = ns.message("RegisterCertificate", 3)
_BARE: Final = "/RegisterCertificate/intyg"

WORTH_A_PROCESS: Final = 250
"""Files: so many are checked while another process loads the schemas."""

AT_ONCE: Final = 16
"""Files that a process is given."""


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(help="Messages; folders, for each *.xml beneath; - is standard input."),
    ],
    as_json: JsonOption = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only files that are not valid; no summary.")
    ] = False,
    junit_file: Annotated[
        Path | None,
        typer.Option("--junit", metavar="FILE", help="Also as JUnit XML, for build servers."),
    ] = None,
    contracts_dir: Annotated[
        Path | None, typer.Option(help="An official archive of the contracts.")
    ] = None,
    types_dir: TypesOption = None,
    today: TodayOption = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Processes; default: as many as there are cores, for many files."),
    ] = None,
) -> None:
    """Check messages against contract and certificate type: envelope, request or bare intyg."""
    contracts, types = _schemas(contracts_dir, types_dir)
    day = told_or_today(today)
    found = list(_messages(files))
    done = []
    here = partial(_checked, contracts=contracts, types=types, day=day)
    with _all_checked(found, jobs, here, _Told(contracts_dir, types_dir, day)) as each:
        for checked in _with_progress(each, len(found), hidden=quiet):
            done.append(checked)
            if quiet and checked.valid:
                continue
            if as_json:
                print_json(_as_json(checked))
            else:
                _print_findings(checked)
    if junit_file is not None:
        write(junit(done), junit_file)
    if len(done) > 1 and not (quiet or as_json):
        out.print(_summary(done))
    raise typer.Exit(max(map(_exit_code, done), default=0))


def _messages(paths: Iterable[Path]) -> Iterator[Path]:
    """The files themselves, and those in folders; ends the command at a folder without any."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(each for each in path.rglob("*.xml") if each.is_file())
        if not found:
            fail(f"{path}: there is no *.xml in this folder")
        yield from found


@dataclass(frozen=True)
class _Told:
    """What another process needs to know to check as this one does."""

    contracts_dir: Path | None
    types_dir: Path | None
    day: date


@contextmanager
def _all_checked(
    files: Sequence[Path], jobs: int | None, here: Callable[[Path], Checked], told: _Told
) -> Iterator[Iterator[Checked]]:
    """
    The files checked, in their order, by as many processes as are told or worth while.

    Args:
        jobs: None: one for each core, where there are files enough.
        here: Checks a file in this process.
    """
    most = jobs or min(_cores(), len(files) // WORTH_A_PROCESS)
    if most <= 1 or STDIN in files:  # standard input is this process's alone
        yield map(here, files)
        return
    # Not forked: the parsers' memory, and threads of whoever called, are left behind.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(most, len(files)), fresh, _load, (told,)) as processes:
        yield processes.map(_checked_there, files, chunksize=AT_ONCE)


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_there: list[Callable[[Path], Checked]] = []
"""Of a process that checks for another: how, with its own schemas."""


def _load(told: _Told) -> None:
    contracts, types = load_schemas(told.contracts_dir, told.types_dir)
    _there.append(partial(_checked, contracts=contracts, types=types, day=told.day))


def _checked_there(file: Path) -> Checked:
    return _there[0](file)


def _with_progress(each: Iterator[Checked], count: int, *, hidden: bool) -> Iterator[Checked]:
    """One after the other; a bar beside them where somebody looks at a terminal."""
    if hidden or count < 2 or not err.is_terminal:
        yield from each
        return
    # Through the bar's console only what goes to a terminal as well: it is that of the errors.
    with Progress(
        console=err, transient=True, redirect_stdout=out.is_terminal, redirect_stderr=False
    ) as progress:
        yield from progress.track(each, total=count, description="validate")


def _checked(file: Path, contracts: Contracts, types: IntygTypes, day: date) -> Checked:
    try:
        data = read(file)
    except OSError as exc:
        unread = Finding("FILE", f"cannot be read: {exc.strerror}", "/")
        return Checked(file, (unread,), readable=False)
    return Checked(file, tuple(check_file(data, contracts, types, today=day)))


def _exit_code(checked: Checked) -> int:
    if not checked.readable:
        return 2
    return 0 if checked.valid else 1


def _summary(done: Sequence[Checked]) -> str:
    counts = Counter(map(_exit_code, done))
    said = [f"{len(done)} files: {counts[0]} valid", f"{counts[1]} not valid"]
    return ", ".join([*said, f"{counts[2]} not readable"] if counts[2] else said)


def _schemas(contracts_dir: Path | None, types_dir: Path | None) -> tuple[Contracts, IntygTypes]:
    try:
        contracts, types = load_schemas(contracts_dir, types_dir)
    except SettingsError as exc:
        fail(str(exc))
    for fault in types.refused:
        err.print(f"types_dir: {fault}", markup=False)
    return contracts, types


def _as_json(checked: Checked) -> dict[str, Any]:
    errors = [
        {
            "rule": finding.rule,
            "xpath": finding.xpath,
            "line": finding.line,
            "message": finding.message,
            "severity": finding.severity.value,
        }
        for finding in checked.findings
    ]
    return {"file": str(checked.file), "valid": checked.valid, "errors": errors}


def _print_findings(checked: Checked) -> None:
    if not checked.findings and not out.is_terminal:  # the same, at a fraction of the time
        out.file.write(f"{checked.file}: valid\n")
        return
    verdict = "[green]valid[/green]" if checked.valid else "[red]not valid[/red]"
    out.print(f"{escape(str(checked.file))}: {verdict}")
    for finding in checked.findings:
        colour = "red" if finding.severity is Severity.ERROR else "yellow"
        out.print(
            f"  [{colour}]{finding.severity}[/{colour}] [bold]{escape(finding.rule)}[/bold] "
            f"{escape(finding.message)}\n    [dim]{escape(place_of(finding))}[/dim]",
        )


def check_file(
    data: bytes, contracts: Contracts, types: IntygTypes, *, today: date
) -> list[Finding]:
    """
    Check a message against its contract and, where it holds certificates, their types' rules.

    Args:
        data: A SOAP envelope, a bare request element, or a bare `intyg`.
        contracts: The contracts' schemas.
        types: The certificate types.
        today: The day for rules that depend on it, in Sweden.

    Returns:
        Every fault; empty when all is well. Beside `XSD` and the rules of types there are the
        rules `XML` (cannot be parsed), `CONTRACT` (no contract has this element) and `TYPE`
        (no such certificate type or version).
    """
    try:
        root = safe_xml.parse(data, max_markup=safe_xml.MAX_LIST_MARKUP).getroot()
        element = request_element(root)
    except AdapterError as exc:
        return [Finding("XML", exc.text, "/")]
    bare = etree.QName(element).localname == "intyg"
    if bare:
        element = _wrap(element)
    contract = contracts.by_request(str(element.tag))
    if contract is None:
        name = etree.QName(element)
        text = f"no contract has the request element {name.localname} in namespace {name.namespace}"
        return [Finding("CONTRACT", text, f"/{name.localname}", _line(element))]
    findings = contracts.check(contract, element)
    for intyg in element.iterchildren(f"{{{contract.namespace}}}intyg"):
        findings += _check_intyg(intyg, types, today)
    if bare:
        findings = [replace(f, xpath=f.xpath.replace(_BARE, "/intyg", 1)) for f in findings]
    return findings


def _wrap(intyg: etree._Element) -> etree._Element:
    """A bare `intyg` as the one of a RegisterCertificate, lines kept."""
    request = etree.Element(f"{{{_REGISTER}}}RegisterCertificate")
    wrapped = etree.SubElement(request, f"{{{_REGISTER}}}intyg")
    for name, value in intyg.items():
        wrapped.set(name, value)
    wrapped.sourceline = request.sourceline = intyg.sourceline
    wrapped.text = intyg.text
    wrapped.extend(list(intyg))
    return request


def _check_intyg(intyg: etree._Element, types: IntygTypes, today: date) -> list[Finding]:
    typ = intyg.findtext(f"{{{ns.CORE}}}typ/{{{ns.TYPES}}}code") or ""
    version = intyg.findtext(f"{{{ns.CORE}}}version") or ""
    try:
        intyg_type = types.find(typ, version)
    except UnknownTypeError as exc:
        text = unknown_in_message(types, exc)
        return [Finding("TYPE", text, "/RegisterCertificate/intyg/typ", _line(intyg))]
    return types.check(intyg_type, intyg, today=today)


def _line(element: etree._Element) -> int | None:
    line: object = element.sourceline  # lxml-stubs give it no type
    return line if isinstance(line, int) else None
