"""`intyg types`."""

import json
from pathlib import Path

import pytest

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


def test_the_table_fits_a_narrow_terminal_and_leaves_nothing_out() -> None:
    result = run("types")
    assert result.exit_code == 0
    shown = result.stdout.splitlines()
    assert max(map(len, shown)) <= 80
    words = " ".join(result.stdout.split())
    for header in IntygTypes().headers():
        recipient = header.recipient or "-"
        row = f"{header.code} {header.version} {header.xml_code} {recipient} {header.name}"
        assert row in words


def test_the_table_says_what_is_replaced() -> None:
    words = " ".join(run("types", "FK7804", "TSTRK1007").stdout.split())
    assert "FK7804 1 LISJP FKASSA läkarintyg sjukpenning (replaced by a newer version)" in words
    assert "läkarintyg högre behörighet eller taxi (replaced by TS8071)" in words


@pytest.mark.parametrize(
    ("name", "code"), [("Dödsbevis", "DB"), ("fk 7804", "FK7804"), ("TSTRK 1007", "TSTRK1007")]
)
def test_only_those_that_are_named_by_any_name(name: str, code: str) -> None:
    rows = [json.loads(line) for line in run("types", name, "--json").stdout.splitlines()]
    assert {row["code"] for row in rows} == {code}
    assert len(rows) == sum(header.code == code for header in IntygTypes().headers())


def test_types_of_a_folder_are_listed_too(tmp_path: Path) -> None:
    own = Path(__file__).parents[3] / "schemas" / "intyg" / "fk7472-1.0.yaml"
    text = own.read_text(encoding="utf-8").replace("code: FK7472", "code: XX1", 1)
    (tmp_path / "xx1.yaml").write_text(text.replace("code: ITFP", "code: XX1"), encoding="utf-8")
    assert '"XX1"' in run("types", "--json", "--types-dir", str(tmp_path)).stdout
