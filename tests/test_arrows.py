"""The house holds: a folder imports only from folders below it.

Imports are read from the code, wherever they stand in it: inside functions and under TYPE_CHECKING,
too. The page `docs/design.md` shows the same rooms in the same order, with the same arrows.
"""

import ast
import fnmatch
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.docs import pages

ROOT: Final = Path(__file__).parents[1]
TOPS: Final = ("sandbox", "adapter", "mocks", "pages", "schemas")

PRODUCT: Final = (
    "adapter/__main__.py", "adapter/cli", "adapter/bootstrap", "adapter/doctor", "adapter/console",
    "adapter/soap", "adapter/httpd", "adapter/flows", "adapter/drafts", "adapter/routing",
    "adapter/guard", "adapter/deliver", "adapter/signature", "adapter/audit", "adapter/statistics",
    "adapter/clients", "adapter/store",
    "adapter/formats", "adapter/rules", "adapter/settings", "adapter/domain",
)  # fmt: skip
MOCKS: Final = (
    "mocks/testing", "mocks/personas.py", "mocks/forsakringskassan", "mocks/journalsystem",
    "mocks/<authority>", "mocks/national", "mocks/conversations", "mocks/server", "mocks/pages",
    "mocks/control", "mocks/journal", "mocks/rules", "mocks/settings.py", "mocks/runs.py",
    "mocks/clock", "mocks/wire", "mocks/yaml_file.py",
)  # fmt: skip
SCHEMAS: Final = (
    "schemas/examples", "schemas/export", "schemas/typefile", "schemas/rules", "schemas/contract",
    "schemas/intyg_model.py", "schemas/finding.py", "schemas/positions.py", "schemas/codes.py",
    "schemas/ns.py", "schemas/pem.py", "schemas/yaml_file.py",
)  # fmt: skip
PLAIN: Final = "mocks/<authority>"
"""The room of each folder with a persona that stands nowhere else in this list."""

FLOORS: Final = ("sandbox", *PRODUCT, *MOCKS, "pages", *SCHEMAS)
"""Every room, from the top down. A room is a folder, or a file that stands beside folders."""


@cache
def imports() -> Mapping[str, frozenset[str]]:
    """Each of our files -> those of ours that it imports; as paths, `adapter/soap/app.py`."""
    files = {path.relative_to(ROOT).as_posix() for path in _sources()}
    return {file: frozenset(_imported((ROOT / file).read_text("utf-8"), files)) for file in files}


def _sources() -> Iterator[Path]:
    for top in TOPS:
        yield from (ROOT / top).rglob("*.py")


def _imported(code: str, files: set[str]) -> Iterator[str]:
    for name in _names(code):
        own = name.removeprefix("intyg.").replace(".", "/")
        yield from fnmatch.filter(files, f"{own}.py") if "*" in own else ()
        for path in (own, own.rpartition("/")[0]) if name.startswith("intyg.") else ():
            found = {f"{path}.py", f"{path}/__init__.py"} & files
            if found:
                yield found.pop()
                break


def _names(code: str) -> Iterator[str]:
    """What code imports, by import statements or by a name that is loaded when it runs."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"a relative import hides what it is: {ast.unparse(node)}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            for each in node.args[:1]:
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.value
                elif isinstance(each, ast.JoinedStr):
                    parts = (getattr(part, "value", "") for part in each.values)
                    yield "".join(part if isinstance(part, str) else "*" for part in parts)


def _called(node: ast.Call) -> str:
    return str(getattr(node.func, "id", getattr(node.func, "attr", "")))


def room(file: str) -> str | None:
    """The room that a file is in; None for the empty top of a tree."""
    if file in {f"{top}/__init__.py" for top in TOPS if top != "sandbox"}:
        return None
    found = [each for each in FLOORS if file == each or file.startswith(f"{each}/")]
    if not found and (ROOT / file).with_name("persona.py").is_file():
        return PLAIN
    (only,) = found
    return only


@cache
def arrows() -> Mapping[str, frozenset[str]]:
    """Each room -> the rooms that it imports."""
    found: dict[str, set[str]] = {each: set() for each in FLOORS}
    for file, targets in imports().items():
        here = room(file)
        there = {room(target) for target in targets} - {here}
        assert not (there and here is None), f"{file} is the top of a tree: it imports nothing"
        if here is not None:
            assert None not in there, f"{file} imports the empty top of a tree"
            found[here] |= {each for each in there if each is not None}
    return {here: frozenset(there) for here, there in found.items()}


@pytest.mark.parametrize("here", FLOORS)
def test_no_arrow_leads_upwards(here: str) -> None:
    upwards = {there for there in arrows()[here] if FLOORS.index(there) < FLOORS.index(here)}
    assert not upwards, f"{here} must not import from above: {upwards}"


@pytest.mark.parametrize("here", PRODUCT)
def test_the_product_knows_neither_mocks_nor_sandbox(here: str) -> None:
    assert not arrows()[here] & {"sandbox", *MOCKS}


@pytest.mark.parametrize("here", MOCKS)
def test_mocks_do_not_know_the_product(here: str) -> None:
    """A mock that shares the adapter's code agrees with its mistakes."""
    assert not arrows()[here] & set(PRODUCT)


def test_no_files_import_each_other_in_a_circle() -> None:
    left = {file: set(targets) - {file} for file, targets in imports().items()}
    while free := {file for file, targets in left.items() if not targets & left.keys()}:
        left = {file: targets for file, targets in left.items() if file not in free}
    assert not left, f"each of these leads to a circle: {sorted(left)}"


def test_the_page_shows_the_same_house() -> None:
    shown = [row for row in pages.rows(pages.read("design.md")) if len(row) == 3]
    table = {row[0].strip("`"): row[2] for row in shown if row[0].startswith("`")}
    assert list(table) == list(FLOORS)
    for here, written in table.items():
        there = sorted(arrows()[here], key=FLOORS.index)
        assert written == _written(here, there), f"the page's row {here}"


def _written(here: str, there: list[str]) -> str:
    """Rooms as the page names them: by their last word in their own tree, else by their tree."""
    top = here.partition("/")[0]
    own = [f"`{each.removeprefix(f'{top}/')}`" for each in there if each.startswith(f"{top}/")]
    others = dict.fromkeys(each.partition("/")[0] for each in there if f"`{each}`" not in own)
    return ", ".join([*own, *(tree for tree in others if tree != top)]) or "–"


@pytest.mark.parametrize(
    "code",
    [
        "import intyg.adapter.domain.intyg",
        "from intyg.adapter.domain import intyg",
        "from intyg.adapter.domain.intyg import Intyg",
        "def f():\n    from intyg.adapter.domain.intyg import Intyg",
        "import_module('intyg.adapter.domain.intyg')",
    ],
)
def test_every_kind_of_import_is_seen(code: str) -> None:
    assert list(_imported(code, set(imports()))) == ["adapter/domain/intyg.py"]
