"""`intyg route explain`: each step of a message's way, as it would be taken."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from intyg.adapter.cli.main import cli
from intyg.adapter.domain.clock import system_clock
from intyg.adapter.signature.demo_keys import CLIENT_HSA_ID, make_test_keys

PATIENT = "189001019802"
EHR = "SE2321000016-EHR1"
URL = "https://127.0.0.1:8081/clinicalprocess/healthcond/certificate/{}/rivtabp21"

SETTINGS = f"""
environment = "{{environment}}"
data_dir = "d"
logical_address = "ADAPTER"
[caller]
identity = "proxy"
proxies = ["127.0.0.1/32"]
[test_patients]
list_files = ["list.csv"]
[recipients.FKASSA]
name = "Försäkringskassan"
logical_address = "FK"
[destinations.fk]
url = "https://127.0.0.1:8081"
kind = "{{kind}}"
client_cert = "keys/client.pem"
client_key = "keys/client.key.pem"
ca = "keys/ca.pem"
[destinations.clear]
url = "http://127.0.0.1:8082"
kind = "test"
[[routes]]
contract = "*"
logical_address = "FK"
destination = "fk"
[[routes]]
contract = "*"
logical_address = "CLEAR"
destination = "clear"
[[permissions]]
sender = "{EHR}"
contract = "RegisterCertificate"
logical_address = "*"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain")
    make_test_keys(folder / "keys", system_clock())
    (folder / "list.csv").write_text(f"{PATIENT}\n")
    return folder


def run(
    folder: Path, *arguments: str, kind: str = "test", environment: str = "test", stdin: str = ""
) -> Result:
    config = folder / "adapter.toml"
    config.write_text(SETTINGS.format(kind=kind, environment=environment))
    command = ["route", "explain", *arguments, "--config", str(config), "--json"]
    return CliRunner().invoke(cli, command, input=stdin)


def explained(result: Result) -> tuple[dict[str, tuple[str, str]], str]:
    """Steps by name, and the verdict."""
    told: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (0 if told["goes"] else 1)
    return {s["step"]: (s["state"], s["text"]) for s in told["steps"]}, told["verdict"]


def test_every_step_of_a_message_that_goes(folder: Path) -> None:
    result = run(folder, "RegisterCertificate", "FK", "--sender", EHR, "--patient", PATIENT)
    steps, verdict = explained(result)
    assert list(steps) == ["sender", "route", "permission", "guard", "address", "certificate"]
    assert {state for state, _ in steps.values()} == {"ok"}
    assert steps["route"][1] == "the row * at FK to fk"
    assert steps["permission"][1] == f"permitted: {EHR} calls RegisterCertificate at *"
    assert "patient: test (list list.csv); fk is test (authority): send" in steps["guard"][1]
    assert steps["address"][1] == f"POST {URL.format('RegisterCertificate/3')}, 35 s"
    assert f"ours is client.pem, {CLIENT_HSA_ID}, until 20" in steps["certificate"][1]
    assert "against ca.pem" in steps["certificate"][1]
    assert URL.format("RegisterCertificate/3") in verdict
    assert not (folder / "d").exists()  # asking makes nothing
    assert PATIENT not in result.output


@pytest.mark.parametrize(
    ("arguments", "stopped", "says"),
    [
        (["RegisterCertificate", "FK", "--sender", "a b"], "sender", "VP002"),
        (["RegisterCertificate", "FK ", "--sender", EHR], "route", "VP004: There is white space"),
        (["RegisterCertificate", "TS", "--sender", EHR], "route", "VP004: No row says"),
        (["RevokeCertificate", "FK", "--sender", EHR], "permission", f"no permission for {EHR}"),
        (["RegisterCertificate", "FK", "--patient", "191212121212"], "guard", "not test"),
        (["CertificateStatusUpdateForCare", "ADAPTER"], "address", "does not serve"),
    ],
)
def test_what_stops_a_message_is_the_last_step(
    folder: Path, arguments: list[str], stopped: str, says: str
) -> None:
    steps, verdict = explained(run(folder, *arguments))
    assert verdict == f"stopped at {stopped}"
    assert list(steps)[-1] == stopped
    assert steps[stopped][0] == "no"
    assert says in steps[stopped][1]


def test_a_test_patient_on_its_way_to_a_real_authority_is_stopped(folder: Path) -> None:
    text = SETTINGS.format(kind="real", environment="production").replace("anchors", "")
    config = folder / "production.toml"
    config.write_text(text.replace('kind = "real"', 'kind = "real"\nallow = true'))
    command = ["route", "explain", "RegisterCertificate", "FK", "--patient", "-", "--json"]
    result = CliRunner().invoke(cli, [*command, "-c", str(config)], input=f"{PATIENT}\n")
    steps, verdict = explained(result)
    assert verdict == "stopped at guard"
    assert "patient: test" in steps["guard"][1]
    assert steps["guard"][1].endswith("fk is real (authority): block")


def test_the_adapters_own_messages_need_no_permission(folder: Path) -> None:
    steps, _ = explained(run(folder, "RevokeCertificate:2", "FK"))
    assert steps["permission"] == ("note", "the adapter's own messages need none")


def test_an_authority_does_not_get_what_care_is_told(folder: Path) -> None:
    steps, verdict = explained(run(folder, "SendMessageToCare:2", "FK"))
    assert steps["address"][0] == "no"
    assert steps["address"][1].endswith("SendMessageToCare is for the role care")
    assert verdict == "stopped at address"


def test_what_the_adapter_answers_itself_is_told_with_where_it_sends(folder: Path) -> None:
    steps, verdict = explained(run(folder, "RegisterCertificate", "ADAPTER", "--sender", EHR))
    assert verdict == "let in; answered by the adapter"
    assert "FKASSA at FK" in steps["address"][1]


def test_http_is_told_to_be_clear(folder: Path) -> None:
    steps, _ = explained(run(folder, "RegisterCertificate", "CLEAR"))
    assert steps["certificate"][0] == "note"


def test_demo_takes_in_what_has_no_route(folder: Path) -> None:
    steps, _ = explained(
        run(folder, "RegisterCertificate", "TS", "--sender", EHR, environment="demo")
    )
    assert steps["route"][0] == "note"
    assert "In demo it is taken in" in steps["route"][1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["RegisterCertifcate", "FK"], "did you mean RegisterCertificate"),
        (["RegisterCertificate:9", "FK"], "did you mean RegisterCertificate"),
        (["RegisterCertificate", "FK", "--patient", "189001019803"], "last digit fits"),
    ],
)
def test_wrong_use_is_2(folder: Path, arguments: list[str], says: str) -> None:
    result = run(folder, *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "189001019803" not in result.output
