"""YAML whose faults are told by line, for whoever reads it."""

from pathlib import Path

import pytest
import yaml

from intyg.schemas.yaml_file import YamlError, compose, entries, read_text, value_of


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        pytest.param("a: [", 1, "is not YAML", id="ends too early, in its last line"),
        pytest.param("a: 1\nb: [\n", 3, "is not YAML", id="ends too early, after a line's end"),
        pytest.param("a: 1\n\tb: 2\n", 2, "is not YAML", id="a tab"),
        pytest.param("a: 1\nb: \x07\n", 2, "is not YAML", id="a character that YAML lacks"),
        pytest.param("a: 1\nb: !!python/name:os.system\n", 2, "is not YAML", id="a tag"),
        pytest.param("- a: 1\n  b: 2\n  a: 3\n", 3, "the key 'a' stands there twice", id="twice"),
    ],
)
def test_a_fault_has_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(YamlError, match=says) as caught:
        _value(text)
    assert caught.value.line == line


def _value(text: str) -> object:
    root = compose(text)
    return None if root is None else value_of(root)


def test_a_file_that_cannot_be_read_has_none(tmp_path: Path) -> None:
    with pytest.raises(YamlError, match="cannot be read: No such file") as caught:
        read_text(tmp_path / "none.yaml")
    assert caught.value.line == 0
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: 1\nb: \xe5\n")
    with pytest.raises(YamlError, match="is not UTF-8") as caught:
        read_text(latin)
    assert caught.value.line == 2


def test_a_mapping_is_read_with_its_lines() -> None:
    root = compose("a: 1\n\nb:\n  c: 2\n")
    assert isinstance(root, yaml.MappingNode)
    assert [(key, line) for key, line, _ in entries(root)] == [("a", 1), ("b", 3)]
    assert value_of(root) == {"a": 1, "b": {"c": 2}}
    assert compose("# nothing\n") is None
