"""The command `intyg test-keys`."""

from pathlib import Path
from typing import Annotated

import typer

from intyg.adapter.cli.options import KEYS, JsonOption
from intyg.adapter.cli.terminal import out, print_json
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.signature.demo_keys import make_test_keys


def make_keys(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")] = KEYS,
    keep: Annotated[bool, typer.Option("--keep", help="Leave keys that are there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a test CA, signers, and server and client certificates. For tests only."""
    keys = make_test_keys(folder, system_clock(), keep=keep)
    if as_json:
        print_json({"folder": str(folder), "files": [str(path) for path in keys.paths]})
    else:
        out.print(f"test keys in {folder}", markup=False)
