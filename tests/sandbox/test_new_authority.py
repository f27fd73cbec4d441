"""An authority is one folder and one line: tried in copies of the tree, with and without one."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]

FOLDER: Final = "arbetsformedlingen"
LINE: Final = f'    "{FOLDER}",\n'
NAME: Final = "Arbetsförmedlingen"

SUITE: Final = """\
    import pytest

    from intyg.mocks.testing import NotAcceptedError


    def test_gets_what_is_sent_to_it(adapter, journalsystem, arbetsformedlingen):
        intyg = journalsystem.register("AF00213")
        journalsystem.send(intyg, to="AF")
        arbetsformedlingen.await_intyg(intyg)


    def test_can_be_told_to_fail(journalsystem, arbetsformedlingen):
        journalsystem.connect(arbetsformedlingen.url, "AF")
        arbetsformedlingen.expect("RegisterCertificate").answers("REVOKED").times(1)
        with pytest.raises(NotAcceptedError, match="REVOKED"):
            journalsystem.register("AF00213")


    def test_has_addresses_that_misbehave(journalsystem, arbetsformedlingen):
        journalsystem.connect(arbetsformedlingen.url, "AF-TECHNICAL-ERROR")
        with pytest.raises(NotAcceptedError, match="TECHNICAL_ERROR"):
            journalsystem.register("AF00213")
"""


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our tree with one authority less: its folder and its line are away."""
    tree = tmp_path_factory.mktemp("without")
    for name in ("adapter", "mocks", "pages", "sandbox", "schemas", "src"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", FOLDER)
        shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=ignored)
    table = tree / "mocks" / "personas.py"
    before = table.read_text("utf-8")
    assert before.count(LINE) == 1
    table.write_text(before.replace(LINE, ""), "utf-8")
    return tree


@pytest.fixture(scope="module")
def tree(without: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with that one again: a folder that has what every small one has, and a line."""
    tree = tmp_path_factory.mktemp("with")
    shutil.copytree(without, tree, symlinks=True, dirs_exist_ok=True)
    ours = ROOT / "mocks" / FOLDER
    assert {each.name for each in ours.glob("*.py")} == {"__init__.py", "persona.py"}
    shutil.copytree(ours, tree / "mocks" / FOLDER, ignore=shutil.ignore_patterns("__pycache__"))
    table = tree / "mocks" / "personas.py"
    before, bracket, after = table.read_text("utf-8").partition("_KEYS: Final = (\n")
    keys, end, rest = after.partition(")")
    table.write_text(before + bracket + keys + LINE + end + rest, "utf-8")
    return tree


def test_nothing_else_names_it(without: Path) -> None:
    """Without its folder and its line, no code of ours says its key."""
    said = {path.name for path in without.rglob("*.py") if FOLDER in path.read_text("utf-8")}
    assert not said
    command = ["-m", "intyg.adapter", "mocks", "--ports-from", "0", "--no-token"]
    assert NAME not in "".join(_said(without, *command, lines=5))


def test_it_is_a_fixture_and_the_adapter_knows_it(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(textwrap.dedent(SUITE), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=tmp_path, env=_environment(tree), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_the_command_runs_it_where_it_is_told(tree: Path) -> None:
    ports = ("--ports-from", "0", "--no-token", "--port", "arbetsformedlingen=0")
    said = _said(tree, "-m", "intyg.adapter", "mocks", *ports, lines=6)
    assert said[-1].startswith(f"{NAME} http://127.0.0.1:")


def _said(tree: Path, *arguments: str, lines: int) -> list[str]:
    """What the mocks of a tree say first."""
    with subprocess.Popen(
        [sys.executable, *arguments], stderr=subprocess.PIPE, text=True, env=_environment(tree)
    ) as process:
        assert process.stderr is not None
        try:
            said = [process.stderr.readline() for _ in range(lines)]
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
    return said


def _environment(tree: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
