"""A new authority is one folder and one line: tried in a copy of the tree."""

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

FOLDER: Final = '''\
    """Arbetsförmedlingen: takes AF00213, and revocations. Sends nothing."""

    from typing import Final

    from intyg.mocks.server.plain import plain_authority

    PERSONA: Final = plain_authority("Arbetsförmedlingen", "AF")
'''

LAST: Final = '    "socialstyrelsen",\n'
LINE: Final = '    "arbetsformedlingen",\n'

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
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our tree with one authority more."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("adapter", "mocks", "sandbox", "schemas", "src"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=ignored)
    folder = tree / "mocks" / "arbetsformedlingen"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "persona.py").write_text(textwrap.dedent(FOLDER), "utf-8")
    table = tree / "mocks" / "personas.py"
    before = table.read_text("utf-8")
    assert before.count(LAST) == 1
    table.write_text(before.replace(LAST, LAST + LINE), "utf-8")
    return tree


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
    command = [sys.executable, "-m", "intyg.adapter", "mocks", *ports]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=_environment(tree)
    ) as process:
        assert process.stderr is not None
        try:
            said = [process.stderr.readline() for _ in range(6)]
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
    assert said[-1].startswith("Arbetsförmedlingen http://127.0.0.1:")


def _environment(tree: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
