"""Which faults are put into a file, and where there are none."""

from pathlib import Path

import pytest

from tools.mutations import mutants, pick


def faulty(source: str) -> set[str]:
    """The file with each of the faults that its first statement can hold."""
    found = next(mutants(source.encode(), "it.py"), [])
    return {fault.applied(source.encode()).decode() for fault in found}


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        pytest.param("a = b < c", "a = (b <= c)", id="comparison"),
        pytest.param("a = b is None", "a = (b is not None)", id="identity"),
        pytest.param("a = b and c", "a = (b or c)", id="and"),
        pytest.param("a = b and c", "a = (c)", id="a half"),
        pytest.param("a = not b", "a = (b)", id="not"),
        pytest.param("a = 7", "a = (8)", id="one more"),
        pytest.param("a = 7", "a = (6)", id="one less"),
        pytest.param("a = 400", "a = (200)", id="half"),
        pytest.param("a = 'x'", "a = ('')", id="emptied text"),
        pytest.param("a = True", "a = (False)", id="the opposite"),
        pytest.param("a = b * c", "a = (b // c)", id="arithmetic"),
        pytest.param("a = f(b, c=d)", "a = (f(b))", id="keyword argument"),
        pytest.param("a = [b for b in c if b]", "a = [b for b in c if (True)]", id="filter"),
        pytest.param("a = b if c else d", "a = (d)", id="the other case"),
        pytest.param("if a: b()", "if (False): b()", id="condition"),
        pytest.param("a.b = c", "pass", id="assignment"),
        pytest.param("a(b)", "pass", id="call"),
        pytest.param("raise a", "pass", id="raise"),
        pytest.param("a = f(\n    b < c,\n)", "a = f(\n    (b <= c),\n)", id="over lines"),
        pytest.param("å = b < c", "å = (b <= c)", id="a letter of two bytes"),
    ],
)
def test_a_fault_is_made(source: str, fault: str) -> None:
    assert fault in faulty(source)


def test_a_return_gives_none() -> None:
    source = b"def a():\n    return b\n"
    (fault,) = (fault for found in mutants(source, "it.py") for fault in found)
    assert fault.applied(source) == b"def a():\n    return None\n"
    assert (fault.line, fault.scope, fault.in_function) == (2, ("a",), True)


def test_no_is_told_from_yes_and_not_from_nothing() -> None:
    source = b"def a():\n    return False\n"
    (fault,) = (fault for found in mutants(source, "it.py") for fault in found)
    assert fault.applied(source) == b"def a():\n    return (True)\n"


def test_what_is_waited_for_is_seen() -> None:
    assert "pass" in faulty("self._wait(call, 2)")
    assert "a = (journal.wait(count=2))" not in faulty("a = journal.wait(count=1)")
    assert "a = (journal.wait())" in faulty("a = journal.wait(count=1)")


def test_lines_stay_where_they_are() -> None:
    source = "a = f(\n    b,\n    c=d,\n)\ne = 1\n"
    assert "a = (f(b)\n\n\n)\ne = 1\n" in faulty(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param('"""Says what it is."""', id="documentation"),
        pytest.param("a: Literal['x'] | None", id="type"),
        pytest.param("def a(b: Literal['x']) -> Literal['y']: ...", id="types of a function"),
        pytest.param("assert a < b, 'why'", id="assert"),
        pytest.param("def __repr__(self):\n    return 'x'", id="repr"),
        pytest.param("_log.info('event', count=1)", id="log"),
        pytest.param("if TYPE_CHECKING:\n    a = 1", id="for types only"),
        pytest.param("a = typer.Option(help='x')", id="help"),
        pytest.param("POLL_SECONDS = 0.1", id="how long"),
        pytest.param("self.moved.wait(left)", id="only waits"),
        pytest.param("def a():\n    return None", id="nothing returned"),
        pytest.param("__tracebackhide__ = True", id="what people see of a failure"),
        pytest.param("import a", id="import"),
    ],
)
def test_no_fault_where_no_test_should_tell(source: str) -> None:
    assert not faulty(source)


def test_the_seed_decides_and_other_code_does_not(tmp_path: Path) -> None:
    file = tmp_path / "tree" / "it.py"
    file.parent.mkdir()
    lines = [f"a{n} = {n} + b{n}" for n in range(40)]
    file.write_text("\n".join(lines))
    before = [fault.what for fault in pick(tmp_path, "tree", seed=1, count=10)]
    assert before == [fault.what for fault in pick(tmp_path, "tree", seed=1, count=10)]
    assert before != [fault.what for fault in pick(tmp_path, "tree", seed=2, count=10)]
    file.write_text("\n".join(["# new", *lines[:39]]))
    after = [fault.what for fault in pick(tmp_path, "tree", seed=1, count=10)]
    assert len(set(before) - set(after)) <= 1
