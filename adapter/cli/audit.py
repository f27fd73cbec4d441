"""The command `intyg audit`: look into the audit log, and check that nobody has changed it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from intyg.adapter.audit import log as log_of
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.settings.settings import Settings, SettingsError, load_settings
from intyg.adapter.store import AuditRow, Rows, Store

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

audit = typer.Typer(
    help="Who did what with which certificate, in a log that nobody can change.",
    no_args_is_help=True,
)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Settings file (TOML) of the adapter.")
]
_MOST_FAULTS: Final = 20


@contextmanager
def _opened(config: Path | None) -> Iterator[tuple[Rows, Settings, log_of.AuditKey]]:
    """The database for reading, beside an adapter that runs."""
    try:
        settings = load_settings(config)
        key = log_of.AuditKey.from_settings(settings.audit, settings.data_dir)
        store = Store(settings.effective_database_url, system_clock, read_only=True)
        try:
            store.must_belong_to(settings.environment)
            with store.read() as rows:
                yield rows, settings, key
        finally:
            store.close()
    except (SettingsError, StoreError) as exc:
        err.print(str(exc), style="red", markup=False)
        raise typer.Exit(2) from None


@audit.command()
def verify(
    config: ConfigOption = None,
    log: Annotated[
        list[Path] | None,
        typer.Option(help="Logs of the adapter, or other files with anchors: rows that must be."),
    ] = None,
) -> None:
    """Find every row that was changed, removed, added or moved."""
    try:
        anchors = log_of.anchors_in(
            "\n".join(path.read_text("utf-8", "replace") for path in log or ())
        )
    except OSError as exc:
        err.print(f"{exc.filename}: {exc.strerror}", style="red", markup=False)
        raise typer.Exit(2) from None
    with _opened(config) as (rows, _, key):
        found = log_of.verify(rows, key, anchors)
    for fault in found.faults[:_MOST_FAULTS]:
        out.print(f"chain {fault.chain}, row {fault.number}: {fault.text}", highlight=False)
    if len(found.faults) > _MOST_FAULTS:
        out.print(f"and {len(found.faults) - _MOST_FAULTS} more")
    verdict = f"{len(found.faults)} faults" if found.faults else "whole"
    out.print(f"{found.rows} rows, {found.anchors} anchors: {verdict}", highlight=False)
    raise typer.Exit(1 if found.faults else 0)


@audit.command("list")
def list_(
    config: ConfigOption = None,
    intygs_id: Annotated[str | None, typer.Option(help="Only about this certificate.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Show the newest rows, oldest first."""
    with _opened(config) as (rows, _, key):
        found = rows.find_audit(log_of.id_as_kept(intygs_id, key), limit)
    for row in found:
        if as_json:
            entry = {**asdict(row.entry), "at": row.entry.at.isoformat()}
            typer.echo(json.dumps({"chain": row.chain, "number": row.number, **entry}))
        else:
            typer.echo(_line(row))


def _line(row: AuditRow) -> str:
    entry = row.entry
    about = {
        "intyg": entry.intygs_id,
        "by": entry.actor,
        "from": entry.sender,
        "patient": entry.person,
    }
    return "  ".join(
        (
            f"{entry.at:%Y-%m-%d %H:%M:%S}",
            entry.action,
            f"{entry.outcome} {entry.detail}".strip(),
            *(f"{name} {value}" for name, value in about.items() if value),
        )
    )


@audit.command()
def anchors(config: ConfigOption = None) -> None:
    """Print where each chain ends now, to keep where the database's owner cannot reach it."""
    with _opened(config) as (rows, _, _):
        for one in log_of.anchors(rows):
            typer.echo(one)
