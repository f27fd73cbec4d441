"""`intyg types`."""

import json
from pathlib import Path

from intyg.schemas.typefile.lookup import IntygTypes
from tests.adapter.cli.calls import run


def test_types_lists_every_type_and_version() -> None:
    result = run("types", "--json")
    assert result.exit_code == 0
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {(row["code"], row["version"]) for row in rows} == {
        (header.code, header.version) for header in IntygTypes().headers()
    }
    fk7472 = next(row for row in rows if row["code"] == "FK7472")
    assert fk7472["former"] == ["FK7443"]
    assert fk7472["xml_code"] == "ITFP"
    assert fk7472["recipient"] == "FKASSA"
    assert fk7472["signs"] == ["lakare", "privatlakare", "sjukskoterska", "barnmorska"]
    assert fk7472["messages_from_recipient"] == ["KOMPLT", "PAMINN"]
    assert fk7472["sent_on_signing"] is True


def test_types_shows_a_table() -> None:
    result = run("types")
    assert result.exit_code == 0
    line = next(line for line in result.stdout.splitlines() if "FK7472" in line)
    assert all(word in line for word in ("ITFP", "FK7443", "FKASSA", "KOMPLT PAMINN", "yes"))


def test_types_of_a_folder_are_listed_too(tmp_path: Path) -> None:
    own = Path(__file__).parents[3] / "schemas" / "intyg" / "fk7472-1.0.yaml"
    text = own.read_text(encoding="utf-8").replace("code: FK7472", "code: XX1", 1)
    (tmp_path / "xx1.yaml").write_text(text.replace("code: ITFP", "code: XX1"), encoding="utf-8")
    assert '"XX1"' in run("types", "--json", "--types-dir", str(tmp_path)).stdout
