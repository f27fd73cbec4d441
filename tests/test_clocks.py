"""Nothing asks the machine for the time behind its caller's back: the clock is an argument."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("schemas", "pages", "mocks", "adapter", "sandbox")

CLOCKS: Final = {
    "adapter/domain/clock.py": "system_clock, which is handed to whoever wants a clock",
    "mocks/clock/clock.py": "the mocks' own",
    "adapter/clients/watched_file.py": "compared with a file's time, which the machine writes",
    "mocks/journal/journal.py": "how long memory is used; a clock that stands would keep all",
}

OUTERMOST: Final = {
    "adapter/cli/options.py",
    "adapter/cli/sign.py",
    "adapter/cli/test_keys.py",
    "adapter/cli/verify.py",
    "sandbox/demo/accident.py",
    "sandbox/demo/production.py",
    "sandbox/demo/stage.py",
    "sandbox/signing_keys.py",
}
"""Commands, demonstrations and test fixtures, which nobody hands a clock."""

_ASKS: Final = {"today", "now", "utcnow"}
_OF: Final = {"date", "datetime"}
_FROM_TIME: Final = {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime"}


def asks_the_machine(code: str) -> bool:
    """Whether a date or a time of day is taken from the machine; `monotonic` is none of them."""
    return any(_asks(node) for node in ast.walk(ast.parse(code)))


def _asks(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id=of) | ast.Attribute(attr=of), attr=name):
            return (of in _OF and name in _ASKS) or (of == "time" and name in _FROM_TIME)
        case ast.ImportFrom(module="time", names=names):
            return any(one.name in _FROM_TIME for one in names)
    return False


def calls_the_system_clock(code: str) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "system_clock"
        for node in ast.walk(ast.parse(code))
    )


def sources() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def test_only_clocks_ask_the_machine() -> None:
    assert {path for path, code in sources() if asks_the_machine(code)} == set(CLOCKS)


def test_only_what_nobody_hands_a_clock_takes_the_machines() -> None:
    assert {path for path, code in sources() if calls_the_system_clock(code)} == OUTERMOST


@pytest.mark.parametrize(
    "code",
    [
        "day = today or date.today()",
        "datetime.datetime.now(tz=UTC)",
        "dt.datetime.utcnow()",
        "clock = datetime.now",
        "time.time() - 3600",
        "time.strftime('%Y')",
        "from time import time",
    ],
)
def test_a_hidden_clock_is_seen(code: str) -> None:
    assert asks_the_machine(code)


@pytest.mark.parametrize(
    "code", ["time.monotonic()", "time.sleep(1)", "routes.today()", "parts.clock()", "link.now"]
)
def test_what_is_no_hidden_clock_is_left_alone(code: str) -> None:
    assert not asks_the_machine(code)
