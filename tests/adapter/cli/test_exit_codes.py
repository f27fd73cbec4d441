"""What exit codes say, and that the commands end with those that are documented."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from intyg.adapter.cli.commands import COMMANDS
from intyg.adapter.cli.exit_codes import EXITS
from tests.adapter.cli.calls import every_command, run

ROOT = Path(__file__).parents[3]

FROM_ELSEWHERE = {"demo"}
"""Commands whose exit code is another module's result; `demo` is played by a test of its own."""


def test_every_command_is_in_the_table() -> None:
    assert {" ".join(words) for words in every_command()} == set(EXITS)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in FROM_ELSEWHERE])
def test_a_module_ends_with_the_codes_that_are_documented(name: str) -> None:
    module = COMMANDS[name].where.partition(":")[0].removeprefix("intyg.")
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8"))
    documented = [said for words, said in EXITS.items() if words.split()[0] == name]
    assert (1 in set(_codes(tree))) == any(said.one for said in documented)
    assert set(_codes(tree)) <= {0, 1, 2}


def _codes(tree: ast.AST) -> Iterator[int]:
    """Exit codes that are written out: `fail(text)` is 2, unless it says another."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "_exit_code":
            yield from _numbers(node)
        elif isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            attribute = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if called == "fail":
                yield from _numbers(node.args[1]) if len(node.args) > 1 else [2]
            elif attribute == "Exit":
                yield from (code for each in node.args for code in _numbers(each))


def _numbers(node: ast.AST) -> Iterator[int]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and type(each.value) is int:
            yield each.value


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_a_wrong_option_is_2(words: tuple[str, ...]) -> None:
    result = run(*words, "--no-such-option")
    assert result.exit_code == 2
    assert "--no-such-option" in result.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("types", "no such type"), 2),
        (("type", "no such type"), 2),
        (("schema", "FK7804"), 2),
        (("validate", "no-such-file.xml"), 2),
        (("verify", "no-such-file.xml"), 2),
        (("render", "no-such-file.xml"), 2),
        (("sign", "no-such-file.xml"), 2),
        (("send", "no-such-file.xml", "--to", "http://127.0.0.1:1/"), 2),
        (("route", "check", "no-such-file.toml"), 2),
        (("route", "explain", "No", "X", "--config", "no-such-file.toml"), 2),
        (("patient", "explain", "1"), 2),
        (("blocked", "--config", "no-such-file.toml"), 2),
        (("audit", "list", "--config", "no-such-file.toml"), 2),
        (("doctor", "--config", "no-such-file.toml"), 1),
        (("serve", "--config", "no-such-file.toml"), 2),
        (("mocks", "lint", "no-such-file.yaml"), 2),
        (("mocks", "import", "no-such-file.json"), 2),
        (("example", "FK7804", "--version", "2.0", "--break", "R9999"), 2),
        (("wsdl", "--out", "x", "--address", "no address"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_what_cannot_begin_is_2(here: Path, words: tuple[str, ...], code: int) -> None:
    assert run(*words).exit_code == code
    assert list(here.iterdir()) == []
