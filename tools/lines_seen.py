"""
Which test runs which statement: measured once, and kept between runs.

A statement of a function tells that it is run by a call put before it while the file is compiled;
so threads count too, and what is not ours costs nothing. Processes that tests start do not count.

What was measured is kept by test file, in `$XDG_CACHE_HOME/intygsadapter/mutants` (`~/.cache`), and
measured anew when the test file has changed. When only the code has, its lines are found again.
"""

import ast
import builtins
import difflib
import gzip
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any, Final

import pytest

from tools.mutations import blocks

TREES: Final = ("schemas", "pages", "mocks", "adapter", "sandbox")
_CALL: Final = "__seen__"

Line = tuple[str, int]
"""File from the root of the checkout, and first line of a statement."""


def cache_folder() -> Path:
    """Where it is kept; made if there is none."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "intygsadapter" / "mutants"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass(slots=True)
class Seen:
    """
    What one test file runs.

    Attributes:
        sha256: Of the test file, when it was measured.
        seconds: Of processor time, that each test takes with what it sets up and starts.
        lines: By test, the statements that it runs.
        early: Statements that run when the modules are imported.
        sources: By file, the SHA-256 of the code that the lines stand in.
    """

    sha256: str
    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, list[Line]] = field(default_factory=dict)
    early: list[Line] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class SeenLines:
    """What all measured tests run: by statement the tests, by test the seconds."""

    tests: dict[Line, set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=dict)
    early: set[Line] = field(default_factory=set)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def stale(root: Path, test_files: list[str]) -> list[str]:
    """Those that were never measured, or have changed since."""
    return [
        file
        for file in test_files
        if (kept := _kept(file)) is None or kept.sha256 != sha256((root / file).read_bytes())
    ]


def _place(test_file: str) -> Path:
    return cache_folder() / (test_file.replace("/", "-") + ".json.gz")


def _kept(test_file: str) -> Seen | None:
    try:
        return Seen(**json.loads(gzip.decompress(_place(test_file).read_bytes())))
    except FileNotFoundError:
        return None


def _keep(test_file: str, seen: Seen) -> None:
    whole = {each.name: getattr(seen, each.name) for each in fields(seen)}
    _place(test_file).write_bytes(gzip.compress(json.dumps(whole).encode(), 1))


def load(root: Path, test_files: list[str]) -> SeenLines:
    """What is known of these test files, with the lines where they stand in `root`."""
    known = SeenLines()
    for kept in filter(None, map(_kept, test_files)):
        known.seconds |= kept.seconds
        known.early |= set(_today(root, kept, kept.early))
        for test, lines in kept.lines.items():
            for line in _today(root, kept, lines):
                known.tests[line].add(test)
    return known


def _today(root: Path, kept: Seen, lines: list[Line]) -> Iterator[Line]:
    for path, number in lines:
        moved = _moved(root, path, kept.sources[path])
        yield path, (moved.get(number, 0) if moved is not None else number)


@cache
def _moved(root: Path, path: str, before: str) -> dict[int, int] | None:
    """Where lines of a file stand now, if it has changed."""
    file = root / path
    now = file.read_bytes() if file.exists() else b""
    if sha256(now) == before:
        return None
    old = (cache_folder() / before).read_bytes().splitlines()
    matcher = difflib.SequenceMatcher(None, old, now.splitlines(), autojunk=False)
    return {
        block.a + i + 1: block.b + i + 1
        for block in matcher.get_matching_blocks()
        for i in range(block.size)
    }


class Recorder:
    """A plugin of pytest that measures. It must be made before our code is imported."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._hits: set[Line] = set()
        self._early: list[Line] = []
        self._files: dict[str, Seen] = {}
        self._sources: dict[str, str] = {}
        setattr(builtins, _CALL, self._hits.add)
        compiles = SourceFileLoader.source_to_code

        def with_calls(loader: Any, data: Any, path: str, **options: Any) -> Any:
            if (place := self._of_ours(path)) is None:
                return compiles(loader, data, path, **options)
            self._sources[place] = sha256(data)
            (cache_folder() / sha256(data)).write_bytes(data)
            return compile(telling(data, place), path, "exec", dont_inherit=True)

        SourceFileLoader.source_to_code = with_calls  # type: ignore[method-assign,assignment]

    def _of_ours(self, path: str) -> str | None:
        real = Path(path).resolve()
        if not real.is_relative_to(self._root):
            return None
        place = real.relative_to(self._root).as_posix()
        return place if place.startswith(tuple(f"{tree}/" for tree in TREES)) else None

    def pytest_collection_finish(self) -> None:
        self._early = sorted(self._hits)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        self._hits.clear()
        before = sum(os.times()[:4])
        result: Any = yield
        spent = sum(os.times()[:4]) - before
        file, lines = item.nodeid.partition("::")[0], sorted(self._hits)
        seen = self._of(file)
        if item.nodeid in seen.seconds:
            seen.seconds[item.nodeid] = round(spent, 3)
            seen.lines[item.nodeid] = lines
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Only a test that holds can tell a fault."""
        seen = self._of(report.nodeid.partition("::")[0])
        if report.when == "call" and report.passed and not hasattr(report, "wasxfail"):
            seen.seconds[report.nodeid] = 0.0
        elif report.failed:
            seen.seconds.pop(report.nodeid, None)

    def _of(self, file: str) -> Seen:
        if file not in self._files:
            self._write()
            self._files[file] = Seen(sha256((self._root / file).read_bytes()), early=self._early)
        return self._files[file]

    def _write(self) -> None:
        for file, seen in self._files.items():
            seen.sources = self._sources
            _keep(file, seen)
        self._files.clear()

    def pytest_sessionfinish(self) -> None:
        self._write()


def telling(source: bytes, place: str) -> ast.Module:
    """A module whose functions tell which of their statements are run, by `__seen__`."""
    tree = ast.parse(source)
    _tell(tree, place, in_function=False)
    return tree


def _tell(node: ast.stmt | ast.Module, place: str, *, in_function: bool) -> None:
    in_function |= isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for block in blocks(node):
        for statement in block:
            _tell(statement, place, in_function=in_function)
        if in_function:
            block[:] = [new for each in block for new in (*_told(each, place), each)]


def _told(statement: ast.stmt, place: str) -> list[ast.stmt]:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return []  # a docstring must stay the first
    told = ast.parse(f"{_CALL}({(place, statement.lineno)!r})").body
    for node in ast.walk(told[0]):
        ast.copy_location(node, statement)
    return told
