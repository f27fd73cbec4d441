import ast
from pathlib import Path

import pytest

MOCKS = Path(__file__).parents[2] / "mocks"


@pytest.mark.parametrize(
    "path", [pytest.param(p, id=str(p.relative_to(MOCKS))) for p in sorted(MOCKS.rglob("*.py"))]
)
def test_mocks_never_import_the_adapter(path: Path) -> None:
    """A mock that shares the adapter's code agrees with its mistakes."""
    assert "adapter" not in {name.partition(".")[0] for name in _imports(path.read_text())}


def test_the_check_sees_every_kind_of_import() -> None:
    code = "import os, adapter.model\nfrom adapter import model\nimport_module('adapter.x')"
    assert [name for name in _imports(code) if name.startswith("adapter")] == [
        "adapter.model",
        "adapter",
        "adapter.x",
    ]


def _imports(code: str) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.append(node.module or "")
        elif isinstance(node, ast.Call):
            names += [
                each.value
                for each in node.args[:1]
                if isinstance(each, ast.Constant)
                and isinstance(each.value, str)
                and getattr(node.func, "id", getattr(node.func, "attr", ""))
                in ("import_module", "__import__")
            ]
    return names
