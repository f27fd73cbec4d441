"""The command `intyg console`: keys to the pages, each for somebody, with a role."""

import re
import secrets
from pathlib import Path
from typing import Annotated, Final

import typer

from intyg.adapter.cli.options import ConfigOption, JsonOption, read_settings
from intyg.adapter.cli.terminal import fail, out, print_json
from intyg.adapter.settings.settings import ConsoleRole

console = typer.Typer(
    help="Keys to the pages at /console: who may open them, and what for.",
    no_args_is_help=True,
    add_completion=False,
)

FOLDER: Final = "console-tokens"
"""In `data_dir`."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@console.callback()
def _group() -> None:
    """So that `token` is a command of its own, though it is the only one."""


@console.command()
def token(
    name: Annotated[str, typer.Option(help="Who it is for, as the audit log will have it.")],
    role: Annotated[ConsoleRole, typer.Option(help="What they may do.")] = ConsoleRole.VIEWER,
    unit: Annotated[str | None, typer.Option(help="HSA-id; with --role care.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key, in a file of its own, and say what to add to the settings."""
    if (role is ConsoleRole.CARE) != (unit is not None):
        fail("--unit: goes with --role care, and is needed there")
    if not _NAME.fullmatch(name):
        fail("--name: letters, digits, dot, hyphen and underscore, at most 64")
    file = (read_settings(config).data_dir / FOLDER / name).resolve()
    key = secrets.token_urlsafe(24)
    try:
        _write(file, key)
    except FileExistsError:
        fail(f"{file}: is there already; remove it to make another")
    except OSError as exc:
        fail(f"{file}: {exc.strerror}")
    if as_json:
        print_json({"name": name, "role": role.value, "unit": unit, "file": str(file)})
        return
    lines = [f'name = "{name}"', f'role = "{role.value}"']
    lines += [f'unit = "{unit}"'] if unit else []
    out.print("\n".join(["[[console.tokens]]", *lines, f'token_file = "{file}"']), markup=False)


def _write(file: Path, key: str) -> None:
    """For its owner alone."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(key + "\n", "utf-8")
