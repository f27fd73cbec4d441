"""`intyg schema` writes a certificate type as a schema that works by itself."""

from pathlib import Path

import pytest
import xmlschema
from lxml import etree, isoschematron  # type: ignore[attr-defined]  # lxml-stubs lack it
from typer.testing import CliRunner, Result

from intyg.adapter.cli.main import cli
from tests import builders


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["schema", *map(str, arguments)])


def test_xsd11_checks_a_request(tmp_path: Path) -> None:
    file = tmp_path / "fk7804.xsd"
    assert run("FK7804", "--version", "1", "--xsd11", "-o", file).exit_code == 0
    schema = xmlschema.XMLSchema11(file)
    assert schema.is_valid(builders.register_certificate().decode())
    assert not schema.is_valid(builders.register_certificate(svar=[]).decode())


def test_schematron_checks_a_request_on_standard_output() -> None:
    result = run("lisjp", "--version", "1.3", "--schematron")
    schema = isoschematron.Schematron(etree.fromstring(result.stdout_bytes))
    assert schema.validate(etree.fromstring(builders.register_certificate()))
    assert not schema.validate(etree.fromstring(builders.register_certificate(svar=[])))


def test_day_is_written_into_the_schema() -> None:
    result = run("FK7210", "--schematron", "--today", "2026-11-23")
    assert 'name="today" value="20261123"' in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["FK7804"], "one of --xsd11 and --schematron", id="no form"),
        pytest.param(["FK7804", "--xsd11", "--schematron"], "give one of", id="two forms"),
        pytest.param(["FK9999", "--xsd11"], "known: ", id="unknown type"),
        pytest.param(["FK7804", "--version", "9", "--xsd11"], "known: ", id="unknown version"),
        pytest.param(
            ["FK7804", "--xsd11", "-o", "/nowhere/x.xsd"], "/nowhere/x.xsd", id="no folder"
        ),
    ],
)
def test_wrong_use_is_told_in_a_line(arguments: list[str], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.output
