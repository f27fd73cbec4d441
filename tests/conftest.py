"""What tests measured, shown after them: their properties named `table`, also from workers."""

import gc
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import structlog
from xdist.scheduler import LoadScopeScheduling

from tests.ready_command import READY, ready_command

ON_ONE_WORKER: Final = (
    "tests/adapter/console/pages/test_browser.py",
    *(
        f"tests/flows/test_{name}.py"
        for name in ("attacks", "bad_input", "case_table", "door", "read_contracts", "trouble")
    ),
    "tests/mocks/pages/test_browser.py",
)
"""Modules whose tests share a stage that takes seconds to set."""

TYPE_BY_TYPE: Final = ("tests/schemas/export/test_agreement.py",)
"""Modules whose tests of a certificate type share what takes a second to make of it."""


class _ByStage(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """One test at a time to whichever worker is free, but those that share something together."""

    def _split_scope(self, nodeid: str) -> str:
        module, _, test = nodeid.partition("::")
        if module in TYPE_BY_TYPE:
            return f"{module} {test.partition('[')[2].partition('/')[0].strip('-')}"
        return module if module in ON_ONE_WORKER else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByStage:
    return _ByStage(config, log)


pytest_plugins = ["pytester"]


MEMORY: Final = Path("/dev/shm")
MEMORY_BYTES: Final = 4 << 30


def pytest_configure() -> None:
    """
    Searching for garbage as often as by default takes a tenth of all.

    Files are made in memory where there is enough: what is committed there waits for no disk.
    """
    gc.set_threshold(10_000, 20, 50)
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_finish() -> None:
    """What is there by now stays, and is not searched."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    lines = sorted(
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == "table"
    )
    if lines:
        terminalreporter.section("tables")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def intyg_command() -> Iterator[Path]:
    """The command `intyg`, which begins at once where this system has what that needs."""
    if READY:
        with ready_command() as command:
            yield command
    else:
        yield Path(sys.prefix) / "bin" / "intyg"


@pytest.fixture(autouse=True)
def logging_left_as_it_was() -> Iterator[None]:
    """A test that sets up logging, as commands do, must not leave its closed streams to others."""
    configured, before = structlog.is_configured(), structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    if (structlog.is_configured(), structlog.get_config()) == (configured, before):
        return
    if configured:
        structlog.configure(**before)
    else:
        structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
