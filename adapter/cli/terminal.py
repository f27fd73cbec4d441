"""The terminal, and files: what commands print, read and write, and how one ends that cannot go on.

Exit codes: 0 all well; 1 the answer is no (invalid, refused, failed); 2 a file could not be read,
or the command was used wrongly. What that is for each command stands in `exit_codes.py`.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

import typer
from rich.console import Console

STDIN: Final = Path("-")
"""Standard input, where a file is asked for."""

# Whatever stands in a text is shown as it is: numbers get no colour, and `:key:` no picture.
out = Console(soft_wrap=True, highlight=False, emoji=False)
err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)


def fail(text: str, code: int = 2) -> NoReturn:
    """Say what is wrong, and end the command."""
    err.print(text, style="red", markup=False)
    sys.stderr.flush()
    raise typer.Exit(code)


def print_json(fields: Mapping[str, object]) -> None:
    """One object, on a line of its own."""
    line = json.dumps(fields, ensure_ascii=False)
    typer.echo(line.encode("utf-8", "replace").decode())  # names of files need not be text


def read(file: Path) -> bytes:
    """
    A file's bytes, or standard input's for `-`.

    Raises:
        OSError: It cannot be read.
    """
    if file != STDIN:
        return file.read_bytes()
    if sys.stdin.isatty():
        err.print("reading standard input, until Ctrl-D")
    return sys.stdin.buffer.read()


def write(data: bytes, file: Path | None, facts: Mapping[str, object] | None = None) -> None:
    """
    To a file, or standard output; ends the command where that cannot be written.

    Args:
        data: A document.
        file: None: standard output.
        facts: Print these as one JSON object instead, with `output`, the file or null, and
            `document`, its text where there is no file.
    """
    if facts is not None:
        text = None if file else _text(data)
        if file is not None:
            write(data, file)
        print_json({**facts, "output": file and str(file), "document": text})
    elif file is None:
        sys.stdout.buffer.write(data)
    else:
        try:
            file.write_bytes(data)
        except OSError as exc:
            fail(f"{file}: {exc.strerror}")


def _text(document: bytes) -> str:
    try:
        return document.decode("utf-8")
    except UnicodeDecodeError:
        fail("the document is not in UTF-8, and has no place in JSON: give -o")
