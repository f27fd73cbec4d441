"""The mended spyne, on whatever Python runs the tests."""

import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from intyg import adapter

spyne_six = sys.modules["spyne.util.six"]


def test_the_six_package_stands_in_for_spynes_own_copy() -> None:
    assert getattr(spyne_six, "__file__", None) is None, "spyne's copy is a file"
    assert spyne_six.get_function_name(test_the_six_package_stands_in_for_spynes_own_copy) == (
        "test_the_six_package_stands_in_for_spynes_own_copy"
    )
    assert spyne_six.PY2 is False
    assert spyne_six.text_type is str


def test_the_package_itself_is_left_alone() -> None:
    import six  # type: ignore[import-untyped]  # no types

    assert not hasattr(six, "get_function_name")
    assert six.__name__ == "six"


@pytest.mark.parametrize("name", ["collections_abc", "http_cookies", "urllib.parse"])
def test_moved_modules_are_found_under_spynes_name(name: str) -> None:
    module = __import__(f"spyne.util.six.moves.{name}", fromlist=["x"])
    assert module.__name__


@pytest.mark.parametrize("prepare", ["", "import six, cgi; "])
def test_import_makes_no_warning_and_no_noise(prepare: str) -> None:
    prelude = f"import warnings; warnings.simplefilter('ignore'); {prepare}"
    code = f"{prelude}warnings.simplefilter('error'); import intyg.adapter.soap.compat"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_spyne_logs_nothing_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("spyne", "spyne.protocol.soap.soap11.invalid", "spyne.application.server"):
        logging.getLogger(name).critical("the whole message")
    assert caplog.records == []


def test_spyne_is_imported_in_one_place() -> None:
    sources = Path(adapter.__file__).parent.rglob("*.py")
    importing = [
        p.name for p in sources if re.search(r"^\s*(import|from) spyne", p.read_text(), re.M)
    ]
    assert importing == ["compat.py"]
