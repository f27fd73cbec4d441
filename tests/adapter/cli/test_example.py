"""`intyg example`."""

from pathlib import Path

import pytest
from lxml import etree

from intyg.adapter.cli.options import swedish_now
from intyg.schemas.contract.contract import Contract, Contracts
from intyg.schemas.finding import Severity
from tests import builders
from tests.adapter.cli.calls import run
from tests.strategies import TODAY, TYPES

AT = "2026-11-23T09:30:00"


def errors_in(data: bytes) -> list[str]:
    intyg = etree.fromstring(data)[-1]
    intyg_type = TYPES.find(
        intyg.findtext("{*}typ/{*}code") or "", intyg.findtext("{*}version") or ""
    )
    found = TYPES.check(intyg_type, intyg, today=TODAY)
    return [finding.rule for finding in found if finding.severity is Severity.ERROR]


def test_example_is_valid_and_the_same_each_time() -> None:
    given = ("example", "FK7804", "--signed-at", AT, "--id", "intyg-7")
    once, again = (run(*given) for _ in "12")
    assert once.exit_code == 0
    assert once.stdout_bytes == again.stdout_bytes
    assert errors_in(once.stdout_bytes) == []
    assert run(*given, "--seed", "1").stdout_bytes != once.stdout_bytes


@pytest.mark.parametrize("more", [(), ("--person", builders.OTHER_PATIENT), ("--seed", "1")])
def test_each_example_has_an_id_of_its_own(more: tuple[str, ...]) -> None:
    once, again = (run("example", "--minimal", *more).stdout_bytes for _ in "12")
    ids = {
        etree.fromstring(each)[-1].findtext("{*}intygs-id/{*}extension") for each in (once, again)
    }
    assert len(ids) == 2


def test_an_example_is_an_fk7804_unless_told() -> None:
    told, untold = (
        run("example", *name, "--signed-at", AT, "--id", "x") for name in (["FK7804"], [])
    )
    assert (untold.exit_code, untold.stdout_bytes) == (0, told.stdout_bytes)


def test_minimal_example_is_shorter_than_a_full_one() -> None:
    minimal = run("example", "FK7804", "--minimal", "--signed-at", AT).stdout_bytes
    full = run("example", "FK7804", "--full", "--signed-at", AT).stdout_bytes
    assert errors_in(minimal) == []
    assert len(minimal) < len(full)


def test_example_holds_what_it_was_told(tmp_path: Path) -> None:
    file = tmp_path / "example.xml"
    given = ("--id", "intyg-7", "--person", builders.SAMORDNINGSNUMMER, "--signer", "SE-X")
    result = run("example", "7804", "--version", "1.2", "--signed-at", AT, "-o", str(file), *given)
    assert (result.exit_code, result.stdout) == (0, "")
    intyg = etree.fromstring(file.read_bytes())[-1]
    assert intyg.findtext("{*}intygs-id/{*}extension") == "intyg-7"
    assert intyg.findtext("{*}version") == "1.2"
    assert intyg.findtext("{*}signeringstidpunkt") == AT
    assert intyg.findtext("{*}patient/{*}person-id/{*}extension") == builders.SAMORDNINGSNUMMER
    assert intyg.findtext("{*}patient/{*}person-id/{*}root") == builders.SAMORDNING
    assert intyg.findtext("{*}skapadAv/{*}personal-id/{*}extension") == "SE-X"


def dates_in(request: bytes) -> tuple[str, str]:
    """When an FK7210 was signed, and its expected date of birth, which is not before today."""
    intyg = etree.fromstring(request)[-1]
    birth = intyg.find("{*}svar[@id='54']/{*}delsvar[@id='54.1']")
    assert birth is not None
    return intyg.findtext("{*}signeringstidpunkt") or "", birth.text or ""


def test_dates_of_an_example_are_around_today() -> None:
    example = ("example", "FK7210", "--minimal")
    signed, birth = dates_in(run(*example, "--today", "2028-02-29").stdout_bytes)
    assert (signed[:10], birth) == ("2028-02-29", "2028-02-29")
    told = run(*example, "--today", "2028-02-29", "--signed-at", AT).stdout_bytes
    assert dates_in(told) == (AT, "2028-02-29")
    assert dates_in(run(*example, "--signed-at", AT).stdout_bytes) == (AT, AT[:10])


@pytest.mark.parametrize("option", ["--signed-at", "--today"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_with_none_around_it_is_refused(option: str, day: str) -> None:
    result = run("example", option, day)
    assert result.exit_code == 2
    assert f"'{option}': the year must be 1900 to 2200" in result.stderr


def test_today_is_the_swedish_day_unless_told() -> None:
    earliest = swedish_now()
    signed, birth = dates_in(run("example", "FK7210", "--minimal").stdout_bytes)
    assert birth == signed[:10] in {str(earliest.date()), str(swedish_now().date())}


@pytest.mark.parametrize("rule", ["R21", "FK7804/1/R21"])
def test_broken_example_breaks_that_rule(rule: str) -> None:
    result = run("example", "FK7804", "--version", "1", "--break", rule, "--signed-at", AT)
    assert errors_in(result.stdout_bytes) == ["FK7804/1/R21"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        pytest.param(("--break", "R3"), 1, "R54 broke with it", id="implied by another rule"),
        pytest.param(("--break", "R155"), 1, "checked as R19 and R42", id="another rule's name"),
        pytest.param(("--break", "R163"), 1, "is not checked", id="a rule nobody checks"),
        pytest.param(("--break", "R9999"), 2, "no rule R9999", id="no such rule"),
        pytest.param(("--minimal", "--full"), 2, "one of", id="two sizes"),
        pytest.param(("--person", "1912"), 2, "12 digits", id="no person number"),
        pytest.param(("--id", "a\x00b"), 2, "cannot hold", id="no XML text"),
        pytest.param(("-o", "/nowhere/x.xml"), 2, "No such file", id="no such folder"),
    ],
)
def test_example_that_cannot_be_made_says_why(
    arguments: tuple[str, ...], exit_code: int, words: str
) -> None:
    result = run("example", "FK7804", "--version", "1", "--signed-at", AT, *arguments)
    assert result.exit_code == exit_code
    assert words in result.stderr
    assert result.stdout == ""


# --- of other contracts ---------------------------------------------------------------------------


CONTRACTS = Contracts()


@pytest.mark.parametrize("contract", [pytest.param(c, id=c.key) for c in CONTRACTS.all()])
def test_a_contracts_name_gives_a_request_that_follows_its_schema(contract: Contract) -> None:
    result = run("example", contract.name, "--version", str(contract.major), "--signed-at", AT)
    assert (result.exit_code, result.stderr) == (0, "")
    request = etree.fromstring(result.stdout_bytes)
    assert request.tag == contract.request
    assert CONTRACTS.check(contract, request) == []


def test_a_request_says_what_it_was_told() -> None:
    given = ("--intygs-id", "intyg-7", "--person", builders.OTHER_PATIENT, "--to", "SE-FK")
    more = ("--amne", "OVRIGT", "--svar-pa", "m-1", "--unit", "SE-UNIT", "--signer", "SE-X")
    result = run("example", "sendmessagetorecipient", *given, *more, "--envelope", "SE-HERE")
    envelope = etree.fromstring(result.stdout_bytes)
    assert envelope.findtext("{*}Header/{*}LogicalAddress") == "SE-HERE"
    (request,) = envelope[-1]
    assert request.findtext("{*}intygs-id/{*}extension") == "intyg-7"
    assert request.findtext("{*}patientPerson-id/{*}extension") == builders.OTHER_PATIENT
    assert request.findtext("{*}logiskAdressMottagare") == "SE-FK"
    assert request.findtext("{*}amne/{*}code") == "OVRIGT"
    assert request.findtext("{*}svarPa/{*}meddelande-id") == "m-1"
    assert request.findtext("{*}skickatAv/{*}personal-id/{*}extension") == "SE-X"
    assert request.findtext("{*}skickatAv/{*}enhet/{*}enhets-id/{*}extension") == "SE-UNIT"


def test_a_type_is_named_where_a_contract_wants_one() -> None:
    possible = etree.fromstring(
        run("example", "ListPossibleReceivers", "--type", "DB").stdout_bytes
    )
    assert possible.findtext("{*}intygTyp/{*}code") == "DB"
    whole = etree.fromstring(run("example", "RegisterCertificate", "--type", "DB").stdout_bytes)
    assert whole.findtext("{*}intyg/{*}typ/{*}code") == "DB"


def test_a_certificate_answers_a_request_for_completion() -> None:
    given = ("--relation", "KOMPLT:intyg-6", "--svar-pa", "m-1", "--minimal")
    request = etree.fromstring(run("example", *given).stdout_bytes)
    assert request.findtext("{*}svarPa/{*}meddelande-id") == "m-1"
    relation = request.find("{*}intyg/{*}relation")
    assert relation is not None
    assert relation.findtext("{*}typ/{*}code") == "KOMPLT"
    assert relation.findtext("{*}intygs-id/{*}extension") == "intyg-6"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("GetCertificate", "--amne", "KONTKT"), "no --amne", id="another's option"),
        pytest.param(("FK7804", "--to", "FKASSA"), "--to: a certificate has", id="of no contract"),
        pytest.param(("FK7804", "--type", "DB"), "--type", id="a type of a type"),
        pytest.param(("FK7804", "--svar-pa", "m-1"), "--relation", id="an answer to nothing"),
        pytest.param(("FK7804", "--relation", "KOMPLT"), "KOMPLT:ID", id="half a relation"),
        pytest.param(("GetCertificate", "--version", "9"), "known: 2", id="no such version"),
        pytest.param(("GetCertificate", "--break", "R1"), "--break", id="rules of another"),
        pytest.param(
            ("SendMessageToCare", "--last-day", "soon"), "sistaDatumForSvar: ", id="not by schema"
        ),
        pytest.param(("RevokeCertificate", "--text", "a\x00b"), "cannot hold", id="no XML text"),
    ],
)
def test_a_request_that_cannot_be_made_says_why(arguments: tuple[str, ...], words: str) -> None:
    result = run("example", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
