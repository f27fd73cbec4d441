"""The command `intyg audit`: look into the audit log, and check that nobody has changed it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from intyg.adapter.audit import log as log_of
from intyg.adapter.cli.database import reading_store
from intyg.adapter.cli.options import ConfigOption, JsonOption, read_settings
from intyg.adapter.cli.terminal import fail, out, print_json
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.settings.settings import SettingsError
from intyg.adapter.store import AuditRow, Rows, Store

audit = typer.Typer(
    help="Who did what with which certificate, in a log that nobody can change.",
    no_args_is_help=True,
    add_completion=False,
)

_MOST_FAULTS: Final = 20


@contextmanager
def _opened(config: Path | None) -> Iterator[tuple[Store, log_of.AuditKey]]:
    """The database for reading, beside an adapter that runs."""
    settings = read_settings(config)
    try:
        key = log_of.AuditKey.from_settings(settings.audit, settings.data_dir)
        with reading_store(settings) as store:
            yield store, key
    except (SettingsError, StoreError) as exc:
        fail(str(exc))


@contextmanager
def _reading(config: Path | None) -> Iterator[tuple[Rows, log_of.AuditKey]]:
    """Its rows."""
    with _opened(config) as (store, key), store.read() as rows:
        yield rows, key


@audit.command()
def verify(
    config: ConfigOption = None,
    log: Annotated[
        list[Path] | None,
        typer.Option(help="Logs of the adapter, or other files with anchors: rows that must be."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find every row that was changed, removed, added or moved."""
    try:
        anchors = log_of.anchors_in(
            "\n".join(path.read_text("utf-8", "replace") for path in log or ())
        )
    except OSError as exc:
        fail(f"{exc.filename}: {exc.strerror}")
    with _opened(config) as (store, key):
        found = log_of.verify(store.read, key, anchors)
    if as_json:
        faults = [asdict(fault) for fault in found.faults]
        print_json({"rows": found.rows, "anchors": found.anchors, "faults": faults})
    else:
        _print(found)
    raise typer.Exit(1 if found.faults else 0)


def _print(found: log_of.Verification) -> None:
    for fault in found.faults[:_MOST_FAULTS]:
        out.print(f"chain {fault.chain}, row {fault.number}: {fault.text}")
    if len(found.faults) > _MOST_FAULTS:
        out.print(f"and {len(found.faults) - _MOST_FAULTS} more")
    count = len(found.faults)
    verdict = f"{count} fault{'s' if count > 1 else ''}" if count else "whole"
    out.print(f"{found.rows} rows, {found.anchors} anchors: {verdict}")


@audit.command("list")
def list_(
    config: ConfigOption = None,
    intygs_id: Annotated[str | None, typer.Option(help="Only about this certificate.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show the newest rows, oldest first."""
    with _reading(config) as (rows, key):
        found = rows.audit.find(log_of.id_as_kept(intygs_id, key), limit)
    for row in found:
        if as_json:
            entry = {**asdict(row.entry), "at": row.entry.at.isoformat()}
            print_json({"chain": row.chain, "number": row.number, **entry})
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
def anchors(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print where each chain ends now, to keep where the database's owner cannot reach it."""
    with _reading(config) as (rows, _):
        for one in log_of.anchors(rows):
            if as_json:
                print_json({"anchor": one})
            else:
                typer.echo(one)
