"""Certificate type files that are wrong, when the adapter starts or a command reads them."""

import re
import shutil
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner, Result

from intyg.adapter.bootstrap.app import build_app, build_services
from intyg.adapter.bootstrap.startup import notes
from intyg.adapter.cli.main import cli
from intyg.adapter.settings.settings import Settings, SettingsError, load_settings
from intyg.schemas.typefile.lookup import BUILT_IN, CODE_LISTS, IntygTypes
from tests import builders

TYPE: Final = """\
code: XX1
version: "1.0"
name: intyg om cykling
engine: legacy
xml:
  code: CYKEL
  system: 1.2.3
  display: Intyg om cykling
  versions: ["1.0"]
questions:
- svar: "1"
  term: cyklar
  count: 1
  delsvar:
  - {id: "1.1", term: kan cykla, count: 1, type: cv, list: HJUL}
codelists:
  HJUL: {system: 1.2.4, codes: {ETT: ett, TVA: två}}
rules:
- {id: R1, must: svar(1), message: <1> is needed}
"""

WRONG: Final = [
    pytest.param(
        "name: intyg", "reciever: X\nname: intyg", "line 3: the file: unknown key 'reciever'",
        id="unknown key",
    ),
    pytest.param(
        "codelists:", '- {svar: "1", term: x}\ncodelists:', "line 16: the id 1 is used twice",
        id="duplicate id",
    ),
    pytest.param(
        "must: svar(1)", "must: svar(1) or", "line 19: rule R1 is not XPath 1.0: ",
        id="rule that does not compile",
    ),
    pytest.param(
        "system: 1.2.4, ", "", "line 17: code list HJUL has no system",
        id="code list without system",
    ),
    pytest.param(
        "must: svar(1)", "must: svar(2)", "line 19: rule R1: there is no question 2",
        id="unknown question",
    ),
]  # fmt: skip
"""What is changed in `TYPE`, to what, and what is said of it."""


def settings(folder: Path, **values: Any) -> Settings:
    values = {"environment": "demo", "data_dir": folder / "data", "server": {"port": 0}, **values}
    return load_settings(None, **values)


def intyg(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with the code lists and FK7804 version 1 alone."""
    folder = tmp_path / "package"
    folder.mkdir()
    for name in (CODE_LISTS, "fk7804-1.yaml"):
        shutil.copy(BUILT_IN / name, folder)
    monkeypatch.setattr("intyg.schemas.typefile.lookup.BUILT_IN", folder)
    return folder


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_adapter_does_not_start_with_a_wrong_file_of_the_package(
    package: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    (package / "xx1.yaml").write_text(TYPE.replace(old, new), encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(f"xx1.yaml, {said}")):
        build_app(settings(tmp_path))
    (package / "xx1.yaml").unlink()
    build_services(settings(tmp_path)).store.close()  # would be locked if the database were open


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_wrong_file_of_the_user_is_noted_and_left_out(
    package: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "xx1.yaml").write_text(TYPE.replace(old, new), encoding="utf-8")
    (own / "xx2.yaml").write_text(TYPE.replace("XX1", "XX2"), encoding="utf-8")
    services = build_services(settings(tmp_path, types_dir=own))
    found = notes(services)
    services.store.close()
    assert [note for note in found if f"types_dir: xx1.yaml, {said}" in note]
    assert [header.code for header in services.types.headers()] == ["FK7804", "XX2"]


def test_serve_says_which_file_stops_it(package: Path, tmp_path: Path) -> None:
    (package / "xx1.yaml").write_text(TYPE.replace("svar(1)", "svar(1"), encoding="utf-8")
    config = tmp_path / "adapter.toml"
    config.write_text(f'environment = "demo"\ndata_dir = "{tmp_path / "data"}"\n', "utf-8")
    result = intyg("serve", "--config", config)
    assert result.exit_code == 1
    assert "certificate type xx1.yaml, line 19: rule R1 is not XPath 1.0" in result.stderr


def test_validate_names_the_user_s_wrong_file_and_checks_with_the_rest(
    package: Path, tmp_path: Path
) -> None:
    own, message = tmp_path / "own", tmp_path / "message.xml"
    own.mkdir()
    (own / "xx1.yaml").write_text(TYPE + "colour: red\n", encoding="utf-8")
    message.write_bytes(builders.register_certificate())
    result = intyg("validate", "--types-dir", own, message)
    assert result.exit_code == 0, result.output
    assert "types_dir: xx1.yaml, line 20: the file: unknown key 'colour'" in result.stderr
    message.write_bytes(builders.register_certificate(typ="CYKEL"))
    result = intyg("validate", "--types-dir", own, message)
    assert result.exit_code == 1
    assert "unknown certificate type CYKEL; known: LISJP" in result.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "line 1: the file is empty", id="empty"),
        pytest.param(b"code: X\nname: \xe5\n", "line 2: is not UTF-8", id="other encoding"),
        pytest.param(b"code: X\nname: \x01\n", "line 2: is not YAML: ", id="control character"),
        pytest.param(b"code: [X\n", "not YAML: ", id="not YAML"),
        pytest.param(b"- code: X\n", "line 1: the file must be a mapping", id="a list"),
        pytest.param(None, "line 1: cannot be read: ", id="a folder"),
    ],
)
def test_file_that_is_no_type_at_all_is_named(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "odd.yaml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    (refused,) = IntygTypes(tmp_path).refused
    assert str(refused).startswith("odd.yaml, ")
    assert said in str(refused)
