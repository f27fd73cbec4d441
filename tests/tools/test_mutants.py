"""The command, on a checkout of three functions: two are tested, one is not."""

import gc
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tools
from tools.mutants import held_functions, readers
from tools.mutations import pick

CODE = '''
LIMIT = 3


def fits(count):
    """A bound that a test stands on."""
    return count < LIMIT


def share(part, whole):
    return part * 100 // whole


def untested(text):
    return text == "x"
'''

TESTS = """
from intyg.schemas.sums import fits, share, untested


def test_fits():
    assert fits(2) and not fits(3)


def test_share():
    assert share(1, 4) == 25


def test_that_asserts_nothing():
    untested("y")
"""

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    shutil.copytree(Path(tools.__file__).parent, root / "tools")
    for folder in ("schemas", "tests/schemas", "src/intyg"):
        (root / folder).mkdir(parents=True)
    (root / "src/intyg/schemas").symlink_to("../../schemas")
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (root / "schemas/__init__.py").touch()
    (root / "schemas/sums.py").write_text(CODE)
    (root / "tests/schemas/test_sums.py").write_text(TESTS)
    return root


@pytest.fixture
def command(checkout: Path, tmp_path: Path) -> Command:
    def runs(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tools.mutants", "schemas", *arguments],
            cwd=checkout,
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            timeout=280,
        )

    return runs


def verdicts(output: str) -> dict[str, str]:
    """By fault, what became of it."""
    lines = output.splitlines()
    return {
        line.split("  ", 1)[1]: after.strip().rpartition(" (")[0]
        for line, after in itertools.pairwise(lines)
        if line[:4].strip().isdigit() and after.startswith("     ")
    }


@pytest.mark.timeout(600)  # starts processes that import every library, on a busy machine
def test_what_is_tested_is_killed_and_what_is_not_survives(
    command: Command, checkout: Path
) -> None:
    first = command()
    assert first.returncode == 1, first.stdout + first.stderr
    by = {what[:5]: verdict for what, verdict in verdicts(first.stdout).items()}
    killers = {verdict.rpartition("::")[2] for verdict in by.values()}
    assert killers == {"test_fits", "test_share", "SURVIVED"}
    assert "3 of 4 killed, 75.0%. Survivors:\n" in first.stdout
    last = first.stdout.splitlines()[-1]
    assert "schemas/sums.py:15  " in last
    assert (checkout / "schemas/sums.py").read_text() == CODE

    (checkout / "schemas/sums.py").write_text(f"# moved\n{CODE}")
    again = command("--only", *(line.split()[0] for line in first.stdout.splitlines()[1:6:2]))
    assert "measuring" in first.stdout
    assert "measuring" not in again.stdout
    assert set(verdicts(again.stdout).values()) <= set(verdicts(first.stdout).values())


def test_the_list_judges_none(command: Command) -> None:
    listed = command("--list")
    assert listed.returncode == 0
    places = [line.split()[1] for line in listed.stdout.splitlines()]
    assert sorted(places) == [f"schemas/sums.py:{line}" for line in (11, 15, 2, 7)]


TABLES = """
def _made():
    return {"a": 1}


_HELD = _made()


def reads(key):
    return _HELD[key]
"""


def test_what_a_module_makes_of_a_function_is_read_where_its_own_name_is(checkout: Path) -> None:
    """Another module's private name is another thing."""
    for name in ("tables", "others"):
        (checkout / f"schemas/{name}.py").write_text(TABLES)
    for folder in ("mocks", "adapter"):
        (checkout / folder).mkdir()
    faults = [each for each in pick(checkout, "schemas", seed=1, count=9) if "_made" in each.scope]
    assert len(faults) == 2
    for fault in faults:
        assert (fault.path, 10) in readers(checkout, fault)
        assert {path for path, _ in readers(checkout, fault)} == {fault.path}


def test_functions_are_found_though_what_there_is_was_frozen() -> None:
    """As `tests/conftest.py` does; without them every fault would be judged by a few files."""
    gc.freeze()
    try:
        held = held_functions(Path(tools.__file__).resolve().parent)
        assert readers in held[readers.__code__.co_filename]
    finally:
        gc.freeze()
