"""`intyg route check`: what is wrong in a file of routes, and in which line."""

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from intyg.adapter.cli.main import cli
from intyg.adapter.doctor.checks import check_routes_file

CONTRACTS = ("RegisterCertificate", "RevokeCertificate")
TODAY = date(2026, 11, 23)

BEGINNING = """\
[destinations.fk]
url = "http://127.0.0.1:1"
kind = "test"
[destinations.other]
url = "http://127.0.0.1:2"
kind = "test"
"""
"""Six lines."""


def route(contract: str, address: str, destination: str = "fk", more: str = "") -> str:
    return (
        f'[[routes]]\ncontract = "{contract}"\nlogical_address = "{address}"\n'
        f'destination = "{destination}"\n{more}'
    )


def permission(sender: str, contract: str = "*", address: str = "*", more: str = "") -> str:
    return (
        f'[[permissions]]\nsender = "{sender}"\ncontract = "{contract}"\n'
        f'logical_address = "{address}"\n{more}'
    )


USED = route("*", "FK") + route("*", "TS", "other")
"""Lines 7 and 11."""


def found(tmp_path: Path, text: str) -> list[tuple[int | None, str, str]]:
    path = tmp_path / "routes.toml"
    path.write_text(text)
    _, findings = check_routes_file(path, CONTRACTS, TODAY)
    return [(f.line, f.code, f.text) for f in findings]


def codes(tmp_path: Path, text: str) -> list[tuple[int | None, str]]:
    return [(line, code) for line, code, _ in found(tmp_path, text)]


def test_a_good_file_has_no_findings(tmp_path: Path) -> None:
    good = BEGINNING + USED + permission("SE1-A", "RegisterCertificate")
    assert found(tmp_path, good) == []


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        pytest.param(USED + route("*", "FK"), 15, "duplicate", id="the same twice"),
        pytest.param(USED + route("*", "FK", "other"), 15, "ambiguous", id="two ways"),
        pytest.param(USED + route("RegisterCertificate", "FK"), 15, "shadowed", id="as without it"),
        pytest.param(
            route("RegisterCertificate", "FK")
            + route("RevokeCertificate", "FK", "other")
            + route("*", "FK"),
            15,
            "shadowed",
            id="every contract has its own",
        ),
        pytest.param(
            USED + route("*", "X", more="valid_to = 2026-11-22\n"), 15, "expired", id="yesterday"
        ),
        pytest.param(USED + route("RegisterCert", "X"), 15, "unknown contract", id="contract"),
        pytest.param(USED + route("*", "X "), 15, "white space", id="white space"),
        pytest.param(USED + route("*", "X", "gone"), 15, "unknown destination", id="nowhere"),
        pytest.param(route("*", "FK"), 4, "unused", id="never used"),
        pytest.param(USED.replace("other", "fk"), 4, "unused", id="never used, all lead elsewhere"),
        pytest.param(
            USED + permission("SE1-A") + permission("SE1-A"), 19, "duplicate", id="permission twice"
        ),
        pytest.param(
            USED + permission("SE1-A", "RegisterCertificate") + permission("SE1-A"),
            15,
            "shadowed",
            id="permitted by a wider one",
        ),
        pytest.param(
            USED + permission("SE1-A", more="valid_to = 2020-01-01\n"), 15, "expired", id="past"
        ),
        pytest.param(USED + permission("SE1 A"), 15, "no sender", id="no HSA-id"),
        pytest.param(
            USED + route("*", "X").replace("contract", "contrakt"), 15, "wrong", id="wrong key"
        ),
        pytest.param(
            USED + permission("SE1-A", "RegisterCert"), 15, "unknown contract", id="permitted"
        ),
        pytest.param(USED + "[[routes]\n", 15, "toml", id="no TOML"),
        pytest.param(
            '[destinations.again]\nurl = "http://localhost:1/"\nkind = "mock"\n'
            + USED
            + route("*", "X", "again"),
            7,
            "two kinds",
            id="one address of two kinds",
        ),
    ],
)
def test_each_fault_is_found_in_its_line(tmp_path: Path, text: str, line: int, code: str) -> None:
    assert (line, code) in codes(tmp_path, BEGINNING + text)


@pytest.mark.parametrize(
    "text",
    [
        # one after the other in time
        route("*", "FK", more="valid_to = 2026-12-31\n")
        + route("*", "FK", "other", more="valid_from = 2027-01-01\n"),
        # an exception to a rule for all
        route("*", "*") + route("RegisterCertificate", "FK", "other"),
        # without the second, RegisterCertificate to FK would go elsewhere
        route("RegisterCertificate", "*", "other") + route("*", "FK") + route("*", "*"),
        # permitted for other addresses, or at other times
        USED + permission("SE1-A", address="FK") + permission("SE1-A", address="TS"),
        USED
        + permission("SE1-A", "RegisterCertificate")
        + permission("SE1-A", more="valid_from = 2027-01-01\n"),
        USED + route("*", "OURS", "adapter"),
    ],
)
def test_what_belongs_together_is_no_fault(tmp_path: Path, text: str) -> None:
    assert codes(tmp_path, BEGINNING + text) == []


def test_a_misspelt_contract_names_the_nearest(tmp_path: Path) -> None:
    [(_, _, text)] = found(tmp_path, BEGINNING + USED + route("RegisterCertficate", "X"))
    assert text == "there is no contract RegisterCertficate; did you mean RegisterCertificate?"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        pytest.param(
            USED.replace("[[routes]]", '[[routes]] # "test"').replace('"FK"', '"FK"')
            + '[destinations.third]\nurl = "http://a.example"\nkind = "mock"\n'
            + route("*", "X", "third"),
            16,
            "third is a mock",
            id="a mock in production",
        ),
        pytest.param(
            USED
            + '[destinations.third]\nurl = "https://a"\nkind = "test"\nca = "none.pem"\n'
            + route("*", "X", "third"),
            16,
            "none.pem",
            id="a file that is not there",
        ),
        pytest.param(USED + permission("*"), 16, "lets any sender in", id="any sender"),
    ],
)
def test_of_a_settings_file_what_its_environment_refuses_is_found(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    [(at, code, said)] = found(tmp_path, f'environment = "production"\n{BEGINNING}{text}')
    assert (at, code, says in said) == (line, "refused", True), said


def test_an_authority_whose_address_leads_to_an_ehr_is_found(tmp_path: Path) -> None:
    text = BEGINNING.replace('kind = "test"', 'kind = "test"\nrole = "care"') + USED
    head = '[recipients.FKASSA]\nname = "FK"\nlogical_address = "FK"\n'
    [(_, code, said)] = found(tmp_path, f'environment = "test"\n{head}{text}')
    assert (code, "leads to an EHR" in said) == ("refused", True)


def test_a_destination_without_address_is_found(tmp_path: Path) -> None:
    text = BEGINNING.replace("http://127.0.0.1:2", "") + USED
    assert codes(tmp_path, text) == [(4, "no address")]


def test_of_a_settings_file_the_tables_are_checked(tmp_path: Path) -> None:
    head = 'environment = "demo"\nnonsense = 1\n[recipients.AF]\nlogical_address = "AF"\n'
    assert codes(tmp_path, head + BEGINNING + USED) == [(None, "no route")]


def test_the_file_that_a_settings_file_names_is_checked(tmp_path: Path) -> None:
    named = tmp_path / "sub.toml"
    named.write_text(BEGINNING + route("*", "FK"))
    settings = tmp_path / "adapter.toml"
    settings.write_text('environment = "demo"\nroutes_file = "sub.toml"\n')
    result = CliRunner().invoke(cli, ["route", "check", str(settings)])
    assert result.stdout == f"{named}:4: unused no route leads to destination other\n"


def test_findings_exit_1_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(BEGINNING + route("*", "FK"))
    result = CliRunner().invoke(cli, ["route", "check", str(path)])
    assert result.exit_code == 1
    assert result.stdout == f"{path}:4: unused no route leads to destination other\n"
    path.write_text(BEGINNING + USED)
    assert CliRunner().invoke(cli, ["route", "check", str(path)]).exit_code == 0
    assert CliRunner().invoke(cli, ["route", "check", str(tmp_path / "gone")]).exit_code == 2


def test_rows_are_checked_for_the_day_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    path.write_text(BEGINNING + USED + route("*", "X", more="valid_to = 2026-11-22\n"))
    check = ["route", "check", str(path), "--today"]
    assert CliRunner().invoke(cli, [*check, "2026-11-22"]).exit_code == 0
    assert "expired" in CliRunner().invoke(cli, [*check, "2026-11-23"]).stdout
