"""The test project that `intyg init-tests` writes: it passes, and nothing is overwritten."""

import subprocess
import sys
from pathlib import Path


def intyg(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "intyg.adapter", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_it_passes_and_no_scenario_takes_long(tmp_path: Path) -> None:
    made = intyg(tmp_path, "init-tests")
    assert made.returncode == 0, made.stderr
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-p", "no:randomly", "--strict-markers", "intyg-tests"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "10 passed" in done.stdout


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "test_scenarios.py").write_text("# my own\n", "utf-8")
    again = intyg(tmp_path, "init-tests", "mine")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == "mine/test_scenarios.py is there already: nothing was written\n"
    assert (tmp_path / "mine" / "test_scenarios.py").read_text("utf-8") == "# my own\n"


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = intyg(tmp_path, "init-tests", "file/tests")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == "file/tests: Not a directory: nothing can be written there\n"
