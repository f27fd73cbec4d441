"""Functions are short, counted from `def` to the end: signature and docstring are in it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
ROOMS: Final = ("adapter", "mocks", "pages", "sandbox", "schemas")

MEDIAN: Final = 6
LONG: Final = 50
MOST_LONG: Final = 0.002
"""Share of all functions that may have over `LONG` lines."""

LONGEST: Final = 60


def lengths(source: str) -> Iterator[tuple[int, str]]:
    """Lines and name of each function, also of those inside others."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.end_lineno - node.lineno + 1, node.name


@pytest.fixture(scope="module")
def every() -> list[tuple[int, str]]:
    """Lines, and file and name, of every function of ours; the longest first."""
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    files = [path for path in files if path.parent.name != "example_tests"]  # somebody's tests
    found = [
        (lines, f"{path.relative_to(ROOT)}: {name}")
        for path in files
        for lines, name in lengths(path.read_text("utf-8"))
    ]
    assert len(found) > 2000
    return sorted(found, reverse=True)


def test_functions_inside_others_are_counted_too() -> None:
    source = "def a(\n    x,\n):\n    def b(): ...\n\n    async def c():\n        pass\n"
    assert sorted(lengths(source)) == [(1, "b"), (2, "c"), (7, "a")]


def test_no_function_is_longer_than_a_screen(every: list[tuple[int, str]]) -> None:
    assert [each for each in every if each[0] > LONGEST] == []


def test_few_functions_are_long(every: list[tuple[int, str]]) -> None:
    long = [each for each in every if each[0] > LONG]
    assert len(long) <= MOST_LONG * len(every), long


def test_half_of_them_are_a_few_lines(every: list[tuple[int, str]]) -> None:
    assert median(lines for lines, _ in every) <= MEDIAN
