"""`intyg doctor` as an operator calls it."""

import json
import platform
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from intyg.adapter.bootstrap.app import build_services
from intyg.adapter.cli.main import cli
from intyg.adapter.doctor.checks import CHECKS
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.settings.settings import load_settings
from intyg.adapter.signature.demo_keys import TestKeys, make_test_keys
from tests.adapter.databases import make_unreleased, sqlite_url
from tests.builders import PATIENT

GOOD = """
environment = "test"
data_dir = "data"
signer_role = "require"
[console]
token = "a-token-of-this-test"
[test_patients]
list_files = ["list.csv"]
[codes]
icd10_file = "icd10.csv"
[caller]
identity = "proxy"
proxies = ["127.0.0.1/32"]
[[permissions]]
sender = "SE2321000016-EHR1"
contract = "*"
logical_address = "*"
"""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> TestKeys:
    return make_test_keys(tmp_path_factory.mktemp("keys"), system_clock())


def doctor(folder: Path, toml: str, *options: str) -> Result:
    (folder / "list.csv").write_text(f"{PATIENT}\n")
    (folder / "icd10.csv").write_text("M54.5;Lumbago\n")
    (folder / "adapter.toml").write_text(toml)
    (folder / "adapter.toml").chmod(0o600)  # it holds a token
    arguments = ["doctor", "--config", str(folder / "adapter.toml"), *options]
    return CliRunner().invoke(cli, arguments)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_check_is_shown_and_well_is_0(tmp_path: Path) -> None:
    (tmp_path / "adapter.toml").write_text(GOOD)
    (tmp_path / "list.csv").write_text(f"{PATIENT}\n")
    build_services(load_settings(tmp_path / "adapter.toml")).store.close()
    result = doctor(tmp_path, GOOD, "--json")
    assert result.exit_code == 0
    told = lines(result)
    names = [check.name for check in CHECKS]
    assert [line["check"] for line in told] == ["settings", "versions", *names]
    assert {line["state"] for line in told} == {"ok"}


def test_versions_are_told_before_there_is_a_database(tmp_path: Path) -> None:
    told = {line["check"]: line["text"] for line in lines(doctor(tmp_path, GOOD, "--json"))}
    assert told["versions"] == (
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def test_a_server_that_does_not_answer_has_no_version_and_fails(tmp_path: Path) -> None:
    url = 'database_url = "postgresql+psycopg://nobody@127.0.0.1:1/none"\n'
    told = {line["check"]: line for line in lines(doctor(tmp_path, url + GOOD, "--json"))}
    assert told["versions"]["text"] == f"Python {platform.python_version()}"
    assert told["database"]["state"] == "fails"


def test_settings_with_a_token_that_everybody_can_read_are_told(tmp_path: Path) -> None:
    doctor(tmp_path, GOOD)
    (tmp_path / "adapter.toml").chmod(0o644)
    told = CliRunner().invoke(cli, ["doctor", "--config", str(tmp_path / "adapter.toml"), "--json"])
    (noted,) = [line for line in lines(told) if line["check"] == "key files"]
    assert noted["state"] == "note"
    assert noted["text"].startswith("console.token: ")
    assert noted["todo"] == f"chmod 600 {tmp_path / 'adapter.toml'}"


def test_it_can_look_while_the_adapter_runs(tmp_path: Path) -> None:
    (tmp_path / "adapter.toml").write_text(GOOD)
    running = build_services(load_settings(tmp_path / "adapter.toml"))
    assert doctor(tmp_path, GOOD).exit_code == 0
    running.store.close()


def test_what_is_not_fit_is_named_with_what_to_do_and_exits_1(
    tmp_path: Path, keys: TestKeys
) -> None:
    toml = GOOD.replace('"test"', '"production"') + f'[trust]\nanchors = ["{keys.ca}"]\n'
    result = doctor(tmp_path, toml, "--json")
    assert result.exit_code == 1
    [failing] = [line for line in lines(result) if line["state"] == "fails"]
    assert (failing["check"], failing["text"]) == (
        "test keys",
        "trust.anchors holds a test certificate",
    )
    assert "trust.anchors" in failing["todo"]


def test_notes_alone_exit_0(tmp_path: Path) -> None:
    result = doctor(tmp_path, GOOD.replace("list.csv", "gone.csv"), "--json")
    assert result.exit_code == 0
    noted = {line["check"]: line["text"] for line in lines(result) if line["state"] == "note"}
    assert set(noted) == {"test patients", "database"}
    assert "gone.csv" in noted["test patients"]
    assert not (tmp_path / "data").exists()  # looking makes nothing


def test_a_list_of_diagnoses_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = lines(doctor(tmp_path, GOOD.replace('icd10_file = "icd10.csv"', ""), "--json"))
    [note] = [line for line in told if line["check"] == "diagnoses"]
    assert (note["state"], "codes.icd10_file is not set" in note["text"]) == ("note", True)
    result = doctor(tmp_path, GOOD.replace("icd10.csv", "adapter.toml"), "--json")
    assert result.exit_code == 1
    [damaged] = [line for line in lines(result) if line["check"] == "diagnoses"]
    assert (damaged["state"], "adapter.toml" in damaged["text"]) == ("fails", True)


def test_another_environments_database_is_found(tmp_path: Path) -> None:
    (tmp_path / "adapter.toml").write_text(GOOD)
    build_services(load_settings(tmp_path / "adapter.toml")).store.close()
    result = doctor(tmp_path, GOOD.replace('"test"', '"production"'))
    assert result.exit_code == 1
    assert "belongs to the environment test and is not opened in production" in result.stdout


def test_a_database_from_before_the_first_release_is_found(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    make_unreleased(sqlite_url(tmp_path / "data"), "0003")
    result = doctor(tmp_path, GOOD, "--json")
    assert result.exit_code == 1
    [failing] = [line for line in lines(result) if line["state"] == "fails"]
    assert failing["check"] == "database"
    assert failing["text"].endswith(f": remove the file {tmp_path / 'data/adapter.sqlite'}")


@pytest.mark.parametrize(
    "command", [("serve",), ("blocked",), ("audit", "list"), ("audit", "verify")], ids=" ".join
)
def test_no_command_opens_a_database_from_before_the_first_release(
    tmp_path: Path, command: tuple[str, ...], intyg_command: Path
) -> None:
    (tmp_path / "adapter.toml").write_text(GOOD)
    (tmp_path / "list.csv").write_text(f"{PATIENT}\n")
    settings = load_settings(tmp_path / "adapter.toml")
    build_services(settings).store.close()  # makes the key of the audit log
    file = tmp_path / "data/adapter.sqlite"
    file.unlink()
    make_unreleased(settings.effective_database_url, "0003")
    before = file.read_bytes()
    ended = subprocess.run(
        [intyg_command, *command, "--config", tmp_path / "adapter.toml"],
        capture_output=True,
        text=True,
    )
    assert ended.returncode in (1, 2)
    assert ended.stderr.splitlines()[-1].endswith(f": remove the file {file}")
    assert file.read_bytes()[100:] == before[100:]  # the first 100 are SQLite's own header


@pytest.mark.parametrize(
    ("toml", "check", "says"),
    [
        ('[staff]\nfile = "gone.json"\n', "staff directory", "missing or damaged"),
        ('[audit]\nkey = "short"\n', "audit log", "at least 32"),
        ('[audit]\nkey = "another-key-of-more-than-32-bytes"\n', "audit log", "another key"),
        ('[audit]\nkey_file = "gone.key"\n', "audit log", "gone.key"),
    ],
)
def test_what_would_stop_the_adapter_later_is_found(
    tmp_path: Path, toml: str, check: str, says: str
) -> None:
    (tmp_path / "adapter.toml").write_text(GOOD)
    build_services(load_settings(tmp_path / "adapter.toml")).store.close()
    result = doctor(tmp_path, GOOD + toml, "--json")
    assert result.exit_code == 1
    [failing] = [line for line in lines(result) if line["state"] == "fails"]
    assert failing["check"] == check
    assert says in failing["text"]


def test_a_token_that_is_too_short_is_told_and_not_shown(tmp_path: Path) -> None:
    result = doctor(tmp_path, GOOD.replace("a-token-of-this-test", "kort-hemlig"), "--json")
    assert result.exit_code == 1
    [failing] = [line for line in lines(result) if line["state"] == "fails"]
    assert (failing["check"], "16 characters" in failing["text"]) == ("console", True)
    assert "kort-hemlig" not in result.output


def test_wrong_settings_are_one_line(tmp_path: Path) -> None:
    result = doctor(tmp_path, GOOD.replace("data_dir", "data_dri"), "--json")
    assert result.exit_code == 1
    [line] = lines(result)
    assert (line["check"], line["state"]) == ("settings", "fails")
    assert "data_dri" in line["text"]
