"""A vendor's project with packages called `adapter`, `mocks` and `schemas` tests with our wheel."""

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PLUGIN_SECONDS: Final = 0.02
"""Of importing the plugin, once pytest is there."""

PROJECT: Final = {
    "adapter/__init__.py": "NAME = 'of the vendor'\n",
    "mocks/__init__.py": "",
    "mocks/payment.py": "def pay() -> int:\n    return 42\n",
    "schemas/__init__.py": "",
    "schemas/order.py": "FIELDS = ('id',)\n",
    "conftest.py": "from mocks.payment import pay  # before any test, as conftest files do\n",
    "test_theirs.py": """\
        import adapter
        from mocks.payment import pay
        from schemas.order import FIELDS


        def test_their_own_packages():
            assert (adapter.NAME, pay(), FIELDS) == ("of the vendor", 42, ("id",))


        def test_beside_ours(journalsystem, forsakringskassan):
            import intyg.adapter
            import intyg.mocks

            assert "/site-packages/intyg/" in intyg.mocks.__file__.replace("\\\\", "/")
            assert journalsystem.issue("FK7804").typ == "LISJP"
        """,
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with our wheel; everything else comes from the one that runs this test."""
    folder = tmp_path_factory.mktemp("vendor")
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], folder)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    ours = Path(pytest.__file__).parents[1]  # its .pth files, so our editable self, are not read
    (site / "others.pth").write_text(f"{ours}\n", "utf-8")
    wheel = _build_wheel(folder)
    options = ("--no-deps", "--no-index", "--quiet", "--target", str(site))
    _run([sys.executable, "-m", "pip", "install", *options, str(wheel)], folder)
    return folder / "venv" / "bin" / "python"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["-m", "pytest"], id="python -m pytest"),
        pytest.param(["-c", "import pytest, sys; sys.exit(pytest.main())"], id="pytest"),
        pytest.param(["-m", "pytest", "-n", "2"], id="on two cores"),
    ],
)
def test_runs_beside_packages_of_the_same_names(
    python: Path, project: Path, command: list[str]
) -> None:
    done = _run([str(python), *command, "-q", "-W", "error", "-p", "no:cacheprovider"], project)
    assert "2 passed" in done


def test_the_plugin_imports_itself_alone(python: Path, project: Path) -> None:
    code = (
        "import pytest, sys, time\n"
        "started = time.perf_counter()\n"
        "import intyg.sandbox.pytest_plugin\n"
        "print(time.perf_counter() - started, *[n for n in sys.modules if n[:5] == 'intyg'])"
    )
    runs = [_run([str(python), "-c", code], project).split() for _ in range(3)]
    for _, *modules in runs:
        assert modules == ["intyg", "intyg.sandbox", "intyg.sandbox.pytest_plugin"]
    assert min(float(seconds) for seconds, *_ in runs) < PLUGIN_SECONDS


def _build_wheel(folder: Path) -> Path:
    """From a copy: building leaves files beside the source."""
    source = folder / "source"
    for name in ("adapter", "mocks", "pages", "sandbox", "schemas", "src"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    _run([sys.executable, "-m", "pip", "wheel", *options, "-w", str(folder), str(source)], folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout
