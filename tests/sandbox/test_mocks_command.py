import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from intyg.adapter.cli.main import cli
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.httpd.ports import held_port
from intyg.adapter.signature.demo_keys import CLIENT_HSA_ID, make_test_keys
from intyg.mocks.personas import PERSONAS
from intyg.mocks.rules.files import read_rules

GOOD = "- answers: {kind: reset, store: true}\n"


def lint(*arguments: Path | str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(cli, ["mocks", "lint", *map(str, arguments)])
    return result.exit_code, result.output.splitlines()


def test_rules_that_can_act_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    assert lint(tmp_path) == (0, ["1 rule, all well"])
    (tmp_path / "b.yaml").write_text(GOOD)
    assert lint(tmp_path) == (0, ["2 rules, all well"])


def test_what_is_wrong_is_told_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    wrong = tmp_path / "b.yaml"
    wrong.write_text("- answers:\n    kind: vp\n    code: VP07\n")
    told = f"{wrong}:3: answers.code: VP07 is unknown; the nearest is VP007"
    assert lint(tmp_path) == (1, [told])
    missing = tmp_path / "c.yaml"
    assert lint(missing) == (2, [f"{missing}:0: cannot be read: No such file or directory"])


SCRIPT = """\
persona: forsakringskassan
when: intyg
steps: [{after: 7d, ask: {amne: KONTKT, text: Hej}}]
"""


def test_lint_takes_scripts_and_rules_apart(tmp_path: Path) -> None:
    talk = tmp_path / "talk.yaml"
    talk.write_text(SCRIPT)
    (tmp_path / "rule.yaml").write_text(GOOD)
    assert lint(tmp_path) == (0, ["1 rule, 1 script, all well"])
    talk.write_text(SCRIPT.replace("7d", "7"))
    [told] = lint(tmp_path)[1]
    assert told.startswith(f"{talk}:3: steps.0.after: '7' is no duration")


def test_lint_knows_types_of_ones_own(tmp_path: Path) -> None:
    rule, types = tmp_path / "a.yaml", tmp_path / "types"
    rule.write_text("- {match: {typ: IGRAVX}, answers: {kind: reset}}\n")
    assert lint(rule) == (1, [f"{rule}:1: match.typ: IGRAVX is unknown; the nearest is IGRAV"])
    types.mkdir()
    ours = (Path(__file__).parents[2] / "schemas/intyg/fk7210-1.0.yaml").read_text("utf-8")
    ours = ours.replace("IGRAV", "IGRAVX").replace("FK7210", "XX1").replace("fk7210", "xx1")
    (types / "xx1.yaml").write_text(ours, "utf-8")
    assert lint(rule, "--types-dir", types) == (0, ["1 rule, all well"])


def test_the_schema_of_rules_is_printed() -> None:
    result = CliRunner().invoke(cli, ["mocks", "rule-schema"])
    assert json.loads(result.output)["title"] == "Rule"


def test_mocks_do_not_start_with_rules_that_cannot_act(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- answers: {kind: error}\n")
    arguments = ["mocks", "--ports-from", "0", "--rules-dir", str(tmp_path)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 1
    assert f"{tmp_path / 'a.yaml'}:1: answers.error_id: missing" in result.output


@pytest.mark.parametrize(
    ("port", "told"),
    [
        pytest.param(
            "skattverket=1", "skattverket is unknown; the nearest is skatteverket", id="no name"
        ),
        pytest.param("skatteverket", "must be NAME=PORT, up to 65535", id="no port"),
        pytest.param("skatteverket=65536", "must be NAME=PORT, up to 65535", id="no such port"),
    ],
)
def test_a_port_that_is_none_is_told(port: str, told: str) -> None:
    result = CliRunner().invoke(cli, ["mocks", "--ports-from", "0", "--port", port])
    assert (result.exit_code, result.output) == (1, f"--port {port}: {told}\n")


@pytest.mark.parametrize("command", ["lint", "rule-schema"])
def test_help_names_the_commands(command: str) -> None:
    assert command in CliRunner().invoke(cli, ["mocks", "--help"]).output


def test_the_mocks_start_without_what_only_the_adapter_needs() -> None:
    """The command line is there in half a second only if it imports no database and no settings."""
    code = (
        "import sys, lxml.etree, intyg.adapter.cli.main, intyg.mocks.server.serving\n"
        "from intyg.mocks import personas\n"
        "from intyg.schemas.contract.contract import Contracts\n"
        "from intyg.schemas.typefile.lookup import IntygTypes\n"
        "made = personas.make_personas(Contracts(), IntygTypes())\n"
        "contracts = made['forsakringskassan'].place.contracts\n"
        "contracts.check(contracts.get('RegisterCertificate', 3), lxml.etree.Element('a'))\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "intyg.mocks.server.service" in loaded
    heavy = {"sqlalchemy", "pydantic_settings", "spyne", "zeep", "alembic"}
    assert loaded & heavy == set()
    # and what they themselves need only for some calls
    assert (
        loaded & {"flask", "requests", "signxml", "cryptography", "intyg.schemas.examples.draft"}
        == set()
    )


@contextmanager
def started(*arguments: str, **variables: str) -> Iterator[list[str]]:
    """`intyg mocks` on free ports; gives what it says first, line by line, and stops it."""
    command = [sys.executable, "-m", "intyg.adapter", "mocks", "--ports-from", "0", *arguments]
    environment = {**os.environ, **variables}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            said = [process.stderr.readline() for _ in PERSONAS]
            if "--no-token" not in arguments:
                said.append(process.stderr.readline())
            yield said
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_mocks_whose_words_cannot_be_written_go_on() -> None:
    with held_port() as port, Path("/dev/full").open("wb") as full:
        arguments = [f"--port=forsakringskassan={port}", "--ports-from=0", "--no-token"]
        command = [sys.executable, "-m", "intyg.adapter", "mocks", *arguments]
        with subprocess.Popen(command, stderr=full) as process:
            try:
                said = [f"Försäkringskassan http://127.0.0.1:{port}"]
                until = time.monotonic() + 60
                while not _is_there(said) and time.monotonic() < until:
                    assert process.poll() is None
                    time.sleep(0.05)
                assert asked(said, None) == 200
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0
            finally:
                process.kill()


def _is_there(said: list[str]) -> bool:
    try:
        return asked(said, None) == 200
    except requests.ConnectionError:
        return False


def asked(said: list[str], authorization: str | None) -> int:
    url = said[0].split()[-1]
    assert url.startswith("http://127.0.0.1:")
    headers = {} if authorization is None else {"Authorization": authorization}
    return requests.get(f"{url}/control", headers=headers, timeout=10).status_code


def test_control_wants_the_token_that_is_printed_and_calls_are_kept_in_a_file(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "calls.sqlite"
    with started("--journal", str(journal)) as said:
        printed = re.search(r"curl -H 'Authorization: (Bearer \S{32,})' (\S+)", said[-1])
        assert printed is not None
        assert (asked(said, printed[1]), asked(said, None)) == (200, 401)
        requests.post(said[0].split()[-1], data=b"<a/>", timeout=10)
    with closing(sqlite3.connect(journal)) as kept:
        assert list(kept.execute("SELECT journal, number, request FROM calls")) == [
            ("FKASSA", 1, b"<a/>")
        ]
    assert [each.name for each in tmp_path.iterdir()] == ["calls.sqlite"]


def test_the_token_is_given_or_done_without() -> None:
    with started(INTYG_MOCKS_TOKEN="of-my-own") as said:
        assert (asked(said, "Bearer of-my-own"), asked(said, "Bearer other")) == (200, 401)
    with started("--no-token") as said:
        assert asked(said, None) == 200


@pytest.mark.parametrize("command", [("--ports-from=0",), ("national", "--port=0")], ids=" ".join)
def test_programs_are_told_where_each_mock_is(command: tuple[str, ...]) -> None:
    arguments = [sys.executable, "-m", "intyg.adapter", "mocks", *command, "--json"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            mock = json.loads(process.stdout.readline())
            assert list(mock) == ["name", "logical_address", "url", "control_token"]
            bearer = {"Authorization": f"Bearer {mock['control_token']}"}
            journal = f"{mock['url']}/control/journal"
            assert requests.get(journal, headers=bearer, timeout=10).status_code == 200
            assert requests.get(journal, timeout=10).status_code == 401
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
            assert process.returncode == 0
        finally:
            process.kill()


def test_tls_is_served_and_each_client_is_a_run_of_its_own(tmp_path: Path) -> None:
    keys = make_test_keys(tmp_path, system_clock())
    server, client = keys.server, keys.client
    files = ("--cert", str(server.cert), "--key", str(server.key), "--client-ca", str(keys.ca))
    with started(*files, "--run-by-client", "--no-token") as said:
        url = said[0].split()[-1]
        assert url.startswith("https://127.0.0.1:")

        def get(path: str, cert: tuple[str, str] | None = None) -> Any:
            answer = requests.get(
                f"{url}/control{path}", verify=str(keys.ca), cert=cert, timeout=10
            )
            return answer.json()

        assert get("/journal/count", (str(client.cert), str(client.key)))["count"] == 0
        assert [each["run_id"] for each in get("/runs")["runs"]] == [CLIENT_HSA_ID]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--cert", "a.pem"], "--cert and --key go together", id="no key"),
        pytest.param(["--client-ca", "a.pem"], "need --cert and --key", id="no TLS"),
        pytest.param(["--run-by-client"], "needs --client-ca", id="no client"),
        pytest.param(
            ["--cert", "a.pem", "--key", "b.pem", "--require-client"],
            "needs --client-ca",
            id="no CA",
        ),
        pytest.param(
            ["--cert", "a.pem", "--key", "b.pem"],
            "a.pem, b.pem: No such file or directory",
            id="no file",
        ),
        pytest.param(
            ["--cert", __file__, "--key", __file__],
            f"{__file__}, {__file__}: no PEM that can be used: it is not PEM",
            id="no PEM",
        ),
        pytest.param(["--adapter-key", "a.pem"], "--adapter-cert and --adapter-key", id="no cert"),
        pytest.param(
            ["--adapter-ca", __file__],
            f"{__file__}: no PEM that can be used: it is not PEM",
            id="no CA's",
        ),
    ],
)
def test_half_of_tls_is_refused(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(cli, ["mocks", "--ports-from", "0", *arguments])
    assert result.exit_code == 1
    assert says in result.output


def test_a_file_that_keeps_no_calls_is_refused_by_name(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no database, and long enough not to be taken for an empty file\n" * 20)
    result = CliRunner().invoke(cli, ["mocks", "--ports-from", "0", "--journal", str(notes)])
    assert (result.exit_code, result.output) == (1, f"{notes}: file is not a database\n")


# --- import ---------------------------------------------------------------------------------------


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
