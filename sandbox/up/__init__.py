"""`make up` and `make down`: adapter and mocks that are left running, one set a folder.

Nothing of them is imported here, so that what only looks at a folder is quick.
"""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from intyg.adapter.cli.options import UP
from intyg.sandbox.up.folder import UpFolder
from intyg.sandbox.up.running import Process, RunningError, alone_in, stop


def stay_up(
    keys: Path,
    console: Console,
    run_until_signalled: Callable[[Callable[[], None]], None],
    folder: Path = UP,
    ports_from: int | None = None,
) -> int:
    """
    Start adapter and mocks and leave them running until a signal; the exit code.

    Args:
        folder: For all that they write; one set at a time runs in it.
        ports_from: The adapter's port, the mocks have the next ones; 0 takes free ones. None: the
            usual ones, and in place of those that are taken the next free ones.
    """
    up = UpFolder(folder)
    try:
        up.make()
        with alone_in(folder) as tell:
            return _stay_up(up, keys, console, run_until_signalled, ports_from, tell)
    except RunningError as exc:
        return _up_already(up, exc.process, console, ports_from)
    except OSError as exc:
        return _refuse(console, f"{exc.filename or folder}: {exc.strerror or exc}", 1)


def _stay_up(
    up: UpFolder,
    keys: Path,
    console: Console,
    run_until_signalled: Callable[[Callable[[], None]], None],
    ports_from: int | None,
    tell: Callable[[str], None],
) -> int:
    from intyg.adapter.domain.errors import AdapterError
    from intyg.adapter.settings.settings import SettingsError
    from intyg.mocks.rules import RuleError
    from intyg.mocks.yaml_file import FilesError
    from intyg.sandbox.up.left_running import run
    from intyg.sandbox.up.ports import PortsError

    try:
        run(up, keys, console, ports_from, tell, run_until_signalled)
    except (FilesError, RuleError) as exc:
        return _refuse(console, str(exc), 2)
    except (PortsError, AdapterError, SettingsError) as exc:
        return _refuse(console, str(exc), 1)
    return 0


def shut_down(console: Console, folder: Path = UP) -> int:
    """Stop what runs in a folder, from wherever; the exit code. Nothing that runs is no error."""
    try:
        stopped = stop(folder)
    except TimeoutError as exc:
        return _refuse(console, f"{folder}: {exc}", 1)
    except OSError as exc:
        return _refuse(console, f"{exc.filename or folder}: {exc.strerror}", 1)
    _say(console, f"{folder} is down" if stopped else f"nothing is up in {folder}")
    return 0


def _up_already(up: UpFolder, process: Process, console: Console, ports_from: int | None) -> int:
    """That is as wanted, unless it was wanted at other ports."""
    text = f"{up.path} is up already: {process}"
    if ports_from and process.url and not process.url.endswith(f":{ports_from}"):
        return _refuse(console, f"{text}; {up.how_to_stop} first, or name another folder", 1)
    _say(console, text)
    return 0


def _say(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _refuse(console: Console, text: str, code: int) -> int:
    console.print(text, style="red", highlight=False, markup=False, soft_wrap=True)
    return code
