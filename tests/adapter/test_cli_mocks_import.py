"""`intyg mocks import`: what it prints, writes and refuses."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapter.cli import cli
from mocks.rules.files import read_rules

BEHAVIOR = {"serviceName": "REVOKE_CERTIFICATE", "resultCode": "ERROR", "errorId": "REVOKED"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "behavior.json"
    path.write_text(json.dumps(BEHAVIOR), "utf-8")
    return path


def test_what_is_printed_is_what_is_written(source: Path, tmp_path: Path) -> None:
    written = tmp_path / "rules.yaml"
    printed = CliRunner().invoke(cli, ["mocks", "import", str(source)])
    done = CliRunner().invoke(cli, ["mocks", "import", str(source), "-o", str(written)])
    assert (printed.exit_code, done.exit_code, done.stdout) == (0, 0, "")
    assert printed.stdout == written.read_text("utf-8")
    [rule] = read_rules([written])
    assert (rule.id, rule.match.contract) == ("behavior-1", ("RevokeCertificate",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ('{"serviceName": "STORE_LOG"}', "serviceName: no mock here takes STORE_LOG"),
        ('[{"serviceName": "REVOKE"}]', "rule 1: serviceName: REVOKE is unknown; the nearest is"),
    ],
)
def test_what_is_none_is_refused(source: Path, text: str, says: str) -> None:
    source.write_text(text, "utf-8")
    refused = CliRunner().invoke(cli, ["mocks", "import", str(source)])
    assert refused.exit_code == 1
    assert f"{source}: " in refused.stderr.replace("\n", "")
    assert says in refused.stderr.replace("\n", " ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    refused = CliRunner().invoke(cli, ["mocks", "import", str(tmp_path / "nothing.json")])
    assert refused.exit_code == 2
    assert "nothing.json: No such file" in refused.stderr
