from pathlib import Path
from typing import Any

import pytest

from adapter.app import build_parts
from adapter.make_keys import TestKeys, make_test_keys
from adapter.parts import Parts
from adapter.settings import SettingsError, load_settings
from adapter.startup import notes

LIST = "189001019802\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> TestKeys:
    return make_test_keys(tmp_path_factory.mktemp("keys"))


def build(folder: Path, **values: Any) -> Parts:
    (folder / "list.csv").write_text(LIST)
    values = {
        "environment": "demo",
        "data_dir": folder,
        "test_patients": {"list_files": [folder / "list.csv"]},
        **values,
    }
    return build_parts(load_settings(None, **values))


def test_production_refuses_test_certificates_and_mocks_naming_each(
    tmp_path: Path, keys: TestKeys
) -> None:
    with pytest.raises(SettingsError) as refused:
        build(
            tmp_path,
            environment="production",
            trust={"anchors": [keys.ca], "pinned": [keys.signer.cert]},
            signing={"key": keys.signer.key, "cert": keys.signer.cert},
            destinations={"fk": {"url": "http://127.0.0.1:9", "kind": "mock"}},
        )
    for named in ("trust.anchors", "trust.pinned", "signing.cert", "destination fk is a mock"):
        assert named in str(refused.value)
    assert "intermediates" not in str(refused.value)


def test_refusal_gives_the_database_back(tmp_path: Path, keys: TestKeys) -> None:
    with pytest.raises(SettingsError):
        build(tmp_path, environment="production", trust={"anchors": [keys.ca]})
    build(tmp_path).store.close()  # would be locked otherwise


def test_demo_may_use_test_keys(tmp_path: Path, keys: TestKeys) -> None:
    parts = build(tmp_path, trust={"anchors": [keys.ca]})
    assert notes(parts) == []
    parts.store.close()


def test_signing_without_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"signing\.key"):
        build(tmp_path, signature="sign")


def test_list_that_cannot_be_used_is_noted_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("189001019802\n189001019803\n")
    parts = build(
        tmp_path,
        test_patients={"list_files": [tmp_path / "bad.csv", tmp_path / "missing.csv"]},
    )
    found = notes(parts)
    parts.store.close()
    assert any("bad.csv, line 2" in note for note in found)
    assert any("missing.csv" in note for note in found)
    assert "1890" not in str(found)


def test_no_list_at_all_is_noted(tmp_path: Path) -> None:
    parts = build(tmp_path, test_patients={})
    assert any("no list" in note for note in notes(parts))
    parts.store.close()


@pytest.mark.parametrize("name", ["contracts_dir", "types_dir"])
def test_missing_folder_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        build(tmp_path, **{name: tmp_path / "nowhere"})


def test_folder_without_contracts_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="no contract"):
        build(tmp_path, contracts_dir=tmp_path / "empty")
