"""The list of diagnoses (ICD-10-SE), in a file: which codes there are, and what they are called.

A line a code: the code, then its Swedish text, with a tab, `;` or `,` between them. A dot in a code
does not count. A first line that is no code is a heading.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from intyg.adapter.clients.watched_file import DamagedFileError, WatchedFile

ICD10_SYSTEM: Final = "1.2.752.116.1.1.1"
"""Code system of ICD-10-SE."""

_CODE: Final = re.compile(r"[A-Z][0-9]{2}[0-9A-Z-]{0,5}")
_LINE: Final = re.compile(r'\s*"?([^\t;,"]+)"?\s*[\t;,]\s*(.*\S)\s*')


class Diagnoses:
    """
    A list of diagnoses that is read again when its file changes.

    Raises:
        DamagedFileError: When it is asked and the file was never a list.
    """

    def __init__(self, path: Path) -> None:
        self._file = WatchedFile(path, read_diagnoses)

    @property
    def damage(self) -> str | None:
        """Why nothing can be looked up."""
        return self._file.damage

    def text(self, code: str) -> str | None:
        """What a diagnosis is called; None: there is no such code. Empty without a list."""
        codes = self._file.content
        return "" if codes is None else codes.get(plain_code(code))


def plain_code(code: str) -> str:
    """A code as it stands in messages: capital letters, no dot."""
    return code.strip().upper().replace(".", "")


def read_diagnoses(path: Path) -> Mapping[str, str]:
    """
    From code to text.

    Raises:
        DamagedFileError: The file is missing, or a line of it is no code with a text.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise DamagedFileError(f"{path.name}: cannot be read as UTF-8 text") from exc
    codes: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        code = plain_code(match[1]) if match else ""
        if match is not None and _CODE.fullmatch(code):
            codes[code] = match[2].strip('"')
        elif number > 1:
            raise DamagedFileError(f"{path.name}, line {number}: no code with a text")
    if not codes:
        raise DamagedFileError(f"{path.name}: holds no code")
    return codes
