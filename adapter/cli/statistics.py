"""The command `intyg statistics`: reports from the database, and facts made anew."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from intyg.adapter.audit.log import AuditKey
from intyg.adapter.cli.database import reading
from intyg.adapter.cli.options import ConfigOption, JsonOption, read_settings, swedish_now
from intyg.adapter.cli.own_api import NoAdapterError, order
from intyg.adapter.cli.terminal import err, fail, out, print_json
from intyg.adapter.clients.staff_directory import directory_from_settings
from intyg.adapter.doctor.lost_database import why_lost
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.settings.settings import Settings, SettingsError
from intyg.adapter.statistics.catalogue import REPORTS, Report, make_report
from intyg.adapter.statistics.facts import FactMaker
from intyg.adapter.statistics.formats import as_csv, table_of
from intyg.adapter.statistics.formats import as_json as report_json
from intyg.adapter.statistics.plots import draw, title
from intyg.adapter.statistics.rebuild import Progress, rebuild_part
from intyg.adapter.statistics.registers import registers_from_settings
from intyg.adapter.statistics.report import ReportError
from intyg.adapter.store import Store

REBUILD: Final = "rebuild"
REBUILD_PATH: Final = "/api/statistics/rebuild"


def statistics(
    report: Annotated[
        str | None, typer.Argument(help="Its name; without one all are listed. Or: rebuild.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", help="The first month, 2026-01.")] = None,
    to: Annotated[str | None, typer.Option(help="The last month.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="Only of this unit, by HSA-id.")] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", help="Only of this type.")] = None,
    diagnosis: Annotated[
        list[str] | None, typer.Option(help="Only of M00-M99, M50-M54, M54 or M545.")
    ] = None,
    age: Annotated[list[str] | None, typer.Option(help="Only of an age group: 21-25.")] = None,
    length: Annotated[list[str] | None, typer.Option(help="Only cases so long: 15-30.")] = None,
    within: Annotated[
        str | None, typer.Option(help="Of sjukfall-diagnosis: the parts of a chapter or section.")
    ] = None,
    shape: Annotated[str | None, typer.Option(help="months, or period for all of it.")] = None,
    level: Annotated[
        str | None, typer.Option(help="verksamhet, region or nation: hides small figures.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    as_csv_: Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Write a plot to this file.")] = None,
) -> None:
    """
    Count certificates, sick-leave cases and questions, as the national statistics do.

    Reads the database, also beside a running adapter. rebuild makes anew what is counted.
    """
    if report is None:
        _list(as_json=as_json)
        return
    settings = read_settings(config)
    if report == REBUILD:
        rebuild(settings, as_json=as_json)
        return
    many = {"unit": unit, "type": type_, "diagnosis": diagnosis, "age": age, "length": length}
    once = {"from": from_, "to": to, "within": within, "shape": shape, "level": level}
    said: dict[str, Sequence[str]] = {name: values for name, values in many.items() if values}
    said |= {name: [value] for name, value in once.items() if value is not None}
    made = _made(settings, report, said)
    if svg is not None:
        _write(svg, draw(made))
    _print(made, settings.cutoff, as_json=as_json, as_csv_=as_csv_)


def _list(*, as_json: bool) -> None:
    for name, kind in REPORTS.items():
        if as_json:
            print_json({"report": name, "title": kind.title, "filters": sorted(kind.filters)})
        else:
            out.print(f"{name:<20} {kind.title}", highlight=False)


def _made(settings: Settings, name: str, said: Mapping[str, Sequence[str]]) -> Report:
    try:
        registers = registers_from_settings(settings, directory_from_settings(settings.staff))
        with reading(settings) as rows:
            return make_report(rows, name, said, registers, swedish_now().date())
    except (ReportError, SettingsError, StoreError) as exc:
        fail(str(exc))


def _print(made: Report, cutoff: int, *, as_json: bool, as_csv_: bool) -> None:
    if as_json:
        print_json(report_json(made))
    elif as_csv_:
        sys.stdout.buffer.write(as_csv(made, cutoff).encode())
    else:
        _print_table(made, cutoff)


def _print_table(made: Report, cutoff: int) -> None:
    head, *lines = table_of(made, cutoff)
    table = Table(title=title(made), title_justify="left", box=None, pad_edge=False)
    for number, name in enumerate(head):
        table.add_column(name, justify="left" if number < 2 else "right")
    for line in lines:
        table.add_row(*line)
    out.print(table)
    for note in made.notes:
        out.print(note, highlight=False)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as exc:
        fail(f"{path}: {exc.strerror}")


def rebuild(settings: Settings, *, as_json: bool) -> None:
    """Make every fact anew, by the adapter that has the database, if one has; tells how far."""
    if lost := why_lost(settings):
        fail(lost)
    try:
        store = Store(settings.effective_database_url, system_clock)
    except StoreError as exc:
        total = _rebuild_there(settings, exc.text)
    else:
        total = _rebuild_here(settings, store)
    if as_json:
        print_json({"intyg": total})
    else:
        out.print(f"{total} certificates counted anew")


def _rebuild_here(settings: Settings, store: Store) -> int:
    try:
        key = AuditKey.from_settings(settings.audit, settings.data_dir)
        store.migrate(settings.environment)
        maker = FactMaker(key.person_in_statistics, settings.environment)

        def part(after: int) -> Progress:
            with store.begin() as rows:
                return rebuild_part(rows, maker, after)

        return _all_parts(part)
    except (SettingsError, StoreError) as exc:
        fail(str(exc))
    finally:
        store.close()


def _rebuild_there(settings: Settings, why: str) -> int:
    def part(after: int) -> Progress:
        told = order(settings, REBUILD_PATH, {"after": after})
        return Progress(told["done"], told["seq"], told["lastSeq"])

    try:
        return _all_parts(part)
    except NoAdapterError as exc:
        fail(f"{why}\n{exc}")


def _all_parts(part: Callable[[int], Progress]) -> int:
    after, total = 0, 0
    while True:
        done = part(after)
        after, total = done.seq, total + done.done
        if done.is_whole:
            return total
        err.print(f"{done.seq} of {done.last_seq}")
