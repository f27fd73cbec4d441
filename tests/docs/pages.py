"""The documentation's pages, taken apart: blocks, links, headings, tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

OUTPUT_FOLLOWS: Final = "<!-- output -->"

_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK: Final = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
_COMMAND: Final = re.compile(r"`([^`]+)`")
_NEEDS: Final = re.compile(r"^\*\*Needs\*\* (.+?)$", re.MULTILINE)
_ROW: Final = re.compile(r"^\| (.+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """
    A fenced block.

    Attributes:
        line: Where it begins, starting at 1.
        output: What it prints, `…` standing for anything; None if the page does not say.
    """

    language: str
    text: str
    line: int
    output: str | None = None


def read(name: str) -> str:
    """A page of `docs/`."""
    return (ROOT / "docs" / name).read_text("utf-8")


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a page; one that is another's output belongs to that one."""
    found = list(_BLOCK.finditer(text))
    is_output = [text[: match.start()].rstrip().endswith(OUTPUT_FOLLOWS) for match in found]
    for number, match in enumerate(found):
        if is_output[number]:
            continue
        has_output = number + 1 < len(found) and is_output[number + 1]
        yield Block(
            match[1],
            match[2],
            text.count("\n", 0, match.start()) + 1,
            found[number + 1][2] if has_output else None,
        )


def needs(text: str) -> str | None:
    """What a page says that it needs, the first line under its title; None if it does not say."""
    lines = [line for line in text.splitlines()[1:] if line]
    found = _NEEDS.match(lines[0])
    return found[1] if found else None


def needed(text: str) -> list[Block]:
    """What a page wants to have been done before, as if it stood in its first lines."""
    return [Block("bash", command, 1) for command in _COMMAND.findall(needs(text) or "")]


def prose(text: str) -> str:
    """A page without its blocks."""
    return _BLOCK.sub("", text)


def links(text: str) -> list[str]:
    """Where a page's links lead."""
    return _LINK.findall(prose(text))


def anchors(text: str) -> set[str]:
    """What the page's headings are called in links."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(prose(text))
    }


def rows(text: str) -> list[list[str]]:
    """The rows of all tables, heads and rulers included, a cell a text."""
    return [[cell.strip() for cell in row.split(" | ")] for row in _ROW.findall(prose(text))]
