"""The command `intyg serve`: one adapter, or several processes on one port."""

import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
from rich.markup import escape

from intyg.adapter.bootstrap.listening import ListenError, listening
from intyg.adapter.bootstrap.process_memory import give_memory_back, keep_what_is_there
from intyg.adapter.bootstrap.processes import (
    MARGIN_SECONDS,
    Fitness,
    Processes,
    command_of,
    refuse_several,
    say_ready,
    when_orphaned,
)
from intyg.adapter.cli.options import ConfigOption, read_settings
from intyg.adapter.cli.terminal import err, fail, print_json
from intyg.adapter.cli.until_signalled import ENDING, Signals, stop_running
from intyg.adapter.domain import log
from intyg.adapter.domain.errors import AdapterError
from intyg.adapter.httpd.ports import reserve_port
from intyg.adapter.settings.settings import Settings, SettingsError

if TYPE_CHECKING:
    from intyg.adapter.bootstrap.app import App

_log = structlog.get_logger("intyg.adapter.serve")


def serve(
    config: ConfigOption = None,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="How many, on one port. More than one: PostgreSQL.")
    ] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Once it runs, print one JSON object on standard output.")
    ] = False,
    shared_port: Annotated[int | None, typer.Option(hidden=True)] = None,
    alive: Annotated[int | None, typer.Option(hidden=True)] = None,
    ready: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the adapter until it is stopped. SIGHUP reads routes and certificates again."""
    signals = Signals(signal.SIGHUP)  # also while it starts; SIGTERM then ends it as anything
    settings = read_settings(config)
    log.configure(environment=settings.environment.value)
    if shared_port is not None and alive is not None and ready is not None:
        _serve_one_of_several(settings, signals, shared_port, alive, ready)
        return
    announce = partial(_announce, settings, processes, as_json=as_json)
    if processes > 1:
        _serve_several(settings, signals, config, processes, announce)
    else:
        _serve_alone(settings, signals, announce)


def _serve_alone(settings: Settings, signals: Signals, announce: Callable[[str], None]) -> None:
    from intyg.adapter.bootstrap.startup import notes
    from intyg.adapter.bootstrap.store_watch import told_of_missing

    adapter = _build(settings)
    for note in (*told_of_missing(adapter.services.store), *notes(adapter.services)):
        _note(note)
    signals.note(*ENDING)
    try:
        with adapter:
            _warm_up(adapter)
            signals.stay(lambda: announce(adapter.url), adapter.reload)
    except ListenError as exc:
        fail(str(exc), 1)


def _serve_several(
    settings: Settings,
    signals: Signals,
    config: Path | None,
    count: int,
    announce: Callable[[str], None],
) -> None:
    host = settings.server.host
    try:
        refuse_several(settings)
        with listening(host, settings.server.port, "server"):
            port = reserve_port(host, settings.server.port)
    except SettingsError as exc:
        fail(str(exc), 1)
    with port:
        number = port.getsockname()[1]
        scheme = "https" if settings.server.tls else "http"
        url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{number}"
        stop_seconds = settings.delivery.stop_seconds + MARGIN_SECONDS
        several = Processes(command_of(config), count, number, stop_seconds)
        signals.note(*ENDING)
        try:
            if not several.start(signals.ended):
                raise typer.Exit(0 if signals.ended() else 1)
            signals.stay(
                lambda: announce(url),
                lambda: several.signal(signal.SIGHUP),
            )
        finally:
            several.stop()


def _serve_one_of_several(
    settings: Settings, signals: Signals, port: int, alive: int, ready: int
) -> None:
    adapter = _build(settings, port)
    when_orphaned(alive, stop_running)
    signals.note(*ENDING)
    try:
        with adapter, Fitness(adapter.ended_threads, stop_running):
            _warm_up(adapter)
            signals.stay(lambda: say_ready(ready), adapter.reload)
    except ListenError as exc:
        fail(str(exc), 1)


def _build(settings: Settings, shared_port: int | None = None) -> "App":
    from intyg.adapter.bootstrap.app import build_app
    from intyg.adapter.store import database_version

    give_memory_back()  # before there are threads: each that comes takes an arena
    try:
        # Before it is used: who reads why it did not start reads with what.
        database = database_version(settings.effective_database_url)
        _log.info("serve.starts", **{"intyg.database": database})
        return build_app(settings, shared_port=shared_port)
    except OSError as exc:
        fail(f"{exc.filename}: {exc.strerror}", 1)
    except (SettingsError, AdapterError) as exc:
        fail(str(exc), 1)


def _warm_up(adapter: "App") -> None:
    def warm_up() -> None:
        adapter.warm_up()
        keep_what_is_there()

    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()


def _announce(settings: Settings, processes: int, url: str, *, as_json: bool) -> None:
    several = f" ({processes} processes)" if processes > 1 else ""
    err.print(f"adapter, environment {settings.environment}: {url}{several}")
    if as_json:
        print_json({"url": url, "environment": settings.environment.value, "processes": processes})


def _note(text: str) -> None:
    err.print(f"[yellow]{escape(text)}[/yellow]")
