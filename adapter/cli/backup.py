"""The command `intyg backup`: a whole copy of a SQLite database, while it is in use."""

from pathlib import Path
from typing import Annotated, Any

import typer

from intyg.adapter.cli.database import reading_store
from intyg.adapter.cli.options import ConfigOption, JsonOption, read_settings
from intyg.adapter.cli.own_api import ask_adapter
from intyg.adapter.cli.terminal import fail, out, print_json
from intyg.adapter.console.backup_pages import backup_folder, copied_view
from intyg.adapter.domain.errors import StoreError
from intyg.adapter.settings.settings import Settings
from intyg.adapter.store import file_of

PATH = "/api/backup"


def backup(
    file: Annotated[
        Path | None, typer.Argument(help="Not there yet; default: one in data_dir/backup.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Copy the SQLite database, whole, also beside an adapter that runs.

    Without FILE the running adapter makes the copy. PostgreSQL has pg_dump for it.
    """
    settings = read_settings(config)
    if file_of(settings.effective_database_url) is None:
        fail("only SQLite is copied here: for PostgreSQL use pg_dump", 1)
    done = None if file else ask_adapter(settings, PATH, {})
    done = done or _copy(settings, file)
    if as_json:
        print_json({key: done[key] for key in ("file", "bytes", "at")})
    else:
        out.print(f"{done['file']}: {done['bytes']} bytes, whole", markup=False)


def _copy(settings: Settings, file: Path | None) -> dict[str, Any]:
    try:
        with reading_store(settings) as store:
            copy = store.upkeep
            folder = backup_folder(settings)
            return copied_view(copy.copy_to(file) if file else copy.copy_into(folder))
    except StoreError as exc:
        fail(exc.text, 1)
