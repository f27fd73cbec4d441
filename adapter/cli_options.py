"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file (TOML); INTYG_… variables win over it."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
