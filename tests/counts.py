"""What the checks that look over every test's shoulder counted, told at the end of a run."""

from collections import Counter
from typing import Any, Final

import pytest

_TOTAL: Final = pytest.StashKey[dict[str, "Counter[str]"]]()


def counter(config: pytest.Config, title: str) -> "Counter[str]":
    """
    The counter of one check.

    Args:
        title: Stands before what it counted, `messages held to their contracts`.
    """
    return config.stash.setdefault(_TOTAL, {}).setdefault(title, Counter())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With pytest-xdist, each worker tells what it counted."""
    if hasattr(session.config, "workeroutput"):
        total = session.config.stash.get(_TOTAL, {})
        session.config.workeroutput["counts"] = {title: dict(n) for title, n in total.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for title, counted in getattr(node, "workeroutput", {}).get("counts", {}).items():
        counter(node.config, title).update(counted)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for title, counted in config.stash.get(_TOTAL, {}).items():
        for what, count in sorted(counted.items()):
            terminalreporter.write_line(f"{title}: {what}: {count}")
